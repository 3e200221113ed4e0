"""kNN edges of the modalities as rows of P, one for each entity that has near features."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.inputs.sparse import run_entries


class NearRows(NamedTuple):
    """Rows of P that near features give.

    Attributes
    ----------
    entity : Tensor, int64, shape [B]
        Ascending; entities without near features have no row.
    start : Tensor, int64, shape [B + 1]
        Where the neighbours of each row begin.
    other : Tensor, int64, shape [E]
        Neighbours.
    p : Tensor, float32, shape [E]
        Similarities > 0, of a row at most 1 in all.
    """

    entity: Tensor
    start: Tensor
    other: Tensor
    p: Tensor

    @classmethod
    def of(cls, edge_index: Tensor, p: Tensor) -> NearRows | None:
        """Rows of edges that are sorted by row, [2, E], and of their similarities; None without edges of weight > 0.

        Examples
        --------
        >>> rows = NearRows.of(torch.tensor([[0, 0, 2], [1, 2, 0]]), torch.tensor([0.5, 0.5, 1.0]))
        >>> rows.entity.tolist(), rows.start.tolist()
        ([0, 2], [0, 2, 3])
        """
        edge_index, p = edge_index[:, p > 0], p[p > 0]
        if not p.numel():
            return None
        entity, count = torch.unique_consecutive(edge_index[0], return_counts=True)
        start = torch.cat([count.new_zeros(1), count.cumsum(0)])
        return cls(entity, start, edge_index[1], p)

    def __len__(self) -> int:
        return len(self.entity)

    def ends(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of some rows: number in `rows` [k], neighbours int64 [k] and similarities float32 [k]."""
        begin, count = self.start[rows], self.start[rows + 1] - self.start[rows]
        row, at = torch.arange(len(rows), device=rows.device).repeat_interleave(count), run_entries(begin, count)
        return row, self.other[at], self.p[at]
