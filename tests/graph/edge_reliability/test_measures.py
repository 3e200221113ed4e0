"""Edge AUC and feature consistency do not depend on the order of nodes and columns, on seeds, threads or layouts."""

import inspect

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.graph.edge_reliability import (
    FeatureRows,
    consistency,
    edge_auc,
    feature_consistency,
    ranks,
    sample_edges,
)
from tests.graph.edge_reliability.test_edge_reliability import blobs, edges_of

SUMMARY = (
    "edge_auc",
    "feature_consistency",
    "reliability_mean",
    "edge_auc_error",
    "feature_consistency_error",
    "reliability_error",
)


def permuted(x: Tensor, edges: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """The same graph, nodes and columns in another order."""
    g = torch.Generator().manual_seed(seed)
    nodes, columns = torch.randperm(x.size(0), generator=g), torch.randperm(x.size(1), generator=g)
    return x[nodes][:, columns], nodes.argsort()[edges]


def fewer_references(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a large graph: 64 random nodes for each block."""
    monkeypatch.setattr(ranks, "_CELLS", 1)


def test_order_of_nodes_and_columns_matters_within_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    data = planted_graph(500, 1500, 24, 4, noise=1.5)
    fewer_references(monkeypatch)
    auc, value = [], []
    for seed in range(3):
        x, edges = permuted(data.x, data.edge_index, seed)
        auc.append(edge_auc(x, edges, "euclidean"))
        value.append(feature_consistency(x, "euclidean"))
    for found, errors in (
        ([a.mean for a in auc], [a.error for a in auc]),
        ([v.value for v in value], [v.error for v in value]),
    ):
        assert 0 < max(errors) < 0.01
        assert np.std(found, ddof=1) < 2.5 * np.mean(errors)
    monkeypatch.undo()
    exact = edge_auc(data.x, data.edge_index, "euclidean")
    assert exact.error == 0
    assert [a.mean for a in auc] == pytest.approx([exact.mean] * 3, abs=4 * max(a.error for a in auc))


def test_blocks_use_all_nodes_equally_often_and_none_twice() -> None:
    block, blocks = ranks.References.draw(101 * 64, 101, 64)
    assert np.array_equal(np.bincount(block), [64] * 101)
    assert all(len(np.unique(block)) == 64 for block in blocks)
    for group in range(8):
        times = np.bincount(np.concatenate([block[group::8] for block in blocks]), minlength=101)
        assert (times == 8).all()


def test_no_seed_enters() -> None:
    assert all("seed" not in inspect.signature(f).parameters for f in (edge_auc, feature_consistency, sample_edges))
    x, y = blobs(n=150)
    data = Data(x=x, edge_index=edges_of(y, alike=True))
    small = {"encoder.hidden": 8, "encoder.dim": 4, "training.epochs": 1}
    first, second = (GenURL(random_state=seed, config=small).fit(data).graph_summary_ for seed in (0, 1))
    assert [first[key] for key in SUMMARY] == [second[key] for key in SUMMARY]
    assert first["reliability_error"] < 0.02


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "manhattan"])
def test_threads_and_layouts_do_not_matter(metric: str) -> None:
    x, y = blobs(n=150, columns=80)
    edges, before = edges_of(y, alike=True), torch.get_num_threads()
    found = []
    try:
        for threads, features in ((1, x), (2, x), (1, x.to_sparse_csr())):
            torch.set_num_threads(threads)
            found.append((edge_auc(features, edges, metric), feature_consistency(features, metric)))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found[0][0].of_edges, found[1][0].of_edges)
    assert found[0][1] == found[1][1]
    torch.testing.assert_close(found[0][0].of_edges, found[2][0].of_edges)
    assert found[2][1].value == pytest.approx(found[0][1].value, abs=3 * found[0][1].error)


def test_equal_rows_tie_whichever_way_they_were_added_up() -> None:
    x = torch.randn(1, 37, generator=torch.Generator().manual_seed(0)).mul(1e3).repeat(90, 1)
    for layout in (x, x.to_sparse_csr()):
        for metric in ("cosine", "euclidean"):
            rows = FeatureRows.of(layout, metric)
            every = np.arange(90)
            assert len(np.unique(rows.between(every, every[:64]))) == 1
            assert set(rows.pairs(every, every[::-1])) == set(rows.between(every[:1], every[:1]).ravel())


def test_all_halves_of_few_columns_are_taken_in_turn() -> None:
    halves = consistency._halves(5, np.random.default_rng(0))
    for _ in range(2):
        taken = [next(halves) for _ in range(10)]
        assert len({tuple(first) for first, _ in taken}) == 10
        assert all(sorted([*first, *second]) == list(range(5)) for first, second in taken)


def test_tiny_graphs() -> None:
    pair = torch.tensor([[0, 1], [1, 0]])
    assert feature_consistency(torch.rand(2, 6), "euclidean") == (0.5, 0.0)
    assert feature_consistency(torch.rand(30, 1), "euclidean") == (0.5, 0.0)
    found = edge_auc(torch.rand(2, 6), pair, "euclidean")
    assert (found.mean, found.error) == (0.5, 0.0)
    assert edge_auc(torch.rand(4, 6), pair[:, :0], "euclidean")[1:] == (0.5, 0.0)
    value, error = feature_consistency(torch.eye(3), "euclidean")
    assert (value, error) == (pytest.approx(0.5), pytest.approx(0.0))
