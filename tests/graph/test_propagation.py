"""Propagation: matrices and their powers against dense formulas, how edges are dropped, blocks and files."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genurl_graph.graph import propagation as module
from genurl_graph.graph.merge import merge_graphs
from genurl_graph.graph.propagation import Norm, Propagation, propagated


def example(n: int = 12, seed: int = 0) -> tuple[Propagation, Tensor]:
    """A weighted graph whose last two nodes are isolated, and its dense adjacency."""
    g = torch.Generator().manual_seed(seed)
    edges = torch.randint(0, n - 2, (2, 3 * n), generator=g)
    merged = merge_graphs(edges, torch.rand(3 * n, generator=g) + 0.1, None, None, num_nodes=n)
    a = torch.zeros(n, n, dtype=torch.float64)
    a[merged.edge_index[0], merged.edge_index[1]] = merged.edge_weight.double()
    return Propagation(merged.edge_index, merged.edge_weight, n), a


def formula(a: Tensor, norm: Norm) -> Tensor:
    if norm == "sym":
        a = a + torch.eye(len(a), dtype=a.dtype)
        scale = torch.diag(a.sum(1) ** -0.5)
        return scale @ a @ scale
    if norm == "row":
        degree = a.sum(1, keepdim=True)
        return torch.where(degree > 0, a / degree, 0.0)
    return a


NORMS = pytest.mark.parametrize("norm", ["sym", "row", "none"])


@NORMS
def test_matrices_are_the_formulas(norm: Norm) -> None:
    propagation, a = example()
    torch.testing.assert_close(propagation.operator(norm).to_dense().double(), formula(a, norm), rtol=1e-5, atol=1e-6)


@NORMS
def test_dropping_edges_is_the_formula_of_the_graph_that_is_left(norm: Norm) -> None:
    propagation, a = example()
    torch.manual_seed(1)
    left = propagation.operator("none", 0.5).to_dense().double()
    assert torch.equal(left, left.t()), "the two directions go together"
    assert 0 < int((left > 0).sum()) < int((a > 0).sum())
    assert torch.equal(left[left > 0], a[left > 0]), "kept edges keep their weight"
    torch.manual_seed(1)
    again = propagation.operator(norm, 0.5).to_dense().double()
    torch.testing.assert_close(again, formula(left, norm), rtol=1e-5, atol=1e-6)
    assert not torch.equal(propagation.operator(norm, 0.5).to_dense().double(), again), "drawn anew"
    torch.testing.assert_close(propagation.operator(norm).to_dense().double(), formula(a, norm), rtol=1e-5, atol=1e-6)


def test_dropped_edges_take_no_time() -> None:
    propagation, _ = example()
    matrix = propagation.operator("sym", 0.5)
    assert matrix.values().numel() < propagation.weight.numel()
    assert bool((matrix.values() > 0).all())


def test_edges_for_attention_are_bare_and_without_the_dropped() -> None:
    propagation, a = example()
    assert torch.equal(propagation.operator("edges"), a.nonzero().t())
    torch.manual_seed(1)
    left = propagation.operator("none", 0.5).to_dense()
    torch.manual_seed(1)
    assert torch.equal(propagation.operator("edges", 0.5), left.nonzero().t())


def test_share_of_dropped_edges() -> None:
    n = 2000
    row = torch.arange(n)
    ring = merge_graphs(torch.stack([row, (row + 1) % n]), None, None, None, num_nodes=n)
    propagation = Propagation(ring.edge_index, ring.edge_weight, n)
    torch.manual_seed(0)
    left = sum(propagation.operator("edges", 0.4).size(1) for _ in range(20)) / (20 * 2 * n)
    assert abs(left - 0.6) < 5 * (0.6 * 0.4 / (20 * n)) ** 0.5


def test_a_graph_without_edges_lets_every_node_see_itself() -> None:
    propagation = Propagation(torch.empty(2, 0, dtype=torch.long), torch.empty(0), 3)
    assert torch.equal(propagation.operator("sym", 0.5).to_dense(), torch.eye(3))
    assert torch.equal(propagation.operator("row", 0.5).to_dense(), torch.zeros(3, 3))
    assert propagation.operator("edges", 0.5).shape == (2, 0)


@NORMS
def test_the_transpose_comes_along(norm: Norm) -> None:
    propagation, _ = example()
    for drop in (0.0, 0.5):
        matrix = propagation.operator(norm, drop)
        torch.testing.assert_close(matrix.transposed.to_dense(), matrix.to_dense().t())


# ---------------------------------------------------------------- powers, computed once


def with_features(n: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Edges and weights of `example`, features, and the dense normalised adjacency."""
    a = example(n, seed)[1]
    edges = a.nonzero().t()
    x = torch.randn(n, 5, generator=torch.Generator().manual_seed(seed))
    return edges, a[edges[0], edges[1]].float(), x, formula(a, "sym")


@settings(max_examples=25, deadline=None)
@given(n=st.integers(3, 30), seed=st.integers(0, 1000), hops=st.integers(0, 4))
def test_features_are_multiplied_by_powers(n: int, seed: int, hops: int) -> None:
    edges, weight, x, a = with_features(n, seed)
    expected = torch.cat([torch.linalg.matrix_power(a, hop) @ x.double() for hop in range(hops + 1)], 1)
    torch.testing.assert_close(propagated(edges, weight, x, hops).double(), expected, rtol=0, atol=1e-5)


def test_blocks_and_files_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    edges, weight, x, _ = with_features(200, 0)
    expected = propagated(edges, weight, x, 3)
    monkeypatch.setattr(module, "_EDGES", 17)
    monkeypatch.setattr(module, "_CELLS", 400)
    found = propagated(edges, weight, x, 3, memory_mb=0.001)
    assert module.is_mapped(found.shape, 0.001)
    torch.testing.assert_close(found, expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_powers_are_the_same_on_the_gpu() -> None:
    edges, weight, x, _ = with_features(500, 0)
    torch.testing.assert_close(propagated(edges, weight, x, 3, device="cuda"), propagated(edges, weight, x, 3))
