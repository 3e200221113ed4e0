"""The graph of a batch of graphs: pairs of views, near graphs, and batches of bounded size."""

from typing import Any

import pytest
import torch

from genurl_graph.config import load_preset
from genurl_graph.graph.affinity import similarities
from genurl_graph.graph.knn import knn
from genurl_graph.graph.merge import FEATURE, MergedGraph
from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.nn.graphs import make_graph_encoder
from genurl_graph.objectives.graphs import objective as module
from genurl_graph.objectives.graphs.objective import GraphsObjective, distinct
from genurl_graph.runtime.random import seeded
from tests.nn.graphs.random_graphs import random_graphs

SIZES = [5, 0, 1, 7, 4, 12, 3, 2, 9, 6, 8, 8, 5, 5, 3, 4]


@pytest.fixture(scope="module")
def graphs() -> GraphCollection:
    return random_graphs(SIZES, 3)


def objective(graphs: GraphCollection, **changes: Any) -> GraphsObjective:
    config = load_preset("graphs").override(
        {
            "encoder.hidden": 4,
            "encoder.dim": 36,
            "encoder.skip": 0,
            "neighbors.n_neighbors": 3,
            "similarity.perplexity": 3.0,
            "sampling.batch_size": 8,
            **changes,
        }
    )
    near = torch.randn(graphs.num_graphs, 4, generator=torch.Generator().manual_seed(0))
    found = knn(near, 3)
    row = torch.arange(len(near)).repeat_interleave(3)
    edges, p = similarities(torch.stack([row, found.indices.reshape(-1)]), found.distances.reshape(-1), len(near), 3.0)
    merged = MergedGraph(edges[:, p > 0], p[p > 0], torch.full_like(p[p > 0], FEATURE, dtype=torch.uint8), len(near))
    with seeded(0):
        return GraphsObjective(make_graph_encoder(config, graphs), graphs, near, merged, config)


def dense(edges: Any, p: Any, size: int) -> torch.Tensor:
    """P as a matrix, of edges that stand there once each."""
    assert len(set(map(tuple, edges.T.tolist()))) == edges.size(1)
    matrix = torch.zeros(size, size)
    matrix[edges[0], edges[1]] = p
    return matrix


@pytest.mark.parametrize("among", ["batch", "samples"])
def test_p_is_symmetric_and_joins_both_views_of_near_graphs(graphs: GraphCollection, among: str) -> None:
    found = objective(graphs, **{"similarity.among": among, "merge.feature_weight": 0.5, "views.self_weight": 2.0})
    with seeded(1):
        batch = found._batch()
    size = len(batch)
    matrix = dense(*found.graph(batch), 2 * size)
    assert torch.equal(matrix, matrix.T)
    first, across = matrix[:size, :size], matrix[:size, size:]
    assert torch.equal(matrix[size:, size:], first)
    assert across.diagonal().tolist() == [2.0] * size
    assert first.diagonal().tolist() == [0.0] * size
    assert torch.equal(across.clone().fill_diagonal_(0), first)
    assert 0 < float(first.max()) <= 0.5
    if among == "samples":
        # The similarities of all graphs, where both ends are in the batch.
        rows = torch.arange(len(SIZES)).repeat_interleave(found.neighbors.crow.diff())
        of_all = dense(torch.stack([rows, found.neighbors.col]), found.neighbors.p, len(SIZES))
        torch.testing.assert_close(first, 0.5 * of_all[batch][:, batch])


def test_each_edge_source_can_be_switched_off(graphs: GraphCollection) -> None:
    views = objective(graphs, **{"merge.feature_weight": 0.0})
    batch = torch.tensor([0, 3, 5])
    assert torch.equal(dense(*views.graph(batch), 6), torch.eye(6).roll(3, 0))
    near = objective(graphs, **{"views.self_weight": 0.0, "merge.feature_weight": 1.0})
    edges, _ = near.graph(torch.arange(8))
    assert int(edges.max()) < 8
    with seeded(0):
        assert torch.isfinite(near(0.5).loss)
        assert torch.isfinite(views(0.5).loss)


@pytest.mark.parametrize("among", ["batch", "samples"])
def test_batches_hold_each_graph_once_none_without_nodes_and_few_nodes(
    graphs: GraphCollection, among: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = objective(graphs, **{"similarity.among": among})
    seen = set()
    with seeded(0):
        for _ in range(20):
            batch = found._batch().tolist()
            assert len(set(batch)) == len(batch) == 8
            seen |= set(batch)
    # Graph 1 has no nodes, and no views.
    assert seen == set(range(len(SIZES))) - {1}
    monkeypatch.setattr(module, "MOST_CELLS", 2 * 4 * 20)
    bounded = objective(graphs, **{"similarity.among": among})
    with seeded(0):
        for _ in range(20):
            batch = bounded._batch()
            assert len(batch) >= 2
            assert len(batch) == 2 or int(graphs.sizes()[batch].sum()) <= 20
            assert torch.isfinite(bounded(0.0).loss)


def test_numbers_are_kept_where_they_stand_first() -> None:
    assert distinct(torch.tensor([3, 1, 3, 0, 1, 2])).tolist() == [3, 1, 0, 2]
