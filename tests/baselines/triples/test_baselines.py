"""Baselines of typed edges: their equations, that they learn, and that a seed gives the same bits."""

import pytest
import torch

from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.baselines.triples import TRIPLE_BASELINES, get_triple_baseline
from genurl_graph.baselines.triples.distmult import DistMult
from genurl_graph.baselines.triples.model import EntityModel
from genurl_graph.baselines.triples.transe import TransE
from genurl_graph.evaluation.triples.protocol import judge_triples
from genurl_graph.evaluation.triples.scorers import Frequency
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.triples import Triples, TripleSet

FEW = {"dim": 8, "epochs": 2, "batch": 64}


def grid(side: int = 7) -> TripleSet:
    """Relations "one to the right", "one up" and "both" on a grid: translations. A tenth each is held out."""
    x, y = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    node, rows = (x * side + y).reshape(-1), []
    for relation, (right, up) in enumerate([(1, 0), (0, 1), (1, 1)]):
        there = ((x + right < side) & (y + up < side)).reshape(-1)
        head = node[there]
        rows.append(torch.stack([head, torch.full_like(head, relation), head + right * side + up], 1))
    every = Triples.of(torch.cat(rows), side * side, 3)
    part = torch.arange(len(every)) * 7 % 10
    return TripleSet(every.chosen(part > 1), valid=every.chosen(part == 0), test=every.chosen(part == 1))


def model_of(build: type[EntityModel], **changes) -> EntityModel:
    name = build.__name__.lower()
    return build(11, 3, baseline_settings(name, None, {"dim": 6, **changes}, task="triples")).eval()


@pytest.mark.parametrize("norm", [1, 2])
def test_scores_are_those_of_the_equations(norm):
    torch.manual_seed(0)
    h, r, t = torch.tensor([0, 5]), torch.tensor([2, 1]), torch.tensor([3, 3])
    distmult, transe = model_of(DistMult), model_of(TransE, norm=norm, lengths="unit")
    e, w = distmult.entity, distmult.relation
    expected = torch.einsum("bd,bd,nd->bn", e[h], w[r], e)
    assert torch.allclose(distmult.tail_scores(h, r), expected, atol=1e-6)
    e = transe.entity / transe.entity.norm(dim=1, keepdim=True)
    expected = -(e[h][:, None] + transe.relation[r][:, None] - e[None]).norm(norm, dim=2)
    assert torch.allclose(transe.tail_scores(h, r), expected, atol=1e-5)
    expected = -(e[None] + transe.relation[r][:, None] - e[t][:, None]).norm(norm, dim=2)
    assert torch.allclose(transe.head_scores(r, t), expected, atol=1e-5)


@pytest.mark.parametrize("build", [DistMult, TransE])
def test_both_ends_and_some_entities_have_the_same_scores(build):
    torch.manual_seed(1)
    model = model_of(build)
    node = torch.arange(11)
    for relation in range(3):
        r = torch.full((11,), relation)
        assert torch.allclose(model.tail_scores(node, r), model.head_scores(r, node).T, atol=1e-5)
    rows, r = model.rows(), model.relation[torch.zeros(11, dtype=torch.int64)]
    query, some = model.query(rows, r, "tail"), torch.tensor([[4, 2]]).expand(11, -1)
    assert torch.allclose(model.compare(query, rows[some]), model.compare(query, rows)[:, [4, 2]], atol=1e-5)


@pytest.mark.parametrize("loss", ["softmax", "margin"])
@pytest.mark.parametrize("name", list(TRIPLE_BASELINES))
def test_a_seed_gives_the_same_bits(name, loss):
    data = grid()
    first, again, other = (
        get_triple_baseline(name, {**FEW, "loss": loss})(data, seed, "cpu").entity for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_translations_are_learnt_and_directions_are_not_by_products():
    data = grid()
    changes = {"epochs": 60, "dim": 16, "lr": 0.03, "batch": 32, "drop": 0.0, "patience": 20}
    found = judge_triples(get_triple_baseline("transe", changes)(data, 0, "cpu"), data)
    assert found.mrr > 0.35 > 3 * judge_triples(Frequency(data.triples), data).mrr
    same = get_triple_baseline("distmult", changes)(data, 0, "cpu")
    node, r = torch.arange(49), torch.zeros(49, dtype=torch.int64)
    assert torch.allclose(same.tail_scores(node, r), same.head_scores(r, node))


def test_the_epoch_is_chosen_on_the_validation_triples():
    data = grid()
    changes = {"dim": 16, "lr": 0.03, "batch": 32, "check": 1, "patience": 1000, "drop": 0.0}
    long, last = ({**changes, "epochs": 12}, TripleSet(data.triples, test=data.test))
    chosen = get_triple_baseline("distmult", long)(data, 0, "cpu")
    final = get_triple_baseline("distmult", long)(last, 0, "cpu")
    assert judge_triples(chosen, data, "valid").mrr >= judge_triples(final, data, "valid").mrr


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("distmul", {}, "did you mean 'distmult'"),
        ("distmult", {"loss": "hinge"}, "expected one of softmax, margin"),
        ("transe", {"norm": 3}, "transe.norm: found 3; expected 1 or 2"),
        ("transe", {"lengths": "fre"}, "did you mean 'free'"),
        ("transe", {"gamma": 3}, "transe setting"),
    ],
)
def test_other_settings_are_refused(name, changes, words):
    with pytest.raises(InputError, match=words):
        get_triple_baseline(name, {**FEW, **changes})(grid(), 0, "cpu")
