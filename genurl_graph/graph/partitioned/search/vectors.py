"""Rows that lie in partitions, in the frame in which they are compared; what is to be known of all of them for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.graph.knn.rows import (
    SPARSE_COLUMNS,
    SPARSE_FILL,
    Frame,
    Rows,
    as_rows,
    as_sparse,
    pair_scores,
    slab_rows,
)
from genurl_graph.runtime.partitions import Launcher, Store

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Vectors:
    """Dense rows [n, d] in a store, which are searched in a common frame.

    Attributes
    ----------
    store, name
        Where they lie.
    frame : Frame
    sparse : bool
        They are mostly zero, and compared as sparse rows.
    """

    store: Store
    name: str
    frame: Frame
    sparse: bool = False

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.store.num_rows

    @property
    def d(self) -> int:
        """Number of columns."""
        return self.store.shape(self.name, 0)[1]

    def framed(self, x: Any) -> Rows:
        """Some rows, float array [m, d], ready to be compared."""
        rows = Rows(torch.from_numpy(x), CPU)
        rows = as_sparse(rows) if self.sparse else rows
        rows.bring_to(self.frame)
        return rows

    def part(self, part: int) -> Rows:
        """The rows of a partition."""
        return self.framed(self.store.load(self.name, part))

    def rows(self, start: int, stop: int) -> Rows:
        """The rows ``start <= i < stop``, of one or several partitions."""
        return self.framed(rows_between(self.store, self.name, start, stop))

    def pair_scores(self, asked: Rows, row: Tensor, neighbor: Tensor, fast: bool = False) -> Tensor:
        """Scores of the pairs ``(asked[row[p]], self[neighbor[p]])`` as of `genurl_graph.graph.knn.rows.pair_scores`.

        One partition is held at a time.
        """
        found = torch.empty(len(row), dtype=torch.float64)
        owner = torch.from_numpy(self.store.owner(neighbor.numpy()))
        order = owner.argsort(stable=True)
        for some in torch.split(order, torch.bincount(owner, minlength=self.store.count).tolist()):
            if len(some):
                first = int(neighbor[some].min())
                rows = self.rows(first, int(neighbor[some].max()) + 1)
                found[some] = pair_scores(asked, row[some], rows, neighbor[some] - first, fast)
        return found


def rows_between(store: Store, name: str, start: int, stop: int) -> Any:
    """The rows ``start <= i < stop`` of an array, of one or several partitions."""
    parts = range(int(store.owner(start)), int(store.owner(stop - 1)) + 1)
    blocks = [
        store.load(
            name, part, max(0, start - store.bounds[part]), min(stop, store.bounds[part + 1]) - store.bounds[part]
        )
        for part in parts
    ]
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def framed_vectors(
    launcher: Launcher, store: Store, name: str, metric: str, exact: bool, progress: bool = False
) -> Vectors:
    """The frame in which `genurl_graph.graph.knn.knn` would search rows, found in one pass over them.

    Parameters
    ----------
    exact : bool
        For an exact search: whole numbers stay as they are, rows that are mostly zero become sparse.

    Raises
    ------
    InputError
        NaN or infinity.
    """
    shape = store.shape(name, 0)
    if len(shape) != 2 or shape[1] == 0:
        raise wrong(name, f"shape [{store.num_rows}, ...] of rows {list(shape[1:])}", "rows [d] of at least one column")
    # The same rows are added at a time as in memory: the mean has the same bits.
    step = slab_rows(shape[1])
    slabs = range(-(-store.num_rows // step))
    known = [
        work.value for work in launcher.map("range of features", _measure, slabs, store, name, step, progress=progress)
    ]
    totals, largest, integral, filled = zip(*known, strict=True)
    if exact and shape[1] >= SPARSE_COLUMNS and sum(filled) <= SPARSE_FILL * store.num_rows * shape[1]:
        return Vectors(store, name, Frame.natural(metric, None, max(largest)), sparse=True)
    if exact and all(integral):
        return Vectors(store, name, Frame(metric, integral=True))
    shift = torch.from_numpy(sum(totals)) / store.num_rows if metric == "euclidean" else None
    return Vectors(store, name, Frame.natural(metric, shift, max(largest)))


def longest_row(launcher: Launcher, vectors: Vectors, progress: bool = False) -> Tensor:
    """Norm of the longest row as it is multiplied, float64 []; 0 but for inner products, which alone depend on it."""
    if vectors.frame.metric != "inner_product":
        return torch.zeros((), dtype=torch.float64)
    parts = range(vectors.store.count)
    known = launcher.map("longest row", _longest, parts, vectors, progress=progress)
    return torch.tensor(max(work.value for work in known), dtype=torch.float64).sqrt()


def _measure(slab: int, store: Store, name: str, step: int) -> tuple[Any, float, bool, int]:
    """Sums of the columns, the largest number, whether all are small whole ones, and how many are not 0."""
    start = slab * step
    rows = as_rows(rows_between(store, name, start, min(store.num_rows, start + step)), name, CPU)
    filled = int(rows.x.count_nonzero())
    return rows.x.sum(0, dtype=torch.float64).numpy(), rows.largest, rows.is_integral(), filled


def _longest(part: int, vectors: Vectors) -> float:
    return float(vectors.part(part).squared.max())
