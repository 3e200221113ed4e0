"""The sparse objective against the same divergence written out over all pairs in float64."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from genurl_graph.config.parameters import LossConfig, SamplingConfig
from genurl_graph.config.views import ViewConfig
from genurl_graph.exceptions import InputError
from genurl_graph.nn.table import EmbeddingTable
from genurl_graph.objectives.full_batch import PairwiseObjective

N = 12
ONE_VIEW = ViewConfig()
GLOBAL = LossConfig(gamma=0.7, scale="profile", per="global", metric="euclidean", temperature=0.8, nu=3.0)
LOSSES = {
    "global": GLOBAL,
    "row": replace(GLOBAL, per="row"),
    "cosine": replace(GLOBAL, per="row", metric="cosine", temperature=0.5, nu=10.0),
    "scale 1": replace(GLOBAL, scale=1.0, metric="cosine"),
}


class TwoTables(nn.Module):
    """An encoder whose calls give one table, then the other: two views that are known."""

    def __init__(self, a, b):
        super().__init__()
        self.tables = nn.ParameterList([a.clone(), b.clone()])
        self.calls = 0

    def forward(self, features=None, graph=None, keep=None):
        self.calls += 1
        return self.tables[(self.calls - 1) % 2]

    def operator(self, propagation, drop_edges=0.0):
        return None


@pytest.fixture
def problem():
    """Two tables [N, 3] and a symmetric P; every node has an edge, the last has one only."""
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, N, 3, generator=generator)
    p = torch.rand(N, N, generator=generator) * (torch.rand(N, N, generator=generator) < 0.3)
    p[-1] = p[:, -1] = 0
    p = torch.triu(p, 1)
    p[torch.arange(N - 1), torch.arange(1, N)] = 0.5
    return a, b, p + p.T


def sparse(z, p, loss, negatives="shared", n_negatives=N, views=ONE_VIEW, encoder=None):
    edges = p.nonzero().T.contiguous()
    weight = p[edges[0], edges[1]]
    encoder = EmbeddingTable(z) if encoder is None else encoder
    sampling = SamplingConfig(negatives, n_negatives)
    return PairwiseObjective(encoder, None, None, edges, weight, len(p), loss, sampling, views)


def dense(a, b, p, loss, diagonal):
    """GKL over all ordered pairs; the diagonal counts for two views only. In the units of the sparse form."""
    a, b, p = a.double(), b.double(), p.double()
    if loss.metric == "cosine":
        a, b = (z / z.norm(dim=1, keepdim=True) for z in (a, b))
        distance = 1 - a @ b.T
    else:
        distance = (a[:, None] - b[None]).square().sum(2)
    q = (1 + distance / loss.temperature / loss.nu) ** -(loss.nu + 1)
    counted = torch.ones(N, N, dtype=torch.bool) if diagonal else ~torch.eye(N, dtype=torch.bool)
    groups = range(N) if loss.per == "row" else [slice(None)]
    total = 0.0
    for rows in groups:
        p_g, q_g = p[rows][counted[rows]], q[rows][counted[rows]]
        c = p_g.sum() / (loss.gamma * q_g.sum()) if loss.scale == "profile" else 1.0
        on = p_g > 0
        total += (p_g[on] * (p_g[on] / (c * q_g[on])).log()).sum() + loss.gamma * (c * q_g - p_g).sum()
    return total / p.sum()


@pytest.mark.parametrize("negatives", ["shared", "permuted"])
@pytest.mark.parametrize("name", LOSSES)
def test_one_view_equals_the_dense_divergence(problem, name, negatives):
    z, _, p = problem
    terms = sparse(z, p, LOSSES[name], negatives)()
    torch.testing.assert_close(terms.loss.double(), dense(z, z, p, LOSSES[name], diagonal=False), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(terms.loss, terms.attraction + terms.repulsion)


@pytest.mark.parametrize("negatives", ["shared", "permuted"])
@pytest.mark.parametrize("name", LOSSES)
def test_two_views_equal_the_mean_over_both_orders(problem, name, negatives):
    a, b, p = problem
    views = ViewConfig(self_weight=1.5)
    found = sparse(None, p, LOSSES[name], negatives, views=views, encoder=TwoTables(a, b))().loss
    with_self = p + 1.5 * torch.eye(N)
    orders = [dense(x, y, with_self, LOSSES[name], diagonal=True) for x, y in ((a, b), (b, a))]
    torch.testing.assert_close(found.double(), sum(orders) / 2, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("negatives", ["shared", "permuted"])
def test_gradient_equals_that_of_the_dense_divergence(problem, negatives):
    z, _, p = problem
    objective = sparse(z, p, LOSSES["cosine"], negatives)
    objective().loss.backward()
    reference = z.double().requires_grad_()
    dense(reference, reference, p, LOSSES["cosine"], diagonal=False).backward()
    torch.testing.assert_close(objective.encoder.table.grad.double(), reference.grad, rtol=1e-4, atol=1e-6)


def test_order_of_the_nodes_does_not_matter(problem):
    z, _, p = problem
    order = torch.randperm(N, generator=torch.Generator().manual_seed(1))
    found = sparse(z[order], p[order][:, order], LOSSES["row"])().loss
    torch.testing.assert_close(found, sparse(z, p, LOSSES["row"])().loss)


@pytest.mark.parametrize("negatives", ["shared", "permuted"])
@pytest.mark.parametrize("self_weight", [0.0, 1.0])
def test_sampled_repulsion_is_unbiased(problem, negatives, self_weight):
    z, _, p = problem
    views = ViewConfig(self_weight=self_weight)
    exact = sparse(z, p, LOSSES["scale 1"], negatives, views=views)().repulsion
    objective = sparse(z, p, LOSSES["scale 1"], negatives, n_negatives=4, views=views)
    torch.manual_seed(0)
    with torch.no_grad():
        draws = torch.stack([objective().repulsion for _ in range(400)]).double()
    error = draws.std() / math.sqrt(len(draws))
    assert abs(draws.mean() - exact) < 4 * error
    assert error < 0.02 * abs(exact)  # else the line above would let a bias pass


def test_exaggeration_multiplies_attraction(problem):
    z, _, p = problem
    plain, exaggerated = (sparse(z, p, replace(GLOBAL, exaggeration=factor))() for factor in (1.0, 3.0))
    torch.testing.assert_close(exaggerated.attraction, 3 * plain.attraction)
    torch.testing.assert_close(exaggerated.repulsion, plain.repulsion)
    torch.testing.assert_close(exaggerated.loss, exaggerated.attraction + exaggerated.repulsion)


@pytest.mark.parametrize("per", ["global", "row"])
def test_kl_does_not_see_the_scale_of_p(problem, per):
    z, _, p = problem
    once, thrice = (sparse(z, c * p, replace(GLOBAL, name="kl", per=per))().loss for c in (1, 3))
    torch.testing.assert_close(once, thrice)


def test_embed_has_no_views_and_leaves_the_mode(problem):
    z, _, p = problem
    objective = sparse(z, p, GLOBAL)
    objective.train()
    assert torch.equal(objective.embed(), z)
    assert objective.training
    assert objective.encoder.training


@pytest.mark.parametrize(
    ("stage", "values", "message"),
    [
        ("loss", {"name": "gk"}, "did you mean 'gkl'"),
        ("sampling", {"negatives": "all"}, "sampling.negatives"),
        ("sampling", {"n_negatives": 1}, "sampling.n_negatives: found 1; expected at least 2"),
    ],
)
def test_bad_configuration_names_the_key(problem, stage, values, message):
    z, _, p = problem
    stages = {"loss": GLOBAL, "sampling": SamplingConfig(), "views": ViewConfig()}
    stages[stage] = replace(stages[stage], **values)
    edges = p.nonzero().T
    with pytest.raises(InputError, match=message):
        PairwiseObjective(EmbeddingTable(z), None, None, edges, p[edges[0], edges[1]], N, *stages.values())


def test_p_must_have_edges_and_be_positive(problem):
    z, _, p = problem
    with pytest.raises(InputError, match="no edges"):
        sparse(z, torch.zeros_like(p), GLOBAL)
    with pytest.raises(InputError, match="found a smallest value of -"):
        sparse(z, -p, GLOBAL)


def test_cross_entropy_needs_probabilities(problem):
    z, _, p = problem
    bce = replace(GLOBAL, name="bce", scale=1.0)
    assert torch.isfinite(sparse(z, p, bce, views=ViewConfig(self_weight=1.0))(0.0).loss)
    for similarities, views in ((3 * p, ONE_VIEW), (p, ViewConfig(self_weight=1.5))):
        with pytest.raises(InputError, match=r"loss bce: found a largest similarity of 1\.5 in P; expected"):
            sparse(z, similarities.clamp_max(1.5), bce, views=views)
