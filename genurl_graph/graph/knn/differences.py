"""Exact neighbours by metrics that are no products of rows: manhattan, chebyshev, hamming, jaccard, a user's function.

Blocks of rows are compared number by number, in tiles as of `genurl_graph.graph.knn.exact`. Manhattan distances of
dense rows come in float32 from faiss, whose vector instructions take a fifth of SciPy's time; the candidates are
ordered by their distances in float64, and rows for which a candidate may be missing are searched again in float64. All
other metrics are computed in float64 at once, by SciPy and scikit-learn; Jaccard counts are whole numbers, of which
float32 products are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from genurl_graph.config.metrics import OwnMetric
from genurl_graph.exceptions import wrong
from genurl_graph.graph.knn.exact import EXTRA, MANY, cross, join
from genurl_graph.graph.knn.metrics import block_distances, jaccard_distances, pair_distances
from genurl_graph.graph.knn.nearest import Nearest, decode_index, decode_score
from genurl_graph.graph.knn.ranking import sort_candidates
from genurl_graph.graph.knn.rows import Frame, Rows, Select
from genurl_graph.runtime.progress import bar
from genurl_graph.runtime.workers import share_jobs, worker_count

# Pairs of rows for which a function of the user's is called at most: minutes, at some microseconds a call.
MOST_CALLS = 100_000_000
# Numbers of a block of rows that stay in the cache of a core, and the sides of tiles.
CACHED = 1 << 18
SMALLEST_TILE, LARGEST_TILE = 16, 1024
# Whole numbers whose sums float32 holds.
INTEGRAL_SUM = 2.0**22
# Rows whose candidates are compared in float64 at a time.
SETTLED_ROWS = 1024


def difference_frame(rows: Rows, asked: Rows, metric: str) -> Frame:
    """What both sides are brought to before they are compared by `metric`.

    For the Manhattan distance float32 sees the mean as origin, unless the rows hold whole numbers that it adds exactly.
    """
    if metric not in ("manhattan", "chebyshev"):
        return Frame(metric)
    parts = {rows, asked}
    if metric == "manhattan" and all(_adds_exactly(part) for part in parts):
        return Frame(metric, integral=True)
    frames = [part.natural_frame("euclidean") for part in (rows, asked)]
    shift = frames[0].shift if metric == "manhattan" and rows.device.type == "cpu" else None
    return Frame(metric, shift, min(frame.scale for frame in frames))


def difference_search(
    rows: Rows, asked: Rows, select: Tensor, k: int, budget: int, progress: bool = False
) -> tuple[Tensor, Tensor]:
    """The k nearest of `rows` to the rows ``asked[select]``, by (distance, index).

    Parameters
    ----------
    rows, asked, select, k, budget
        As of `genurl_graph.graph.knn.exact.exact_search`, in the frame of `difference_frame`.
    progress : bool
        Show a progress bar of the calls of a user's function on stderr (only on a terminal).

    Returns
    -------
    indices : Tensor, int64, shape [m, k]
    distances : Tensor, float32, shape [m, k]

    Raises
    ------
    InputError
        Too many pairs for a function of the user's, or a function that returns no distance.
    """
    exact = rows.sparse or rows.frame.metric != "manhattan"
    code = _search(rows, asked, select, k, budget, exact, progress)
    if rows.frame.metric != "manhattan":
        index, near = decode_index(code), decode_score(code)
        return sort_candidates(index, near, k)
    indices, distances, uncertain = _settle(rows, asked, select, code, k, exact)
    if len(uncertain):
        # Few at a time would be compared with all rows, where all rows among themselves cost half.
        some = torch.arange(len(select), device=select.device) if len(uncertain) > MANY * len(select) else uncertain
        again = _search(rows, asked, select[some], k, budget, True, progress)
        indices[some], distances[some], _ = _settle(rows, asked, select[some], again, k, True)
    return indices, distances


def _search(rows: Rows, asked: Rows, select: Tensor, k: int, budget: int, exact: bool, progress: bool) -> Tensor:
    """Codes of the candidates of each row, in any order."""
    itself = asked is rows
    whole = itself and len(select) == rows.n
    tiles = _Tiles(rows, asked, budget, exact)
    found = Nearest(len(select), min(k + EXTRA, rows.n - itself), rows.device)
    calls = rows.n * (rows.n + 1) // 2 if whole else len(select) * rows.n
    own = isinstance(rows.frame.metric, OwnMetric)
    if own and calls > MOST_CALLS:
        least = math.isqrt(2 * MOST_CALLS)
        raise wrong(
            "metric",
            f"{rows.frame.metric} with {calls:,} pairs of rows",
            f"at most {MOST_CALLS:,} calls ({least:,} rows), a metric by name, or neighbours found beforehand "
            "(metric precomputed)",
        )
    with bar(calls, "neighbors", "pair", progress) if own else nullcontext() as tiles.bar:
        if whole:
            join(tiles, found)
        else:
            cross(tiles, found, select)
    found.flush()
    return found.code


def _settle(
    rows: Rows, asked: Rows, select: Tensor, code: Tensor, k: int, exact: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """The k best candidates by their float64 distances, and positions of the rows for which one may be missing."""
    certain = exact or code.shape[1] == rows.n - (asked is rows)

    def settle(lo: int) -> tuple[Tensor, Tensor, Tensor]:
        some, block = select[lo : lo + SETTLED_ROWS], code[lo : lo + SETTLED_ROWS]
        index, score = decode_index(block), decode_score(block).double()
        value = pair_distances(asked, some, rows, index)
        near_index, near = sort_candidates(index, value.float(), k)
        if certain:
            return near_index, near, torch.zeros(len(some), dtype=torch.bool, device=near.device)
        worst = score.amax(1)
        # Each number was rounded when it became float32, each difference when it was taken, and each partial sum.
        unit = torch.finfo(torch.float32).eps
        error = unit * (asked.sums(some) + rows.d * worst) if not rows.frame.integral else torch.zeros_like(worst)
        return near_index, near, (worst - error).float() <= near[:, -1]

    found = share_jobs(settle, range(0, len(select), SETTLED_ROWS), rows.device)
    indices, distances, doubts = (torch.cat(part) for part in zip(*found, strict=True))
    return indices, distances, doubts.nonzero().squeeze(1)


def _adds_exactly(rows: Rows) -> bool:
    """Whether these are dense whole numbers of which float32 sums are exact."""
    if rows.sparse or rows.largest >= INTEGRAL_SUM:
        return False
    for slab in rows.slabs():
        block = rows.x[slab].double()
        if not bool((block == block.round()).all()) or float(block.abs().sum(1).max()) >= INTEGRAL_SUM:
            return False
    return True


class _Tiles:
    """Distances of blocks of rows: float32 out of float64, or, unless `exact`, of float32 sums."""

    bar: Any

    def __init__(self, rows: Rows, asked: Rows, budget: int, exact: bool) -> None:
        self.rows, self.asked, self.metric, self.exact = rows, asked, rows.frame.metric, exact
        self.own = isinstance(self.metric, OwnMetric)
        short = not exact or (self.metric == "jaccard" and not rows.sparse)
        self.dtype = torch.float32 if short else torch.float64
        width = rows.d * self.dtype.itemsize
        # A prepared copy of all rows saves preparing each block again for every tile, where it fits.
        whole = None if rows.sparse or rows.n * width > budget // 2 else rows.n * width
        room = (budget - (whole or 0)) // 2 // (1 if self.own else worker_count(rows.device))
        if rows.sparse:
            width = 24 * max(rows.entries, asked.entries)
        self.side = LARGEST_TILE // 4 if self.own else LARGEST_TILE
        products = self.metric == "jaccard" or rows.device.type != "cpu"
        while self.side > SMALLEST_TILE and (
            self.side**2 * 36 + 2 * self.side * width > room or (not products and self.side * rows.d > CACHED)
        ):
            self.side //= 2
        self.whole: Tensor | None = None
        if whole:
            self.whole = torch.empty(rows.n, rows.d, dtype=self.dtype, device=rows.device)
            for part in self.blocks(rows.n):
                self.whole[part] = self.block(rows, part)

    def share(self, work: Callable[[Any], None], jobs: Iterable[Any]) -> None:
        if not self.own:
            share_jobs(work, jobs, self.rows.device)
            return
        # Python runs one call at a time.
        for job in jobs:
            work(job)

    def blocks(self, n: int) -> list[slice]:
        return [slice(lo, min(n, lo + self.side)) for lo in range(0, n, self.side)]

    def block(self, rows: Rows, select: Select) -> Any:
        return rows.block(select, self.dtype) if not self.exact or self.rows.sparse else self._read(rows, select)

    def _read(self, rows: Rows, select: Select) -> Tensor:
        block: Tensor = rows.read(select).to(self.dtype)
        return block

    def right(self, part: slice) -> Any:
        return self.block(self.rows, part) if self.whole is None else self.whole[part]

    def left(self, right: Any) -> Any:
        return right

    def scores(self, left: Any, i: Select, right: Any, j: slice) -> Tensor:
        if self.metric == "jaccard":
            return jaccard_distances(left, right)
        if self.exact:
            found = block_distances(left, right, self.metric).float()
            # Each of a block among itself was computed once.
            if self.bar is not None:
                self.bar.update(found.numel() if left is not right else len(found) * (len(found) + 1) // 2)
            return found
        if left.device.type != "cpu":
            return torch.cdist(left, right, p=1.0)
        import faiss

        # The tiles have a thread each.
        faiss.omp_set_num_threads(1)
        return torch.from_numpy(faiss.pairwise_distances(left.numpy(), right.numpy(), metric=faiss.METRIC_L1))
