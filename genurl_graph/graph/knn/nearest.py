"""Lists of the nearest candidates of every row, the same whatever order the candidates come in.

A candidate is one int64, its score in the upper and its index in the lower half: the order of these numbers is the
order by (score, index). No two are equal, so "the `width` smallest" has one answer even where scores tie.
"""

from __future__ import annotations

import threading

import numpy as np
import torch
from torch import Tensor

# Rows of a tile that are turned into codes at a time: their temporaries then stay in the cache.
STRIP = 128
LAST_INDEX = (1 << 32) - 1
# Code of (inf, LAST_INDEX), which stands for no candidate.
NOBODY = (0x7F800000 << 32) | LAST_INDEX


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
    """Running lists of the `width` best candidates of `n` rows: `code` ``[n, width]`` as of `encode`, unordered."""

    def __init__(self, n: int, width: int, device: torch.device, pending_limit: int) -> None:
        self.width, self.pending_limit = width, pending_limit
        self.code = torch.full((n, width), NOBODY, dtype=torch.int64, device=device)
        # No candidate of a code above this one can be among the best any more.
        self.worst = torch.full((n,), NOBODY, dtype=torch.int64, device=device)
        self._pending: list[tuple[Tensor, Tensor]] = []
        self._pending_size = 0
        self._lock = threading.RLock()

    def offer(self, tile: Tensor, row: int, column: int, transposed: bool = False) -> None:
        """Offer candidates by their scores.

        Parameters
        ----------
        tile : Tensor, float32, shape [r, c]
            Entry (i, j) is the score of candidate ``column + j`` for row ``row + i``, or, `transposed`, the score of
            candidate ``row + i`` for row ``column + j``.
        """
        start, first = (column, row) if transposed else (row, column)
        size = tile.shape[1 if transposed else 0]
        worst = self.worst[start : start + size]
        limit = decode_score(worst)
        # An equal score counts only where the index may be smaller: ties met in ascending order cost nothing.
        limit = torch.where(decode_index(worst) > first, limit.nextafter(torch.full_like(limit, torch.inf)), limit)
        mask = tile < (limit if transposed else limit[:, None])
        if int(mask.count_nonzero()) > mask.numel() // 16:
            self._offer_all(tile.T if transposed else tile, start, first)
            return
        place = _positions(mask)
        i, j = place // tile.shape[1], place % tile.shape[1]
        code = encode(tile.reshape(-1)[place], (i if transposed else j) + first)
        owner = (j if transposed else i) + start
        kept = code < self.worst[owner]
        with self._lock:
            self._pending.append((owner[kept], code[kept]))
            self._pending_size += len(code)
            if self._pending_size > self.pending_limit:
                self.flush()

    def _offer_all(self, scores: Tensor, start: int, first: int) -> None:
        """The best of a whole tile, without looking for better ones than there are."""
        index = torch.arange(first, first + scores.shape[1], device=scores.device)
        for lo in range(0, len(scores), STRIP):
            code = encode(scores[lo : lo + STRIP].contiguous(), index)
            code = code.topk(min(self.width, len(index)), largest=False, sorted=False).values
            with self._lock:
                self._merge(torch.arange(start + lo, start + lo + len(code), device=scores.device), code)

    def flush(self) -> None:
        """Merge what `offer` has put aside into the lists."""
        if not self._pending:
            return
        row, code = (torch.cat(part) for part in zip(*self._pending, strict=True))
        self._pending, self._pending_size = [], 0
        order = code.argsort()
        order = order[row[order].argsort(stable=True)]  # by row, then by code
        touched, count = torch.unique_consecutive(row[order], return_counts=True)
        line = torch.arange(len(touched), device=row.device).repeat_interleave(count)
        place = torch.arange(len(row), device=row.device) - (count.cumsum(0) - count)[line]
        best = place < self.width
        table = torch.full((len(touched), self.width), NOBODY, dtype=torch.int64, device=row.device)
        table[line[best], place[best]] = code[order[best]]
        self._merge(touched, table)

    def _merge(self, rows: Tensor, code: Tensor) -> None:
        code = torch.cat([self.code[rows], code], 1).topk(self.width, largest=False, sorted=False).values
        self.code[rows] = code
        self.worst[rows] = code.amax(1)


def _positions(mask: Tensor) -> Tensor:
    """Where the mask is true, in the flattened tile."""
    if mask.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(mask.numpy()))  # 15 times as fast as nonzero
    return mask.view(-1).nonzero().squeeze(1)
