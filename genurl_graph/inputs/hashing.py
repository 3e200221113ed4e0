"""Wide sparse features, hashed to fewer columns (Weinberger et al., arXiv 0902.2206).

Column c goes to column ``h(c) mod m`` with the sign ``s(c)`` of a second hash. The inner product of two rows keeps its
expectation: columns that meet by chance cancel each other. A hash stores nothing, and new rows are hashed as the fitted
ones were.

An encoder has a vector for each column of its input: 512 numbers and three times as many for its optimiser, that is
8 GB for a million columns. Principal axes are as long. Neighbours are searched in the features as they are.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from genurl_graph.inputs.sparse import from_scipy, to_scipy_or_numpy

# Sparse features of more columns are hashed ("auto"), to so many.
# (Cora with all pairs of its words as 191,333 further columns, linear probe on rows of unit length, 600 training nodes:
# 68.8 as they are, 68.8 of 65,536 columns, 67.9 of 32,768, 67.2 of 16,384, 60.0 of 4,096, 50.1 of 1,024.)
WIDE, HASHED = 1 << 16, 1 << 15
# Odd constants of the mixing function of SplitMix64 (Steele et al., OOPSLA 2014).
_STEP, _MIX = 0x9E3779B97F4A7C15, (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


def resolve_hashing(x: Tensor | None, asked: int | str) -> int:
    """Columns that features are hashed to, 0 for none: what was asked for, or `HASHED` where that is "auto" and x is
    sparse and wider than `WIDE`."""
    if x is None or x.layout != torch.sparse_csr:
        return 0
    width = int(x.size(1))
    columns = (HASHED if width > WIDE else 0) if isinstance(asked, str) else asked
    return columns if columns < width else 0


def hash_columns(x: Tensor, columns: int | str, signed: bool = True) -> Tensor:
    """Sparse features with hashed columns.

    Parameters
    ----------
    x : Tensor, float32, shape [n, f]
    columns : int
        Their number m; with 0 (or "auto", not resolved) `x` is returned as it is.
    signed : bool
        Without signs, features >= 0 stay so.

    Returns
    -------
    Tensor, float32, shape [n, m]
        CSR; a few new rows that came dense become so, too.

    Examples
    --------
    >>> hash_columns(as_features(scipy.sparse.random(5, 10**6, 1e-4)), 1024).shape
    torch.Size([5, 1024])
    """
    if isinstance(columns, str) or columns == 0:
        return x
    import scipy.sparse as sp

    matrix = sp.csr_matrix(to_scipy_or_numpy(x))
    mixed = mix(matrix.indices.astype(np.uint64))
    # The low bits choose the column, the highest one the sign.
    place = (mixed % np.uint64(columns)).astype(np.int64)
    values = matrix.data.astype(np.float64)
    if signed:
        values = np.where(mixed >> np.uint64(63), -values, values)
    found = sp.csr_matrix((values, place, matrix.indptr), shape=(matrix.shape[0], columns))
    found.sum_duplicates()
    found.eliminate_zeros()
    return from_scipy(found)


def mix(numbers: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Whole numbers scattered over all of uint64, one to one (SplitMix64)."""
    with np.errstate(over="ignore"):
        z = (numbers + np.uint64(1)) * np.uint64(_STEP)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX[0])
        z = (z ^ (z >> np.uint64(27))) * np.uint64(_MIX[1])
    return z ^ (z >> np.uint64(31))
