"""Rows in lists around k-means centres, and the search of the lists that are nearest to each row.

An inverted file (IVF; Sivic & Zisserman, ICCV 2003) compares each row with those of the lists nearest to it alone. Here
all rows that search a list are multiplied with it at once, as in exact search: on one core a pair of 50 features takes
1 to 2 ns, where going from row to row takes 10. Candidates are kept by `genurl_graph.graph.knn.nearest.Nearest`: the
best of all that are offered, in whatever order threads offer them.
"""

from __future__ import annotations

import threading

import torch
from torch import Tensor

from genurl_graph.graph.knn.nearest import (
    LAST_INDEX,
    Nearest,
    best_columns,
    decode_index,
    decode_score,
    encode,
    grouped,
    sort_codes,
)
from genurl_graph.graph.knn.rows import Rows
from genurl_graph.runtime.workers import share_jobs

# Lists for each square root of the number of rows, and the fewest rows a list has on average.
FINENESS, FEWEST = 1.0, 39
# Rows that train a centre, and rounds of k-means.
TRAINING, ROUNDS = 20, 5
# Numbers in a tile: 2 MB, for the second cache of a core.
TILE = 1 << 19


class Lists:
    """The rows of a dense matrix on the CPU, sorted by their nearest centre.

    Attributes
    ----------
    home : Tensor, int64, shape [n]
        The list in which each row stands.
    count : int
        Number of lists.
    """

    def __init__(self, rows: Rows, seed: int) -> None:
        self.rows, self._buffers = rows, threading.local()
        # Rows of unit length are as far apart as their cosines say.
        self._squares = rows.frame.metric != "inner_product"
        self._appended = rows.frame.metric == "euclidean"
        self.count = max(1, min(int(FINENESS * rows.n**0.5), rows.n // FEWEST))
        self._centres = self._train(seed)
        self.home = self.nearest(rows, torch.arange(rows.n), 1).squeeze(1)
        self._order = grouped(self.home)
        self._place = torch.empty_like(self._order)
        self._place[self._order] = torch.arange(rows.n)
        self._starts = [0, *torch.bincount(self.home, minlength=self.count).cumsum(0).tolist()]
        self._sorted = torch.empty(rows.n, rows.d + 2 * self._appended)
        for slab in rows.slabs():
            self._sorted[slab] = _rows(rows, self._order[slab], self._appended)

    def nearest(self, asked: Rows, select: Tensor, count: int) -> Tensor:
        """The `count` nearest lists of the rows ``asked[select]``, nearest first, int64 [m, count]."""
        squared = self._centres.square().sum(1) if self._squares else None
        right = _right(_left(self._centres, squared), self._squares)

        def find(part: Tensor) -> Tensor:
            tile = self._scores(_rows(asked, part, self._squares), right)
            if count == 1:
                return tile.argmin(1, keepdim=True)
            return decode_index(sort_codes(best_columns(tile, count)))

        parts = torch.split(select, max(1, TILE // self.count))
        return torch.cat(share_jobs(find, parts, self.rows.device))

    def search(self, asked: Rows, select: Tensor, count: int, width: int) -> Tensor:
        """Codes of the `width` best candidates of ``asked[select]`` in their `count` nearest lists, int64 [m, width].

        At distance infinity where there were too few.
        """
        own = asked is self.rows
        table = self._sorted if own else _rows(asked, select, self._appended)
        place = self._place[select] if own else torch.arange(len(select))
        lists, found = self.nearest(asked, select, count), Nearest(len(select), width, asked.device)
        # The nearest list first: after it few rows of the others are candidates.
        for columns in (slice(0, 1), slice(1, None)):
            if lists[:, columns].numel():
                self._offer(found, lists[:, columns], table, place, own)
                found.flush()
        score = decode_score(found.code)
        none = score == torch.inf
        index = self._order[decode_index(found.code).masked_fill_(none, 0)]
        return encode(score, index.masked_fill_(none, LAST_INDEX))

    def _offer(self, found: Nearest, lists: Tensor, table: Tensor, place: Tensor, own: bool) -> None:
        """Offer the rows of `lists` [m, p]; the rows asked are ``table[place]``, `own` if they are the lists' own."""
        asking = grouped(lists.reshape(-1)).div_(lists.size(1), rounding_mode="floor")
        groups = torch.split(asking, torch.bincount(lists.reshape(-1), minlength=self.count).tolist())

        def search_list(at: int) -> None:
            start, end = self._starts[at], self._starts[at + 1]
            right = _right(self._sorted[start:end], self._appended)
            for part in torch.split(groups[at], max(1, TILE // (end - start))):
                here = place[part]
                tile = self._scores(table[here], right)
                if own:
                    itself = ((here >= start) & (here < end)).nonzero().squeeze(1)
                    tile[itself, here[itself] - start] = torch.inf
                found.offer_to(part, tile, start)

        filled = [at for at in range(self.count) if len(groups[at]) and self._starts[at] < self._starts[at + 1]]
        share_jobs(search_list, filled, self.rows.device)

    def _train(self, seed: int) -> Tensor:
        """k-means centres of a sample, float32 [lists, d]."""
        drawn = torch.randperm(self.rows.n, generator=torch.Generator().manual_seed(seed))[: TRAINING * self.count]
        centres: Tensor = self.rows.block(drawn[: self.count], torch.float32)
        drawn = drawn.sort().values
        sample = self.rows.block(drawn, torch.float32)
        for _ in range(ROUNDS):
            self._centres = centres
            nearest = self.nearest(self.rows, drawn, 1).squeeze(1)
            size = torch.bincount(nearest, minlength=self.count)[:, None]
            # A centre that no row is near to stays where it is.
            mean = torch.zeros_like(centres).index_add_(0, nearest, sample) / size.clamp(min=1)
            centres = torch.where(size > 0, mean, centres)
        return centres

    def _scores(self, left: Tensor, right: Tensor) -> Tensor:
        """Their product, in memory that the thread's next one takes again."""
        size = len(left) * len(right)
        if not hasattr(self._buffers, "tile") or self._buffers.tile.numel() < size:
            self._buffers.tile = torch.empty(max(size, TILE))
        tile: Tensor = self._buffers.tile[:size].view(len(left), len(right))
        torch.mm(left, right.T, out=tile)
        return tile


def _rows(rows: Rows, select: Tensor, appended: bool) -> Tensor:
    """`_left` of ``rows[select]``."""
    return _left(rows.block(select, torch.float32), rows.squared[select] if appended else None)


def _left(x: Tensor, squared: Tensor | None) -> Tensor:
    """``[x, |x|^2, 1]``, of the `squared` lengths of the rows, or `x` without them, for inner products."""
    if squared is None:
        return x
    norm = squared[:, None].float()
    return torch.cat([x, norm, torch.ones_like(norm)], 1)


def _right(left: Tensor, appended: bool) -> Tensor:
    """``[-2 x, 1, |x|^2]`` or ``-x``, of the left side of the same rows."""
    if not appended:
        return -left
    return torch.cat([left[:, :-2] * -2.0, left[:, -1:], left[:, -2:-1]], 1)
