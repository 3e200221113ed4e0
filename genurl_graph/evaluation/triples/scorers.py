"""What is judged: scores of all entities as the answer to a query, and the one that needs no training."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from genurl_graph.inputs.triples import Triples


class TripleScorer(Protocol):
    """Scores of all n entities at one end of a typed edge; a larger score means that the triple is likelier.

    All tensors that come in are int64 of shape [B], and all that come out float of shape [B, n], finite, on any device.
    Whoever asks does not write into them.
    """

    def tail_scores(self, head: Tensor, relation: Tensor) -> Tensor:
        """Of the answers to (head, relation, ?)."""

    def head_scores(self, relation: Tensor, tail: Tensor) -> Tensor:
        """Of the answers to (?, relation, tail)."""


class Frequency:
    """How often each entity stands at that end of that relation; where that is equal, at that end of any relation.

    The row that every result stands beside: it reads the query's relation, and of its entity nothing.

    Parameters
    ----------
    triples : Triples
        Those of the training.

    Examples
    --------
    >>> frequency = Frequency(Triples.of([(0, 0, 1), (2, 0, 1), (0, 0, 2)]))
    >>> frequency.tail_scores(torch.tensor([1]), torch.tensor([0])).argmax(1)
    tensor([1])
    """

    def __init__(self, triples: Triples) -> None:
        self.tails = _counts(triples.relation, triples.tail, triples)
        self.heads = _counts(triples.relation, triples.head, triples)

    def tail_scores(self, head: Tensor, relation: Tensor) -> Tensor:
        """As `TripleScorer` says."""
        return _rows(self.tails, relation)

    def head_scores(self, relation: Tensor, tail: Tensor) -> Tensor:
        """As `TripleScorer` says."""
        return _rows(self.heads, relation)


def _counts(relation: Tensor, entity: Tensor, triples: Triples) -> tuple[Any, Tensor]:
    """Counts by relation, SciPy CSR float64 [R, n], and of all relations, below 1, float64 [n]."""
    import scipy.sparse as sp

    place = (relation.cpu().numpy(), entity.cpu().numpy())
    found = sp.csr_array((np.ones(len(triples)), place), shape=(triples.num_relations, triples.num_entities))
    return found, torch.bincount(entity, minlength=triples.num_entities).double().cpu() / (len(triples) + 1)


def _rows(counts: tuple[Any, Tensor], relation: Tensor) -> Tensor:
    by_relation, total = counts
    return torch.from_numpy(by_relation[relation.cpu().numpy()].toarray()) + total
