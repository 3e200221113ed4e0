"""Filtered realistic ranks: against a count by hand, against PyKEEN's evaluator, and what ties and bad scores do."""

import doctest

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.evaluation.triples import answers, held_out, ranking, scorers
from genurl_graph.evaluation.triples.protocol import judge_triples
from genurl_graph.evaluation.triples.pykeen import judge_by_pykeen
from genurl_graph.evaluation.triples.ranking import realistic_ranks
from genurl_graph.evaluation.triples.scorers import Frequency
from genurl_graph.exceptions import DivergenceError, InputError
from genurl_graph.inputs.triples import Triples, TripleSet


class Table:
    """Scores [R, n, n] that are looked up."""

    def __init__(self, table: torch.Tensor) -> None:
        self.table = table

    def tail_scores(self, head, relation):
        return self.table[relation, head]

    def head_scores(self, relation, tail):
        return self.table[relation, :, tail]


def planted(seed: int, n: int = 23, relations: int = 3, count: int = 240, levels: int = 6) -> tuple[TripleSet, Table]:
    """Random triples in three parts, and scores of few levels, so that there are many ties."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.stack([torch.randint(size, (count,), generator=generator) for size in (n, relations, n)], 1)
    every = Triples.of(rows, n, relations)
    part = torch.randint(3, (len(every),), generator=generator)
    part[:3] = torch.arange(3)
    parts = [every.chosen(part == one) for one in range(3)]
    table = torch.randint(levels, (relations, n, n), generator=generator).float()
    return TripleSet(parts[0], valid=parts[1], test=parts[2]), Table(table)


@pytest.mark.parametrize("module", [answers, held_out, ranking, scorers], ids=lambda module: module.__name__)
def test_examples(module):
    names = {"torch": torch, "Frequency": Frequency, "TripleSet": TripleSet}
    assert doctest.testmod(module, extraglobs=names).failed == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_ranks_are_those_of_a_count_by_hand(seed, levels):
    data, scorer = planted(seed, n=9, relations=2, count=60, levels=levels)
    known = {tuple(row) for part in (data.triples, data.valid, data.test) for row in part.rows().tolist()}
    for end in ("head", "tail"):
        found = realistic_ranks(scorer, data.test, [data.triples, data.valid], end)
        for (h, r, t), rank in zip(data.test.rows().tolist(), found.tolist(), strict=True):
            candidates = [(h, r, e) if end == "tail" else (e, r, t) for e in range(9)]
            rivals = [c for c in candidates if c == (h, r, t) or c not in known]
            scores = [float(scorer.table[b, a, c]) for a, b, c in rivals]
            own = float(scorer.table[r, h, t])
            optimistic, pessimistic = 1 + sum(s > own for s in scores), sum(s >= own for s in scores)
            assert rank == (optimistic + pessimistic) / 2


def test_batches_change_nothing(monkeypatch):
    data, scorer = planted(1)
    whole = realistic_ranks(scorer, data.test, [data.triples], "tail")
    monkeypatch.setattr(ranking, "_ENTRIES", 3 * data.num_nodes)
    assert torch.equal(whole, realistic_ranks(scorer, data.test, [data.triples], "tail"))


def test_scores_that_are_all_the_same_are_in_the_middle():
    data, _ = planted(2, count=40)
    same = Table(torch.zeros(3, 23, 23))
    ranks = realistic_ranks(same, data.test, [], "tail")
    # Without other right answers to one query: (1 + n) / 2.
    assert ranks.max() == 12
    assert judge_triples(same, data).mrr < 0.2


def test_a_scorer_s_own_tensors_are_not_written_to():
    data, scorer = planted(3)
    before = scorer.table.clone()
    judge_triples(scorer, data)
    assert torch.equal(before, scorer.table)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_scores_that_are_not_finite_are_refused(value):
    data, scorer = planted(4)
    scorer.table[:, :, 5] = value
    with pytest.raises(DivergenceError, match="not finite"):
        judge_triples(scorer, data)


def test_other_input_is_refused():
    data, scorer = planted(5)
    with pytest.raises(InputError, match="no test triples"):
        judge_triples(scorer, TripleSet(data.triples))
    with pytest.raises(InputError, match="queries by entities"):
        realistic_ranks(Table(scorer.table[:, :, :9]), data.test, [], "tail")


def test_figures_are_those_of_pykeen():
    pytest.importorskip("pykeen", reason="needs pykeen, the extra knowledge")
    data, scorer = planted(6)
    for part in ("valid", "test"):
        found = judge_by_pykeen(scorer, data, part)
        assert judge_triples(scorer, data, part) == pytest.approx(found, abs=1e-6)


def test_frequency_counts_its_end_of_the_relation():
    data, _ = planted(7)
    frequency, t = Frequency(data.triples), data.triples
    relation = torch.arange(3)
    by_hand = np.zeros((3, 23))
    np.add.at(by_hand, (t.relation.numpy(), t.head.numpy()), 1)
    found = frequency.head_scores(relation, relation)
    assert np.array_equal(np.floor(found.numpy()), by_hand)


@pytest.mark.data
def test_frequency_on_real_sets_is_far_above_chance_and_far_below_models(data_root):
    def rows(part):
        path = data_root / "knowledge" / "UMLS" / f"{part}.txt"
        return [line.split("\t") for line in path.read_text().splitlines()]

    parts = {part: rows(part) for part in ("train", "valid", "test")}
    entity = {name: k for k, name in enumerate(sorted({r[c] for p in parts.values() for r in p for c in (0, 2)}))}
    relation = {name: k for k, name in enumerate(sorted({r[1] for p in parts.values() for r in p}))}
    coded = [
        Triples.of([(entity[h], relation[r], entity[t]) for h, r, t in rows], len(entity), len(relation))
        for rows in parts.values()
    ]
    data = TripleSet(coded[0], valid=coded[1], test=coded[2])
    assert held_out.unseen(data, data.test) == 0
    assert 0.2 < judge_triples(Frequency(data.triples), data).mrr < 0.75
