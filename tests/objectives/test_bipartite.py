"""The node-feature bipartite graph: similarities and divergence against naive references, and the task with it."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Data

from genurl_graph import GenURL
from genurl_graph.config import load_preset, read_settings
from genurl_graph.config.parameters import LossConfig
from genurl_graph.exceptions import InputError
from genurl_graph.graph.bipartite import column_similarities
from genurl_graph.inputs.hetero import as_graph
from genurl_graph.losses.pairwise import get_loss
from genurl_graph.objectives.bipartite import SAMPLED, ColumnGraph, IdentityEdges
from genurl_graph.objectives.pair_distances import normalize
from genurl_graph.tasks.graph import build
from tests.resumed import assert_resumes

LOSS = LossConfig(per="row", metric="cosine", temperature=0.5, column_temperature=0.3, nu=5.0)


def words(n=9, f=7, seed=0, share=0.4):
    """A bag of words: counts up to 3, one row empty, one column that all other rows have."""
    generator = torch.Generator().manual_seed(seed)
    x = (torch.rand(n, f, generator=generator) < share) * torch.randint(1, 4, (n, f), generator=generator).float()
    x[:, 0] = 1
    x[-1] = 0
    return x


def naive(x, mass):
    n, f = x.shape
    out = np.zeros((n, f))
    for i in range(n):
        weight = [math.log(n / int((x[:, w] > 0).sum())) if x[i, w] > 0 else 0.0 for w in range(f)]
        for w in range(f):
            out[i, w] = mass[i] * weight[w] / sum(weight) if sum(weight) > 0 else 0.0
    return out


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 12), st.integers(1, 9), st.integers(0, 1000), st.booleans())
def test_similarities_equal_the_naive_ones_and_rows_sum_to_their_total(n, f, seed, sparse):
    x, mass = words(n, f, seed), torch.rand(n, generator=torch.Generator().manual_seed(seed)) + 0.1
    p = column_similarities(x.to_sparse_csr() if sparse else x, mass)
    np.testing.assert_allclose(p.to_dense(), naive(x, mass), rtol=1e-5, atol=1e-7)
    filled = p.crow_indices().diff() > 0
    torch.testing.assert_close(p.to_dense().sum(1)[filled], mass[filled])
    assert bool((p.values() > 0).all())


def test_words_of_all_nodes_and_stored_zeros_are_no_edges():
    x = words()
    x[-1, 0] = 1
    csr = x.to_sparse_csr()
    # Entry 0 is the word that all have; another is stored and zero.
    csr.values()[1] = 0
    p = column_similarities(csr, torch.ones(len(x))).to_dense()
    assert float(p[:, 0].abs().max()) == 0
    assert not bool((p > 0)[csr.to_dense() == 0].any())


def test_order_of_nodes_and_counts_do_not_matter():
    x, mass = words(), torch.rand(9, generator=torch.Generator().manual_seed(1))
    order = torch.randperm(9, generator=torch.Generator().manual_seed(2))
    p = column_similarities(x, mass).to_dense()
    torch.testing.assert_close(column_similarities(x[order], mass[order]).to_dense(), p[order])
    torch.testing.assert_close(column_similarities((x > 0).float(), mass).to_dense(), p)


def dense(z, v, p, loss):
    """The profile form row by row, written out over all columns in float64."""
    if loss.metric == "cosine":
        v = v / v.norm(dim=1, keepdim=True)
        distance = 1 - z @ v.T
    else:
        distance = (z[:, None] - v[None]).square().sum(2)
    q = (1 + distance / (loss.column_temperature * loss.nu)) ** -(loss.nu + 1)
    total = torch.zeros((), dtype=torch.float64)
    for i in range(len(z)):
        there = p[i] > 0
        if not bool(there.any()):
            continue
        scale = p[i].sum() / (loss.gamma * q[i].sum())
        total = total + (p[i][there] * (p[i][there] / (scale * q[i][there])).log()).sum()
        total = total + loss.gamma * scale * q[i].sum() - p[i].sum() + (1 - loss.gamma) * p[i].sum()
    return total


@pytest.mark.parametrize("name", ["kl", "bce", "l2", "huber", "infonce"])
def test_other_losses_are_those_of_all_pairs_of_nodes_and_columns(name):
    """Their pairs are not nodes with nodes, but nothing else differs: a graph of n + f nodes has the same sums."""
    loss = replace(LOSS, name=name, scale="auto", nu=3.0)
    p = column_similarities(words(), torch.full((9,), 0.9))
    torch.manual_seed(0)
    graph = ColumnGraph(p, 20, loss)
    z, v = (normalize(t, "cosine") for t in (torch.randn(9, 20), graph.vectors.detach()))
    log_q = -(loss.nu + 1) * (1 + (1 - z @ v.T) / (loss.column_temperature * loss.nu)).log()
    row, column = p.to_dense().nonzero().T
    form = get_loss(name)
    expected = form(log_q[row, column], p.values(), log_q, row_pos=row, num_rows=9, scale="auto", per="row")
    torch.testing.assert_close(graph(z).loss.detach(), expected.loss, rtol=1e-4, atol=1e-5)


def test_bce_refuses_similarities_above_one():
    with pytest.raises(InputError, match=r"loss bce: found a largest similarity of .* between a node and"):
        ColumnGraph(column_similarities(words(), torch.full((9,), 9.0)), 4, replace(LOSS, name="bce"))


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("width", [3, 20])
def test_divergence_and_gradients_equal_those_over_all_columns(metric, width):
    loss = replace(LOSS, metric=metric)
    p = column_similarities(words(), torch.rand(9, generator=torch.Generator().manual_seed(3)) + 0.5)
    torch.manual_seed(0)
    graph = ColumnGraph(p, width, loss)
    z = normalize(torch.randn(9, width), metric).requires_grad_()
    terms = graph(z)
    terms.loss.backward()
    z64, v64 = z.detach().double().requires_grad_(), graph.vectors.detach().double().requires_grad_()
    expected = dense(z64, v64, p.to_dense().double(), loss)
    expected.backward()
    torch.testing.assert_close(terms.loss.detach().double(), expected.detach(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(z.grad.double(), z64.grad, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(graph.vectors.grad.double(), v64.grad, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(terms.loss, terms.attraction + terms.repulsion)


def test_sampled_columns_stand_for_all():
    """Of more columns than are drawn: the mean over many draws is that over all columns, but for the bias of a log."""
    f = 2 * SAMPLED
    x = (torch.rand(6, f, generator=torch.Generator().manual_seed(0)) < 0.05).float()
    p = column_similarities(x, torch.ones(6))
    torch.manual_seed(0)
    graph = ColumnGraph(p, 24, LOSS)
    z = normalize(torch.randn(6, 24), "cosine")
    with torch.no_grad():
        found = torch.stack([graph(z).loss for _ in range(60)])
    expected = float(dense(z.double(), graph.vectors.detach().double(), p.to_dense().double(), LOSS))
    assert float(found.std()) > 0
    assert abs(float(found.mean()) - expected) < 0.01 * abs(expected)


def graph_of_words(n=40, seed=0):
    """Two kinds of nodes, each with words and neighbours of its own kind, the last node alone."""
    generator = np.random.default_rng(seed)
    kind = np.arange(n) % 2
    x = generator.random((n, 30)) < np.where(kind[:, None] == (np.arange(30) % 2), 0.4, 0.05)
    near = [(i, j) for i in range(n - 1) for j in range(i) if kind[i] == kind[j]]
    pairs = np.array([(i, j) for i, j in near if i - j == 2 or generator.random() < 0.2])
    edges = np.concatenate([pairs, pairs[:, ::-1]]).T
    return Data(x=torch.from_numpy(x).float(), edge_index=torch.from_numpy(edges.copy()), y=torch.from_numpy(kind))


SMALL = {"merge.evidence": "none"}
SMALL |= {"encoder.dim": 16, "encoder.hidden": 32, "neighbors.n_neighbors": 5, "sampling.n_negatives": 40}


def problem(data, **changes):
    given = as_graph(data)
    alone = {"encoder.skip": 0, "encoder.structure_columns": 0}
    config = load_preset("graph").override(
        {**alone, "neighbors.metric": "cosine", "similarity.perplexity": 5.0, **SMALL, **changes}
    )
    return build(given, given.x, config, 0, torch.device("cpu")).objective


def test_the_loss_of_both_graphs_is_per_unit_of_all_similarity():
    data = graph_of_words()
    quiet = {"views.drop_features": 0.0, "views.drop_edges": 0.0, "views.drop_nodes": 0.0, "encoder.norm": "none"}
    with_columns = problem(data, **quiet, **{"merge.column_weight": 7.0})
    without = problem(data, **quiet, **{"merge.column_weight": 0.0})
    without.encoder.load_state_dict(with_columns.encoder.state_dict())
    columns = with_columns.columns
    # A node's edges to its words weigh column_weight / (1 + degree): 7 where it has no other edge.
    assert columns.mass == pytest.approx(with_columns.mass - without.mass)
    mass = torch.zeros(40).index_add_(0, columns.pattern.row, columns.p)
    assert float(mass[-1]) == pytest.approx(7.0)
    assert float(mass[:-1].max()) < 3.5
    z = normalize(with_columns.embed(), "cosine")
    together = without().loss * without.mass + columns(z).loss
    torch.testing.assert_close(with_columns().loss * with_columns.mass, together, rtol=1e-4, atol=1e-4)


def test_hidden_nodes_are_those_with_neighbours():
    data = graph_of_words()
    objective = problem(data, **{"views.drop_nodes": 0.5})
    hidden = objective.hidden
    assert float(hidden[-1]) == 0, "nothing could stand in for a node without edges"
    assert bool((hidden[:-1] > 0).all())
    assert float(hidden.max()) < 0.5
    # A hidden node is embedded as if its features were zero.
    encoder, graph = objective.encoder.eval(), objective.encoder.operator(objective.propagation)
    seen = torch.ones(40, 1)
    seen[3] = 0
    blank = objective.features.x.to_dense().clone()
    blank[3] = 0
    torch.testing.assert_close(
        encoder(objective.features, graph, None, seen), encoder(type(objective.features)(blank), graph)
    )
    assert problem(data, **{"views.drop_nodes": 0.5, "encoder.name": "mlp"}).hidden is None, (
        "an MLP has no neighbours to ask"
    )


def test_the_summary_says_how_much_words_weigh():
    data = graph_of_words()
    summaries = [
        GenURL(random_state=0, config=SMALL | {"merge.column_weight": w, "training.epochs": 1}).fit(data).graph_summary_
        for w in (0.0, 7.0, 14.0)
    ]
    assert "mass_columns" not in summaries[0]
    assert summaries[1]["n_columns"] == 30
    odds = [found["mass_columns"] / (1 - found["mass_columns"]) for found in summaries[1:]]
    assert odds[1] == pytest.approx(2 * odds[0]), "edges weigh what they did, words twice as much"


def test_columns_need_a_bag_of_words():
    data = graph_of_words()
    assert problem(data).columns is None, "not in the preset"
    wanted = {"merge.column_weight": 1.0}
    data.x[0, 0] = -1
    with pytest.raises(InputError, match="found 1 with features below 0"):
        problem(data, **wanted, **{"neighbors.metric": "euclidean"})
    data.x = torch.ones(40, 3)
    with pytest.raises(InputError, match="found features that all nodes have"):
        problem(data, **wanted)
    with pytest.raises(InputError, match="found 1 with no features"):
        problem(Data(edge_index=data.edge_index, num_nodes=40), **wanted)


def test_maps_have_no_columns():
    with pytest.raises(InputError, match=r"merge\.column_weight: found 30; expected 0 in the task reduce"):
        GenURL(config=read_settings("words")).fit(graph_of_words().x.numpy())


@pytest.mark.parametrize("key", ["merge.column_weight", "views.drop_nodes"])
def test_batches_refuse_what_they_cannot_do(key):
    off = {"merge.column_weight": 0.0, "views.drop_nodes": 0.0, "views.drop_edges": 0.0}
    with pytest.raises(InputError, match=f"{key}: found 0.5; expected 0 with sampling.negatives batch"):
        problem(graph_of_words(), **{**off, key: 0.5, "sampling.negatives": "batch"})


def test_nodes_come_to_tell_their_words_from_others():
    """What the columns are for: after training a node lies nearer to its own words than to others."""
    from sklearn.metrics import roc_auc_score

    data = graph_of_words()
    model = GenURL(random_state=0, epochs=200, config={**read_settings("words"), **SMALL, "training.lr": 3e-3}).fit(
        data
    )
    v = normalize(model.model_.objective.columns.vectors.detach(), "cosine")
    trained = model.embedding_[:, : v.size(1)]  # components of the words stand beside
    closeness = (normalize(trained, "cosine") @ v.T).numpy()
    assert roc_auc_score(data.x.numpy().ravel() > 0, closeness.ravel()) > 0.8
    assert roc_auc_score(data.x[-1].numpy() > 0, closeness[-1]) > 0.7, "the node without edges, too"


def test_an_interrupted_run_goes_on_bit_for_bit(tmp_path):
    """The vectors of the columns are part of the checkpoint, and no part of the model."""
    data = graph_of_words()

    def model(**options):
        return GenURL(random_state=0, epochs=5, config={**read_settings("words"), **SMALL}, **options)

    whole, resumed = assert_resumes(model, data, tmp_path / "run.ckpt")
    resumed.save(tmp_path / "model")
    assert torch.equal(GenURL.load(tmp_path / "model").transform(data), whole.transform(data))
    assert not any("columns" in name for name in resumed.encoder_.state_dict())


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_identity_edges_against_a_naive_reference(metric):
    loss = replace(LOSS, metric=metric, temperature=3.0, nu=0.5)
    generator = torch.Generator().manual_seed(0)
    z, y = (torch.randn(6, 2, generator=generator, dtype=torch.float64) for _ in range(2))
    index = torch.tensor([4, 0, 1])
    raw = z.requires_grad_()
    z = normalize(raw, metric)
    terms = IdentityEdges(y[index], index, 0.7, loss)(z)
    expected = torch.zeros((), dtype=torch.float64)
    for i in index.tolist():
        before = normalize(y, metric)[i]
        distance = 1 - z[i] @ before if metric == "cosine" else ((z[i] - before) ** 2).sum()
        expected = expected + 0.7 * (loss.nu + 1) * torch.log(1 + distance / loss.temperature / loss.nu)
    torch.testing.assert_close(terms.loss, expected)
    assert float(terms.repulsion) == 0
    torch.testing.assert_close(
        *(torch.autograd.grad(total, raw, retain_graph=True)[0] for total in (terms.attraction, expected))
    )
    assert float(IdentityEdges(z[index], index, 0.7, loss)(z).loss.detach()) == pytest.approx(0, abs=1e-12)
