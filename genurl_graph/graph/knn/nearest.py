"""Lists of the nearest candidates of every row, the same whatever order the candidates come in.

A candidate is one int64, its score in the upper and its index in the lower half: the order of these numbers is the
order by (score, index). No two are equal, so "the `width` smallest" has one answer even where scores tie, and it does
not matter which thread offers its tile first.
"""

from __future__ import annotations

import threading

import torch
from torch import Tensor

# Groups of this many entries of a tile are looked into or passed over together.
GROUP = 16
# Rows of a tile that are turned into codes at a time: their temporaries then stay in the cache.
STRIP = 128
LAST_INDEX = (1 << 32) - 1


def encode(score: Tensor, index: Tensor) -> Tensor:
    """One int64 for each (float32 score, int64 index), ordered as these pairs are."""
    bits = (score + 0.0).view(torch.int32)  # + 0.0 makes -0.0 equal to 0.0
    # The bits of positive floats are ordered as the floats are, those of negative ones the other way round.
    return (bits ^ ((bits >> 31) & 0x7FFFFFFF)).long() << 32 | index


def decode_score(code: Tensor) -> Tensor:
    bits = (code >> 32).int()
    return (bits ^ ((bits >> 31) & 0x7FFFFFFF)).view(torch.float32)


def decode_index(code: Tensor) -> Tensor:
    return code & LAST_INDEX


class Nearest:
    """Running lists of the `width` best candidates of `n` rows: `code` ``[n, width]`` as of `encode`, unordered.

    Safe for several threads. A thread may read a `worst` that another has just lowered: it only keeps a few
    candidates more, which the merge drops.
    """

    def __init__(self, n: int, width: int, device: torch.device, pending_limit: int) -> None:
        self.width = width
        nobody = encode(torch.tensor(torch.inf), torch.tensor(LAST_INDEX)).item()
        self.nobody = int(nobody)
        self.code = torch.full((n, width), self.nobody, dtype=torch.int64, device=device)
        # No candidate of a code above this one can be among the best any more.
        self.worst = torch.full((n,), self.nobody, dtype=torch.int64, device=device)
        self.pending_limit = pending_limit
        self._pending: list[tuple[Tensor, Tensor]] = []
        self._pending_size = 0
        self._lock = threading.Lock()

    def offer(self, tile: Tensor, row_start: int, rows: int, col_start: int, cols: int) -> None:
        """Candidates ``col_start + [0, cols)`` for rows ``row_start + [0, rows)``; `tile` is padded with inf."""
        self.offer_to(tile, torch.arange(row_start, row_start + rows, device=tile.device), col_start, cols)

    def offer_to(self, tile: Tensor, places: Tensor, col_start: int, cols: int) -> None:
        """The same for any rows: `places` [rows], each once."""
        padded_cols, rows = tile.shape[1], len(places)
        stride = padded_cols // GROUP
        # Group q holds the columns q, q + stride, q + 2 stride, ...: the reduction then runs along contiguous memory.
        minima = tile[:rows].view(rows, GROUP, stride).amin(1)
        hit = self._hits(minima, places, col_start, 1)
        if hit is None:
            for lo in range(0, rows, STRIP):
                some = slice(lo, min(rows, lo + STRIP))
                self._offer_all(tile[some, :cols], places[some], col_start)
            return
        row, group = hit.nonzero(as_tuple=True)
        self._collect(tile, row * padded_cols + group, stride, places[row], group + col_start, stride)

    def offer_transposed(self, tile: Tensor, row_start: int, rows: int, col_start: int, cols: int) -> None:
        """The same tile read the other way: candidates ``row_start + [0, rows)`` for rows ``col_start + [0, cols)``."""
        padded_rows, padded_cols = tile.shape
        stride = padded_rows // GROUP
        minima = tile.view(GROUP, stride, padded_cols).amin(0)[:, :cols]
        places = torch.arange(col_start, col_start + cols, device=tile.device)
        hit = self._hits(minima, places, row_start, 0)
        if hit is None:
            for lo in range(0, cols, STRIP):
                some = slice(lo, min(cols, lo + STRIP))
                # Made contiguous first: torch transposes only such a matrix fast.
                strip = tile[:rows, some].contiguous().T.contiguous()
                self._offer_all(strip, places[some], row_start)
            return
        group, col = hit.nonzero(as_tuple=True)
        first = group * padded_cols + col
        self._collect(tile, first, stride * padded_cols, col + col_start, group + row_start, stride)

    def _hits(self, minima: Tensor, rows: Tensor, first: int, dim: int) -> Tensor | None:
        """Groups (along `dim`) that may hold a candidate; None if so many that ``topk`` of the tile is cheaper.

        All candidates have an index of at least `first`.
        """
        worst = self.worst[rows]
        limit = decode_score(worst)
        # An equal score counts only where the index may be smaller: ties met in ascending order cost nothing.
        limit = torch.where(decode_index(worst) > first, _next(limit), limit)
        hit = minima < limit.unsqueeze(dim)
        few = hit.numel() // 4
        if int(hit.count_nonzero()) > few and minima.shape[dim] > self.width:
            # The width-th smallest minimum bounds the width-th smallest entry: a threshold before there is a list.
            along = minima if dim == 1 else minima.T.contiguous()
            bound = along.topk(self.width, dim=1, largest=False, sorted=False).values.amax(1)
            hit = minima < torch.minimum(limit, _next(bound)).unsqueeze(dim)
            few *= 2
            # Of entries equal to the bound any index may be needed.
            bounds = encode(bound, torch.full_like(worst, LAST_INDEX))
            with self._lock:
                self.worst[rows] = torch.minimum(self.worst[rows], bounds)
        return None if int(hit.count_nonzero()) > few else hit

    def _collect(self, tile: Tensor, first: Tensor, jump: int, row: Tensor, start: Tensor, step: int) -> None:
        """Take groups apart: entry t lies `jump * t` further in the tile and is candidate ``start + step * t``."""
        if len(first) == 0:
            return
        # Every group of the tile as a row of a view, overlapping: faster than a table of the positions of all entries.
        groups = tile.as_strided((tile.numel() - (GROUP - 1) * jump, GROUP), (1, jump))
        score = groups[first]
        worst = self.worst[row]
        which, t = (score <= decode_score(worst)[:, None]).nonzero(as_tuple=True)
        code = encode(score[which, t], start[which] + step * t)
        kept = code < worst[which]
        which, code = which[kept], code[kept]
        if len(which) == 0:  # only ties of a larger index, or another thread has lowered `worst`
            return
        with self._lock:
            self._pending.append((row[which], code))
            self._pending_size += len(which)
            if self._pending_size > self.pending_limit:
                self._flush()

    def _offer_all(self, scores: Tensor, places: Tensor, col_start: int) -> None:
        """The best of a whole strip of rows, without looking for groups first."""
        cols = scores.shape[1]
        index = torch.arange(col_start, col_start + cols, device=scores.device)
        code = encode(scores, index).topk(min(self.width, cols), largest=False, sorted=False).values
        with self._lock:
            self._merge(places, code)

    def flush(self) -> None:
        """Merge what `offer` has put aside into the lists."""
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        if not self._pending:
            return
        row, code = (torch.cat(part) for part in zip(*self._pending, strict=True))
        self._pending, self._pending_size = [], 0
        row, order = row.sort(stable=True)
        code = code[order]
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
            codes = torch.full(shape, self.nobody, dtype=torch.int64, device=code.device)
            codes[place[inverse[inside]], rank[inside] - low] = code[inside]
            self._merge(touched[alive], codes)

    def _merge(self, rows: Tensor, code: Tensor) -> None:
        code = torch.cat([self.code[rows], code], 1).topk(self.width, largest=False, sorted=False).values
        self.code[rows] = code
        self.worst[rows] = torch.minimum(self.worst[rows], code.amax(1))


def _next(score: Tensor) -> Tensor:
    """The next larger float."""
    return score.nextafter(torch.full_like(score, torch.inf))
