"""What users hand in as features, checked and brought to `DenseRows` or `SparseRows`."""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.exceptions import InputError
from genurl_graph.graph.knn.rows import DenseRows, Rows, SparseRows, _slabs

# A dense matrix of at least this many columns, filled to at most this share, is searched faster as a sparse one
# (processor seconds, k = 15: Cora, 2,708 x 1,433, 1.3 %: 0.2 for 0.4 to 0.5; CiteSeer, 3,327 x 3,703, 0.9 %: 0.3 to
# 0.5 for 0.9 to 2.1). The sparse one takes this many bytes an entry: float64 and int32, twice.
SPARSE_COLUMNS = 500
SPARSE_FILL = 0.02
SPARSE_BYTES = 24


def as_rows(x: Any, name: str, device: torch.device | None) -> Rows:
    """Check `x` (numeric, two-dimensional, not empty, finite) and wrap it without a dense copy."""
    matrix = _as_matrix(x, name)
    if len(matrix.shape) != 2:
        raise InputError(f"{name}: expected a matrix of shape [rows, features], got shape {tuple(matrix.shape)}")
    if 0 in matrix.shape:
        raise InputError(f"{name}: is empty (shape {tuple(matrix.shape)}); expected at least one row and one column")
    if isinstance(matrix, Tensor):
        if device is not None:
            matrix = matrix.to(device)
        largest = 0.0
        for lo, hi in _slabs(*matrix.shape):
            block = matrix[lo:hi] if matrix.dtype != torch.bool else matrix[lo:hi].to(torch.uint8)
            peak = max(abs(float(end)) for end in block.aminmax())
            if not math.isfinite(peak):
                row, column = (~torch.isfinite(block)).nonzero()[0].tolist()
                _raise_not_finite(name, lo + row, column)
            largest = max(largest, peak)
        return DenseRows(matrix, largest)
    bad = np.flatnonzero(~np.isfinite(matrix.data))
    if len(bad):
        _raise_not_finite(name, int(np.searchsorted(matrix.indptr, bad[0], "right")) - 1, int(matrix.indices[bad[0]]))
    return SparseRows(matrix, device or torch.device("cpu"))


def _raise_not_finite(name: str, row: int, column: int) -> None:
    raise InputError(f"{name}: NaN or infinity at row {row}, column {column}; expected finite numbers")


def _as_matrix(x: Any, name: str) -> Any:
    """Strided torch tensor or SciPy CSR matrix (float64, duplicates summed, zeros dropped)."""
    if isinstance(x, Tensor):
        x = x.detach()
        if x.is_complex():
            raise InputError(f"{name}: expected real numbers, got dtype {x.dtype}")
        return x if x.layout == torch.strided else _from_torch_sparse(x, name)
    if hasattr(x, "tocsr"):
        return _canonical(x.tocsr(), name)
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise InputError(f"{name}: expected a matrix of numbers, got rows of unequal length") from error
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise InputError(f"{name}: expected real numbers, got dtype {array.dtype}")
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.astype(np.float64)  # torch knows the wider unsigned types only by name
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*not writable.*")  # it is only read here
        return torch.from_numpy(array)


def _from_torch_sparse(x: Tensor, name: str) -> Any:
    import scipy.sparse

    if x.layout == torch.sparse_coo:
        x = x.coalesce()
        row, col = x.indices().cpu().numpy()
        return _canonical(
            scipy.sparse.csr_matrix((x.values().cpu().double().numpy(), (row, col)), shape=tuple(x.shape)),
            name,
        )
    if x.layout == torch.sparse_csr:
        parts = (
            x.values().cpu().double().numpy(),
            x.col_indices().cpu().numpy(),
            x.crow_indices().cpu().numpy(),
        )
        return _canonical(scipy.sparse.csr_matrix(parts, shape=tuple(x.shape)), name)
    raise InputError(f"{name}: expected a strided, sparse COO or sparse CSR tensor, got layout {x.layout}")


def _canonical(x: Any, name: str) -> Any:
    import scipy.sparse

    if x.dtype.kind not in "biuf":
        raise InputError(f"{name}: expected real numbers, got dtype {x.dtype}")
    x = scipy.sparse.csr_matrix(x, dtype=np.float64, copy=True)
    x.sum_duplicates()
    x.eliminate_zeros()
    return x


def mostly_zero(rows: DenseRows, limit: int) -> bool:
    """Whether `rows` are searched faster as sparse ones, and these take at most `limit` bytes; on the CPU."""
    if rows.device.type != "cpu" or rows.d < SPARSE_COLUMNS:
        return False
    few = min(SPARSE_FILL * rows.n * rows.d, limit / SPARSE_BYTES)
    count = 0
    for lo, hi in _slabs(rows.n, rows.d):
        count += int(rows.x[lo:hi].count_nonzero())
        if count > few:
            return False
    return True


def as_sparse(rows: DenseRows) -> Any:
    """The rows as a SciPy CSR matrix (float64)."""
    import scipy.sparse

    row, column = rows.x.nonzero(as_tuple=True)
    start = np.searchsorted(row.cpu().numpy(), np.arange(rows.n + 1))
    parts = (rows.x[row, column].cpu().double().numpy(), column.cpu().numpy(), start)
    return scipy.sparse.csr_matrix(parts, shape=(rows.n, rows.d))


def as_count(value: Any, name: str) -> int:
    """A whole number of at least 1 (NumPy integers count, booleans do not)."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
        raise InputError(f"{name}: expected a whole number of at least 1, got {value!r}")
    return int(value)
