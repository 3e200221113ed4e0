"""All pairs by particle mesh, and the fused attraction, against sums written out in float64."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.config.parameters import LossConfig, SamplingConfig
from genurl_graph.config.views import ViewConfig
from genurl_graph.exceptions import InputError
from genurl_graph.graph.affinity import kernel, log_kernel
from genurl_graph.losses.pairwise import gkl_dense
from genurl_graph.nn.table import EmbeddingTable
from genurl_graph.objectives import all_pairs
from genurl_graph.objectives import fft_repulsion as _grid
from genurl_graph.objectives.all_pairs import AllPairsObjective, UndirectedEdges, log_similarity
from genurl_graph.objectives.fft_repulsion import Mesh, as_points

MAP = LossConfig(name="gkl", scale="profile", per="global", metric="euclidean", temperature=10.0, nu=0.1)
ALL = SamplingConfig("all", "auto")


def points(n, d, spread, seed=0, dtype=torch.float32):
    return (spread * torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)).to(dtype)


def written_out(z, temperature, nu):
    """``log sum_{i != j} kappa``, all pairs, with autograd."""
    q = kernel(torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist").square() / temperature, nu)
    return (q.sum() - len(z)).log()


def relative(found, expected):
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize(("temperature", "nu", "spread"), [(10.0, 0.1, 6.0), (1.0, 1.0, 3.0), (0.3, 5.0, 1.0)])
@pytest.mark.parametrize("spacing", [0.5, 0.25])
def test_log_total_and_its_gradient(d, temperature, nu, spread, spacing):
    z = points(1500, d, spread).requires_grad_()
    found = Mesh(temperature, nu, spacing).log_total(z)
    reference = z.detach().double().requires_grad_()
    expected = written_out(reference, temperature, nu)
    assert found.item() == pytest.approx(expected.item(), abs=2e-3)
    (g,) = torch.autograd.grad(2.0 * found, z)
    (r,) = torch.autograd.grad(2.0 * expected, reference)
    # A finer grid is a better one.
    assert relative(g.double(), r) < 0.08 * (spacing / 0.5) ** 3


def test_gradient_belongs_to_the_value():
    """Of the splines, not of the kernel: a finite difference of what the mesh returns agrees to rounding."""
    mesh = Mesh(10.0, 0.1)
    z = points(700, 2, 5.0, dtype=torch.float64).requires_grad_()
    (g,) = torch.autograd.grad(mesh.log_total(z), z)
    inner = z.detach().norm(dim=1).argsort()[:3]  # moving these does not move the grid
    for i in inner.tolist():
        for axis in range(2):
            step = torch.zeros_like(z)
            step[i, axis] = 1e-5
            slope = float(mesh.log_total(z + step) - mesh.log_total(z - step)) / 2e-5
            assert slope == pytest.approx(float(g[i, axis]), rel=1e-5, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(2, 40), d=st.integers(1, 2), spread=st.floats(0, 1e4), seed=st.integers(0, 9))
def test_few_points_are_exact(n, d, spread, seed):
    z = points(n, d, spread, seed, torch.float64).requires_grad_()
    found = Mesh(10.0, 0.1).log_total(z)
    reference = z.detach().clone().requires_grad_()
    # Not as a sum of all less n, which cancels for points far apart.
    q = kernel((reference[:, None] - reference[None]).square().sum(2) / 10.0, 0.1)
    expected = (q - torch.diag_embed(q.diagonal())).sum().log()
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    gradients = torch.autograd.grad(found, z)[0], torch.autograd.grad(expected, reference)[0]
    torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-9)


def test_order_shift_and_chunks_do_not_matter(monkeypatch):
    z, mesh = points(900, 2, 5.0, dtype=torch.float64), Mesh(10.0, 0.1)
    order = torch.randperm(900, generator=torch.Generator().manual_seed(1))

    def log_total_and_gradient(at):
        at = at.clone().requires_grad_()
        value = mesh.log_total(at)
        return value, torch.autograd.grad(value, at)[0]

    value, gradient = log_total_and_gradient(z)
    permuted = log_total_and_gradient(z[order])
    torch.testing.assert_close(permuted, (value, gradient[order]))
    torch.testing.assert_close(log_total_and_gradient(z + 123.0), (value, gradient))
    # Newton's third law, as far as the splines keep it.
    assert float(gradient.sum(0).abs().max()) < 2e-3 * float(gradient.abs().sum())
    monkeypatch.setattr(_grid, "_CHUNK", 100)
    torch.testing.assert_close(log_total_and_gradient(z), (value, gradient))


def test_coincident_points_and_wide_pictures(monkeypatch):
    same = torch.zeros(600, 2, requires_grad=True)
    value = Mesh(10.0, 0.1).log_total(same)
    assert value.item() == pytest.approx(math.log(600 * 599), abs=1e-4)
    assert torch.autograd.grad(value, same)[0].abs().max() < 1e-6
    monkeypatch.setattr(_grid, "LARGEST", 64)  # a grid that has to become coarser than it should be
    far = points(600, 2, 5.0)
    far[0] = 1000.0
    assert torch.isfinite(Mesh(10.0, 0.1).log_total(far))


@pytest.mark.parametrize("spread", [2.0, 9.0])
def test_few_cells_and_many_give_the_same(monkeypatch, spread):
    """A table of all cells, or each point by itself."""
    z = as_points(points(800, 2, spread, dtype=torch.float64))
    found = []
    for cells in (0, 1e9):
        monkeypatch.setattr(_grid, "_CELLS", cells)
        potential, taps = Mesh(10.0, 0.1).potential(z)
        assert (potential.polynomials is None) == (cells == 0)
        found.append((*potential.read(taps), potential.total))
        torch.testing.assert_close(found[-1][0].sum(), potential.total)
    torch.testing.assert_close(*found)


def test_kernels_are_kept_for_a_few_grids_and_spacings_change_by_steps(monkeypatch):
    monkeypatch.setattr(_grid, "LARGEST", 64)
    mesh = Mesh(10.0, 0.1)
    z = as_points(points(600, 2, 5.0))
    spacings = {mesh.potential(z * (1 + 0.001 * i))[0].spacing for i in range(20)}
    assert len(spacings) <= 2
    before = dict(mesh._kernels)
    mesh.potential(z)
    assert mesh._kernels.keys() == before.keys()
    for i in range(1, 10):
        mesh.potential(z * 1.3**i)
    assert len(mesh._kernels) == _grid._KEPT


@pytest.mark.parametrize("spread", [2.0, 6.0])
def test_potential_of_a_point_is_its_own(spread):
    """Whatever other points ask, in whatever order: to the last bit. This is what `transform` rests on."""
    potential, _ = Mesh(10.0, 0.1).potential(as_points(points(2000, 2, spread)))
    asked = as_points(points(300, 2, 9.0, seed=3))
    values, gradient = potential.at(asked)
    for chosen in (torch.tensor([7]), torch.arange(299, -1, -1), torch.tensor([250, 7, 7])):
        found = potential.at(asked[:, chosen])
        assert torch.equal(found[0], values[chosen])
        assert torch.equal(found[1], gradient[:, chosen])
    beyond = potential.at(torch.tensor([[1e6], [-1e6]]))
    assert torch.isfinite(beyond[0]).all()
    assert beyond[0] < values.min() + 1


@pytest.fixture
def problem():
    """Points and a symmetric P in float64."""
    z = points(30, 2, 1.0, dtype=torch.float64)
    generator = torch.Generator().manual_seed(5)
    p = torch.rand(30, 30, generator=generator, dtype=torch.float64)
    p = torch.triu(p * (torch.rand(30, 30, generator=generator) < 0.2), 1)
    return z, p + p.T


def edges_of(p):
    edges = p.nonzero().T.contiguous()
    return edges, p[edges[0], edges[1]]


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_attraction(problem, monkeypatch, d, ordered):
    monkeypatch.setattr(all_pairs, "ORDERED", 0 if ordered else 10**9)
    monkeypatch.setattr(all_pairs, "_EDGES", 7)
    _, p = problem
    z = points(30, d, 1.0, dtype=torch.float64).requires_grad_()
    found = log_similarity(z, UndirectedEdges(*edges_of(p), 30), 2.0, 0.5)
    reference = z.detach().clone().requires_grad_()
    log_q = log_kernel((reference[:, None] - reference[None]).square().sum(2) / 2.0, 0.5)
    expected = (p * log_q).sum()
    torch.testing.assert_close(found, expected)
    gradients = torch.autograd.grad(3 * found, z)[0], torch.autograd.grad(3 * expected, reference)[0]
    torch.testing.assert_close(*gradients)


def objective(z, p, loss=MAP, sampling=ALL, views=None):
    return AllPairsObjective(
        EmbeddingTable(z),
        None,
        None,
        *edges_of(p),
        len(p),
        loss,
        replace(sampling, n_negatives=1),
        views or ViewConfig(),
    )


@pytest.mark.parametrize("change", [{}, {"scale": 0.7, "gamma": 1.3}, {"name": "kl"}, {"exaggeration": 2.5}])
def test_objective_is_the_divergence_of_all_pairs(problem, change):
    z, p = problem
    loss = replace(MAP, **change)
    found = objective(z, p, loss)()
    log_q = log_kernel((z[:, None] - z[None]).square().sum(2) / loss.temperature, loss.nu)
    target, mass = (p / p.sum(), 1.0) if loss.name == "kl" else (p, float(p.sum()))
    gamma = 1.0 if loss.name == "kl" else loss.gamma
    expected = float(gkl_dense(target, log_q, gamma=gamma, scale=loss.scale))
    assert found.loss.item() == pytest.approx((found.attraction + found.repulsion).item())
    plain = found.attraction.item() / loss.exaggeration + found.repulsion.item()
    assert plain * float(p.sum() if mass != 1.0 else 1.0) == pytest.approx(expected)


def test_threads_side_by_side_change_nothing(problem, monkeypatch):
    """Attraction and repulsion at once, or one after the other."""
    z, p = problem
    before, found = torch.get_num_threads(), []
    try:
        for threads, shared in ((1, 0), (2, 0), (2, 10**9)):
            torch.set_num_threads(threads)
            monkeypatch.setattr(all_pairs, "_SHARED", shared)
            step = objective(z, p)
            terms = step()
            terms.loss.backward()
            found.append((*terms, step.encoder.table.grad))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(map(torch.equal, found[0], other))


@pytest.mark.parametrize("n", [30, 600])
def test_nodes_numbered_anew_have_their_own_gradients(monkeypatch, n):
    """By pairs and by the mesh, with edges in another order than the rows of the table."""
    z = points(n, 2, 1.0, dtype=torch.float64)
    p = torch.triu((torch.rand(n, n, generator=torch.Generator().manual_seed(5)) < 5 / n).double(), 1)
    found = []
    for ordered in (10**9, 0):
        monkeypatch.setattr(all_pairs, "ORDERED", ordered)
        step = objective(z, p + p.T)
        terms = step()
        terms.loss.backward()
        found.append((*terms, step.encoder.table.grad))
    torch.testing.assert_close(*found)


def test_what_it_refuses(problem):
    z, p = problem
    for change, said in (
        ({"name": "bce"}, "loss.name gkl or kl; found bce"),
        ({"per": "row"}, "loss.per global; found row"),
        ({"metric": "cosine"}, "loss.metric euclidean; found cosine"),
    ):
        with pytest.raises(InputError, match=said):
            objective(z, p.clamp_max(1.0), replace(MAP, **change))
    with pytest.raises(InputError, match="one view"):
        objective(z, p, views=ViewConfig(self_weight=1.0))
    with pytest.raises(InputError, match=r"all pairs with encoder\.dim 3; expected 1 or 2 dimensions"):
        objective(torch.zeros(30, 3, dtype=torch.float64), p)()
    with pytest.raises(InputError, match="expected all for this objective"):
        objective(z, p, sampling=SamplingConfig("shared"))
    lopsided = p.clone()
    lopsided[0, lopsided[0].nonzero()[0]] *= 0.5
    with pytest.raises(InputError, match="expected a symmetric P"):
        objective(z, lopsided)
    one_way = torch.zeros(30, 30, dtype=torch.float64)
    one_way[0, 1] = 1.0
    with pytest.raises(InputError, match="expected a symmetric P"):
        objective(z, one_way)
