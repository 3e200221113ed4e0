"""Rows in lists around k-means centres, and the search of the lists that are nearest to each row.

An inverted file (IVF; Sivic & Zisserman, ICCV 2003) compares each row with those of the lists nearest to it alone. Here
all rows that search a list are multiplied with it at once, as in exact search: on one core a pair of 50 features takes
1 to 2 ns, where going from row to row takes 10. Candidates are kept by `genurl_graph.graph.knn.nearest.Nearest`: the
best of all that are offered, in whatever order threads offer them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.graph.knn.centres import (
    TILE,
    TRAINING,
    Centres,
    Products,
    left_side,
    list_count,
    right_side,
)
from genurl_graph.graph.knn.nearest import LAST_INDEX, Nearest, decode_index, decode_score, encode, grouped
from genurl_graph.graph.knn.rows import Rows
from genurl_graph.runtime.workers import share_jobs


class Lists:
    """The rows of a dense matrix on the CPU, sorted by their nearest centre.

    Attributes
    ----------
    centres : Centres
    home : Tensor, int64, shape [n]
        The list in which each row stands.
    count : int
        Number of lists.
    """

    def __init__(self, rows: Rows, seed: int) -> None:
        self.rows, self._products = rows, Products()
        self._appended = rows.frame.metric == "euclidean"
        self.count = list_count(rows.n)
        drawn = torch.randperm(rows.n, generator=torch.Generator().manual_seed(seed))[: TRAINING * self.count]
        self.centres = Centres.train(rows, drawn, self.count)
        self.home = self.centres.nearest(rows, torch.arange(rows.n), 1).squeeze(1)
        self._order = grouped(self.home)
        self._place = torch.empty_like(self._order)
        self._place[self._order] = torch.arange(rows.n)
        self._starts = [0, *torch.bincount(self.home, minlength=self.count).cumsum(0).tolist()]
        self._sorted = torch.empty(rows.n, rows.d + 2 * self._appended)
        for slab in rows.slabs():
            self._sorted[slab] = left_side(rows, self._order[slab], self._appended)

    def search(self, asked: Rows, select: Tensor, count: int, width: int) -> Tensor:
        """Codes of the `width` best candidates of ``asked[select]`` in their `count` nearest lists, int64 [m, width].

        At distance infinity where there were too few.
        """
        own = asked is self.rows
        table = self._sorted if own else left_side(asked, select, self._appended)
        place = self._place[select] if own else torch.arange(len(select))
        lists, found = self.centres.nearest(asked, select, count), Nearest(len(select), width, asked.device)
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

        def search(at: int) -> None:
            start, end = self._starts[at], self._starts[at + 1]
            right = right_side(self._sorted[start:end], self._appended)
            offer_list(found, self._products, groups[at], table, place, right, start, start if own else None)

        filled = [at for at in range(self.count) if len(groups[at]) and self._starts[at] < self._starts[at + 1]]
        share_jobs(search, filled, self.rows.device)


def offer_list(
    found: Nearest,
    products: Products,
    asking: Tensor,
    table: Tensor,
    place: Tensor,
    right: Tensor,
    first: int,
    own: int | None,
) -> None:
    """Offer the rows of one list to those that search it.

    Parameters
    ----------
    found : Nearest
    products : Products
    asking : Tensor, int64, shape [a]
        Rows of `found`.
    table, place : Tensor
        Row i of `found` is ``table[place[i]]``, a left side of products.
    right : Tensor, float32, shape [l, width]
        Right sides of the rows of the list.
    first : int
        Number of the first of them among all candidates.
    own : int, optional
        Its place in the table, where that holds rows of the lists: none is a candidate for itself. It may lie outside.
    """
    for part in torch.split(asking, max(1, TILE // len(right))):
        here = place[part]
        tile = products.of(table[here], right)
        if own is not None:
            itself = ((here >= own) & (here < own + len(right))).nonzero().squeeze(1)
            tile[itself, here[itself] - own] = torch.inf
        found.offer_to(part, tile, first)
