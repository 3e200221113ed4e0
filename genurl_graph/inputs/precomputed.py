"""Neighbours that the user has found: distances to fitted samples in place of features (``metric="precomputed"``)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.sparse import to_scipy_or_numpy
from genurl_graph.inputs.validation import check_matrix


def as_distances(matrix: Any) -> Input:
    """A square matrix of distances as input; InputError if it is not one.

    Parameters
    ----------
    matrix : array, sparse matrix or Tensor, shape [n, n]
        As in `nearest_given`, which checks the distances.
    """
    if hasattr(matrix, "num_node_features") or hasattr(matrix, "is_multigraph"):
        raise wrong("metric precomputed", type(matrix).__name__, "a matrix of distances [n, n]")
    kind = "torch" if isinstance(matrix, Tensor) else "numpy"
    array = check_matrix(to_scipy_or_numpy(matrix), "distances", finite=False)
    if array.shape[0] != array.shape[1]:
        raise wrong(
            "distances", f"shape {list(array.shape)}", "a square matrix (metric precomputed). Reshape your data"
        )
    if array.shape[0] < 2:
        raise wrong("distances", "1 sample (n_samples=1)", "at least 2")
    return Input(None, None, None, int(array.shape[0]), kind, distances=array)


def as_new(matrix: Any, n_neighbors: int, num_fitted: int) -> tuple[Tensor, Tensor]:
    """Indices and distances [m, k] of the nearest fitted samples of new ones, from their distances [m, n].

    InputError as in `nearest_given`, for other than n columns, or rows of a sparse matrix with fewer than k entries.
    """
    # New samples by fitted ones.
    array = check_matrix(to_scipy_or_numpy(matrix), "distances", columns=num_fitted, finite=False)
    k = min(n_neighbors, num_fitted)
    edge_index, distance = nearest_given(array, k, own=False)
    count = torch.bincount(edge_index[0], minlength=array.shape[0])
    if int(count.min()) < k:
        short = int(count.argmin())
        raise wrong("distances", f"{int(count[short])} entries in row {short}", f"at least {k} (n_neighbors)")
    return edge_index[1].view(-1, k), distance.view(-1, k)


def nearest_given(matrix: Any, n_neighbors: int, *, own: bool) -> tuple[Tensor, Tensor]:
    """The nearest neighbours that a matrix of distances holds.

    Parameters
    ----------
    matrix : array or SciPy matrix, shape [m, n]
        Distances >= 0 of m samples to n fitted ones. Of a sparse matrix (such as scikit-learn's
        ``kneighbors_graph(mode="distance")``) the stored entries, explicit zeros included, are the neighbours.
    n_neighbors : int
        Of each row at most so many are kept, the nearest, by (distance, index).
    own : bool
        The samples are the fitted ones: the matrix is square, and its diagonal does not count.

    Returns
    -------
    edge_index : Tensor, int64, shape [2, E]
        From each sample (row 0) to its nearest others (row 1), sorted by row and distance.
    distance : Tensor, float32, shape [E]

    Raises
    ------
    InputError
        Distances that are negative or not finite, or no neighbours at all.
    """
    import scipy.sparse as sp

    if sp.issparse(matrix):
        matrix = matrix.tocoo()
        row, column, value = matrix.row.astype(np.int64), matrix.col.astype(np.int64), matrix.data
    else:
        row, column, value = _nearest_of_dense(matrix, n_neighbors + own)
    value = value.astype(np.float32)
    bad = ~(np.isfinite(value) & (value >= 0))
    if bad.any():
        found = f"{value[bad][0]} at row {row[bad][0]}, column {column[bad][0]}"
        raise wrong("distances", found, "finite distances >= 0, not NaN or inf")
    if own:
        others = row != column
        row, column, value = row[others], column[others], value[others]
    order = np.lexsort((column, value, row))
    row, column, value = row[order], column[order], value[order]
    if not row.size:
        raise wrong("distances", "no neighbours", "some (are explicit entries missing?)")
    first = np.searchsorted(row, np.arange(matrix.shape[0]))
    kept = np.arange(row.size) - first[row] < n_neighbors
    return torch.from_numpy(np.stack([row[kept], column[kept]])), torch.from_numpy(value[kept])


def _nearest_of_dense(matrix: Any, width: int) -> tuple[Any, Any, Any]:
    """Row, column and value of the `width` smallest entries of each row and of all that equal the last of them.

    NaN counts as the smallest, so that it is noticed.
    """
    width = min(width, matrix.shape[1])
    comparable = np.where(np.isnan(matrix), -np.inf, matrix)
    last = np.partition(comparable, width - 1, axis=1)[:, width - 1 : width]
    row, column = np.nonzero(comparable <= last)
    return row, column, matrix[row, column]
