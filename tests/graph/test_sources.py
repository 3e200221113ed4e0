"""Edge sources and adaptive merging: formulas, and graphs whose edges are known to be right, wrong or unrelated."""

import math

import pytest
import torch
from torch_geometric.data import Data

from genurl_graph import GenURL, datasets
from genurl_graph.config import load_preset
from genurl_graph.exceptions import InputError
from genurl_graph.graph.affinity import similarities
from genurl_graph.graph.edge_reliability import edge_auc, feature_confidence, feature_consistency, node_reliability
from genurl_graph.graph.merge import FEATURE, PATH, PREDEFINED
from genurl_graph.graph.propagation import Propagation
from genurl_graph.graph.sources import Sources, geodesic_similarities, mean_lack, propagation_graph
from genurl_graph.inputs.input import as_input
from genurl_graph.tasks import graph
from genurl_graph.tasks.prepare import gather
from genurl_graph.tasks.resolve import resolve_config
from tests.graph.edge_reliability.test_edge_reliability import blobs, edges_of

CPU = torch.device("cpu")
N = 200


def graph_data(alike, consistent=True):
    x, y = blobs(n=N, columns=80)
    if not consistent:
        x = (torch.rand(x.shape, generator=torch.Generator().manual_seed(5)) < 0.2).float()
    return Data(x=x, edge_index=edges_of(y, alike), y=y)


def read(data):
    """As a fit reads it: what is measured is kept."""
    return as_input(data)._replace(measured={})


def sources(data, changes=None):
    given = read(data)
    config = resolve_config(given, "graph", {"merge.weighting": "adaptive", **(changes or {})})
    return gather(given, config, 0, CPU), config, given


def dense(edge_index, weight):
    a = torch.zeros(N, N)
    a[edge_index[0], edge_index[1]] = weight
    return a


def share_of_features(problem):
    merged = problem.merged
    return float(merged.edge_weight[(merged.provenance & PREDEFINED) == 0].sum() / merged.edge_weight.sum())


def build(data, changes=None):
    given = read(data)
    config = resolve_config(given, "graph", {"encoder.hidden": 8, "encoder.dim": 4, **(changes or {})})
    return graph.build(given, given.x, config, 0, CPU)


def test_edges_within_classes_are_reliable_and_edges_between_are_not():
    assert float(sources(graph_data(alike=True))[0].reliability.mean()) > 0.95
    assert float(sources(graph_data(alike=False))[0].reliability.mean()) < 0.05
    reliable, unreliable = (share_of_features(build(graph_data(alike))) for alike in (True, False))
    assert unreliable > 0.95
    assert reliable < 0.5


def test_inconsistent_features_are_no_evidence_against_edges():
    found, *_ = sources(graph_data(alike=True, consistent=False))
    assert found.auc == pytest.approx(0.5, abs=0.05)
    assert float(found.reliability.min()) > 0.7


@pytest.mark.parametrize("alike", [True, False])
def test_weights_are_the_formulas(alike):
    found, config, given = sources(graph_data(alike))
    row, col = found.edge_index
    consistency = feature_consistency(given.x, "cosine").value
    auc = edge_auc(given.x, found.edge_index, "cosine").of_edges
    reliability = 1 - feature_confidence(consistency) * (1 - node_reliability(auc, found.edge_index, N, consistency))
    of_edge = (reliability[row] + reliability[col]) / 2
    torch.testing.assert_close(found.edge_weight, of_edge)
    degree = dense(found.edge_index, of_edge).sum(1)
    plain, *_ = sources(graph_data(alike), {"merge.weighting": "given"})
    counted = dense(plain.edge_index, 1.0).sum(1)
    a, b = found.knn_edge_index
    assert torch.equal(found.knn_edge_index, plain.knn_edge_index)
    torch.testing.assert_close(
        found.knn_weight * (1 + (degree[a] + degree[b]) / 2),
        plain.knn_weight * (1 + (counted[a] + counted[b]) / 2),
    )
    power = config.merge.propagation_power - 1
    lack = (1 - (reliability[a] + reliability[b]) / 2) * (1 - reliability.mean()) ** power
    expected = dense(found.edge_index, of_edge) + config.merge.propagation_weight * dense(
        found.knn_edge_index, found.knn_weight * lack
    )
    operator = Propagation(*graph.propagation_edges(found, N, config)[:2], N)
    torch.testing.assert_close(
        dense(torch.stack([operator.row, operator.col]), operator.weight), expected + torch.eye(N)
    )


@pytest.mark.parametrize("mean", [0.0, 0.5, 0.9, 1.0])
def test_a_node_without_reliable_edges_reads_its_knn_edges_as_far_as_the_graph_lacks_reliability(mean):
    """One node lacks all reliability. Its kNN edge weighs (1 - mean)^2 of what it does in a graph without any."""
    near = torch.tensor([[0, 1], [1, 0]])
    given = Sources(torch.tensor([[2, 3], [3, 2]]), torch.ones(2), near, torch.full((2,), 0.25))
    merge = load_preset("graph").override({"merge.propagation_weight": 8.0, "merge.propagation_power": 3.0}).merge
    found = propagation_graph(given, torch.zeros(2), 4, merge, mean_lack([torch.full((4,), mean)], 4))
    assert dict(zip(map(tuple, found.edge_index.T.tolist()), found.edge_weight.tolist(), strict=True)) == pytest.approx(
        {(2, 3): 1.0, (3, 2): 1.0} | ({(0, 1): 2 * (1 - mean) ** 2, (1, 0): 2 * (1 - mean) ** 2} if mean < 1 else {})
    )


def test_what_a_graph_lacks_is_the_same_in_any_parts():
    reliability = torch.rand(10_000, generator=torch.Generator().manual_seed(0))
    whole = mean_lack([reliability], len(reliability))
    assert whole == pytest.approx(1 - float(reliability.mean()), abs=1e-5)
    for count in (2, 7, 1000):
        assert mean_lack(reliability.chunk(count), len(reliability)) == whole


def test_given_weights_stay():
    found, *_ = sources(graph_data(alike=False), {"merge.weighting": "given"})
    assert found.reliability is None
    assert found.summary() == {}
    assert (found.edge_weight == 1).all()


def test_weighting_none_ignores_predefined_edges():
    data, bare = graph_data(alike=True), graph_data(alike=True)
    bare.edge_index = torch.tensor([[0], [1]])
    changes = {"merge.weighting": "none"}
    p, other = (problem.objective for problem in (build(data, changes), build(bare, changes)))
    torch.testing.assert_close(p.p, other.p)
    assert torch.equal(p.pattern.col, other.pattern.col)
    assert torch.equal(p.propagation.col, other.propagation.col)
    torch.testing.assert_close(p.propagation.weight, other.propagation.weight)
    for lacking in (Data(edge_index=data.edge_index, num_nodes=N), data):
        with pytest.raises(InputError, match="none without kNN edges"):
            build(lacking, changes | {"merge.feature_weight": 0.0})
    # Propagation over a new graph may use self loops alone.
    quiet = GenURL(random_state=0, epochs=1, config={"encoder.hidden": 8, "merge.propagation_weight": 0.0, **changes})
    torch.testing.assert_close(quiet.fit_transform(data), quiet.transform(bare), rtol=1e-4, atol=1e-4)


def test_summary_is_reported_and_saved_and_transform_propagates_by_the_same_rule(tmp_path):
    data = graph_data(alike=False)
    model = GenURL(random_state=0, epochs=1, config={"encoder.hidden": 8}).fit(data)
    torch.testing.assert_close(model.transform(data), model.embedding_, rtol=1e-4, atol=1e-4)
    summary = model.graph_summary_
    assert summary["reliability_mean"] < 0.05
    assert sum(summary["reliability_histogram"]) == N
    assert summary["reliability_histogram"][0] > 0.9 * N
    assert summary["edge_auc"] < 0.55 < 0.7 < summary["feature_consistency"]
    model.save(tmp_path)
    assert GenURL.load(tmp_path).graph_summary_ == summary


def test_unreliable_edges_hardly_change_the_knn_edges():
    data, other = graph_data(alike=False), graph_data(alike=False)
    g = torch.Generator().manual_seed(9)
    drawn = torch.randint(N, (2, 3000), generator=g)
    other.edge_index = drawn[:, data.y[drawn[0]] != data.y[drawn[1]]][:, :300]
    problems = [build(d) for d in (data, other)]
    near = [dense(p.merged.edge_index, p.merged.edge_weight * ((p.merged.provenance & FEATURE) > 0)) for p in problems]
    assert float((near[0] - near[1]).abs().sum() / near[0].sum()) < 0.1


def test_geodesics_are_shortest_paths_over_both_graphs():
    """Against all pairs by Floyd and Warshall: who is reached, who reaches whom, and the calibrated similarities."""
    data = graph_data(alike=True)
    data.x = data.x * torch.rand(data.x.shape, generator=torch.Generator().manual_seed(6))  # no ties
    changes = {
        "merge.how": "geodesic",
        "merge.weighting": "given",
        "merge.feature_weight": 2.0,
        "neighbors.n_neighbors": 4,
    }
    found, config, given = sources(data, changes)
    merged = geodesic_similarities(given, found, config)

    x = torch.nn.functional.normalize(given.x.double(), dim=1)
    distance = (1 - x @ x.T).clamp_min(0)
    direct = torch.full((N, N), math.inf, dtype=torch.float64)
    row = torch.arange(N).repeat_interleave(4)
    near = found.neighbors.indices.reshape(-1)
    direct[row, near] = direct[near, row] = found.neighbors.distances.reshape(-1).double() / 2
    i, j = found.edge_index
    direct[i, j] = torch.minimum(direct[i, j], distance[i, j])
    lengths = torch.cat([distance[i, j], found.neighbors.distances.reshape(-1).double() / 2])
    paths = direct.clone().fill_diagonal_(0)
    for via in range(N):
        paths = torch.minimum(paths, paths[:, via : via + 1] + paths[via : via + 1])
    paths.fill_diagonal_(math.inf)
    paths[paths > 2 * float(lengths.float().median())] = math.inf
    last = paths.topk(3 * 4, largest=False).values[:, -1:]
    reached = (paths <= last + 1e-9) & paths.isfinite()
    reached = reached | reached.T
    edges = reached.nonzero().T
    _, p = similarities(edges, paths[edges[0], edges[1]].float(), N, config.similarity.perplexity)
    torch.testing.assert_close(dense(merged.edge_index, merged.edge_weight), dense(edges, p), rtol=1e-3, atol=1e-4)

    only_paths = dense(merged.edge_index, ((merged.provenance & PATH) > 0).float()) > 0
    assert torch.equal(only_paths, direct.isinf() & (dense(merged.edge_index, merged.edge_weight) > 0))
    assert 0.1 < float(only_paths.sum() / reached.sum()) < 1


def test_geodesics_train_and_need_knn_edges():
    data = graph_data(alike=True)
    small = {"merge.how": "geodesic", "encoder.hidden": 8}
    model = GenURL(random_state=0, epochs=2, config=small).fit(data)
    assert torch.isfinite(model.embedding_).all()
    for wrong in (Data(edge_index=data.edge_index, num_nodes=N), data):
        changes = small | ({} if wrong is not data else {"merge.feature_weight": 0.0})
        with pytest.raises(InputError, match="geodesic without kNN edges"):
            GenURL(random_state=0, epochs=2, config=changes).fit(wrong)
    with pytest.raises(InputError, match="cutoff"):
        GenURL(random_state=0, epochs=2, config=small | {"merge.cutoff": -1.0}).fit(data)


def test_nothing_is_propagated_over_edges_without_weight():
    found, config, _ = sources(graph_data(alike=True))
    full = found._replace(reliability=torch.ones(N), edge_weight=torch.ones_like(found.edge_weight))
    assert Propagation(*graph.propagation_edges(full, N, config)[:2], N).col.numel() == found.edge_index.size(1) + N


@pytest.mark.parametrize(("name", "low", "high"), [("cora", 0.95, 1.0), ("wisconsin", 0.0, 0.5), ("cornell", 0.0, 0.1)])
def test_real_edges_are_reliable_where_they_join_like_labels(name, low, high, data_root):
    """Edges join nodes of one class in 81 of 100 cases (Cora), 18 (Wisconsin), 30 (Cornell)."""
    found, *_ = sources(datasets.load(name, data_root))
    assert low <= float(found.reliability.mean()) <= high
