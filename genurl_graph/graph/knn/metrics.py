"""Distances beside the Euclidean one, the cosine and the inner product: what they need of the data, and their values.

Two of them are known ones in disguise, and are searched as these (`translated`): the correlation distance is the cosine
distance of rows minus their own mean, and the Hamming distance of columns with few values is the squared Euclidean one
of their one-hot codes. The others compare rows number by number (`block_distances`, `pair_distances`), with the values
of ``sklearn.metrics.pairwise_distances`` in float64. Where that has NaN, the distance is 1: constant rows correlate
with nothing. The Jaccard distance of two empty sets is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genurl_graph.config.metrics import METRICS, OwnMetric
from genurl_graph.exceptions import unknown, wrong
from genurl_graph.graph.knn.rows import PAIR_ELEMENTS, Rows, Select, pair_scores
from genurl_graph.inputs.validation import value_range

# Metrics of products of rows, which `genurl_graph.graph.knn.exact` searches.
PRODUCTS = ("euclidean", "cosine", "inner_product")
# Order of the norm whose distance a metric is; the "norm" 0 counts differences.
NORMS = {"manhattan": 1.0, "chebyshev": float("inf"), "hamming": 0.0}
_SCIPY = {"manhattan": "cityblock", "chebyshev": "chebyshev", "hamming": "hamming"}
# One-hot codes are at most this many times as wide as the columns that they stand for: the product of so many costs
# less than the comparison of these.
_CODES = 8
# Rows that are looked at first.
_FIRST = 64


def check_metric(metric: Any) -> str:
    """The name of a metric of `genurl_graph.graph.knn.knn`, or a function of the user's; InputError if neither."""
    if OwnMetric.reads(metric):
        own = OwnMetric(metric)
        if own.function is None:
            raise wrong("metric", f"{str(own)!r} of a saved model or file", "the function itself, or a metric by name")
        return own
    known = (*METRICS, "inner_product")
    if metric not in known:
        raise unknown("metric", metric, known)
    return str(metric)


class Compared(NamedTuple):
    """Two sets of rows as they are searched, `metric` the one of this search."""

    rows: Rows
    asked: Rows
    metric: str
    finish: Callable[[Tensor], Tensor]
    """From the distances of this search to those that were asked for."""


def translated(rows: Rows, asked: Rows, metric: str, memory_mb: float = 512) -> Compared:
    """The search that finds neighbours by a `metric`, after a check of the rows.

    Parameters
    ----------
    rows, asked : Rows
        Both dense or both sparse; the same object twice where rows are searched among themselves.
    metric : str
        As `check_metric` returns it.
    memory_mb : float
        Sparse rows become dense for a metric that needs these, where they fit in so many MiB.

    Raises
    ------
    InputError
        Values that the metric has no meaning for, or sparse rows too large to become dense.
    """
    rows, asked = comparable(rows, asked, metric, memory_mb)
    if metric == "correlation":
        return Compared(rows, asked, "cosine", _same)
    codes = _one_hot(rows, asked) if metric == "hamming" else None
    return Compared(rows, asked, metric, _same) if codes is None else codes


def comparable(rows: Rows, asked: Rows, metric: str, memory_mb: float) -> tuple[Rows, Rows]:
    """The rows as a metric compares them: dense where it needs that, centred for the correlation.

    Arguments and errors as of `translated`.
    """
    if metric in PRODUCTS:
        return rows, asked
    if metric == "jaccard":
        for part in {rows, asked}:
            _check_binary(part.x)
        return rows, asked
    own = asked is rows
    if rows.sparse:
        if not _dense_fits(rows, asked, memory_mb):
            if metric == "manhattan":
                return rows, asked
            size = f"a sparse matrix [{rows.n:,}, {rows.d:,}]"
            more = f"dense rows, or more memory (neighbors.memory_mb, now {memory_mb:g})"
            raise wrong(f"metric {metric}", size, more)
        rows = as_dense(rows)
        asked = rows if own else as_dense(asked)
    if metric == "correlation":
        rows = CentredRows(rows.x, rows.device)
        asked = rows if own else CentredRows(asked.x, asked.device)
    return rows, asked


class CentredRows(Rows):
    """Dense rows minus their own mean: the cosine of two is the correlation of the rows."""

    def is_integral(self) -> bool:
        return False

    def read(self, select: Select, fast: bool = False) -> Tensor:
        taken = self.x[select] if isinstance(select, slice) else self.x.index_select(0, select)
        block: Tensor = taken.double() * self.frame.scale
        low, high = block.aminmax(dim=1, keepdim=True)
        # The mean of equal numbers may differ from them by rounding; rows are scaled when they lie around the origin.
        block = (block - block.mean(1, keepdim=True)).masked_fill_(low == high, 0.0)
        return block.mul_(self.inverse[select][:, None])


def as_dense(rows: Rows) -> Rows:
    """The same rows as a Tensor: of float32 where that holds all their values, else of float64."""
    if not rows.sparse:
        return rows
    matrix = rows.x
    short = matrix.data.astype(np.float32)
    if (short == matrix.data).all():
        matrix = type(matrix)((short, matrix.indices, matrix.indptr), shape=matrix.shape)
    return Rows(torch.from_numpy(matrix.toarray()).to(rows.device), rows.device)


def block_distances(left: Any, right: Any, metric: str) -> Tensor:
    """All distances between the rows of two blocks, float64 [b, c].

    Parameters
    ----------
    left, right : Tensor or CSR matrix of float64, shapes [b, d] and [c, d]
        The same object for rows among themselves.
    metric : str
        "manhattan" (CSR, too), "chebyshev", "hamming", "jaccard" (CSR, too), or a function of the user's.
    """
    if isinstance(metric, OwnMetric):
        return _own_distances(left, right, metric)
    if metric == "jaccard":
        return jaccard_distances(left, right)
    if not isinstance(left, Tensor):
        from sklearn.metrics.pairwise import manhattan_distances

        return torch.from_numpy(manhattan_distances(left, right))
    if left.device.type != "cpu":
        found = torch.cdist(left, right, p=NORMS[metric])
        return found / left.size(1) if metric == "hamming" else found
    from scipy.spatial.distance import cdist

    return torch.from_numpy(cdist(left.numpy(), right.numpy(), _SCIPY[metric]))


def pair_distances(a: Rows, a_rows: Tensor, b: Rows, b_rows: Tensor) -> Tensor:
    """Distances of the pairs ``(a[a_rows[p]], b[b_rows[p, q]])`` by the metric of their frame, float64 [m, k]."""
    metric, (m, k) = a.frame.metric, b_rows.shape
    out = torch.empty(m * k, dtype=torch.float64, device=a.device)
    left_of, right_of = a_rows[:, None].expand(m, k).reshape(-1), b_rows.reshape(-1)
    step = max(1, PAIR_ELEMENTS // (1 + max(a.entries, b.entries)))
    for lo in range(0, m * k, step):
        part = slice(lo, lo + step)
        out[part] = _row_by_row(a.read(left_of[part]), b.read(right_of[part]), metric)
    return out.view(m, k)


def exact_distances(a: Rows, a_rows: Tensor, b: Rows, b_rows: Tensor) -> Tensor:
    """float32 distances [m, k] of pairs as in `pair_distances`, by a metric of products, too."""
    metric = a.frame.metric
    if metric not in PRODUCTS:
        return pair_distances(a, a_rows, b, b_rows).float()
    from genurl_graph.graph.knn.ranking import distance

    return distance(pair_scores(a, a_rows, b, b_rows), metric)


def _row_by_row(left: Any, right: Any, metric: str) -> Tensor:
    if isinstance(metric, OwnMetric):
        return _checked([_call(metric, x, y) for x, y in zip(*_as_arrays(left, right), strict=True)], metric)
    if not isinstance(left, Tensor):
        if metric == "manhattan":
            return torch.from_numpy(np.asarray(abs(left - right).sum(1)).ravel())
        both, ones, others = (
            torch.from_numpy(np.asarray(part.sum(1)).ravel()) for part in (left.multiply(right), left, right)
        )
        return _ratio(both, ones + others)
    if metric == "jaccard":
        return _ratio((left * right).sum(1), left.sum(1) + right.sum(1))
    gap: Tensor = (left != right).double() if metric == "hamming" else (left - right).abs_()
    return gap.amax(1) if metric == "chebyshev" else gap.sum(1) if metric == "manhattan" else gap.mean(1)


def jaccard_distances(left: Any, right: Any) -> Tensor:
    """Jaccard distances [b, c] of two blocks of rows of 0 and 1, in their dtype; float32 counts are exact, too."""
    if isinstance(left, Tensor):
        return _ratio(left @ right.T, left.sum(1)[:, None] + right.sum(1))
    both = torch.from_numpy((left @ right.T).toarray()).float()
    ones, others = (torch.from_numpy(np.asarray(part.sum(1)).ravel()).float() for part in (left, right))
    return _ratio(both, ones[:, None] + others)


def _ratio(both: Tensor, total: Tensor) -> Tensor:
    """``1 - |A n B| / |A u B|`` of the counts ``|A n B|`` and ``|A| + |B|``, correctly rounded."""
    union = total - both
    return ((union - both) / union).masked_fill_(union == 0, 0.0)


def _own_distances(left: Any, right: Any, metric: OwnMetric) -> Tensor:
    from sklearn.metrics import pairwise_distances

    same = left is right
    left, right = _as_arrays(left, right)
    try:
        # Of one block alone scikit-learn computes each distance once.
        found = pairwise_distances(left, None if same else right, metric=metric.function)
    except Exception as error:
        raise _failed(metric, error) from error
    return _checked(found, metric)


def _as_arrays(left: Any, right: Any) -> tuple[Any, Any]:
    return tuple(part.cpu().numpy() if isinstance(part, Tensor) else part.toarray() for part in (left, right))  # type: ignore[return-value]


def _call(metric: OwnMetric, x: Any, y: Any) -> Any:
    assert metric.function is not None
    try:
        return metric.function(x, y)
    except Exception as error:
        raise _failed(metric, error) from error


def _failed(metric: OwnMetric, error: Exception) -> Exception:
    found = f"{metric} that raises {type(error).__name__} ({error})"
    return wrong("metric", found, "a distance >= 0 of two rows, arrays [d] of float64")


def _checked(values: Any, metric: OwnMetric) -> Tensor:
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise _failed(metric, error) from error
    bad = ~(np.isfinite(found) & (found >= 0))
    if bad.any():
        raise wrong("metric", f"{metric} that returns {found[bad][0]:g}", "a distance >= 0 of two rows")
    return torch.from_numpy(found)


def _check_binary(x: Any) -> None:
    """InputError where a matrix holds anything but 0 and 1."""
    values = x if isinstance(x, Tensor) else torch.from_numpy(x.data)
    low, high = value_range(x)
    if low < 0 or high > 1 or (values.is_floating_point() and not bool(((values == 0) | (values == 1)).all())):
        other = values[(values != 0) & (values != 1)].reshape(-1)[0].item()
        how = "X > 0 makes them of counts; scale=False leaves the columns of a table as they are"
        raise wrong("metric jaccard", f"{other:g} in the features", f"0 and 1 alone, or booleans ({how})")


def _dense_fits(rows: Rows, asked: Rows, memory_mb: float) -> bool:
    return (rows.n + (0 if asked is rows else asked.n)) * rows.d * 4 <= memory_mb * 2**20


def _one_hot(rows: Rows, asked: Rows) -> Compared | None:
    """Rows of 0 and 1 whose squared distances count the columns that differ; None where they would be too wide."""
    known = _few_values(rows)
    if known is None or (asked is not rows and not _holds(asked, known)):
        return None
    # One of two values says it all.
    told, counted = (known[1:], rows.d) if len(known) == 2 else (known, 2 * rows.d)

    def codes(part: Rows) -> Rows:
        return Rows(torch.cat([part.x == value for value in told], 1).to(torch.uint8), part.device)

    made = codes(rows)

    def share(distances: Tensor) -> Tensor:
        return (distances.double().square().round() / counted).float()

    return Compared(made, made if asked is rows else codes(asked), "euclidean", share)


def _few_values(rows: Rows) -> Tensor | None:
    """The values of dense rows, if they are few."""
    known: Tensor = torch.unique(rows.x[:_FIRST])
    if len(known) > _CODES:
        return None
    for slab in rows.slabs():
        if not _holds(rows, known, slab):
            known = torch.unique(torch.cat([known, rows.x[slab].reshape(-1)]))
            if len(known) > _CODES:
                return None
    return known


def _holds(rows: Rows, known: Tensor, slab: slice = slice(None)) -> bool:
    """Whether all numbers of some rows are among those known."""
    x = rows.x[slab]
    return sum(int((x == value).count_nonzero()) for value in known) == int(x.numel())


def _same(distances: Tensor) -> Tensor:
    return distances
