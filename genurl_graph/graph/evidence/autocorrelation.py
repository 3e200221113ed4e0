"""Moran's I (Biometrika 37, 1950): autocorrelation of columns over the edges of a graph, and what of it is chance.

::

    I = (sum_ij w_ij z_i z_j / sum_ij w_ij) / (sum_i z_i^2 / n),    E[I] = -1 / (n - 1) if values are shuffled

Mean and variance under shuffling have a closed form (Cliff & Ord, Spatial Processes, 1981, eq. 1.36 to 1.44), and
Bernstein's inequality, which also counts how far a single edge between extreme values moves I, says which I chance
explains.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genurl_graph.inputs.sparse import to_scipy_or_numpy

# Probability that one of all columns seems to tell something by chance.
CHANCE = 0.05
# Rank correlation with the degrees from which a column is the degree.
SAME = 0.99
# Rounds of expectation maximisation, and the least share and spread in it.
_ROUNDS, _LEAST = 200, 1e-3
# Numbers of float64 held at a time.
_CELLS = 1 << 23


class Autocorrelation(NamedTuple):
    """Moran's I of every column, and what chance explains of it.

    Attributes
    ----------
    value, expected, deviation, limit : Tensor, float64, shape [f]
        I; its mean and standard deviation if the values are shuffled among the nodes; and the deviation from that mean
        that a column exceeds with probability `CHANCE` / f at most. 0, 0, 0 and infinity for a constant column.
    """

    value: Tensor
    expected: Tensor
    deviation: Tensor
    limit: Tensor


def autocorrelation(x: Tensor, edge_index: Tensor, edge_weight: Tensor) -> Autocorrelation:
    """Moran's I of every column over the edges.

    Dense columns are replaced by their ranks (ties share one), which makes I independent of units, monotone scales and
    outliers. Sparse ones are read as they are, and stay sparse.

    Parameters
    ----------
    x : Tensor, float32, shape [n, f]
        Strided or CSR.
    edge_index : Tensor, int64, shape [2, E]
        Symmetric, without self loops, each edge once (as `genurl_graph.graph.merge.merge_graphs` returns).
    edge_weight : Tensor, float32, shape [E]
        >= 0.

    Returns
    -------
    Autocorrelation
        Time O((E + n log n) f), or O(E entries a row) for sparse columns; memory in slices of columns.
    """
    from scipy.sparse import csr_array

    n, f = x.shape
    row, col = edge_index.cpu().numpy()
    w = csr_array((edge_weight.double().cpu().numpy(), (row, col)), shape=(n, n))
    total = float(w.sum())
    if n < 4 or total <= 0 or f == 0:
        zero = torch.zeros(f, dtype=torch.float64)
        return Autocorrelation(zero, zero, zero, torch.full_like(zero, math.inf))
    matrix = to_scipy_or_numpy(x)
    if x.layout == torch.sparse_csr:
        product, squares, moments, extreme = _sparse_sums(matrix.astype(np.float64), w)
    else:
        step = max(1, _CELLS // n)
        parts = [_dense_sums(matrix[:, start : start + step], w) for start in range(0, f, step)]
        product, squares, moments, extreme = (np.concatenate(part) for part in zip(*parts, strict=True))
    varied = squares > 0
    safe = np.where(varied, squares, 1.0)
    value = np.where(varied, product / total / (safe / n), 0.0)
    kurtosis = np.where(varied, moments / n / (safe / n) ** 2, 3.0)
    variance = _shuffled_variance(w, kurtosis)
    # Both directions of the one edge that moves I most.
    largest = 2 * float(edge_weight.max()) * np.where(varied, extreme / (safe / n), 0.0) / total
    log = math.log(2 * f / CHANCE)
    limit = largest * log / 3 + np.sqrt((largest * log / 3) ** 2 + 2 * variance * log)
    expected = np.where(varied, -1 / (n - 1), 0.0)
    found = value, expected, np.where(varied, np.sqrt(variance), 0.0), np.where(varied, limit, np.inf)
    return Autocorrelation(*(torch.from_numpy(np.asarray(part, dtype=np.float64)) for part in found))


def degree_columns(x: Tensor, degree: Tensor) -> Tensor:
    """Columns of a strided x [n, f] whose ranks are those of the degrees [n], up to the sign, bool [f] (`SAME`)."""
    n, f = x.shape
    d = centred_ranks(degree.cpu().numpy())
    if not d.any() or n < 3:
        return torch.zeros(f, dtype=torch.bool)
    d = d / np.linalg.norm(d)
    found = []
    step = max(1, _CELLS // n)
    for start in range(0, f, step):
        z = centred_ranks(x[:, start : start + step].numpy())
        found.append(np.abs(d @ z) > SAME * np.maximum(np.linalg.norm(z, axis=0), 1e-12))
    return torch.from_numpy(np.concatenate(found)) if found else torch.zeros(0, dtype=torch.bool)


def tells_something(z: Tensor) -> Tensor:
    """Probability of each column that its autocorrelation is not chance alone, float64 [f].

    By the two-groups model (Efron, Statistical Science 23, 2008): deviations z, in units of those by chance, are drawn
    from N(0, 1) or from N(0, 1 + t), with the share of the latter and t as expectation maximisation finds them. One
    column among noise counts alone; many columns that each tell little all count.
    """
    q, share = z.square(), 0.5
    if not q.numel():
        return q
    spread, found = max(float(q.mean()) - 1, _LEAST), torch.full_like(q, share)
    for _ in range(_ROUNDS):
        ratio = q / 2 * (spread / (1 + spread)) - math.log1p(spread) / 2 + math.log(share / (1 - share))
        found = ratio.sigmoid()
        share = min(max(float(found.mean()), _LEAST), 1 - _LEAST)
        spread = max(float((found * q).sum() / found.sum()) - 1, _LEAST)
    return found


def most_by_chance(covariance: Any) -> float:
    """By how much the sum of squares of normal variables exceeds its mean with probability `CHANCE` at most.

    Laurent & Massart (Annals of Statistics 28, 2000), lemma 1, with the eigenvalues of their covariance [f, f].
    """
    values = np.linalg.eigvalsh(covariance)
    log = -math.log(CHANCE)
    return 2 * float(np.linalg.norm(values)) * math.sqrt(log) + 2 * float(values[-1]) * log


def centred_ranks(columns: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Ranks within each column, of mean 0; ties share one."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(columns, axis=0) - (len(columns) + 1) / 2)


def _dense_sums(columns: np.ndarray, w: object) -> tuple[np.ndarray, ...]:
    """``z^T W z``, ``sum z^2``, ``sum z^4`` and ``max z^2`` of the columns' centred ranks."""
    z = centred_ranks(columns)
    square = z * z
    return (z * (w @ z)).sum(0), square.sum(0), (square * square).sum(0), square.max(0)


def _sparse_sums(matrix: object, w: object) -> tuple[np.ndarray, ...]:
    """The same of sparse columns as they are, centred without being made dense."""
    import scipy.sparse as sp

    x = sp.csr_array(matrix)
    n = x.shape[0]
    mean = np.asarray(x.sum(0)).ravel() / n
    degree = np.asarray(w.sum(1)).ravel()  # type: ignore[attr-defined]
    product = np.asarray(x.multiply(w @ x).sum(0)).ravel()
    product = product - 2 * mean * (x.T @ degree) + mean**2 * degree.sum()
    by_column = x.tocsc()
    column = np.repeat(np.arange(x.shape[1]), np.diff(by_column.indptr))
    away = by_column.data - mean[column]
    absent = n - np.diff(by_column.indptr)
    squares = np.bincount(column, away**2, x.shape[1]) + absent * mean**2
    moments = np.bincount(column, away**4, x.shape[1]) + absent * mean**4
    extreme = np.where(absent > 0, mean**2, 0.0)
    np.maximum.at(extreme, column, away**2)
    # What rounding leaves of a constant column.
    squares[squares <= 1e-12 * n * mean**2] = 0.0
    return product, squares, moments, extreme


def _shuffled_variance(w: object, kurtosis: np.ndarray) -> np.ndarray:
    """Variance of I over all orders of the values (Cliff & Ord, 1981, eq. 1.44), for a symmetric W; at least 0."""
    n, total = w.shape[0], float(w.sum())  # type: ignore[attr-defined]
    s1 = 2 * float((w.data**2).sum())  # type: ignore[attr-defined]
    s2 = 4 * float((np.asarray(w.sum(1)) ** 2).sum())  # type: ignore[attr-defined]
    square = total**2
    first = n * ((n * n - 3 * n + 3) * s1 - n * s2 + 3 * square)
    second = kurtosis * ((n * n - n) * s1 - 2 * n * s2 + 6 * square)
    moment = (first - second) / ((n - 1) * (n - 2) * (n - 3) * square)
    return np.asarray((moment - 1 / (n - 1) ** 2).clip(0))
