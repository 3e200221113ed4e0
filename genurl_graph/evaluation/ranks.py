"""Rows of the distance matrix, a block at a time, and from them nearest points and ranks."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.config.metrics import EUCLIDEAN_METRICS, METRICS, Distance, OwnMetric
from genurl_graph.exceptions import unknown
from genurl_graph.graph.knn.pairwise import RowDistances
from genurl_graph.inputs.sparse import to_scipy_or_numpy
from genurl_graph.inputs.validation import check_matrix

# Up to this many columns differences are squared one column at a time: exact, and equal points have equal distances.
_FEW_COLUMNS = 16
# Distances times columns up to which products are in float64; beyond, float32 tells points apart well enough.
_FLOAT64_WORK = 2e10
# Rows that a projection is fitted to.
_PROJECTION_ROWS = 2_000
# What a distance of a column costs by metrics that are no products, and a call of a user's function, in columns of one.
_COLUMN, _CALL = {"manhattan": 20, "chebyshev": 20, "hamming": 20}, 80_000


class Points:
    """Points of which blocks of squared distances are wanted.

    Parameters
    ----------
    x : array, Tensor or sparse matrix, shape [n, d]
    name : str
        Of the argument, for messages.
    metric : str or callable
        As in `genurl_graph.graph.knn.knn`. For the cosine, rows are scaled to unit length first: ranks are then those
        of the cosine distance. Distances by other metrics than these two are not squared, and are computed on the CPU.
    device : torch.device or str

    Raises
    ------
    InputError
        Not a matrix of finite numbers, no rows, or an unknown metric.
    """

    def __init__(
        self, x: Any, name: str, metric: str | Distance = "euclidean", device: torch.device | str = "cpu"
    ) -> None:
        import scipy.sparse as sp

        if isinstance(metric, str) and metric not in METRICS and not isinstance(metric, OwnMetric):
            raise unknown("metric", metric, METRICS)
        matrix = to_scipy_or_numpy(check_matrix(x, name))
        self.sparse = bool(sp.issparse(matrix))
        if matrix.dtype != np.float32:
            matrix = matrix.astype(np.float64)
        if metric == "cosine":
            from sklearn.preprocessing import normalize

            matrix = normalize(matrix)
        self.n, self.columns = (int(size) for size in matrix.shape)
        self.matrix, self.device = matrix, torch.device(device)
        self._ready: Any = None
        self.metric = OwnMetric(metric) if OwnMetric.reads(metric) else str(metric)
        # Of another metric: the rows that are compared by it, and which of them these points are.
        self._by = None if metric in EUCLIDEAN_METRICS else RowDistances(x, metric, name=name)
        self._index = torch.arange(self.n)

    @property
    def work(self) -> int:
        """Columns of a product that takes the time of one distance."""
        if self._by is None:
            return self.columns
        metric = self._by.metric
        return _CALL if isinstance(metric, OwnMetric) else _COLUMN.get(metric, 1) * self.columns

    @property
    def projectable(self) -> bool:
        """Whether distances along principal components stand for those of the points."""
        return self._by is None

    def distances(self, rows: Tensor, of: Points | None = None) -> Tensor:
        """Squared distances [B, n] from some points (of `of`, where given) to all of these, float32 or float64.

        Up to a constant in each row, which no rank depends on. Without `of` a point's distance to itself is infinite.
        """
        source = of or self
        if self._by is not None:
            # As the search orders them: float32.
            block = self._by.block(source._index[rows.cpu()], self._index).float().to(self.device)
        elif self.sparse:
            squares, transposed = self._prepared()
            block = torch.from_numpy(squares - 2 * (source.matrix[rows.numpy()] @ transposed).toarray()).to(self.device)
        elif self.columns <= _FEW_COLUMNS:
            (columns,) = self._prepared()
            mine = source._prepared()[0][:, rows.to(self.device)]
            block = columns.new_zeros(len(rows), self.n)
            for one, all_ in zip(mine, columns, strict=True):
                block += (one[:, None] - all_).square_()
        else:
            # The origin means nothing to differences, but much to the rounding of products: it is the mean here.
            squares, centred = self._prepared()
            mine = centred[rows.to(self.device)] if of is None else of._centred(self)[rows.to(self.device)]
            block = torch.addmm(squares, mine, centred.T, alpha=-2)
        if of is None:
            block[torch.arange(len(rows), device=self.device), rows.to(self.device)] = torch.inf
        return block

    def pairs(self, left: Any, right: Any, memory_mb: float = 64) -> Any:
        """Squared distances, float64 array [m], between the points `left` [m] and `right` [m], by their differences."""
        import scipy.sparse as sp

        if self._by is not None:
            found = self._by.pairs(*(self._index[torch.as_tensor(rows)] for rows in (left, right)))
            return found.numpy()
        size = max(1, int(memory_mb * 2**20 / (3 * 8 * self.columns)))
        parts = []
        for start in range(0, len(left), size):
            part = slice(start, start + size)
            change = self.matrix[left[part]].astype(np.float64) - self.matrix[right[part]]
            square = change.multiply(change).sum(1) if sp.issparse(change) else np.einsum("ij,ij->i", change, change)
            parts.append(np.asarray(square).ravel())
        return np.concatenate(parts) if parts else np.zeros(0)

    def among(self, rows: Any) -> Any:
        """Distances, float64 array [m, m], of the points `rows` [m] among each other; the diagonal is 0."""
        from sklearn.metrics import euclidean_distances

        if self._by is None:
            # In float64, whose products are exact enough.
            return euclidean_distances(self.matrix[rows].astype(np.float64))
        found = self._by.block(*(self._index[torch.as_tensor(rows)] for _ in range(2))).numpy()
        np.fill_diagonal(found, 0.0)
        return found

    def subset(self, rows: Tensor) -> Points:
        """Some of the points."""
        part = copy(self)
        part.matrix, part.n, part._ready = self.matrix[rows.numpy()], len(rows), None
        part._index = self._index[rows]
        return part

    def projected(self, columns: int, seed: int = 0) -> Points:
        """The points on the first principal components of 2,000 of them at random (sparse ones: singular vectors).

        Of `projectable` points.
        """
        from sklearn.decomposition import PCA, TruncatedSVD

        sample = self.matrix[sample_rows(self.n, _PROJECTION_ROWS, seed).numpy()]
        if self.sparse:
            model = TruncatedSVD(columns, random_state=seed).fit(sample)
        else:
            model = PCA(columns, svd_solver="randomized", random_state=seed).fit(sample)
        part = copy(self)
        # By hand: scikit-learn's transform would copy a wide matrix to centre it; the origin means nothing here.
        part.matrix = np.ascontiguousarray(self.matrix @ model.components_.T.astype(self.matrix.dtype))
        part.columns, part.sparse, part._ready = columns, False, None
        return part

    def _prepared(self) -> Any:
        if self._ready is None:
            if self.sparse:
                matrix = self.matrix.astype(np.float64)
                self._ready = np.asarray(matrix.multiply(matrix).sum(1)).ravel(), matrix.T.tocsr()
            elif self.columns <= _FEW_COLUMNS:
                self._ready = (torch.from_numpy(np.ascontiguousarray(self.matrix.T)).to(self.device),)
            else:
                centred = self._centred(self)
                self._ready = centred.square().sum(1), centred
        return self._ready

    def _centred(self, by: Points) -> Tensor:
        """These points around the mean of others, in the precision that the others' products have."""
        kind = np.float64 if by.n * by.n * by.columns <= _FLOAT64_WORK else np.float32
        centred = self.matrix.astype(kind, copy=False) - by.matrix.mean(0, dtype=np.float64).astype(kind)
        return torch.from_numpy(centred).to(by.device)


def as_points(x: Any, name: str, metric: str | Distance = "euclidean", device: torch.device | str = "cpu") -> Points:
    """`Points` of a matrix; those that are some already are returned, whatever the metric."""
    return x if isinstance(x, Points) else Points(x, name, metric, device)


def blocks(rows: Tensor, n: int, memory_mb: float) -> tuple[Tensor, ...]:
    """Split `rows` so that six blocks of float64 distances to n points fit into the memory."""
    return torch.split(rows, max(1, int(memory_mb * 2**20 / (6 * 8 * n))))


def nearest(distances: Tensor, k: int) -> Tensor:
    """Columns [B, k] of the k smallest distances of each row, nearest first; of equal ones that of smallest index."""
    values, found = distances.topk(k, dim=1, largest=False)
    # topk breaks ties in any order. Where the k-th distance or two neighbours are tied, the whole row is sorted.
    last = values[:, -1:]
    tied = (_count_true(distances <= last) > k) | (values[:, 1:] == values[:, :-1]).any(1)
    rows = tied.nonzero().squeeze(1)
    for part in torch.split(rows, 64):
        found[part] = distances[part].argsort(dim=1, stable=True)[:, :k]
    return found


def ranks(distances: Tensor, columns: Tensor) -> Tensor:
    """Ranks [B, k], from 1, of `columns` [B, k] among each row's distances; ties are in the order of columns."""
    values = distances.gather(1, columns)
    ordered = _sorted(distances)
    below = torch.searchsorted(ordered, values)
    found = below + 1
    equal = torch.searchsorted(ordered, values, right=True) - below
    pairs = (equal > 1).nonzero()
    position = torch.arange(distances.size(1), device=distances.device)
    for part in torch.split(pairs, max(1, len(distances) // 2)):
        row, entry = part.T
        same = distances[row] == values[row, entry][:, None]
        found[row, entry] += (same & (position < columns[row, entry][:, None])).sum(1)
    return found


def _count_true(which: Tensor) -> Tensor:
    """Number of true values in each row."""
    if which.device.type != "cpu":
        return which.sum(1, dtype=torch.int32)
    # NumPy's count takes half of torch's time here.
    return torch.from_numpy(np.count_nonzero(which.numpy(), axis=1))


def _sorted(distances: Tensor) -> Tensor:
    if distances.device.type != "cpu":
        return distances.sort(dim=1).values
    # NumPy's vectorised sort takes a tenth of torch's time here.
    return torch.from_numpy(np.sort(distances.numpy(), axis=1))


def sample_rows(n: int, most: int, seed: int) -> Tensor:
    """All rows 0 .. n-1, or `most` of them at random, in order."""
    if n <= most:
        return torch.arange(n)
    return torch.from_numpy(np.sort(np.random.default_rng(seed).choice(n, most, replace=False)))
