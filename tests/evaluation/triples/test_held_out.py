"""Triples that are held out of a set without a test part."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.evaluation.triples.held_out import unseen, with_held_out
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.triples import Triples, TripleSet


def random_set(seed: int, count: int = 300) -> TripleSet:
    generator = torch.Generator().manual_seed(seed)
    rows = torch.stack([torch.randint(size, (count,), generator=generator) for size in (30, 4, 30)], 1)
    return TripleSet(Triples.of(rows, 30, 4))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(60, 400))
def test_parts_share_nothing_and_the_training_knows_all(seed, count):
    data = random_set(seed, count)
    parts = with_held_out(data, seed)
    rows = [tuple(row) for part in (parts.triples, parts.valid, parts.test) for row in part.rows().tolist()]
    assert sorted(rows) == sorted(map(tuple, data.triples.rows().tolist()))
    assert unseen(parts, parts.test) == unseen(parts, parts.valid) == 0


def test_shares_and_seeds():
    data = random_set(0, 2000)
    parts, again, other = with_held_out(data, 1), with_held_out(data, 1), with_held_out(data, 2)
    total = len(data.triples)
    assert (len(parts.valid), len(parts.test)) == (round(0.05 * total), round(0.1 * total))
    assert torch.equal(parts.test.rows(), again.test.rows())
    assert not torch.equal(parts.test.rows(), other.test.rows())


def test_a_given_test_part_stays():
    data = random_set(3)
    given = TripleSet(data.triples, test=data.triples.chosen(torch.arange(5)))
    assert with_held_out(given, 0) is given


def test_a_given_validation_part_stays():
    data = random_set(4)
    valid = data.triples.chosen(torch.arange(5))
    parts = with_held_out(TripleSet(data.triples.chosen(torch.arange(5, len(data.triples))), valid=valid), 0)
    assert parts.valid is valid
    assert len(parts.triples) + len(parts.test) == len(data.triples) - 5


def test_a_tree_has_nothing_to_hold_out():
    with pytest.raises(InputError, match="0 can be held out"):
        with_held_out(TripleSet(Triples.of([(0, 0, k) for k in range(1, 30)])), 0)
