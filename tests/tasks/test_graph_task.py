"""The graph recipe: which edges P has, how strong they are, and what the encoder propagates over."""

import math

import pytest
import torch
from torch_geometric.data import Data

from genurl_graph.config import load_preset
from genurl_graph.graph.merge import predefined_edges
from genurl_graph.inputs.input import as_input
from genurl_graph.tasks import graph
from genurl_graph.tasks.prepare import feature_similarities

CPU = torch.device("cpu")
FIXED = {
    "neighbors.n_neighbors": 3,
    "neighbors.metric": "euclidean",
    "neighbors.pca": 0,
    "neighbors.hops": 0,
    "similarity.perplexity": 3.0,
    "encoder.hidden": 8,
    "encoder.dim": 4,
    "views.self_weight": 0.0,
    "merge.how": "mix",
    "merge.feature_weight": 0.3,
    "merge.propagation_weight": 0.0,
    "merge.weighting": "given",
    "merge.evidence": "none",
}
PATH = torch.tensor([[0, 1, 2, 3], [1, 2, 3, 4]])  # one direction only, as some files have it


def build(config=None, x=True, weight=None):
    features = torch.randn(12, 5, generator=torch.Generator().manual_seed(0)) if x else None
    data = as_input(Data(x=features, edge_index=PATH, edge_weight=weight, num_nodes=12))
    resolved = (
        load_preset("graph")
        .override({"encoder.skip": 0, "encoder.structure_columns": 0})
        .override(FIXED | (config or {}))
    )
    return graph.build(data, data.x, resolved, 0, CPU), data, resolved


def dense(edge_index, weight):
    a = torch.zeros(12, 12)
    a[edge_index[0], edge_index[1]] = weight
    return a


def adjacency(weight=1.0):
    a = dense(PATH, weight)
    return a + a.T


def mean_degree():
    """Mean degree of the ends of every pair."""
    degree = adjacency().sum(1)
    return (degree[:, None] + degree[None]) / 2


def test_p_is_adjacency_plus_weighted_similarities():
    problem, data, config = build()
    _, edges, p = feature_similarities(data, config, 0, CPU)
    merged = problem.merged
    expected = adjacency() + 0.3 * dense(edges, p) / (1 + mean_degree())
    torch.testing.assert_close(dense(merged.edge_index, merged.edge_weight), expected)
    pattern = problem.objective.pattern
    torch.testing.assert_close(
        dense(torch.stack([pattern.row, pattern.col]), problem.objective.p),
        dense(merged.edge_index, merged.edge_weight),
    )
    assert problem.neighbors.indices.shape == (12, 3)


def test_self_pairs_join_p_with_two_views():
    problem, *_ = build({"views.self_weight": 2.0})
    pattern = problem.objective.pattern
    loops = pattern.row == pattern.col
    assert loops.sum() == 12
    assert (problem.objective.p[loops] == 2).all()


def test_given_weights_are_brought_to_the_scale_of_similarities():
    weight = torch.tensor([2.0, 8.0, 4.0, 8.0])
    problem, *_ = build({"merge.feature_weight": 0.0}, weight=weight)
    assert problem.neighbors is None
    merged = problem.merged
    torch.testing.assert_close(dense(merged.edge_index, merged.edge_weight), adjacency(weight / 8))
    # Weights of zero are no weights to divide by.
    data = as_input(Data(x=torch.ones(12, 1), edge_index=PATH, edge_weight=torch.zeros(4)))
    assert predefined_edges(data)[1].tolist() == [0, 0, 0, 0]
    # A self loop is no edge, however much it weighs.
    loop = torch.cat([PATH, torch.tensor([[3], [3]])], dim=1)
    given = as_input(Data(x=torch.ones(12, 1), edge_index=loop, edge_weight=torch.tensor([*weight.tolist(), 90.0])))
    torch.testing.assert_close(dense(*predefined_edges(given)), dense(PATH, weight / 8))


@pytest.mark.parametrize("in_p", [0.0, 0.3])
def test_propagation_over_knn_edges_fades_with_the_degree(in_p):
    problem, data, config = build({"merge.propagation_weight": 0.6, "merge.feature_weight": in_p})
    _, edges, p = feature_similarities(data, config, 0, CPU)
    expected = adjacency() + 0.6 * dense(edges, p) / (1 + mean_degree()) + torch.eye(12)
    found = problem.objective.propagation
    torch.testing.assert_close(dense(torch.stack([found.row, found.col]), found.weight), expected)
    plain = build({"merge.feature_weight": in_p})[0].objective.propagation
    torch.testing.assert_close(dense(torch.stack([plain.row, plain.col]), plain.weight), adjacency() + torch.eye(12))


def test_averaging_before_the_search_uses_the_graph():
    problem, data, _ = build({"neighbors.hops": 2})
    a = adjacency() + torch.eye(12)
    scale = a.sum(1).rsqrt()
    a = scale[:, None] * a * scale[None]
    distance = torch.cdist(a @ a @ data.x, a @ a @ data.x).fill_diagonal_(math.inf)
    expected = distance.topk(3, largest=False).indices.sort(1).values
    assert torch.equal(problem.neighbors.indices.sort(1).values, expected)


def test_without_features_nodes_are_their_own_features():
    problem, *_ = build(x=False)
    assert problem.neighbors is None
    assert problem.objective.features.num_features == 12
    assert problem.objective.embed().shape == (12, 4)
    merged = problem.merged
    torch.testing.assert_close(dense(merged.edge_index, merged.edge_weight), adjacency())


def test_encoders_that_do_not_propagate_get_no_graph():
    assert build({"encoder.name": "mlp"})[0].objective.propagation is None
    free = build({"encoder.name": "free"})[0].objective
    assert free.propagation is None
    assert free.features is None
