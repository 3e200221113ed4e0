"""A vector for every entity and one for every relation and its inverse."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from genurl_graph.nn.layers import dropout
from genurl_graph.nn.table import EmbeddingTable
from genurl_graph.nn.triples.prior import EndPrior
from genurl_graph.nn.triples.readouts import READOUTS
from genurl_graph.runtime.random import randn

# Standard deviation of the first coordinates: from much smaller ones all relations are found the same first, and UMLS
# stays at a rank of .86 in place of .95.
START = 0.1


class TripleEncoder(EmbeddingTable):
    """Embedding tables of entities and relations, and the scores of triples that they give.

    It is a scorer of triples (`genurl_graph.evaluation.triples.scorers.TripleScorer`). Heads are asked for by the
    inverse of a relation.

    Parameters
    ----------
    start : Tensor, float32, shape [n, d]
        First vectors of the entities.
    relations : Tensor, float32, shape [2 R, d]
        First vectors of the relations, then of their inverses.
    readout : "complex" or "distmult"
    share : float
        Dropout of the columns of a query in training.
    prior : EndPrior or None
        What the scores of entities with few triples are shrunk towards. The training knows nothing of it: vectors that
        are trained beside it learn the exceptions by heart.
    """

    def __init__(
        self,
        start: Tensor,
        relations: Tensor,
        readout: str = "complex",
        share: float = 0.0,
        prior: EndPrior | None = None,
    ) -> None:
        super().__init__(start)
        self.relations = nn.Parameter(relations.clone().contiguous())
        self.readout, self.share, self.prior = READOUTS[readout], share, prior

    @classmethod
    def drawn(
        cls, num_entities: int, num_relations: int, dim: int, readout: str = "complex", share: float = 0.0
    ) -> TripleEncoder:
        """One with vectors drawn from this run's generator."""
        entities, relations = randn((num_entities, dim)), randn((2 * num_relations, dim))
        return cls(START * entities, START * relations, readout, share)

    @property
    def num_relations(self) -> int:
        """R, inverses not counted."""
        return len(self.relations) // 2

    def queries(self, entity: Tensor, relation: Tensor) -> Tensor:
        """What is compared with entities: float [b, d], of int64 [b] entities and relations (0 to 2 R - 1)."""
        return self.readout(self.table.index_select(0, entity), self.relations.index_select(0, relation))

    def dropped(self, queries: Tensor) -> Tensor:
        """`queries` [b, d] without some columns, in training."""
        return dropout(queries, self.share, self.training)

    def tail_scores(self, head: Tensor, relation: Tensor) -> Tensor:
        """Scores [b, n] of all entities as the answer to (head, relation, ?)."""
        head, relation = (index.to(self.table.device) for index in (head, relation))
        scores = self.queries(head, relation) @ self.table.t()
        return scores if self.prior is None else cast(Tensor, self.prior(scores, head, relation))

    def head_scores(self, relation: Tensor, tail: Tensor) -> Tensor:
        """Scores [b, n] of all entities as the answer to (?, relation, tail)."""
        return self.tail_scores(tail, relation + self.num_relations)
