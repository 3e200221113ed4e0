"""Components beside the trained columns: exact axes of averages that are never made, one variance in each column."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genurl_graph.graph.projection import equal_variance_rotation
from genurl_graph.graph.propagation import Propagation, propagated
from genurl_graph.nn import skip as module
from genurl_graph.nn.features import Features
from genurl_graph.nn.skip import Averages, Skip, component_axes, sample_rows

N, F, HOPS = 60, 40, 2


def matrix(n: int = N, f: int = F, rank: int | None = None, seed: int = 0) -> Tensor:
    """Columns of falling variance and of means other than 0, whose leading directions no two methods find alike."""
    g = torch.Generator().manual_seed(seed)
    left, right = (torch.linalg.qr(torch.randn(m, min(n, f), generator=g).double()).Q for m in (n, f))
    values = 0.7 ** torch.arange(min(n, f), dtype=torch.float64)
    values[min(n, f) if rank is None else rank :] = 0
    return (left * values @ right.T * 10 + torch.randn(f, generator=g).double() * (rank is None)).float()


def words(n: int = N, f: int = F) -> Tensor:
    x = torch.rand(n, f, generator=torch.Generator().manual_seed(3))
    return torch.where(x < 0.25, 1 + x, 0.0) * 0.8 ** torch.arange(f)


def ring(n: int = N, seed: int = 0) -> Propagation:
    """A ring with chords, of weights that differ."""
    g, node = torch.Generator().manual_seed(seed), torch.arange(n)
    chord = torch.randint(n, (2, n), generator=g)
    edges = torch.cat([torch.stack([node, (node + 1) % n]), chord[:, chord[0] != chord[1]]], 1)
    edges = torch.unique(torch.cat([edges, edges.flip(0)], 1), dim=1)
    weight = torch.rand(n, n, generator=g)
    weight = weight + weight.T
    return Propagation(edges, weight[edges[0], edges[1]], n)


def averages(x: Tensor, propagation: Propagation | None = None, hops: int = 0) -> Averages:
    return Averages.of(Features(x), ring(len(x)) if propagation is None else propagation, hops, x.size(1))


def exact(x: Tensor, k: int) -> Tensor:
    """Leading principal components [n, k], float64."""
    x = x.double() - x.double().mean(0)
    u, s, _ = torch.linalg.svd(x, full_matrices=False)
    return u[:, :k] * s[:k]


def distances(z: Tensor) -> Tensor:
    return torch.cdist(z.double(), z.double(), compute_mode="donot_use_mm_for_euclid_dist")


def fitted(x: Tensor, width: int, propagation: Propagation, deviation: float = 1.0, hops: int = HOPS) -> Skip:
    found = Skip(x.size(1), width, hops, deviation)
    found.fit(Features(x), propagation)
    return found


def assert_components(z: Tensor, x: Tensor) -> None:
    """Columns of mean 0 and deviation 1 that have the distances of the leading components of `x`, times one factor."""
    expected = exact(x, z.size(1))
    torch.testing.assert_close(z.mean(0), torch.zeros(z.size(1)), rtol=0, atol=1e-4)
    torch.testing.assert_close(z.std(0, correction=0), torch.ones(z.size(1)), rtol=1e-3, atol=0)
    factor = expected.square().sum(1).mean().sqrt() / z.size(1) ** 0.5
    torch.testing.assert_close(distances(z) * factor, distances(expected), rtol=1e-3, atol=1e-3 * float(factor))


variances = st.lists(
    st.one_of(st.just(0.0), st.just(1.0), st.floats(1e-6, 1e6, allow_subnormal=False)), min_size=1, max_size=12
)


class TestEqualVarianceRotation:
    @given(variances)
    @settings(max_examples=40, deadline=None)
    def test_it_is_orthogonal_and_gives_every_column_the_mean(self, variance: list[float]) -> None:
        given_ = torch.tensor(variance, dtype=torch.float64)
        turn, k = equal_variance_rotation(given_), len(variance)
        torch.testing.assert_close(turn.T @ turn, torch.eye(k, dtype=torch.float64), rtol=0, atol=1e-10)
        mean = given_.mean()
        torch.testing.assert_close((turn.T * given_ @ turn).diagonal(), mean.expand(k), rtol=1e-9, atol=1e-30)

    @pytest.mark.parametrize("variance", [[3.0], [0.0], [0.0, 0.0], [2.0, 2.0, 2.0]])
    def test_equal_variances_are_left_as_they_are(self, variance: list[float]) -> None:
        turn = equal_variance_rotation(torch.tensor(variance))
        assert torch.equal(turn, torch.eye(len(variance), dtype=torch.float64))


class TestComponentAxes:
    @pytest.mark.parametrize("hops", [0, 1, 2])
    @pytest.mark.parametrize("kind", ["dense", "sparse"])
    @pytest.mark.parametrize("columns", [1, 6])
    def test_they_are_those_of_an_exact_decomposition(self, kind: str, hops: int, columns: int) -> None:
        x, graph = (matrix(), ring()) if kind == "dense" else (words(), ring())
        found = averages(x if kind == "dense" else x.to_sparse_csr(), graph, hops)
        axes, mean = component_axes(found, columns)
        assert axes.shape == (F, columns)
        assert axes.dtype == mean.dtype == torch.float32
        product = torch.linalg.matrix_power(graph.operator("sym").to_dense(), hops) @ x
        assert_components(found.times(axes) - mean, product)
        torch.testing.assert_close(product @ axes, found.times(axes), rtol=1e-4, atol=1e-4)

    def test_the_two_products_are_transposes_of_each_other(self) -> None:
        g = torch.Generator().manual_seed(0)
        v, h = torch.randn(F, 3, generator=g), torch.randn(N, 3, generator=g)
        for x in (words(), words().to_sparse_csr()):
            found = averages(x, hops=2)
            torch.testing.assert_close(found.times(v).T @ h, v.T @ found.transposed_times(h), rtol=1e-4, atol=1e-4)

    @pytest.mark.parametrize(("n", "f", "columns"), [(6, 40, 5), (30, 3, 3), (30, 1, 1), (5, 5, 2), (200, 150, 20)])
    def test_any_shape(self, n: int, f: int, columns: int) -> None:
        x = matrix(n, f)
        axes, mean = component_axes(averages(x), columns)
        assert_components(x @ axes - mean, x)

    @given(st.integers(2, 30), st.integers(1, 30), st.integers(1, 30), st.integers(1, 30))
    @settings(max_examples=40, deadline=None)
    def test_distances_of_any_rank(self, n: int, f: int, rank: int, columns: int) -> None:
        columns, rank = min(columns, n, f), min(rank, n - 1, f)
        x = matrix(n, f, rank)
        axes, mean = component_axes(averages(x), columns)
        assert_components(x @ axes - mean, x)

    def test_fewer_directions_than_columns_are_shared_by_all(self) -> None:
        x = matrix(rank=2)
        axes, mean = component_axes(averages(x), 5)
        z = x @ axes - mean
        assert torch.linalg.matrix_rank(z, rtol=1e-4) == 2
        assert_components(z, x)

    @pytest.mark.parametrize("value", [0.0, 7.0])
    def test_constant_columns_say_nothing(self, value: float) -> None:
        x = torch.full((N, F), value)
        axes, mean = component_axes(averages(x), 3)
        assert float((x @ axes - mean).abs().max()) == 0
        one = torch.cat([matrix(f=4), torch.full((N, 3), value)], 1)
        axes, mean = component_axes(averages(one), 4)
        assert_components(one @ axes - mean, one)

    @pytest.mark.parametrize("scale", [1e-6, 1e6])
    def test_units_change_nothing(self, scale: float) -> None:
        x = matrix()
        axes, mean = component_axes(averages(x), 4)
        other = component_axes(averages(x * scale), 4)
        torch.testing.assert_close(
            distances(x * scale @ other.axes - other.mean), distances(x @ axes - mean), rtol=1e-3, atol=1e-3
        )


class TestSkip:
    def test_blocks_are_those_of_each_number_of_steps(self) -> None:
        x, graph = words(), ring()
        blocks = fitted(x, 5, graph, deviation=0.25)(Features(x), graph).split(5, 1)
        assert len(blocks) == 1 + HOPS
        step = graph.operator("sym").to_dense()
        for hops, z in enumerate(blocks):
            assert_components(z / 0.25, torch.linalg.matrix_power(step, hops) @ x)

    @pytest.mark.parametrize("kind", ["dense", "sparse"])
    def test_features_that_hold_their_averages_give_the_same(self, kind: str) -> None:
        x, graph = words(), ring()
        off = ~graph.is_loop
        parts = propagated(torch.stack([graph.row, graph.col])[:, off], graph.weight[off], x, HOPS)
        held, found = Features(parts, HOPS + 1), Skip(F, 5, HOPS, 1.0)
        found.fit(held, None)
        own = Features(x if kind == "dense" else x.to_sparse_csr())
        other = Skip(F, 5, HOPS, 1.0)
        other.fit(own, graph)
        for one, two in zip(found(held, None).split(5, 1), other(own, graph).split(5, 1), strict=True):
            torch.testing.assert_close(distances(one), distances(two), rtol=1e-3, atol=1e-3)
        # Rows are read alone, as batches of new ones are.
        torch.testing.assert_close(found(held.rows(torch.arange(7)), None), found(held, None)[:7], rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("kind", ["dense", "sparse"])
    def test_rows_are_brought_to_length_1(self, kind: str) -> None:
        x, graph = words(), ring()
        x[3] = 0
        plain = Features(torch.nn.functional.normalize(x, dim=1))
        scaled = x * torch.linspace(0.1, 9, N)[:, None]
        own = Features(scaled if kind == "dense" else scaled.to_sparse_csr())
        found, expected = Skip(F, 5, HOPS, 1.0, unit=True), Skip(F, 5, HOPS, 1.0)
        found.fit(own, graph)
        expected.fit(plain, graph)
        torch.testing.assert_close(
            distances(found(own, graph)), distances(expected(plain, graph)), rtol=1e-3, atol=1e-3
        )

    def test_axes_of_many_rows_are_found_on_some(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "SAMPLE", 300)
        x = matrix(900, 12)
        found, few = Skip(12, 4, 0, 1.0), Skip(12, 4, 0, 1.0)
        found.fit(Features(x), None)
        few.fit(Features(x[torch.linspace(0, 899, 300).long()]), None)
        assert torch.equal(found.axes, few.axes)
        z, expected = distances(found(Features(x), None)), distances(exact(x, 4))
        assert float(torch.corrcoef(torch.stack([z.flatten(), expected.flatten()]))[0, 1]) > 0.99

    def test_the_order_of_nodes_is_that_of_rows(self) -> None:
        x, graph = words(), ring()
        order = torch.randperm(N, generator=torch.Generator().manual_seed(1))
        place = order.argsort()
        off = ~graph.is_loop
        edges, weight = place[torch.stack([graph.row, graph.col])[:, off]], graph.weight[off]
        first = (edges[0] * N + edges[1]).argsort()
        moved = Propagation(edges[:, first], weight[first], N)
        z = fitted(x, 5, graph)(Features(x), graph)
        other = fitted(x[order], 5, moved)(Features(x[order]), moved)
        torch.testing.assert_close(distances(other), distances(z[order]), rtol=1e-3, atol=1e-3)

    def test_columns_beyond_the_features_are_not_read(self) -> None:
        x, graph = words(), ring()
        wide = torch.cat([x, torch.randn(N, 6, generator=torch.Generator().manual_seed(1))], 1)
        found = Skip(F, 5, HOPS, 1.0)
        found.fit(Features(wide), graph)
        alone = fitted(x, 5, graph)(Features(x), graph)
        torch.testing.assert_close(found(Features(wide), graph), alone, rtol=1e-4, atol=1e-5)

    def test_neither_the_global_seed_nor_threads_matter(self, two_threads: None) -> None:
        x, graph = matrix(300, 30), ring(300)
        torch.manual_seed(1)
        state = torch.get_rng_state()
        first = fitted(x, 8, graph)
        assert torch.equal(torch.get_rng_state(), state)
        torch.manual_seed(2)
        assert torch.equal(fitted(x, 8, graph).axes, first.axes)
        torch.set_num_threads(1)
        one = fitted(x, 8, graph)(Features(x), graph)
        torch.testing.assert_close(one, first(Features(x), graph), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("n", [5, 1000, 1001, 2**24, 2**24 + 2, 10**8, 2**31 + 1])
def test_rows_of_a_sample_are_there_and_no_two_the_same(n) -> None:
    rows = sample_rows(n, 1000)
    assert len(rows) == min(n, 1000)
    assert rows[[0, -1]].tolist() == [0, n - 1]
    assert bool((rows.diff() > 0).all())
