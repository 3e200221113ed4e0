"""P of each relation and its inverse: the other ends of every entity by every relation that it has."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.inputs.sparse import run_entries
from genurl_graph.inputs.triples import Triples


class RelationRows(NamedTuple):
    """Rows of P that are not empty, one for each (entity, relation).

    Relation r < R leads from heads to tails, r + R, its inverse, from tails to heads (reciprocal relations: Lacroix et
    al., ICML 2018, section 3.3). All other ends of a row have the same similarity.

    Attributes
    ----------
    entity, relation : Tensor, int64, shape [B]
        In ascending order of (entity, relation).
    start : Tensor, int64, shape [B + 1]
        Where the other ends of each row begin.
    other : Tensor, int64, shape [2 M]
        Other ends, of a row in ascending order.
    """

    entity: Tensor
    relation: Tensor
    start: Tensor
    other: Tensor

    @classmethod
    def of(cls, triples: Triples) -> RelationRows:
        """Rows of M triples.

        Examples
        --------
        >>> rows = RelationRows.of(Triples.of([(0, 0, 1), (0, 0, 2)]))
        >>> rows.entity.tolist(), rows.relation.tolist(), rows.start.tolist(), rows.other.tolist()
        ([0, 1, 2], [0, 1, 1], [0, 2, 3, 4], [1, 2, 0, 0])
        """
        kinds = 2 * triples.num_relations
        entity = torch.cat([triples.head, triples.tail])
        relation = torch.cat([triples.relation, triples.relation + triples.num_relations])
        key, other = entity * kinds + relation, torch.cat([triples.tail, triples.head])
        # Two stable sorts: one key of all three would overflow where there are many entities.
        order = other.argsort(stable=True)
        order = order[key[order].argsort(stable=True)]
        row, count = torch.unique_consecutive(key[order], return_counts=True)
        start = torch.cat([count.new_zeros(1), count.cumsum(0)])
        return cls(row // kinds, row % kinds, start, other[order])

    def __len__(self) -> int:
        return len(self.entity)

    @property
    def sizes(self) -> Tensor:
        """Other ends of each row, int64 [B]."""
        return self.start.diff()

    def ends(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Other ends of some rows, in their order.

        Parameters
        ----------
        rows : Tensor, int64, shape [b]

        Returns
        -------
        row : Tensor, int64, shape [k]
            Number in `rows`, ascending.
        other : Tensor, int64, shape [k]
        """
        begin, count = self.start[rows], self.start[rows + 1] - self.start[rows]
        row = torch.arange(len(rows), device=rows.device).repeat_interleave(count)
        return row, self.other[run_entries(begin, count)]
