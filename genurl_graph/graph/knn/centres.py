"""k-means centres, and those nearest to rows."""

from __future__ import annotations

import threading

import torch
from torch import Tensor

from genurl_graph.graph.knn.nearest import best_columns, decode_index, sort_codes
from genurl_graph.graph.knn.rows import Rows
from genurl_graph.runtime.workers import share_jobs

# Lists for each square root of the number of rows, and the fewest rows a list has on average.
FINENESS, FEWEST = 1.0, 39
# Rows that train a centre, and rounds of k-means.
TRAINING, ROUNDS = 20, 5
# Numbers in a tile: 2 MB, for the second cache of a core.
TILE = 1 << 19


class Products:
    """Products of blocks of rows, in memory that the next one of the same thread takes again."""

    def __init__(self) -> None:
        self._buffers = threading.local()

    def of(self, left: Tensor, right: Tensor) -> Tensor:
        """``left @ right.T``, float32."""
        size = len(left) * len(right)
        if not hasattr(self._buffers, "tile") or self._buffers.tile.numel() < size:
            self._buffers.tile = torch.empty(max(size, TILE))
        tile: Tensor = self._buffers.tile[:size].view(len(left), len(right))
        torch.mm(left, right.T, out=tile)
        return tile


class Centres:
    """Points around which the rows of a dense matrix on the CPU stand.

    Parameters
    ----------
    table : Tensor, float32, shape [count, d]
        In the frame of the rows.
    metric : str
        Of that frame.
    """

    def __init__(self, table: Tensor, metric: str) -> None:
        self.table, self.count = table, len(table)
        self._products = Products()
        # Rows of unit length are as far apart as their cosines say.
        self._squares = metric != "inner_product"

    @classmethod
    def train(cls, rows: Rows, drawn: Tensor, count: int) -> Centres:
        """k-means of the rows `drawn`, int64 [s]; the first `count` of them are where it begins."""
        found = cls(rows.block(drawn[:count], torch.float32), rows.frame.metric)
        drawn = drawn.sort().values
        sample = rows.block(drawn, torch.float32)
        for _ in range(ROUNDS):
            nearest = found.nearest(rows, drawn, 1).squeeze(1)
            size = torch.bincount(nearest, minlength=count)[:, None]
            # A centre that no row is near to stays where it is.
            mean = torch.zeros_like(found.table).index_add_(0, nearest, sample) / size.clamp(min=1)
            found = cls(torch.where(size > 0, mean, found.table), rows.frame.metric)
        return found

    def nearest(self, asked: Rows, select: Tensor, count: int) -> Tensor:
        """The `count` nearest centres of the rows ``asked[select]``, nearest first, int64 [m, count]."""
        squared = self.table.square().sum(1) if self._squares else None
        right = right_side(with_norms(self.table, squared), self._squares)

        def find(part: Tensor) -> Tensor:
            tile = self._products.of(left_side(asked, part, self._squares), right)
            if count == 1:
                return tile.argmin(1, keepdim=True)
            return decode_index(sort_codes(best_columns(tile, count)))

        parts = torch.split(select, max(1, TILE // self.count))
        return torch.cat(share_jobs(find, parts, asked.device))


def list_count(n: int, fineness: float = FINENESS, fewest: int = FEWEST) -> int:
    """Lists for n rows: so many for each square root of n, of so many rows at least on average."""
    return max(1, min(int(fineness * n**0.5), n // fewest))


def left_side(rows: Rows, select: Tensor, appended: bool) -> Tensor:
    """`with_norms` of ``rows[select]``, or without them."""
    return with_norms(rows.block(select, torch.float32), rows.squared[select] if appended else None)


def with_norms(x: Tensor, squared: Tensor | None) -> Tensor:
    """``[x, |x|^2, 1]``, of the `squared` lengths of the rows, or `x` without them, for inner products."""
    if squared is None:
        return x
    norm = squared[:, None].float()
    return torch.cat([x, norm, torch.ones_like(norm)], 1)


def right_side(left: Tensor, appended: bool) -> Tensor:
    """``[-2 x, 1, |x|^2]`` or ``-x``, of the left side of the same rows."""
    if not appended:
        return -left
    return torch.cat([left[:, :-2] * -2.0, left[:, -1:], left[:, -2:-1]], 1)
