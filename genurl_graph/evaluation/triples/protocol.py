"""The protocol `triples`: held-out typed edges, both ends of each ranked among all entities."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.evaluation.triples.ranking import realistic_ranks
from genurl_graph.evaluation.triples.scorers import TripleScorer
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.triples import Triples, TripleSet


class Figures(NamedTuple):
    """How well one scorer finds entities; all in [0, 1].

    Attributes
    ----------
    mrr, hits1, hits3, hits10 : float
        Mean reciprocal rank, and the share of ranks up to 1, 3 and 10: of both ends of every triple.
    mrr_head, mrr_tail : float
        Of one end.
    """

    mrr: float
    hits1: float
    hits3: float
    hits10: float
    mrr_head: float
    mrr_tail: float

    @classmethod
    def of(cls, head: Tensor, tail: Tensor) -> Figures:
        """Of ranks [M] of both ends."""
        both = torch.cat([head, tail])
        hits1, hits3, hits10 = (float((both <= most).double().mean()) for most in (1, 3, 10))
        mrr, mrr_head, mrr_tail = (float((1 / ranks).mean()) for ranks in (both, head, tail))
        return cls(mrr, hits1, hits3, hits10, mrr_head, mrr_tail)


def judge_triples(scorer: TripleScorer, data: TripleSet, part: str = "test") -> Figures:
    """Figures of a scorer on the triples of one part; those of all parts are no rivals.

    Parameters
    ----------
    scorer : TripleScorer
    data : TripleSet
        With the part that is asked for; the scorer was trained on ``data.triples``.
    part : "valid" or "test"

    Raises
    ------
    InputError
        There is no such part, or nothing in it; scores of another shape.
    DivergenceError
        Scores that are not finite.

    Examples
    --------
    >>> umls = datasets.load("umls")  # doctest: +SKIP
    >>> judge_triples(Frequency(umls.triples), umls).mrr  # doctest: +SKIP
    """
    asked = {"valid": data.valid, "test": data.test}[part]
    if asked is None or not len(asked):
        raise wrong("protocol triples", f"no {part} triples", "a set with train, valid and test, or one that is split")
    known = all_known(data)
    return Figures.of(*(realistic_ranks(scorer, asked, known, end) for end in ("head", "tail")))


def all_known(data: TripleSet) -> list[Triples]:
    """The triples of all parts, and others that are known to be true."""
    return [part for part in (data.triples, data.valid, data.test, data.known) if part is not None]
