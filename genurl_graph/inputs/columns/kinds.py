"""What a matrix of numbers is, found out without labels: a bag of words, comparable columns, or different units."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genurl_graph.inputs.sparse import to_scipy_or_numpy
from genurl_graph.inputs.validation import value_range

MatrixKind = Literal["bag", "comparable", "units"]

# A table with fewer columns is no bag of words.
BAG_COLUMNS = 16
# Zeros among the entries of a dense bag of words, at least.
BAG_ZEROS = 0.5
# How many times the lower median deviation the largest one is, where columns are in different units.
RATIO = 10.0
# The variance then lies in few columns: their effective number is below the larger of these (count, share of all).
FEW, SHARE = 4.0, 0.25
# Columns are centred whose means are, in the root mean square, at most so many deviations from zero.
CENTRED = 0.25
# Rank correlation of deviations with positions from which on they fall off as those of principal components do.
FALLING = -0.95
# Rows that are looked at: evenly spaced ones, so that the order of shuffled rows does not matter much.
ROWS = 20_000
# A mean so many deviations from zero leaves float32 three digits of the differences.
FAR = 1e4


class Moments(NamedTuple):
    """Means and deviations of the columns, float64 [f], and the share of entries that are zero."""

    mean: np.ndarray[Any, Any]
    deviation: np.ndarray[Any, Any]
    zeros: float


def column_moments(x: Any) -> Moments:
    """`Moments` of a matrix [n, f], strided or sparse, of at most `ROWS` of its rows."""
    if not x.shape[0] or not x.shape[1]:
        return Moments(np.zeros(x.shape[1]), np.zeros(x.shape[1]), 0.0)
    matrix = to_scipy_or_numpy(x)
    if matrix.shape[0] > ROWS:
        matrix = matrix[np.linspace(0, matrix.shape[0] - 1, ROWS).astype(np.int64)]
    n, f = matrix.shape
    if not hasattr(matrix, "tocsr"):
        dense = np.asarray(matrix, dtype=np.float64)
        return Moments(dense.mean(0), dense.std(0), 1 - np.count_nonzero(dense) / dense.size)
    values, column = matrix.data.astype(np.float64), matrix.indices
    mean = np.bincount(column, values, f) / n
    # Around the mean: the entries that are not stored are 0.
    square = np.bincount(column, (values - mean[column]) ** 2, f)
    stored = np.bincount(column, minlength=f)
    deviation = np.sqrt((square + (n - stored) * mean**2) / n)
    return Moments(mean, deviation, 1 - np.count_nonzero(values) / (n * f))


def matrix_kind(x: Any) -> MatrixKind:
    """What the columns of a matrix are, without looking at labels or names.

    Parameters
    ----------
    x : Tensor, array or SciPy matrix, shape [n, f]
        Finite numbers.

    Returns
    -------
    "bag", "comparable" or "units"
        A bag of words or of counts: >= 0, at least 16 columns, at least half zeros or sparse, no column that dwarfs all
        others. Columns in different units: the largest deviation is more than 10 times the lower median one (of fewer
        than 16 columns, the smallest one), the variance lies in few columns, and the data are not centred, as
        principal components are. Else comparable columns, such as pixels and embeddings.

    Examples
    --------
    >>> matrix_kind(np.array([[20.0, 30_000.0], [45.0, 61_000.0], [31.0, 28_000.0]]))
    'units'
    """
    moments = column_moments(x)
    uneven = _is_uneven(moments)
    sparse = hasattr(x, "tocsr") or (isinstance(x, Tensor) and x.layout != torch.strided)
    zeros = sparse or moments.zeros >= BAG_ZEROS
    if x.shape[1] >= BAG_COLUMNS and zeros and value_range(x)[0] >= 0 and not (uneven and _effective(moments) < FEW):
        return "bag"
    if not uneven or _is_centred(moments, x.shape[0]) or _falls_off(moments):
        return "comparable"
    return "units" if _effective(moments) < max(FEW, SHARE * len(moments.mean)) else "comparable"


def is_far(x: Any) -> bool:
    """Whether float32 would lose the differences within a column: its mean is more than 1e4 deviations from zero."""
    mean, deviation, _ = column_moments(x)
    return bool(((np.abs(mean) > FAR * deviation) & (deviation > 1e-14 * np.abs(mean))).any())


def _live(moments: Moments) -> np.ndarray[Any, Any]:
    """Which columns are not constant."""
    live: np.ndarray[Any, Any] = moments.deviation > 1e-9 * np.abs(moments.mean)
    return live


def _is_uneven(moments: Moments) -> bool:
    deviation = np.sort(moments.deviation[_live(moments)])
    if len(deviation) < 2:
        return False
    # Edges of images hardly vary; of a few columns each one counts.
    usual = deviation[0] if len(moments.mean) < BAG_COLUMNS else deviation[(len(deviation) - 1) // 2]
    return bool(deviation[-1] > RATIO * usual)


def _effective(moments: Moments) -> float:
    """Participation ratio of the variances: in how many columns they lie."""
    variance = moments.deviation**2
    total = variance.sum()
    return float(total / (variance**2).sum() * total) if total else 0.0


def _is_centred(moments: Moments, n: int) -> bool:
    live = _live(moments)
    distance = np.sqrt(np.mean((moments.mean[live] / moments.deviation[live]) ** 2)) if live.any() else 0.0
    return bool(distance <= max(CENTRED, 2 / np.sqrt(n)))


def _falls_off(moments: Moments) -> bool:
    """Whether deviations become smaller from column to column, as those of principal components do."""
    from scipy.stats import spearmanr

    f = len(moments.deviation)
    return f >= 8 and bool(spearmanr(moments.deviation, np.arange(f)).statistic <= FALLING)
