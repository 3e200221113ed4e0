"""Exact neighbours: tiles of a score matrix that is never held whole, candidates from them, the final order.

For the Euclidean metric two columns are appended to the rows, so that one product gives the whole squared distance::

    [-2 x_i, 1, |x_i|^2] . [x_j, |x_j|^2, 1]  =  |x_i|^2 + |x_j|^2 - 2 <x_i, x_j>

For the cosine, whose rows have unit length, and for the inner product a score is ``-<x_i, x_j>``. In every metric a
smaller score means a nearer row. In a search of rows among themselves the score of (i, j) is that of (j, i): only tiles
on and above the diagonal are multiplied, and each serves its rows and its columns.

The answer is the first k by (float32 distance, index), whatever the rounding of products was. Of the ``k + EXTRA``
candidates of a row those that a float32 product could have exchanged get their distance in float64 once more, and where
a row outside the candidates might be as near as the k-th, the row is searched again by float64 products.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import torch
from torch import Tensor

from genurl_graph.graph.knn.nearest import Nearest
from genurl_graph.graph.knn.ranking import rerank, rounding_error
from genurl_graph.graph.knn.rows import Rows, Select
from genurl_graph.runtime.workers import share_jobs, worker_count

# Candidates kept beyond k: rounding may swap neighbours that are this close in rank.
EXTRA = 4
# Side of the largest tile: 16 MB of float32. 1024 loses speed in the product, 4096 falls out of the cache.
LARGEST_TILE = 2048
# From this share of rows to be searched again on all of them are.
MANY = 0.3


def exact_search(rows: Rows, asked: Rows, select: Tensor, k: int, budget: int) -> tuple[Tensor, Tensor]:
    """The k nearest of `rows` to the rows ``asked[select]``, by (distance, index).

    Parameters
    ----------
    rows, asked : Rows
        In one frame. The same object: a row is not its own neighbour.
    select : Tensor, int64, shape [m]
        Ascending.
    k : int
    budget : int
        Bytes for tiles and blocks of rows, beside the lists.

    Returns
    -------
    indices : Tensor, int64, shape [m, k]
    distances : Tensor, float32, shape [m, k]
        In the units of the frame.
    """
    # Sparse rows have many ties, and a sparse product in float64 costs what one in float32 does.
    exact = rows.sparse or rows.frame.integral
    indices, distances, uncertain = _search(rows, asked, select, k, budget, exact)
    if len(uncertain) > MANY * len(select):
        indices, distances, _ = _search(rows, asked, select, k, budget, True)
    elif len(uncertain):
        indices[uncertain], distances[uncertain], _ = _search(rows, asked, select[uncertain], k, budget, True)
    return indices, distances


def _search(rows: Rows, asked: Rows, select: Tensor, k: int, budget: int, exact: bool) -> tuple[Tensor, Tensor, Tensor]:
    own = asked is rows
    width = min(k + EXTRA, rows.n - own)
    found = Nearest(len(select), width, rows.device)
    tiles = ProductTiles(rows, asked, budget, exact)
    if own and len(select) == rows.n:
        join(tiles, found)
    else:
        cross(tiles, found, select)
    found.flush()
    return rerank(rows, asked, select, found.code, k, exact)


class Tiles(Protocol):
    """Scores of all rows of one set with all of another, a tile at a time."""

    rows: Rows
    asked: Rows

    def blocks(self, n: int) -> list[slice]:
        """Blocks of n rows."""

    def block(self, rows: Rows, select: Select) -> Any:
        """Some rows, as they are compared."""

    def right(self, part: slice) -> Any:
        """A block of `rows`."""

    def left(self, right: Any) -> Any:
        """A block as the left side of `scores`."""

    def scores(self, left: Any, i: Select, right: Any, j: slice) -> Tensor:
        """float32 [rows of left, rows of right]; a smaller one means a nearer row."""

    def share(self, work: Callable[[Any], None], jobs: Iterable[Any]) -> None:
        """Do the jobs, on as many threads as they allow."""


def join(tiles: Tiles, found: Nearest) -> None:
    """All rows among themselves: each product once."""
    blocks = tiles.blocks(tiles.rows.n)

    def diagonal(part: slice) -> None:
        right = tiles.right(part)
        tile = tiles.scores(tiles.left(right), part, right, part)
        tile.diagonal().fill_(torch.inf)
        found.offer(tile, part.start, part.start)

    def above(at: int) -> None:
        part, left = blocks[at], tiles.left(tiles.right(blocks[at]))
        for other in blocks[at + 1 :]:
            tile = tiles.scores(left, part, tiles.right(other), other)
            found.offer(tile, part.start, other.start)
            found.offer(tile, part.start, other.start, transposed=True)

    # The diagonal first: every row then has a limit, and in sorted data it is already a good one.
    tiles.share(diagonal, blocks)
    tiles.share(above, range(len(blocks) - 1))


def cross(tiles: Tiles, found: Nearest, select: Tensor, first: int = 0, itself: Tensor | None = None) -> None:
    """The rows ``asked[select]`` among all.

    Parameters
    ----------
    first : int
        Number of the first of `rows`, where these are some rows of many.
    itself : Tensor, int64, shape [m], optional
        Numbers of the rows that are asked for, among all: none is its own neighbour. Default: `select`, where rows are
        searched among themselves.
    """
    if itself is None and tiles.asked is tiles.rows:
        itself = select

    def search(part: slice) -> None:
        some = select[part]
        left = tiles.left(tiles.block(tiles.asked, some))
        for other in tiles.blocks(tiles.rows.n):
            tile = tiles.scores(left, some, tiles.right(other), other)
            if itself is not None:
                column = itself[part] - first - other.start
                here = ((column >= 0) & (column < other.stop - other.start)).nonzero().squeeze(1)
                tile[here, column[here]] = torch.inf
            found.offer(tile, part.start, first + other.start)

    tiles.share(search, tiles.blocks(len(select)))


def block_rows(n: int, side: int) -> int:
    """Rows of each of the equal blocks of n rows, at most `side` where that is a multiple of 16."""
    return -(-math.ceil(n / math.ceil(n / side)) // 16) * 16


def tile_side(
    n: int, d: int, itemsize: int, budget: int, device: torch.device, entries: int | None = None
) -> tuple[int, bool]:
    """Side of the largest tile that `budget` bytes leave room for, and whether a prepared copy of n rows fits beside.

    `entries` are those of a sparse row, at most.
    """
    width = (d + 2) * itemsize
    # A prepared copy of all rows saves preparing each block again for every tile, where it fits.
    whole = entries is None and n * width <= budget // 2
    room = (budget - n * width * whole) // 2 // worker_count(device)
    if entries is not None and device.type == "cpu":
        width = 24 * entries
    side = LARGEST_TILE
    # The tile counts twice, for what is compared and copied of it, and entries taken apart at up to 40 bytes.
    while side > 16 and side**2 * (20 + 2 * itemsize) + 4 * side * width > room:
        side //= 2
    return side, whole


class ProductTiles:
    """Products of blocks of rows, in float32 or, `exact`, as distances out of float64 that are equal for ties."""

    def __init__(self, rows: Rows, asked: Rows, budget: int, exact: bool, side: int | None = None) -> None:
        self.rows, self.asked, self.exact, self.frame = rows, asked, exact, rows.frame
        self.dtype = torch.float64 if exact and not self.frame.integral else torch.float32
        entries = max(rows.entries, asked.entries) if rows.sparse else None
        room, whole = tile_side(rows.n, rows.d, self.dtype.itemsize, budget, rows.device, entries)
        self.side = room if side is None else side
        self.buffers = threading.local()
        self.whole: Tensor | None = None
        if whole and side is None:
            self.whole = torch.empty(rows.n, rows.d + 2 * self.appended, dtype=self.dtype, device=rows.device)
            for part in self.blocks(rows.n):
                self.whole[part] = self.block(rows, part)

    def share(self, work: Callable[[Any], None], jobs: Iterable[Any]) -> None:
        share_jobs(work, jobs, self.rows.device)

    @property
    def appended(self) -> bool:
        """Whether the two columns of norms are appended."""
        return self.frame.metric == "euclidean" and not (self.rows.sparse and self.rows.device.type == "cpu")

    def blocks(self, n: int) -> list[slice]:
        """Equal blocks of n rows, a multiple of 16 each but for the last."""
        step = block_rows(n, self.side)
        return [slice(lo, min(n, lo + step)) for lo in range(0, n, step)]

    def block(self, rows: Rows, select: Select) -> Any:
        """``[x, |x|^2, 1]`` or ``x``."""
        x = rows.block(select, self.dtype)
        if not self.appended:
            return x
        # Of the rounded rows, so that the norm of a row and its product with itself agree.
        norm = torch.linalg.vector_norm(x, dim=1, keepdim=True, dtype=torch.float64).square().to(self.dtype)
        return torch.cat([x, norm, torch.ones_like(norm)], 1)

    def right(self, part: slice) -> Any:
        return self.block(self.rows, part) if self.whole is None else self.whole[part]

    def left(self, right: Any) -> Any:
        """``[-2 x, 1, |x|^2]`` or ``-x``, of the right side of the same rows."""
        if not self.appended:
            return -right
        return torch.cat([right[:, :-2] * -2.0, right[:, -1:], right[:, -2:-1]], 1)

    def scores(self, left: Any, i: Select, right: Any, j: slice) -> Tensor:
        """float32 scores, or distances in the units of the frame if exact, [rows of left, rows of right]."""
        shape = left.shape[0], right.shape[0]
        if isinstance(left, Tensor):
            if not hasattr(self.buffers, "tile"):
                self.buffers.tile = torch.empty(self.side**2, dtype=self.dtype, device=left.device)
            score = torch.mm(left, right.T, out=self.buffers.tile[: shape[0] * shape[1]].view(shape))
        else:
            score = torch.from_numpy((left @ right.T).toarray())
            if self.frame.metric == "euclidean":
                score.mul_(2.0).add_(self.asked.squared[i, None]).add_(self.rows.squared[j])
        if not self.exact:
            return score
        metric, integral = self.frame.metric, self.frame.integral
        if metric == "cosine":
            if integral:
                score = score.double().mul_(self.asked.inverse[i, None]).mul_(self.rows.inverse[j])
            score = score.add_(1.0)
        if metric != "inner_product" and not (integral and metric == "euclidean"):
            # Below this a score may be rounding alone: distance 0, as duplicates have.
            nothing = torch.zeros((), dtype=torch.float64, device=score.device)
            score.masked_fill_(score < rounding_error(self.asked, i, nothing, torch.float64)[:, None], 0.0)
        return (score.sqrt_() if metric == "euclidean" else score).float()
