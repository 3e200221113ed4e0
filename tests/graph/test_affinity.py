"""Affinities: the properties of P on random graphs with ties, isolated nodes and outliers."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from torch import Tensor

from genurl_graph.exceptions import InputError
from genurl_graph.graph.affinity import calibrate, kernel, log_kernel, similarities, symmetrize

Graph = tuple[Tensor, Tensor, int]


def random_graph(seed: int, n: int = 30, max_degree: int = 12, ties: bool = False) -> Graph:
    """Directed graph whose nodes have 0 to max_degree neighbours, distances over 4 orders of magnitude."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.rand(n, n, generator=generator).fill_diagonal_(2.0).argsort(1)
    degree = torch.randint(0, max_degree + 1, (n,), generator=generator)
    row = torch.arange(n).repeat_interleave(degree)
    column = torch.cat([order[i, :k] for i, k in enumerate(degree.tolist())])
    distance = 10 ** (4 * torch.rand(row.numel(), generator=generator, dtype=torch.float64) - 2)
    if ties:
        distance = distance.ceil()
    shuffle = torch.randperm(row.numel(), generator=generator)
    return torch.stack([row, column])[:, shuffle], distance[shuffle], n


def row_sums(edge_index: Tensor, p: Tensor, n: int) -> Tensor:
    return torch.zeros(n, dtype=p.dtype).index_add_(0, edge_index[0], p)


graphs = st.builds(random_graph, st.integers(0, 2**31), ties=st.booleans())
perplexities = st.floats(2.1, 60.0)
nus = st.sampled_from([0.1, 1.0, 10.0, 100.0])
few = settings(max_examples=40, deadline=None)


@pytest.mark.parametrize(("nu", "at_zero"), [(1.0, 0.637), (0.1, 0.138), (0.01, 0.0155), (100.0, None)])
def test_raw_kernel_is_the_formula(nu: float, at_zero: float | None) -> None:
    d = torch.tensor([0.0, 0.3, 7.0], dtype=torch.float64)
    g = math.gamma((nu + 1) / 2) / (math.sqrt(nu * math.pi) * math.gamma(nu / 2))
    expected = 2 * math.pi * g**2 * (1 + d / nu) ** (-(nu + 1))
    raw = kernel(d, nu, normalize=False)
    torch.testing.assert_close(raw, expected)
    torch.testing.assert_close(kernel(d, nu), raw / raw[0])
    assert at_zero is None or float(raw[0]) == pytest.approx(at_zero, rel=5e-3), "the published value"


def test_log_kernel_survives_where_the_kernel_underflows() -> None:
    d = torch.tensor([1e30, 0.0], requires_grad=True)
    log_q = log_kernel(d, 100.0)
    (gradient,) = torch.autograd.grad(log_q.sum(), d)
    assert torch.isfinite(log_q).all()
    assert log_q[0] < -1000
    assert kernel(d, 100.0)[0] == 0
    assert torch.isfinite(gradient).all()


@few
@given(graphs, perplexities, nus)
def test_rows_sum_to_log2_perplexity_wherever_it_is_reachable(g: Graph, perplexity: float, nu: float) -> None:
    edge_index, distance, n = g
    c = calibrate(edge_index[0], distance, n, perplexity, nu)
    target = math.log2(perplexity)
    total = row_sums(edge_index, c.p_conditional, n)
    for i in range(n):
        d = distance[edge_index[0] == i]
        ties = int((d == d.min()).sum()) if len(d) else 0
        if ties < target < len(d):
            assert c.reached[i], (i, ties, len(d), target)
            assert abs(float(total[i]) - target) <= 1e-4
            assert 0 < c.sigma[i] < math.inf
        elif len(d) <= target:
            assert float(total[i]) == len(d)
            assert c.sigma[i] == math.inf
        else:
            assert float(total[i]) == ties
            assert c.sigma[i] == 0
        assert bool(c.reached[i]) == (abs(float(total[i]) - target) <= 1e-4)
        assert float(c.rho[i]) == (float(d.min()) if len(d) else 0.0)


def test_agrees_with_a_root_finder_row_by_row() -> None:
    edge_index, distance, n = random_graph(3, max_degree=20)
    nu, perplexity = 5.0, 20.0
    c = calibrate(edge_index[0], distance, n, perplexity, nu, tol=1e-9)
    assert c.reached.sum() > 5
    for i in c.reached.nonzero().flatten().tolist():
        mine = edge_index[0] == i
        u = (distance[mine] - c.rho[i]).numpy()

        def excess(log_sigma: float, u: Any = u) -> float:
            return float(((1 + u / math.exp(log_sigma) / nu) ** (-(nu + 1))).sum()) - math.log2(perplexity)

        assert math.exp(brentq(excess, -30, 30, xtol=1e-12)) == pytest.approx(float(c.sigma[i]), rel=1e-7)
        torch.testing.assert_close(c.p_conditional[mine], kernel(torch.from_numpy(u) / c.sigma[i], nu))


def test_float32_distances_reach_the_tolerance_too() -> None:
    edge_index, distance, n = random_graph(0, n=300, max_degree=100)
    c = calibrate(edge_index[0], distance.float(), n, 30.0)
    assert c.p_conditional.dtype == torch.float32
    error = (row_sums(edge_index, c.p_conditional.double(), n) - math.log2(30.0)).abs()
    assert c.reached.sum() > 250
    assert float(error[c.reached].max()) <= 1e-4


@few
@given(graphs, perplexities, st.floats(1e-6, 1e6))
def test_scale_of_the_distances_does_not_matter(g: Graph, perplexity: float, c: float) -> None:
    edge_index, distance, n = g
    one = calibrate(edge_index[0], distance, n, perplexity, tol=1e-9)
    two = calibrate(edge_index[0], c * distance, n, perplexity, tol=1e-9)
    # u = d - rho cancels: near-ties of d lose digits in either.
    torch.testing.assert_close(one.p_conditional, two.p_conditional, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(one.sigma * c, two.sigma, rtol=1e-6, atol=0.0)
    torch.testing.assert_close(one.rho * c, two.rho)


@few
@given(graphs, perplexities, st.integers(0, 2**31))
def test_renaming_nodes_and_shuffling_edges_only_renames_p(g: Graph, perplexity: float, seed: int) -> None:
    edge_index, distance, n = g
    generator = torch.Generator().manual_seed(seed)
    name = torch.randperm(n, generator=generator)
    shuffle = torch.randperm(distance.numel(), generator=generator)
    P = torch.zeros(n, n, dtype=torch.float64)
    P_renamed = P.clone()
    edges, p = similarities(edge_index, distance, n, perplexity)
    P[edges[0], edges[1]] = p
    edges, p = similarities(name[edge_index][:, shuffle], distance[shuffle], n, perplexity)
    P_renamed[edges[0], edges[1]] = p
    torch.testing.assert_close(P_renamed[name][:, name], P, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("value", "degree"), [(0.0, 2), (1.0, 9), (1e-30, 2), (1e30, 9)])
def test_constant_distances_give_ones(value: float, degree: int) -> None:
    row = torch.arange(5).repeat_interleave(degree)
    c = calibrate(row, torch.full((5 * degree,), value), 5, perplexity=30)
    assert bool((c.p_conditional == 1).all())
    assert not c.reached.any()


def test_rows_that_cannot_be_calibrated_saturate() -> None:
    #  0: three neighbours, 1: isolated, 2: one neighbour, 3: duplicates at rho exceed the target of 2
    row = torch.tensor([0, 0, 0, 2, 3, 3, 3, 3])
    distance = torch.tensor([1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 5.0])
    c = calibrate(row, distance, 4, perplexity=4)
    assert c.reached.tolist() == [True, False, False, False]
    assert c.p_conditional[3:].tolist() == [1, 1, 1, 1, 0]
    assert c.rho.tolist() == [1, 0, 4, 0]
    assert c.sigma[1:].tolist() == [math.inf, math.inf, 0]


def test_no_edges_at_all() -> None:
    edge_index, p = similarities(torch.zeros(2, 0, dtype=torch.long), torch.zeros(0), 4, 10.0)
    assert edge_index.shape == (2, 0)
    assert p.shape == (0,)


def test_fuzzy_union_of_a_small_graph() -> None:
    edge_index = torch.tensor([[0, 1, 2, 3], [1, 0, 0, 2]])
    edges, p = symmetrize(edge_index, torch.tensor([0.5, 0.25, 1e-9, 1.0]), 5)
    assert edges.tolist() == [[0, 0, 1, 2, 2, 3], [1, 2, 0, 0, 3, 2]]
    torch.testing.assert_close(p, torch.tensor([0.625, 1e-9, 0.625, 1e-9, 1.0, 1.0]), rtol=1e-6, atol=0.0)


@few
@given(graphs, perplexities, nus, st.sampled_from([torch.float32, torch.float64]))
def test_p_is_symmetric_and_a_probability(g: Graph, perplexity: float, nu: float, dtype: torch.dtype) -> None:
    edge_index, distance, n = g
    edges, p = similarities(edge_index, distance.to(dtype), n, perplexity, nu)
    P = torch.full((n, n), -1.0, dtype=dtype)
    P[edges[0], edges[1]] = p
    assert p.dtype == dtype
    assert torch.equal(P, P.T)
    assert bool(((p >= 0) & (p <= 1)).all())
    # The strongest direction survives, and the edges are exactly the given ones in both directions, once.
    conditional = calibrate(edge_index[0], distance.to(dtype), n, perplexity, nu).p_conditional
    assert bool((P[edge_index[0], edge_index[1]] >= conditional).all())
    mask = torch.zeros(n, n, dtype=torch.bool)
    mask[edge_index[0], edge_index[1]] = True
    assert torch.equal(edges, (mask | mask.T).nonzero().T)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"perplexity": 2.0}, "perplexity"),
        ({"nu": 0.0}, "nu"),
        ({"num_nodes": 2}, "edge_index: .*expected nodes 0 to 1"),
        ({"edge_index": torch.tensor([[0, 0, 1], [1, 2, 1]])}, "self loops"),
        ({"edge_index": torch.tensor([[0, 0, 0], [1, 2, 1]])}, "duplicate"),
        ({"distance": torch.tensor([1.0, 2.0])}, r"\[E\]"),
        ({"distance": torch.tensor([1, 2, 3])}, "dtype"),
        ({"distance": torch.tensor([1.0, 2.0, -1.0])}, "distance: found 1 negative or non-finite .* position 2"),
        ({"distance": torch.tensor([math.nan, 2.0, math.inf])}, "distance: found 2 .* position 0"),
    ],
)
def test_bad_arguments_are_named(change: dict[str, object], message: str) -> None:
    good: dict[str, object] = {
        "edge_index": torch.tensor([[0, 0, 1], [1, 2, 0]]),
        "distance": torch.tensor([1.0, 2.0, 3.0]),
        "num_nodes": 3,
        "perplexity": 2.5,
        "nu": 100.0,
    }
    similarities(**good)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message):
        similarities(**(good | change))  # type: ignore[arg-type]


def test_symmetrize_expects_probabilities() -> None:
    with pytest.raises(InputError, match="p_conditional"):
        symmetrize(torch.tensor([[0], [1]]), torch.tensor([1.5]), 2)


def test_a_table_is_calibrated_as_any_rows_are(monkeypatch):
    """Newton's steps and the bisection agree, also for ties, duplicates and rows that saturate."""
    from genurl_graph.graph import affinity

    generator = torch.Generator().manual_seed(3)
    distance = (torch.rand(400, 15, generator=generator) * 3 + 2).sort(1).values
    distance[:20] = 1.0
    distance[20:40, :6] = 0.0
    distance[40:60, :3] = 0.5
    distance[60:80, 1:] *= 1e4
    row = torch.arange(400).repeat_interleave(15)
    expected = affinity.calibrate(row, distance.reshape(-1), 400, 15.0, tol=1e-8)
    monkeypatch.setattr(affinity, "LARGE", 1)
    monkeypatch.setattr(affinity, "SOLVED_ROWS", 64)
    found = affinity.calibrate(row, distance.reshape(-1), 400, 15.0, tol=1e-8)
    torch.testing.assert_close(found.p_conditional, expected.p_conditional, rtol=1e-5, atol=1e-6)
    assert torch.equal(found.reached, expected.reached)
