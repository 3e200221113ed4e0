"""Approximate neighbours: cells of rows, of which every row searches the nearest, by products of whole blocks.

An inverted file (Sivic & Zisserman, ICCV 2003) with the two loops exchanged: not one row after the other through its
cells, but one cell after the other for all the rows that search it, so that a matrix product compares them. How many
cells are searched is found out beforehand, on a sample of rows whose neighbours are known. Cells hold about `CELL`
rows, so that the work for a row does not grow with their number, but for the choice of its cells, which is cheap.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from genurl_graph.graph.knn.nearest import GROUP, Nearest, decode_index
from genurl_graph.graph.knn.rows import DenseRows, Frame, Operand, Select
from genurl_graph.graph.knn.scores import left_operand, multiply, right_operand
from genurl_graph.runtime.processes import own_rows, rows_of_all
from genurl_graph.runtime.workers import share_jobs, worker_count

if TYPE_CHECKING:
    from collections.abc import Iterator


# Rows of a cell, on average; more beyond a million rows, where there are `MOST` sqrt(n) cells: choosing among n / CELL
# would cost more than searching them.
CELL, MOST = 256, 4
# Cells are added until they hold this share of a sample's neighbours, or this many rows. Measured with 128 planted
# features, whose neighbours are nearly as far as everything else: see docs/scaling.md.
TARGET, SCANNED = 0.95, 1 << 14
# k-means: rows for each cell, and rounds.
SAMPLE, ROUNDS = 32, 6
# Rows whose cells are chosen at a time, and sides of a tile.
BLOCK, SIDE, SLAB = 1 << 17, 2048, 4096


class _Cells(NamedTuple):
    """Rows in the order of their cells."""

    centroids: Tensor
    """float32 ``[c, d]``."""
    cell: Tensor
    """int64 ``[n]``: of each row."""
    order: Tensor
    """int64 ``[n]``: the rows, cell by cell."""
    start: list[int]
    """Where in `order` each cell begins, and n."""
    metric: str

    def ranking(self, left: Tensor) -> Tensor:
        """What orders the cells for rows given as left operands ``[m, ...]``: float32 ``[m, c]``, smallest first."""
        return _nearness(left, self.centroids, self.metric, self.metric != "inner_product")


def candidates(
    query: DenseRows, rows: DenseRows, width: int, frame: Frame, seed: int, sample: Tensor, known: Tensor
) -> Tensor:
    """`width` approximate nearest rows for every row of `query`, int64 ``[m, width]``, -1 where none was found.

    `known` ``[s, k]`` are the neighbours of the rows ``query[sample]``. Besides the result there is a float32 copy of
    `rows`. On the CPU the same seed and number of threads give the same result, whatever the timing of threads.

    Of several processes each finds its rows of the result, ``own_rows(m, SLAB)``: slabs, so that what the choice of
    cells depends on is rounded as in one process.
    """
    cells = _cells(rows, frame, seed)
    probes = _probes(cells, _left(query, sample, frame), known)
    prepared = torch.empty(rows.n, rows.width(frame), device=rows.device)
    for lo in range(0, rows.n, BLOCK):
        part = slice(lo, lo + BLOCK)
        prepared[part] = right_operand(rows, cells.order[part], frame, torch.float32).dense
    own = own_rows(query.n, SLAB)
    found = torch.empty(own.stop - own.start, width, dtype=torch.int64, device=rows.device)
    for lo in range(own.start, own.stop, BLOCK):
        hi = min(lo + BLOCK, own.stop)
        left = _left(query, slice(lo, hi), frame)
        chosen = torch.cat([_smallest(cells.ranking(some), probes).int() for some in torch.split(left, SLAB)])
        found[lo - own.start : hi - own.start] = _search(left, chosen, prepared, cells.start, width)
    for some in torch.split(found, BLOCK):
        some.copy_(torch.where(some < rows.n, cells.order[some.clamp_max(rows.n - 1)], -1))
    return found


def _left(rows: DenseRows, select: Select, frame: Frame) -> Tensor:
    return left_operand(right_operand(rows, select, frame, torch.float32), frame).dense


def _nearness(left: Tensor, centroids: Tensor, metric: str, distances: bool) -> Tensor:
    """Scores of centroids: distances up to a constant of each row, or negative inner products."""
    scale = 1.0 if metric == "euclidean" else 0.5
    bias = centroids.square().sum(1) * (scale if distances else 0.0)
    return torch.addmm(bias, left[:, : centroids.size(1)], centroids.T)


def _cells(rows: DenseRows, frame: Frame, seed: int) -> _Cells:
    """k-means (Lloyd's algorithm) on a sample of the rows, and the cell of every row."""
    count = max(1, min(rows.n // CELL, int(MOST * rows.n**0.5)))
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randperm(rows.n, generator=generator)[: SAMPLE * count].to(rows.device)
    # In random order, so that the first are as good a start as any.
    left = _left(rows, drawn, frame)
    x = left[:, : rows.d] * (-0.5 if frame.metric == "euclidean" else -1.0)
    centroids = x[:count].clone()
    for _ in range(ROUNDS if count > 1 else 0):
        own = left[own_rows(len(left), SLAB)]
        nearest = rows_of_all(_assigned(own, centroids, frame.metric), len(left), SLAB)
        size = torch.bincount(nearest, minlength=count)[:, None]
        mean = torch.zeros_like(centroids).index_add_(0, nearest, x) / size.clamp_min(1)
        centroids = torch.where(size > 0, mean, centroids)
    part = own_rows(rows.n, SLAB)
    cell = torch.empty(part.stop - part.start, dtype=torch.int64, device=rows.device)
    for lo in range(part.start, part.stop, BLOCK):
        hi = min(lo + BLOCK, part.stop)
        cell[lo - part.start : hi - part.start] = _assigned(_left(rows, slice(lo, hi), frame), centroids, frame.metric)
    cell = rows_of_all(cell, rows.n, SLAB)
    start = torch.cat([cell.new_zeros(1), torch.bincount(cell, minlength=count).cumsum(0)])
    return _Cells(centroids, cell, cell.argsort(stable=True), start.tolist(), frame.metric)


def _assigned(left: Tensor, centroids: Tensor, metric: str) -> Tensor:
    return torch.cat([_nearness(some, centroids, metric, True).argmin(1) for some in torch.split(left, SLAB)])


def _probes(cells: _Cells, left: Tensor, known: Tensor) -> int:
    """How many cells to search: as many as hold `TARGET` of the known neighbours of the rows `left`."""
    count = len(cells.centroids)
    rank = cells.ranking(left).argsort(1).argsort(1)
    needed = rank.gather(1, cells.cell[known]).flatten().sort().values
    wanted = int(needed[math.ceil(TARGET * len(needed)) - 1]) + 1
    return min(count, wanted, max(1, SCANNED * count // len(cells.cell)))


def _smallest(scores: Tensor, k: int) -> Tensor:
    """Places of the k smallest entries of each row, nearest first; minima of groups tell first where they can be."""
    m, width = scores.shape
    stride = width // GROUP
    if stride <= 2 * k:
        return scores.topk(k, largest=False).indices
    whole = stride * GROUP
    minima = scores[:, :whole].view(m, GROUP, stride).amin(1)
    group = minima.topk(k, largest=False, sorted=False).indices
    place = (group[:, :, None] + stride * torch.arange(GROUP, device=scores.device)).view(m, -1)
    rest = torch.arange(whole, width, device=scores.device).expand(m, -1)
    place = torch.cat([place, rest], 1)
    return place.gather(1, scores.gather(1, place).topk(k, largest=False).indices)


def _search(left: Tensor, chosen: Tensor, prepared: Tensor, start: list[int], width: int) -> Tensor:
    """Places in `prepared` of the `width` best rows for each row of `left` in its `chosen` cells ``[m, p]``."""
    m, probes = chosen.shape
    count = len(start) - 1
    # The nearest cell of every row comes first: what it holds lets most of what follows be passed over.
    chosen[:, 1:] += count
    key, place = chosen.view(-1).sort(stable=True)
    cells, sizes = torch.unique_consecutive(key, return_counts=True)
    asking = torch.split(place.div_(probes, rounding_mode="floor"), sizes.tolist())
    found = Nearest(m, width, left.device, max(1024, m * width // 4))

    def loop(jobs: Iterator[tuple[int, Tensor]]) -> None:
        flat = torch.empty(SIDE * SIDE, device=left.device)
        for cell, rows_of_cell in jobs:
            for lo in range(start[cell], start[cell + 1], SIDE):
                columns = Operand(prepared[lo : min(lo + SIDE, start[cell + 1])], None)
                cols = len(columns.dense)
                padded = -(-cols // GROUP) * GROUP
                for rows in torch.split(rows_of_cell, SIDE):
                    tile = flat[: len(rows) * padded].view(len(rows), padded)
                    multiply(Operand(left[rows], None), columns, tile[:, :cols])
                    tile[:, cols:] = torch.inf
                    found.offer_to(tile, rows, lo, cols)

    share_jobs(loop, zip((cells % count).tolist(), asking, strict=True), worker_count(left.device))
    found.flush()
    # Where there is no candidate the index is `LAST_INDEX`, beyond all rows.
    return decode_index(found.code)


def recall_at_k(approximate: Tensor, exact: Tensor) -> float:
    """Share of the approximate neighbours that are no farther than the exact k-th one (ties count as right)."""
    limit = exact[:, -1:]
    slack = 1e-6 * limit.abs() + 1e-12
    return float((approximate <= limit + slack).double().mean())
