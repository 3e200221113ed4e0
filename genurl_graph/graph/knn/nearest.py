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
# A tile with more candidates than one in so many entries has no useful limits yet: the best of it alone are looked for.
CROWDED = 16
# Lists that are put in order at a time.
MERGED = 1 << 15
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
    """Running lists of the `width` best candidates of `n` rows: `code` ``[n, width]`` as of `encode`, unordered.

    Each row has as much room again for candidates that were offered since its best ones were last told from the others.
    """

    def __init__(self, n: int, width: int, device: torch.device) -> None:
        self.width = width
        self._table = torch.full((n, 2 * width), NOBODY, dtype=torch.int64, device=device)
        self._used = torch.full((n,), width, dtype=torch.int64, device=device)
        # No candidate of a code above this one can be among the best any more.
        self.worst = torch.full((n,), NOBODY, dtype=torch.int64, device=device)
        self._lock = threading.RLock()

    @property
    def code(self) -> Tensor:
        """The best candidates after `flush`."""
        return self._table[:, : self.width]

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
        self.offer_to(torch.arange(start, start + size, device=tile.device), tile, first, transposed)

    def offer_to(self, owners: Tensor, tile: Tensor, first: int, transposed: bool = False) -> None:
        """`offer` to any rows: int64 `owners`, each once; `first` is the first candidate of the tile."""
        worst = self.worst[owners]
        limit = decode_score(worst)
        # An equal score counts only where the index may be smaller: ties met in ascending order cost nothing.
        limit = torch.where(decode_index(worst) > first, _next(limit), limit)
        mask, count = _below(tile, limit if transposed else limit[:, None])
        if count > mask.numel() // CROWDED:
            tile = tile.T.contiguous() if transposed else tile
            transposed = False
            limit = torch.minimum(limit, _next(_reach(tile, self.width)))
            mask, count = _below(tile, limit[:, None])
            if count > mask.numel() // CROWDED:
                self._offer_all(owners, tile, first)
                return
        place = _positions(mask)
        score, i, j = tile.reshape(-1)[place], place // tile.shape[1], place % tile.shape[1]
        if transposed:
            order = _grouped(j)
            score, i, j = score[order], j[order], i[order]
        code = encode(score, j + first)
        kept = code <= worst[i]
        with self._lock:
            self._add(owners[i[kept]], code[kept])

    def _offer_all(self, owners: Tensor, scores: Tensor, first: int) -> None:
        """The best of a whole tile of ties, without looking for better ones than there are."""
        index = torch.arange(first, first + scores.shape[1], device=scores.device)
        for lo in range(0, len(scores), STRIP):
            code = encode(scores[lo : lo + STRIP].contiguous(), index)
            code = smallest(code, min(self.width, len(index)))
            part = owners[lo : lo + STRIP]
            with self._lock:
                self._merge(part, torch.cat([self._table[part], code], 1))

    def flush(self) -> None:
        """Leave the best alone in the lists."""
        rows = (self._used > self.width).nonzero().squeeze(1)
        for part in torch.split(rows, MERGED):
            self._merge(part, self._table[part])

    def _add(self, row: Tensor, code: Tensor) -> None:
        """Candidates grouped by their rows."""
        while len(row):
            begins = torch.ones_like(row, dtype=torch.bool)
            torch.ne(row[1:], row[:-1], out=begins[1:])
            starts = begins.nonzero().squeeze(1)
            owner, group = row[starts], begins.cumsum(0) - 1
            place = torch.arange(len(row), device=row.device) - starts[group] + self._used[owner][group]
            fits = place < 2 * self.width
            self._table[row[fits], place[fits]] = code[fits]
            self._used.index_add_(0, row[fits], torch.ones_like(row[fits]))
            if bool(fits.all()):
                return
            row, code = row[~fits], code[~fits]
            full = torch.unique_consecutive(row)
            self._merge(full, self._table[full])
            kept = code < self.worst[row]
            row, code = row[kept], code[kept]

    def _merge(self, rows: Tensor, code: Tensor) -> None:
        code = smallest(code, self.width)
        self._table[rows, : self.width] = code
        self._table[rows, self.width :] = NOBODY
        self._used[rows] = self.width
        self.worst[rows] = code.amax(1)


def smallest(code: Tensor, width: int) -> Tensor:
    """The `width` smallest of each row of int64 codes, in any order."""
    if code.device.type == "cpu":
        # A quarter of topk's time.
        return torch.from_numpy(np.partition(code.numpy(), width - 1, axis=1)[:, :width])
    return code.topk(width, largest=False, sorted=False).values


def _next(limit: Tensor) -> Tensor:
    return limit.nextafter(torch.full_like(limit, torch.inf))


def _below(tile: Tensor, limit: Tensor) -> tuple[Tensor, int]:
    """Where the tile is below the limit, and how often."""
    if tile.device.type == "cpu":
        # NumPy's comparison takes a third of torch's time.
        mask = np.less(tile.numpy(), limit.numpy())
        return torch.from_numpy(mask), int(np.count_nonzero(mask))
    found = tile < limit
    return found, int(found.count_nonzero())


def _reach(tile: Tensor, width: int) -> Tensor:
    """A score in each row that at least `width` of its entries do not exceed, and few more: infinity if it is short.

    The minima of equal parts of a row are entries of it, and rarely are two of its smallest ones in the same part.
    """
    if tile.shape[1] < width:
        return tile.new_full((len(tile),), torch.inf)
    while tile.shape[1] >= 8 * width:
        half = tile.shape[1] // 2
        tile = torch.minimum(tile[:, :half], tile[:, -half:])
    if tile.device.type == "cpu":
        return torch.from_numpy(np.partition(tile.numpy(), width - 1, axis=1)[:, width - 1])
    return tile.topk(width, largest=False).values[:, -1]


def _grouped(owner: Tensor) -> Tensor:
    """The order by owner, int64, of whole numbers below 65,536."""
    if owner.device.type == "cpu":
        # Sorted by their digits, a fifth of the time.
        return torch.from_numpy(owner.numpy().astype(np.uint16).argsort(kind="stable"))
    return owner.argsort(stable=True)


def _positions(mask: Tensor) -> Tensor:
    """Where the mask is true, in the flattened tile."""
    if mask.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(mask.numpy()))  # 15 times as fast as nonzero
    return mask.view(-1).nonzero().squeeze(1)
