"""The k nearest rows of every row, from tiles of a score matrix that is never held whole.

Two facts make this faster than ``topk`` over tiles. In a self join the score of (i, j) is the score of (j, i): only
tiles on and above the diagonal are multiplied, and each serves its rows and its columns. And once a row has k
candidates, few later scores beat the worst of them: a tile is reduced to minima over groups of `GROUP` entries (a
vectorised pass), and only groups whose minimum is below the row's current worst are looked into. Both are exact.

How the rows are cut into tiles is fixed before the first product, and each product runs on one thread: a score does
not depend on timing, and neither do the lists (`genurl_graph._nearest`). Scores are float32, either rounding and all,
or `exact`: distances in which ties come out equal. These take a float64 product, 1.5 to 2.5 times as slow, unless the
rows are whole numbers.
"""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genurl_graph.graph.knn.nearest import GROUP, Nearest
from genurl_graph.graph.knn.rows import DenseRows, Frame, Operand, Rows, Select
from genurl_graph.graph.knn.scores import STRIP, left_operand, multiply, multiply_exactly, right_operand, rounding_error
from genurl_graph.runtime.processes import from_all, least_of, rank, world_size
from genurl_graph.runtime.workers import share_jobs, worker_count

if TYPE_CHECKING:
    from collections.abc import Iterator


# Side of the largest tile: 16 MB of float32. 1024 loses speed in the product, 4096 falls out of the cache.
LARGEST_TILE = 2048


def tile_side(budget: int, width: int, item: int) -> int:
    """Side of a square tile so that the tile, its temporaries and two blocks of rows stay within `budget` bytes.

    The tile itself (float32) counts twice, for what ``topk`` copies, and groups that survive, at most half of them,
    are taken apart at up to 40 bytes an entry. Of a float64 product one strip exists at a time, with two temporaries.
    """

    def needed(side: int) -> int:
        strip = 24 * min(side, STRIP) * side if item == 8 else 0
        return 28 * side * side + 4 * side * width * item + strip

    side = LARGEST_TILE
    while side > GROUP and needed(side) > budget:
        side //= 2
    return side


def _bounds(n: int, side: int) -> list[tuple[int, int]]:
    """Equal blocks of at most `side` rows, multiples of GROUP but for the last."""
    blocks = math.ceil(n / side)
    step = _padded(math.ceil(n / blocks))
    return [(lo, min(n, lo + step)) for lo in range(0, n, step)]


class _Left:
    """The left side of a row of tiles: the rows, and in exact tiles what of their scores may be rounding."""

    def __init__(self, right: Operand, rows: Rows, select: Select, frame: Frame, exact: bool) -> None:
        self.operand, self.frame = left_operand(right, frame), frame
        nearby = torch.zeros((), dtype=torch.float64, device=rows.device)
        self.margin = rounding_error(rows, select, frame, nearby, torch.float64) if exact else None


class _Tile:
    """One reused buffer; its views are padded to multiples of GROUP with inf."""

    def __init__(self, rows: int, cols: int, device: torch.device) -> None:
        self.flat = torch.empty(_padded(rows) * _padded(cols), dtype=torch.float32, device=device)

    def fill(self, left: _Left, right: Operand) -> Tensor:
        rows, cols = len(left.operand.dense), len(right.dense)
        tile = self.flat[: _padded(rows) * _padded(cols)].view(_padded(rows), _padded(cols))
        if left.margin is None:
            multiply(left.operand, right, tile[:rows, :cols])
        else:
            multiply_exactly(left.operand, right, left.margin, left.frame, tile[:rows, :cols])
        tile[rows:] = torch.inf
        tile[:, cols:] = torch.inf
        return tile


def _padded(size: int) -> int:
    return -(-size // GROUP) * GROUP


def self_join(rows: Rows, width: int, frame: Frame, budget: int, exact: bool) -> Tensor:
    """The `width` best other rows of every row, as of `Nearest.code`; with several processes of this one's rows.

    Each process then multiplies its share of the tiles, and is told by the others what they have found for its rows:
    at most 8 * n * `width` bytes from each.
    """
    n, dtype = rows.n, _precision(frame, exact)
    # A prepared copy of all rows saves preparing each block again for every tile it meets; kept only where it fits.
    whole_bytes = n * rows.width(frame) * dtype.itemsize
    keep = isinstance(rows, DenseRows) and whole_bytes <= budget // 2
    spare = (budget - whole_bytes if keep else budget) // 2
    workers = worker_count(rows.device)
    bounds = _bounds(n, least_of(tile_side(spare // workers, rows.room(frame), dtype.itemsize), rows.device))
    prepared = _right_operand_of_all(rows, frame, bounds, dtype) if keep else None

    inverse = rows.inverse if isinstance(rows, DenseRows) and frame.integral and frame.metric == "cosine" else None

    def block(lo: int, hi: int) -> Operand:
        if prepared is None:
            return right_operand(rows, slice(lo, hi), frame, dtype)
        return Operand(prepared[lo:hi], None, None if inverse is None else inverse[lo:hi])

    found = Nearest(n, width, rows.device, _pending_limit(n, width, spare))
    side = bounds[0][1]

    def diagonal(jobs: Iterator[int]) -> None:
        buffer = _Tile(side, side, rows.device)
        for at in jobs:
            lo, hi = bounds[at]
            right = block(lo, hi)
            tile = buffer.fill(_Left(right, rows, slice(lo, hi), frame, exact), right)
            tile.diagonal().fill_(torch.inf)
            found.offer(tile, lo, hi - lo, lo, hi - lo)

    def above(jobs: Iterator[tuple[int, int]]) -> None:
        buffer = _Tile(side, side, rows.device)
        left_of = -1
        for at, other in jobs:
            (lo, hi), (other_lo, other_hi) = bounds[at], bounds[other]
            if at != left_of:
                left, left_of = _Left(block(lo, hi), rows, slice(lo, hi), frame, exact), at
            tile = buffer.fill(left, block(other_lo, other_hi))
            found.offer(tile, lo, hi - lo, other_lo, other_hi - other_lo)
            found.offer_transposed(tile, lo, hi - lo, other_lo, other_hi - other_lo)

    own, step = rank(), world_size()
    # Diagonal tiles first: every row then has a threshold, and in sorted data it is already a good one.
    share_jobs(diagonal, range(own, len(bounds), step), workers)
    pairs = ((i, j) for i in range(len(bounds)) for j in range(i + 1, len(bounds)))
    share_jobs(above, islice(pairs, own, None, step), workers)
    found.flush()
    if step == 1:
        return found.code
    for lo, hi in bounds if prepared is None else ():
        # Norms, which the tiles of this process may have had no use for, are asked for later.
        block(lo, hi)
    # All candidates differ, so the best of all lists are the best of all rows.
    lists = from_all(found.code)
    return lists.transpose(0, 1).flatten(1).topk(width, largest=False, sorted=False).values


def cross_join(
    query: Rows, select: Tensor, rows: Rows, width: int, frame: Frame, budget: int, own: bool, exact: bool
) -> Nearest:
    """The `width` best rows of `rows` for ``query[select]``; `own`: a row is not its own neighbour (query is rows)."""
    dtype = _precision(frame, exact)
    workers = worker_count(rows.device)
    side = tile_side(budget // 2 // workers, rows.room(frame), dtype.itemsize)
    bounds, query_bounds = _bounds(rows.n, side), _bounds(len(select), side)
    found = Nearest(len(select), width, rows.device, _pending_limit(len(select), width, budget // 2))

    def loop(jobs: Iterator[tuple[int, int]]) -> None:
        buffer = _Tile(query_bounds[0][1], bounds[0][1], rows.device)
        left_of = -1
        for at, other in jobs:
            (lo, hi), (other_lo, other_hi) = query_bounds[at], bounds[other]
            if at != left_of:
                some = select[lo:hi]
                left, left_of = _Left(right_operand(query, some, frame, dtype), query, some, frame, exact), at
            tile = buffer.fill(left, right_operand(rows, slice(other_lo, other_hi), frame, dtype))
            if own:
                mine = ((some >= other_lo) & (some < other_hi)).nonzero().squeeze(1)
                tile[mine, some[mine] - other_lo] = torch.inf
            found.offer(tile, lo, hi - lo, other_lo, other_hi - other_lo)

    share_jobs(loop, ((i, j) for i in range(len(query_bounds)) for j in range(len(bounds))), workers)
    found.flush()
    return found


def _precision(frame: Frame, exact: bool) -> torch.dtype:
    return torch.float64 if exact and not frame.integral else torch.float32


def _right_operand_of_all(rows: Rows, frame: Frame, bounds: list[tuple[int, int]], dtype: torch.dtype) -> Tensor:
    """The right operand of all rows, filled block by block so that no second copy exists at any time."""
    prepared = torch.empty(rows.n, rows.width(frame), dtype=dtype, device=rows.device)
    for lo, hi in bounds:
        prepared[lo:hi] = right_operand(rows, slice(lo, hi), frame, dtype).dense
    return prepared


def _pending_limit(n: int, width: int, budget: int) -> int:
    """How many candidates to put aside before merging: a share of the lists' size, within the budget."""
    return max(1024, min(n * width // 4, budget // 256))
