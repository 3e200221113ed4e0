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

from genurl_graph.graph.knn.nearest import Nearest, decode_index, decode_score, encode, sort_codes
from genurl_graph.graph.knn.rows import Rows, Select, pair_scores
from genurl_graph.runtime.workers import share_jobs, worker_count

# Candidates kept beyond k: rounding may swap neighbours that are this close in rank.
EXTRA = 4
# Side of the largest tile: 16 MB of float32. 1024 loses speed in the product, 4096 falls out of the cache.
LARGEST_TILE = 2048
# From this share of rows to be searched again on all of them are.
MANY = 0.3
# A squared distance surely off by less than this share (1e-5 of the distance; typically 2e-6) needs no second look;
# of a float64 product: an eighth of the last bit of a float32.
TOLERANCE, EXACT_TOLERANCE = 2e-5, 2.0**-27
# What the order of two scores depends on must hold: twice the estimate of their error.
SAFETY = 2.0
RERANKED_ROWS = 1024


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
    tiles = _Tiles(rows, asked, budget, exact)
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


def cross(tiles: Tiles, found: Nearest, select: Tensor) -> None:
    """The rows ``asked[select]`` among all."""

    def search(part: slice) -> None:
        some = select[part]
        left = tiles.left(tiles.block(tiles.asked, some))
        for other in tiles.blocks(tiles.rows.n):
            tile = tiles.scores(left, some, tiles.right(other), other)
            if tiles.asked is tiles.rows:
                itself = ((some >= other.start) & (some < other.stop)).nonzero().squeeze(1)
                tile[itself, some[itself] - other.start] = torch.inf
            found.offer(tile, part.start, other.start)

    tiles.share(search, tiles.blocks(len(select)))


class _Tiles:
    """Products of blocks of rows, in float32 or, `exact`, as distances out of float64 that are equal for ties."""

    def __init__(self, rows: Rows, asked: Rows, budget: int, exact: bool) -> None:
        self.rows, self.asked, self.exact, self.frame = rows, asked, exact, rows.frame
        self.dtype = torch.float64 if exact and not self.frame.integral else torch.float32
        width = (rows.d + 2) * self.dtype.itemsize
        # A prepared copy of all rows saves preparing each block again for every tile, where it fits.
        whole = None if rows.sparse or rows.n * width > budget // 2 else rows.n * width
        room = (budget - (whole or 0)) // 2 // worker_count(rows.device)
        if rows.sparse and rows.device.type == "cpu":
            width = 24 * max(rows.entries, asked.entries)
        self.side = LARGEST_TILE
        # The tile counts twice, for what is compared and copied of it, and entries taken apart at up to 40 bytes.
        while self.side > 16 and self.side**2 * (20 + 2 * self.dtype.itemsize) + 4 * self.side * width > room:
            self.side //= 2
        self.buffers = threading.local()
        self.whole: Tensor | None = None
        if whole:
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
        step = -(-math.ceil(n / math.ceil(n / self.side)) // 16) * 16
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


def rounding_error(rows: Rows, select: Select, reach: Tensor, dtype: torch.dtype) -> Tensor:
    """Estimate of the largest rounding error of scores computed in `dtype`, float64, for each row of `select`.

    Rounding of a product of length d grows like sqrt(d) (random walk), times the size of the summands: for the
    Euclidean metric |x|^2 and (|x| + reach)^2, `reach` being the largest distance that matters; for the inner product
    |x| times `reach`, the largest norm on the other side. Measured against float64 for the 19 nearest of 3,000 rows of
    nine data sets (images, bags of words, Gaussian, log-normal, Cauchy, 16 to 6,805 columns): the mean error is at most
    0.28 of this, the largest 1.0 (Euclidean), 1.3 (cosine, of rows that are nearly parallel) and 1.6 (inner product).
    """
    unit = (2.0 + 0.25 * float(rows.d) ** 0.5) * torch.finfo(dtype).eps
    squared, metric = rows.squared[select], rows.frame.metric
    if metric == "cosine":
        return torch.full_like(squared, unit)
    norm = squared.sqrt()
    size = norm * reach if metric == "inner_product" else squared + (norm + reach).square()
    error: Tensor = size * unit
    return error


def rerank(
    rows: Rows, asked: Rows, select: Tensor, code: Tensor, k: int, exact: bool, complete: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """The k best candidates of each row, by (distance, index), and the rows that are to be searched again.

    Parameters
    ----------
    code : Tensor, int64, shape [m, width]
        Candidates of ``asked[select]``, of float32 scores or of `exact` distances; at infinity: none.
    complete : bool
        Rows outside the candidates do not matter, nor does the order of those that are as near to within rounding.

    Returns
    -------
    indices, distances : Tensor, shape [m, k]
    uncertain : Tensor, int64
        Positions in `select`; none if `exact`.
    """
    metric = rows.frame.metric
    longest = rows.squared.max().sqrt()
    certain = complete or exact or code.shape[1] == rows.n - (asked is rows)

    def rerank_block(lo: int) -> tuple[Tensor, Tensor, Tensor]:
        some, ordered = select[lo : lo + RERANKED_ROWS], sort_codes(code[lo : lo + RERANKED_ROWS])
        index, value = decode_index(ordered), decode_score(ordered).double()
        if exact and metric == "euclidean":
            value = value.square()
        elif metric == "cosine" and not exact:
            value = value + 1.0
        reach = longest if metric == "inner_product" else value[:, -1].clamp(min=0).sqrt()
        margin = SAFETY * rounding_error(asked, some, reach, torch.float64 if exact else torch.float32)
        spoiled = margin[:, None] > (EXACT_TOLERANCE if exact else TOLERANCE) * SAFETY * value
        if metric == "inner_product" or (metric == "euclidean" and rows.frame.integral):
            spoiled[:] = False
        if not exact and not complete:
            # Nearer to each other than the error of both: the order of the two is open.
            close = value.diff(dim=1) <= 2 * margin[:, None]
            spoiled[:, 1:] |= close
            spoiled[:, :-1] |= close
        # What is outside is no nearer than the worst candidate, but for rounding.
        doubt = distance(value[:, -1] - margin, metric) <= distance(value[:, k - 1] + margin, metric)
        doubt &= not certain
        row, column = (spoiled & ~doubt[:, None] & value.isfinite()).nonzero(as_tuple=True)
        value[row, column] = pair_scores(asked, some[row], rows, index[row, column], fast=complete)
        index, near = sort_candidates(index, distance(value, metric), k)
        return index, near, doubt

    found = share_jobs(rerank_block, range(0, len(select), RERANKED_ROWS), rows.device)
    indices, distances, doubts = (torch.cat(part) for part in zip(*found, strict=True))
    return indices, distances, doubts.nonzero().squeeze(1)


def distance(score: Tensor, metric: str) -> Tensor:
    """float32 distance of a score (of ``1 - cos`` for the cosine); what neighbours are ordered by."""
    if metric == "euclidean":
        return score.clamp(min=0).sqrt().float()
    return score.clamp(0, 2).float() if metric == "cosine" else score.float()


def sort_candidates(index: Tensor, distances: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The first k by (distance, index)."""
    code = sort_codes(encode(distances, index))[:, :k]
    return decode_index(code), decode_score(code)
