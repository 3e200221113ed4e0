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
# So many times the candidates wanted are ties.
TIED = 3
# Room of a list beyond twice its width.
SPARE = 8
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

    Each row has room for as many candidates again, which are told from the best ones when the room is full.
    """

    def __init__(self, n: int, width: int, device: torch.device) -> None:
        self.width, self._room = width, 2 * width + SPARE
        self._table = torch.full((n, self._room), NOBODY, dtype=torch.int64, device=device)
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
            if count > TIED * self.width * len(tile):
                self._offer_all(owners, tile, first)
                return
        place = _positions(mask)
        i = place // tile.shape[1]
        j = place - i * tile.shape[1]
        score = tile.reshape(-1)[place]
        if transposed:
            order = grouped(j)
            score, i, j = score[order], j[order], i[order]
        code = encode(score, j + first)
        with self._lock:
            self._add(owners, i, code)

    def _offer_all(self, owners: Tensor, scores: Tensor, first: int) -> None:
        """The best of a whole tile of ties, without looking for better ones than there are."""
        index = torch.arange(first, first + scores.shape[1], device=scores.device)
        for lo in range(0, len(scores), STRIP):
            code = encode(scores[lo : lo + STRIP].contiguous(), index)
            with self._lock:
                self._merge(owners[lo : lo + STRIP], smallest(code, min(self.width, len(index))))

    def flush(self) -> None:
        """Leave the best alone in the lists."""
        rows = (self._used > self.width).nonzero().squeeze(1)
        for part in torch.split(rows, MERGED):
            self._merge(part)

    def _add(self, owners: Tensor, group: Tensor, code: Tensor) -> None:
        """Candidates `code` of the rows ``owners[group]``, where `group` ascends."""
        count = torch.bincount(group, minlength=len(owners))
        full = (self._used[owners] + count > self._room).nonzero().squeeze(1)
        self._merge(owners[full])
        place = torch.arange(len(code), device=code.device) - (count.cumsum(0) - count)[group]
        many = (count > self._room - self.width).nonzero().squeeze(1)
        if len(many):
            line = torch.full_like(count, -1)
            line[many] = torch.arange(len(many), device=code.device)
            theirs = line[group] >= 0
            table = torch.full((len(many), int(count.max())), NOBODY, dtype=torch.int64, device=code.device)
            table[line[group[theirs]], place[theirs]] = code[theirs]
            self._merge(owners[many], table)
            count[many] = 0
            group, place, code = group[~theirs], place[~theirs], code[~theirs]
        begin = owners * self._room + self._used[owners]
        self._table.view(-1)[place.add_(begin[group])] = code
        self._used[owners] += count

    def _merge(self, rows: Tensor, code: Tensor | None = None) -> None:
        """Leave the best of what these rows have, and of further candidates `code` [len(rows), c]."""
        if not len(rows):
            return
        table = self._table[rows]
        best = smallest(table if code is None else torch.cat([table, code], 1), self.width)
        table.fill_(NOBODY)[:, : self.width] = best
        self._table[rows] = table
        self._used[rows] = self.width
        self.worst[rows] = best.amax(1)


def best_columns(tile: Tensor, width: int) -> Tensor:
    """Codes of the `width` smallest entries of each row of a tile and their columns, int64 [r, width], unordered.

    Where fewer are finite, the rest is infinite.
    """
    mask, count = _below(tile, _next(_reach(tile, width))[:, None])
    if count > TIED * width * len(tile):
        index = torch.arange(tile.shape[1], device=tile.device)
        return torch.cat([smallest(encode(strip, index), width) for strip in torch.split(tile, STRIP)])
    place = _positions(mask)
    row = place // tile.shape[1]
    column = place - row * tile.shape[1]
    per_row = torch.bincount(row, minlength=len(tile))
    table = torch.full((len(tile), max(width, int(per_row.max()))), NOBODY, dtype=torch.int64, device=tile.device)
    line = torch.arange(len(row), device=tile.device) - (per_row.cumsum(0) - per_row)[row]
    table[row, line] = encode(tile.reshape(-1)[place], column)
    return smallest(table, width)


def smallest(code: Tensor, width: int) -> Tensor:
    """The `width` smallest of each row of int64 codes, in any order."""
    if code.device.type == "cpu":
        # A quarter of topk's time.
        return torch.from_numpy(np.partition(code.numpy(), width - 1, axis=1)[:, :width])
    return code.topk(width, largest=False, sorted=False).values


def grouped(owner: Tensor) -> Tensor:
    """The order of whole numbers >= 0, equal ones as they come."""
    if owner.device.type == "cpu" and (not owner.numel() or int(owner.max()) < 1 << 16):
        # Sorted by their digits, a fifth of the time.
        return torch.from_numpy(owner.numpy().astype(np.uint16).argsort(kind="stable"))
    return owner.argsort(stable=True)


def sort_codes(code: Tensor) -> Tensor:
    """Each row in ascending order."""
    if code.device.type == "cpu":
        # A seventh of the time of torch's.
        return torch.from_numpy(np.sort(code.numpy(), axis=1))
    return code.sort(dim=1).values


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


def _positions(mask: Tensor) -> Tensor:
    """Where the mask is true, in the flattened tile."""
    if mask.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(mask.numpy()))  # 15 times as fast as nonzero
    return mask.view(-1).nonzero().squeeze(1)
