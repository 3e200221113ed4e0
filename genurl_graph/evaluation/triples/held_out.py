"""Held-out triples of a set that has none: every entity and every relation stays in the training."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.triples import Triples, TripleSet
from genurl_graph.runtime.random import randperm, seeded

VALID_SHARE, TEST_SHARE = 0.05, 0.1


def with_held_out(data: TripleSet, seed: int, valid: float = VALID_SHARE, test: float = TEST_SHARE) -> TripleSet:
    """The set with triples for validation and test; as it is where it has a test part.

    One triple of each entity and one of each relation, the first in a random order, are never held out; the others are
    drawn evenly, as many as there are up to the shares. Where relations have inverses under another name, such a split
    is easier than one that was made by hand: half of an answer may stand in the training (Toutanova & Chen, CVSC 2015).

    Parameters
    ----------
    data : TripleSet
    seed : int
    valid, test : float
        Shares of all triples.

    Raises
    ------
    InputError
        Too few triples: none can be held out for each part.

    Examples
    --------
    >>> data = TripleSet(Triples.of([(0, 0, 1), (1, 0, 2), (2, 0, 0), (0, 0, 2), (1, 0, 0), (2, 0, 1)]))
    >>> parts = with_held_out(data, seed=0, valid=0.2, test=0.2)
    >>> len(parts.triples), len(parts.valid), len(parts.test)
    (4, 1, 1)
    """
    if data.test is not None and len(data.test):
        return data
    given = data.triples
    with seeded(seed):
        order = randperm(len(given))
    free = order[~_needed(given, order)]
    wanted = [round(share * len(given)) for share in (test, valid)]
    if len(free) < sum(wanted):
        wanted = [int(len(free) * count / max(sum(wanted), 1)) for count in wanted]
    if not min(wanted):
        found = f"{len(given):,} triples, of which {len(free):,} can be held out"
        raise wrong("protocol triples", found, "more triples, so that every entity is in the training part")
    held = torch.zeros(len(given), dtype=torch.int64)
    held[free[: wanted[0]]], held[free[wanted[0] : sum(wanted)]] = 2, 1
    parts = [given.chosen(held == part) for part in range(3)]
    rest = parts[1] if data.valid is None else data.valid
    train = parts[0] if data.valid is None else given.chosen(held != 2)
    return dataclasses.replace(data, triples=train, valid=rest, test=parts[2])


def unseen(data: TripleSet, part: Triples) -> int:
    """How many triples of a part have an entity or a relation that no triple of the training has."""
    trained = data.triples
    entity = torch.zeros(trained.num_entities, dtype=torch.bool)
    entity[trained.head], entity[trained.tail] = True, True
    relation = torch.zeros(trained.num_relations, dtype=torch.bool)
    relation[trained.relation] = True
    return int((~(entity[part.head] & entity[part.tail] & relation[part.relation])).sum())


def _needed(triples: Triples, order: Tensor) -> Tensor:
    """Of the triples in a random order, which are the first one of an entity or of a relation, bool [M]."""
    count = len(order)
    rank = torch.arange(count)
    first = torch.full((triples.num_entities,), count)
    for end in (triples.head, triples.tail):
        first.scatter_reduce_(0, end[order], rank, "amin")
    of_relation = torch.full((triples.num_relations,), count).scatter_reduce_(0, triples.relation[order], rank, "amin")
    needed = torch.zeros(count + 1, dtype=torch.bool)
    needed[first], needed[of_relation] = True, True
    return needed[:count]
