"""Adjacency and features stored as SciPy CSR parts in an npz archive, the format of gnn-benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.safe_load import check_compressed

Arrays = Mapping[str, npt.NDArray[Any]]
PARTS = ("data", "indices", "indptr", "shape")


def csr_from_arrays(arrays: Arrays, prefix: str, where: str) -> Any:
    """Build a checked `scipy.sparse.csr_matrix` from the keys `prefix` + data, indices, indptr, shape.

    Raises
    ------
    InputError
        If a key is missing, or the parts do not make a CSR matrix (indices out of range and the like).
    """
    import scipy.sparse

    absent = [prefix + part for part in PARTS if prefix + part not in arrays]
    if absent:
        raise wrong(where, f"no key {absent[0]!r}", ", ".join(prefix + part for part in PARTS))
    data, indices, indptr, shape = (arrays[prefix + part] for part in PARTS)
    if data.dtype.kind not in "biuf":
        raise wrong(f"{where}: {prefix}data", f"dtype {data.dtype}", "numbers")
    if shape.shape != (2,) or shape.dtype.kind not in "iu":
        raise wrong(f"{where}: {prefix}shape", f"{shape!r}", "two integers")
    try:
        matrix = scipy.sparse.csr_matrix((data, indices, indptr), shape=(int(shape[0]), int(shape[1])))
        check_compressed(matrix)
    except (ValueError, TypeError, IndexError) as error:
        raise wrong(f"{where}: {prefix}*", f"no CSR matrix ({error})", "the parts of one") from error
    return matrix


def to_sparse_tensor(matrix: Any) -> Tensor:
    """Turn a SciPy CSR matrix [n, f] into a float32 `torch.sparse_csr` tensor; nothing dense is made."""
    matrix = matrix.copy()  # summing duplicates works in place, the caller's matrix stays as it is
    matrix.sum_duplicates()
    return torch.sparse_csr_tensor(
        torch.from_numpy(matrix.indptr.astype(np.int64)),
        torch.from_numpy(matrix.indices.astype(np.int64)),
        torch.from_numpy(matrix.data.astype(np.float32)),
        size=matrix.shape,
        dtype=torch.float32,
        check_invariants=True,
    )


def adjacency_edges(matrix: Any) -> tuple[Tensor, Tensor]:
    """Stored entries of an adjacency [n, n]: `edge_index` int64 [2, E] and weight float32 [E]."""
    coo = matrix.tocoo()
    edge_index = torch.from_numpy(np.stack([coo.row, coo.col]).astype(np.int64))
    return edge_index, torch.from_numpy(coo.data.astype(np.float32))
