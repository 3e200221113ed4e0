"""Edge reliability: AUC against scikit-learn's, and its values on graphs whose edges are known to be right or wrong."""

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import pairwise_distances, roc_auc_score
from torch import Tensor

from genurl_graph.graph.edge_reliability import (
    FULL_EVIDENCE,
    RELIABLE,
    STEADY,
    UNRELIABLE,
    FeatureRows,
    consistency,
    edge_auc,
    feature_confidence,
    feature_consistency,
    node_reliability,
    ranks,
    sample_edges,
)
from genurl_graph.graph.merge import merge_graphs


@pytest.fixture
def few_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the columns: their mean is as near as a test asks."""
    monkeypatch.setattr(consistency, "_MOST", 32)


METRICS = pytest.mark.parametrize("metric", ["cosine", "euclidean", "manhattan", "correlation"])


def blobs(n: int = 120, classes: int = 4, columns: int = 40, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Bags of words: every class has ten words of its own, each in half of its documents. Features and classes."""
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % classes
    own = torch.arange(columns) % classes == y[:, None]
    x = torch.rand(n, columns, generator=g) < torch.where(own, 0.5, 0.05)
    return x.float(), y


def edges_of(y: Tensor, alike: bool, count: int = 300) -> Tensor:
    """Random edges within classes, or between them; both ways, each once."""
    g = torch.Generator().manual_seed(1)
    drawn = torch.randint(len(y), (2, 20 * count), generator=g)
    kept = (y[drawn[0]] == y[drawn[1]]) == alike
    return merge_graphs(drawn[:, kept][:, :count], None, None, None, num_nodes=len(y)).edge_index


def nearness(x: Tensor, metric: str) -> np.ndarray:
    if metric not in ("cosine", "euclidean"):
        # Compared in float32, so that rounding does not part equal distances.
        return -pairwise_distances(x.double().numpy(), metric=metric).astype(np.float32)
    z = x.double()
    if metric == "cosine":
        z = torch.nn.functional.normalize(z, dim=1)
        return (z @ z.T).numpy()
    return -(torch.cdist(z, z) ** 2).numpy()


@METRICS
@pytest.mark.parametrize("layout", ["strided", "csr"])
def test_every_edge_is_a_rank_among_the_others(metric: str, layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a small graph: the area of one positive against all other nodes, edge by edge."""
    x, y = blobs(n=60)
    x = torch.rand(60, 40, generator=torch.Generator().manual_seed(2)) * x
    monkeypatch.setattr(ranks, "_HELD", 60 * 7)  # several slices
    monkeypatch.setattr(ranks, "_BLOCK", 16)
    edges = edges_of(y, alike=True, count=40)
    found, mean, error = edge_auc(x if layout == "strided" else x.to_sparse_csr(), edges, metric)
    assert error == 0
    assert mean == pytest.approx(float(found.double().mean()))
    near = nearness(x, metric)
    for area, (i, j) in zip(found.tolist(), edges.T.tolist(), strict=True):
        others = np.setdiff1d(np.arange(60), [i, j])
        scores = np.round(np.append(near[i, others], near[i, j]), 12)
        assert area == pytest.approx(roc_auc_score(np.append(np.zeros(len(others)), 1), scores), abs=1e-6)


def test_all_of_very_many_blocks_are_ranked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each among random nodes of its own: on average the areas are those among all nodes."""
    x, y = blobs(n=280)
    edges = edges_of(y, alike=True, count=600)
    expected = edge_auc(x, edges, "cosine").of_edges
    monkeypatch.setattr(ranks, "_BLOCK", 1)
    monkeypatch.setattr(ranks, "_CELLS", 1)
    found = edge_auc(x, edges, "cosine").of_edges
    assert len(ranks.References.draw(len(edges[0].unique()), 280, 64).drawn) == 256
    assert float((found - expected).abs().max()) < 0.25


@METRICS
@pytest.mark.usefixtures("few_splits")
def test_scale_of_the_features_does_not_matter(metric: str) -> None:
    x, y = blobs(n=60)
    edges = edges_of(y, alike=True)
    assert torch.equal(edge_auc(8 * x, edges, metric).of_edges, edge_auc(x, edges, metric).of_edges)
    assert feature_consistency(8 * x, metric).value == pytest.approx(feature_consistency(x, metric).value, abs=1e-6)


@METRICS
@pytest.mark.usefixtures("few_splits")
def test_topics_are_consistent_and_noise_is_not(metric: str) -> None:
    x, _ = blobs(n=200, columns=80)
    noise = (torch.rand(200, 80, generator=torch.Generator().manual_seed(3)) < 0.2).float()
    found, error = feature_consistency(x, metric)
    assert found > FULL_EVIDENCE
    assert 0 < error < 0.01
    assert feature_consistency(x.to_sparse_csr(), metric).value == pytest.approx(found, abs=4 * error)
    assert feature_consistency(noise, metric).value == pytest.approx(0.5, abs=0.02)


@METRICS
@pytest.mark.parametrize("sparse", [False, True])
def test_the_nearest_are_those_of_the_definition(metric: str, sparse: bool) -> None:
    """Also among rows of very different lengths, the longest of which has the largest product with every other one."""
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(60, 6, generator=generator).double() * torch.linspace(0.1, 5, 60).double()[:, None]
    rows = FeatureRows(scipy.sparse.csc_matrix(x.numpy()) if sparse else x.numpy(), metric)
    queries = np.arange(0, 60, 7)
    found = consistency.nearest(rows, queries, 5, np.random.default_rng(0))
    distance = pairwise_distances(x.numpy(), metric=metric)
    np.fill_diagonal(distance, np.inf)
    assert [set(row) for row in found] == [set(np.argsort(distance[query])[:5]) for query in queries]


def test_repeated_columns_are_consistent() -> None:
    x = torch.randn(50, 1, generator=torch.Generator().manual_seed(0)).expand(50, 8)
    assert feature_consistency(x, "euclidean").value > 0.9


@METRICS
@pytest.mark.parametrize("x", [torch.ones(30, 6), torch.zeros(30, 6), torch.rand(30, 1), torch.rand(2, 6)])
def test_uninformative_features_are_at_chance(metric: str, x: Tensor) -> None:
    assert feature_consistency(x, metric).value == pytest.approx(0.5, abs=1e-6)


def test_constant_features_leave_every_edge_at_chance() -> None:
    edges = torch.tensor([[0, 1, 2, 0], [1, 0, 0, 2]])
    assert edge_auc(torch.ones(3, 4), edges, "cosine").of_edges.tolist() == [0.5] * 4
    assert edge_auc(torch.ones(2, 4), edges[:, :2], "cosine").of_edges.tolist() == [0.5] * 2, "no random node is left"


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30), st.integers(0, 5), st.floats(0.55, 0.95))
@settings(max_examples=50, deadline=None)
def test_reliability_is_a_share_that_grows_with_the_auc(areas: list[float], isolated: int, yardstick: float) -> None:
    n = len(areas) + 1
    hub = torch.stack([torch.zeros(len(areas), dtype=torch.long), torch.arange(1, n)])
    edges = torch.cat([hub, hub.flip(0)], 1)
    auc = torch.tensor(areas).repeat(2)
    found = node_reliability(auc, edges, n + isolated, yardstick)
    assert found.shape == (n + isolated,)
    assert ((found >= 0) & (found <= 1)).all()
    assert (node_reliability((auc + 0.1).clamp_max(1), edges, n + isolated, yardstick) >= found - 1e-6).all()
    # A node without edges gets the graph's reliability.
    ratio = (float(auc.mean()) - 0.5) / (yardstick - 0.5)
    of_graph = min(max((ratio - UNRELIABLE) / (RELIABLE - UNRELIABLE), 0.0), 1.0)
    of_graph = 1 - (1 - of_graph) * (1 - of_graph**STEADY)
    assert torch.allclose(found[n:], torch.full((isolated,), of_graph), atol=1e-5)


@pytest.mark.parametrize(
    ("auc", "yardstick", "expected"),
    [
        (0.66, 0.6, 1),
        (0.66, 0.82, 0.502),
        (0.66, 0.95, 0),
        (0.5, 0.51, 0),
        (0.4, 0.9, 0),
        (0.4, 0.5, 1),
    ],
)
def test_consistency_is_the_yardstick_of_the_auc(auc: float, yardstick: float, expected: float) -> None:
    edges = torch.tensor([[0, 1], [1, 0]])
    found = node_reliability(torch.full((2,), auc), edges, 2, yardstick)
    assert float(found[0]) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("others", "low", "high"), [(0.95, 1.0, 1.0), (0.5, 0.0, 0.0), (0.66, 0.0, 0.01), (0.69, 0.6, 0.9)]
)
def test_few_edges_are_judged_by_what_all_edges_are(others: float, low: float, high: float) -> None:
    """A node has two edges that look like chance: among reliable edges that is an accident."""
    ring = torch.stack([torch.arange(1000), (torch.arange(1000) + 1) % 1000])
    edges = torch.cat([ring, ring.flip(0)], 1)
    auc = torch.where((edges == 0).any(0), 0.5, others)
    found = node_reliability(auc, edges, 1000, 0.82)
    assert low <= float(found[0]) <= high
    assert float(found[0]) <= float(found[500])


def test_inconsistent_features_and_missing_edges_are_no_evidence() -> None:
    values = [0.0, 0.5, (0.5 + FULL_EVIDENCE) / 2, FULL_EVIDENCE, 1.0]
    assert [feature_confidence(value) for value in values] == pytest.approx([0, 0, 0.5, 1, 1])
    assert node_reliability(torch.empty(0), torch.empty(2, 0, dtype=torch.long), 3, 0.8).tolist() == [1, 1, 1]


def test_very_many_edges_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = blobs(n=200)
    edges = edges_of(y, alike=True, count=3000)
    assert sample_edges(edges, 200) is edges
    monkeypatch.setattr(ranks, "_MANY_EDGES", 1000)
    monkeypatch.setattr(ranks, "_EDGES_A_NODE", 6)
    # A node whose edges are few keeps them all.
    rare = torch.tensor([[0], [100]])
    own = merge_graphs(torch.cat([edges[:, (edges != 0).all(0)], rare], 1), None, None, None, num_nodes=200).edge_index
    part = sample_edges(own, 200)
    assert torch.equal(part, sample_edges(own, 200))
    degree = torch.bincount(part[0], minlength=200)
    assert 0.8 * 6 < float(degree.float().mean()) < 1.2 * 6
    assert int(degree[0]) == 1
    whole, few = (edge_auc(x, e, "cosine").mean for e in (own, part))
    assert few == pytest.approx(whole, abs=0.03)


@pytest.mark.usefixtures("few_splits")
def test_consistency_of_a_sample_is_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    x, _ = blobs(n=700)
    whole = feature_consistency(x, "cosine").value
    monkeypatch.setattr(consistency, "_POOL", 300)
    monkeypatch.setattr(consistency, "_FEW_POOL", 300)
    assert feature_consistency(x, "cosine").value == pytest.approx(whole, abs=0.03)
    assert whole > 0.6
