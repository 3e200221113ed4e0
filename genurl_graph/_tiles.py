"""The k smallest scores of every row, from tiles of a score matrix that is never held whole.

Two facts make this faster than ``topk`` over tiles. In a self join the score of (i, j) is the score of (j, i): only
tiles on and above the diagonal are multiplied, and each serves its rows and its columns. And once a row has k
candidates, few later scores beat the worst of them: a tile is reduced to minima over groups of `GROUP` entries (a
vectorised pass), and only groups whose minimum is below the row's current worst are looked into. Both are exact.
"""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genurl_graph._rows import Frame, Operand, Rows, left_operand, multiply, right_operand
from genurl_graph._workers import share_jobs, worker_count

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = 16
# Side of the largest tile: 16 MB of float32. 1024 loses speed in the product, 4096 falls out of the cache.
LARGEST_TILE = 2048


class Nearest:
    """Running lists of the `width` best candidates of `n` rows: `score` and `index`, both ``[n, width]``, unordered.

    Safe for several threads. A thread may read a `worst` that another has just lowered: it only keeps a few
    candidates more.
    """

    def __init__(self, n: int, width: int, device: torch.device, dtype: torch.dtype, pending_limit: int) -> None:
        self.width = width
        self.score = torch.full((n, width), torch.inf, dtype=dtype, device=device)
        self.index = torch.full((n, width), -1, dtype=torch.int64, device=device)
        self.worst = torch.full((n,), torch.inf, dtype=dtype, device=device)
        self.pending_limit = pending_limit
        self._pending: list[tuple[Tensor, Tensor, Tensor]] = []
        self._pending_size = 0
        self._lock = threading.Lock()

    def offer(self, tile: Tensor, row_start: int, rows: int, col_start: int, cols: int) -> None:
        """Candidates ``col_start + [0, cols)`` for rows ``row_start + [0, rows)``; `tile` is padded with inf."""
        padded_cols = tile.shape[1]
        stride = padded_cols // GROUP
        # Group q holds the columns q, q + stride, q + 2 stride, ...: the reduction then runs along contiguous memory.
        hit = self._hits(tile[:rows].view(rows, GROUP, stride).amin(1), slice(row_start, row_start + rows), 1)
        if hit is None:
            score, index = tile[:rows, :cols].topk(min(self.width, cols), largest=False, sorted=False)
            with self._lock:
                self._merge(torch.arange(row_start, row_start + rows, device=tile.device), score, index + col_start)
            return
        row, group = hit.nonzero(as_tuple=True)
        self._collect(tile, row * padded_cols + group, stride, row + row_start, group + col_start, stride)

    def offer_transposed(self, tile: Tensor, row_start: int, rows: int, col_start: int, cols: int) -> None:
        """The same tile read the other way: candidates ``row_start + [0, rows)`` for rows ``col_start + [0, cols)``."""
        padded_rows, padded_cols = tile.shape
        stride = padded_rows // GROUP
        minima = tile.view(GROUP, stride, padded_cols).amin(0)[:, :cols]
        hit = self._hits(minima, slice(col_start, col_start + cols), 0)
        if hit is None:
            score, index = tile[:rows, :cols].T.contiguous().topk(min(self.width, rows), largest=False, sorted=False)
            with self._lock:
                self._merge(torch.arange(col_start, col_start + cols, device=tile.device), score, index + row_start)
            return
        group, col = hit.nonzero(as_tuple=True)
        first = group * padded_cols + col
        self._collect(tile, first, stride * padded_cols, col + col_start, group + row_start, stride)

    def _hits(self, minima: Tensor, rows: slice, dim: int) -> Tensor | None:
        """Groups (along `dim`) that may hold a candidate; None if so many that ``topk`` of the tile is cheaper."""
        worst = self.worst[rows]
        hit = minima < worst.unsqueeze(dim)
        few = hit.numel() // 4
        if int(hit.count_nonzero()) > few and minima.shape[dim] > self.width:
            # The width-th smallest minimum bounds the width-th smallest entry: a threshold before there is a list.
            along = minima if dim == 1 else minima.T.contiguous()
            bound = along.topk(self.width, dim=1, largest=False, sorted=False).values.amax(1)
            # The next number above it, since entries equal to the bound are still needed.
            worst = torch.minimum(worst, bound.nextafter(torch.full_like(bound, torch.inf)))
            hit = minima < worst.unsqueeze(dim)
            few *= 2
        if int(hit.count_nonzero()) > few:
            return None
        with self._lock:
            self.worst[rows] = torch.minimum(self.worst[rows], worst)
        return hit

    def _collect(self, tile: Tensor, first: Tensor, jump: int, row: Tensor, start: Tensor, step: int) -> None:
        """Take groups apart: entry t lies `jump * t` further in the tile and is candidate ``start + step * t``."""
        if len(first) == 0:
            return
        member = torch.arange(GROUP, device=tile.device)
        score = tile.view(-1)[first[:, None] + jump * member]
        which, t = (score < self.worst[row][:, None]).nonzero(as_tuple=True)
        if len(which) == 0:  # another thread has lowered `worst` since the groups were chosen
            return
        part = (row[which], start[which] + step * t, score[which, t])
        with self._lock:
            self._pending.append(part)
            self._pending_size += len(which)
            if self._pending_size > self.pending_limit:
                self._flush()

    def flush(self) -> None:
        """Merge what `offer` has put aside into the lists."""
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        if not self._pending:
            return
        row, index, score = (torch.cat(part) for part in zip(*self._pending, strict=True))
        self._pending, self._pending_size = [], 0
        row, order = row.sort(stable=True)
        index, score = index[order], score[order]
        first = torch.ones_like(row, dtype=torch.bool)
        first[1:] = row[1:] != row[:-1]
        touched, inverse = row[first], first.cumsum(0) - 1
        count = inverse.bincount()
        rank = torch.arange(len(row), device=row.device) - (count.cumsum(0) - count)[inverse]
        # Rows with far more candidates than the others would make the padded table wide: they get further rounds.
        span = 2 * self.width
        for low in range(0, int(count.max()), span):
            inside = (rank >= low) & (rank < low + span)
            alive = count > low
            place = alive.cumsum(0) - 1
            shape = (int(alive.sum()), min(span, int(count.max()) - low))
            scores = torch.full(shape, torch.inf, dtype=score.dtype, device=score.device)
            indices = torch.full(shape, -1, dtype=torch.int64, device=score.device)
            at = (place[inverse[inside]], rank[inside] - low)
            scores[at] = score[inside]
            indices[at] = index[inside]
            self._merge(touched[alive], scores, indices)

    def _merge(self, rows: Tensor, score: Tensor, index: Tensor) -> None:
        score = torch.cat([self.score[rows], score], 1)
        index = torch.cat([self.index[rows], index], 1)
        score, at = score.topk(self.width, largest=False, sorted=False)
        self.score[rows] = score
        self.index[rows] = index.gather(1, at)
        self.worst[rows] = torch.minimum(self.worst[rows], score.amax(1))


def tile_side(budget: int, width: int, item: int) -> int:
    """Side of a square tile so that the tile, its temporaries and two blocks of rows stay within `budget` bytes.

    The tile itself counts twice (tile, its transpose for ``topk``), and groups that survive, at most half of them,
    are taken apart at up to 40 bytes an entry.
    """
    side = LARGEST_TILE
    while side > GROUP and side * side * (2 * item + 20) + 4 * side * width * item > budget:
        side //= 2
    return side


def _bounds(n: int, side: int) -> list[tuple[int, int]]:
    """Equal blocks of at most `side` rows, multiples of GROUP but for the last."""
    blocks = math.ceil(n / side)
    step = _padded(math.ceil(n / blocks))
    return [(lo, min(n, lo + step)) for lo in range(0, n, step)]


class _Tile:
    """One reused buffer; its views are padded to multiples of GROUP with inf."""

    def __init__(self, rows: int, cols: int, dtype: torch.dtype, device: torch.device) -> None:
        self.flat = torch.empty(_padded(rows) * _padded(cols), dtype=dtype, device=device)

    def fill(self, left: Operand, right: Operand) -> Tensor:
        rows, cols = len(left.dense), len(right.dense)
        tile = self.flat[: _padded(rows) * _padded(cols)].view(_padded(rows), _padded(cols))
        multiply(left, right, tile[:rows, :cols])
        tile[rows:] = torch.inf
        tile[:, cols:] = torch.inf
        return tile


def _padded(size: int) -> int:
    return -(-size // GROUP) * GROUP


def self_join(rows: Rows, width: int, frame: Frame, budget: int) -> Nearest:
    """The `width` best other rows of every row (float32 scores)."""
    n, dtype = rows.n, torch.float32
    # A prepared copy of all rows saves preparing each block again for every tile it meets; kept only where it fits.
    whole_bytes = n * rows.width(frame) * 4
    keep = not rows.sparse and whole_bytes <= budget // 2
    spare = (budget - whole_bytes if keep else budget) // 2
    workers = worker_count(rows.device)
    bounds = _bounds(n, tile_side(spare // workers, rows.d if rows.sparse else rows.width(frame), 4))
    whole = _right_operand_of_all(rows, frame, bounds) if keep else None

    def block(lo: int, hi: int) -> Operand:
        return Operand(whole[lo:hi], None) if whole is not None else right_operand(rows, slice(lo, hi), frame, dtype)

    found = Nearest(n, width, rows.device, dtype, _pending_limit(n, width, spare))
    side = bounds[0][1]

    def diagonal(jobs: Iterator[int]) -> None:
        buffer = _Tile(side, side, dtype, rows.device)
        for at in jobs:
            lo, hi = bounds[at]
            right = block(lo, hi)
            tile = buffer.fill(left_operand(right, frame), right)
            tile.diagonal().fill_(torch.inf)
            found.offer(tile, lo, hi - lo, lo, hi - lo)

    def above(jobs: Iterator[tuple[int, int]]) -> None:
        buffer = _Tile(side, side, dtype, rows.device)
        left_of = -1
        for at, other in jobs:
            (lo, hi), (other_lo, other_hi) = bounds[at], bounds[other]
            if at != left_of:
                left, left_of = left_operand(block(lo, hi), frame), at
            tile = buffer.fill(left, block(other_lo, other_hi))
            found.offer(tile, lo, hi - lo, other_lo, other_hi - other_lo)
            found.offer_transposed(tile, lo, hi - lo, other_lo, other_hi - other_lo)

    # Diagonal tiles first: every row then has a threshold, and in sorted data it is already a good one.
    share_jobs(diagonal, range(len(bounds)), workers)
    share_jobs(above, ((i, j) for i in range(len(bounds)) for j in range(i + 1, len(bounds))), workers)
    found.flush()
    return found


def cross_join(
    query: Rows,
    select: Tensor,
    rows: Rows,
    width: int,
    frame: Frame,
    budget: int,
    own: bool,
    dtype: torch.dtype,
) -> Nearest:
    """The `width` best rows of `rows` for ``query[select]``; `own`: a row is not its own neighbour (query is rows)."""
    item = 8 if dtype == torch.float64 else 4
    workers = worker_count(rows.device)
    side = tile_side(budget // 2 // workers, rows.d if rows.sparse else rows.width(frame), item)
    bounds, query_bounds = _bounds(rows.n, side), _bounds(len(select), side)
    found = Nearest(len(select), width, rows.device, dtype, _pending_limit(len(select), width, budget // 2))

    def loop(jobs: Iterator[tuple[int, int]]) -> None:
        buffer = _Tile(query_bounds[0][1], bounds[0][1], dtype, rows.device)
        left_of = -1
        for at, other in jobs:
            (lo, hi), (other_lo, other_hi) = query_bounds[at], bounds[other]
            if at != left_of:
                left = left_operand(right_operand(query, select[lo:hi], frame, dtype), frame)
                left_of = at
            tile = buffer.fill(left, right_operand(rows, slice(other_lo, other_hi), frame, dtype))
            if own:
                mine = ((select[lo:hi] >= other_lo) & (select[lo:hi] < other_hi)).nonzero().squeeze(1)
                tile[mine, select[lo:hi][mine] - other_lo] = torch.inf
            found.offer(tile, lo, hi - lo, other_lo, other_hi - other_lo)

    share_jobs(loop, ((i, j) for i in range(len(query_bounds)) for j in range(len(bounds))), workers)
    found.flush()
    return found


def _right_operand_of_all(rows: Rows, frame: Frame, bounds: list[tuple[int, int]]) -> Tensor:
    """The right operand of all rows, filled block by block so that no second copy exists at any time."""
    whole = torch.empty(rows.n, rows.width(frame), dtype=torch.float32, device=rows.device)
    for lo, hi in bounds:
        whole[lo:hi] = right_operand(rows, slice(lo, hi), frame, torch.float32).dense
    return whole


def _pending_limit(n: int, width: int, budget: int) -> int:
    """How many candidates to put aside before merging: a share of the lists' size, within the budget."""
    return max(1024, min(n * width // 4, budget // 256))
