"""Moran's I against its definition, its moments against shuffling, and what it does not depend on."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.graph.evidence.autocorrelation import (
    autocorrelation,
    centred_ranks,
    degree_columns,
    most_by_chance,
    tells_something,
)
from genurl_graph.graph.evidence.communities import has_communities
from genurl_graph.graph.merge import merge_graphs


def random_graph(n: int = 60, edges: int = 180, seed: int = 0, blocks: int = 1, within: float = 0.0):
    r = np.random.default_rng(seed)
    y = np.arange(n) % blocks
    ends = r.integers(n, size=(2, 40 * edges))
    ends = ends[:, (y[ends[0]] == y[ends[1]]) | (r.random(40 * edges) >= within)][:, :edges]
    weight = torch.from_numpy(r.random(ends.shape[1]).astype(np.float32) + 0.1)
    return merge_graphs(torch.from_numpy(ends), weight, None, None, num_nodes=n), y


def reference(z: np.ndarray, graph) -> float:
    """The definition, entry by entry."""
    n = len(z)
    w = np.zeros((n, n))
    w[graph.edge_index[0].numpy(), graph.edge_index[1].numpy()] = graph.edge_weight.numpy()
    z = z - z.mean()
    return (w * np.outer(z, z)).sum() / w.sum() / (z @ z / n)


def test_value_is_that_of_the_definition() -> None:
    graph, _ = random_graph()
    x = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
    found = autocorrelation(x, *graph[:2])
    expected = [reference(column, graph) for column in centred_ranks(x.numpy()).T]
    np.testing.assert_allclose(found.value, expected, rtol=1e-9)
    np.testing.assert_allclose(found.expected, -1 / 59)


def test_sparse_columns_are_read_as_they_are() -> None:
    graph, _ = random_graph()
    generator = torch.Generator().manual_seed(0)
    x = torch.where(torch.rand(60, 5, generator=generator) < 0.3, torch.randn(60, 5, generator=generator), 0.0)
    x[:, 4] = 0
    found = autocorrelation(x.to_sparse_csr(), *graph[:2])
    np.testing.assert_allclose(found.value[:4], [reference(c, graph) for c in x.double().numpy().T[:4]], rtol=1e-6)
    assert (float(found.value[4]), float(found.limit[4])) == (0.0, np.inf)


@pytest.mark.parametrize("kind", ["normal", "rare", "heavy"])
def test_moments_and_limit_are_those_of_shuffled_columns(kind: str) -> None:
    """Two thousand orders of one column: mean and deviation of I, and how often it is beyond its limit."""
    graph, _ = random_graph()
    r = np.random.default_rng(1)
    column = {"normal": r.normal(size=60), "rare": np.arange(60) < 4, "heavy": r.standard_cauchy(60)}[kind]
    shuffled = np.stack([r.permutation(column) for _ in range(2000)], 1).astype(np.float32)
    found = autocorrelation(torch.from_numpy(shuffled), *graph[:2])
    value = found.value.numpy()
    assert value.mean() == pytest.approx(-1 / 59, abs=4 * value.std() / 2000**0.5)
    assert value.std() == pytest.approx(float(found.deviation[0]), rel=0.08)
    alone = autocorrelation(torch.from_numpy(shuffled[:, :1]), *graph[:2])
    assert (np.abs(value + 1 / 59) > float(alone.limit)).mean() < 0.05


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**16), st.floats(0.01, 100), st.floats(-100, 100))
def test_it_depends_on_neither_order_nor_unit(seed: int, scale: float, shift: float) -> None:
    graph, _ = random_graph(seed=seed % 7)
    r = np.random.default_rng(seed)
    x = torch.from_numpy(r.integers(-500, 500, size=(60, 3)).astype(np.float32))
    first = autocorrelation(x, *graph[:2])
    second = autocorrelation((x.double() * scale + shift).float(), *graph[:2])
    torch.testing.assert_close(first, second, rtol=0, atol=1e-3)
    order = torch.from_numpy(r.permutation(60))
    place = order.argsort()
    moved = merge_graphs(place[graph.edge_index], graph.edge_weight, None, None, num_nodes=60)
    torch.testing.assert_close(first, autocorrelation(x[order], *moved[:2]), rtol=1e-6, atol=1e-6)


def test_degrees_are_found_whatever_their_scale() -> None:
    graph, _ = random_graph()
    degree = torch.bincount(graph.edge_index[0], minlength=60).float()
    x = torch.stack([degree, -degree.log1p(), torch.randn(60), torch.ones(60)], 1)
    assert degree_columns(x, degree).tolist() == [True, True, False, False]
    # In a ring all have the same.
    assert not degree_columns(x, torch.full((60,), 2)).any()


@pytest.mark.parametrize("seed", range(3))
def test_communities_are_told_from_chance(seed: int) -> None:
    assert not has_communities(random_graph(300, 900, seed)[0].edge_index, 300)
    assert has_communities(random_graph(300, 900, seed, blocks=3, within=0.8)[0].edge_index, 300)
    assert not has_communities(torch.empty(2, 0, dtype=torch.long), 300)


def test_graphs_too_small_to_judge_say_nothing() -> None:
    edges = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    found = autocorrelation(torch.randn(3, 2), edges, torch.ones(4))
    assert torch.isinf(found.limit).all()
    assert not found.value.any()


def test_one_column_among_noise_counts_alone_and_many_weak_ones_all_count() -> None:
    noise = torch.randn(40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    one = tells_something(torch.cat([noise[:8], torch.tensor([20.0], dtype=torch.float64)]))
    assert one[-1] > 0.99
    assert one[:-1].max() < 0.2
    # Each of these is within what chance explains of one column.
    weak = tells_something(1.5 + noise)
    assert weak.min() > 0.8
    assert tells_something(torch.zeros(0, dtype=torch.float64)).shape == (0,)


@given(st.integers(0, 2**31), st.integers(2, 30))
@settings(max_examples=20, deadline=None)
def test_sums_of_squares_stay_below_their_limit(seed: int, f: int) -> None:
    r = np.random.default_rng(seed)
    root = r.normal(size=(f, f)) / f**0.5
    z = r.normal(size=(4000, f)) @ root.T
    covariance = root @ root.T
    away = (z**2).sum(1) - np.trace(covariance)
    assert (away > most_by_chance(covariance)).mean() < 0.06
