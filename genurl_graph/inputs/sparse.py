"""CSR tensors: made in one place, handed to SciPy, multiplied by without sorting anything in the backward pass."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor


def csr_tensor(crow: Tensor, col: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    """Sparse CSR tensor of parts that are known to be right: pointers, column indices and values.

    No checks in inner loops, and no notice about torch's beta state for users.
    """
    return torch.sparse_csr_tensor(crow, col, values, shape, check_invariants=False)


def row_pointers(row: Tensor, num_rows: int) -> Tensor:
    """Where the entries of each row begin and end, int64 [num_rows + 1]; `row` [E] is sorted."""
    count = torch.bincount(row, minlength=num_rows)
    return torch.cat([count.new_zeros(1), count.cumsum(0)])


def identity(n: int) -> Tensor:
    """One-hot rows, [n, n]: the features of nodes that have none."""
    return csr_tensor(torch.arange(n + 1), torch.arange(n), torch.ones(n), (n, n))


def run_entries(start: Tensor, count: Tensor) -> Tensor:
    """The numbers start, start + 1, ... of runs of `count` [m] numbers each, one after another, int64 [count.sum()]."""
    ends = count.cumsum(0)
    # Entry k of the result is entry k - (entries before its run) of its run.
    return torch.arange(int(count.sum()), device=count.device) + (start - ends + count).repeat_interleave(count)


def csr_rows(x: Tensor, index: Tensor) -> Tensor:
    """The rows `index` [m] of a CSR tensor [n, f], as CSR [m, f]."""
    crow = x.crow_indices()
    start, count = crow[index], crow[index + 1] - crow[index]
    entry = run_entries(start, count)
    pointers = torch.cat([count.new_zeros(1), count.cumsum(0)])
    return csr_tensor(pointers, x.col_indices()[entry], x.values()[entry], (len(index), x.size(1)))


def csr_columns(x: Tensor, kept: Tensor) -> Tensor:
    """The columns of a CSR tensor [n, f] for which `kept`, bool [f], holds: those k in their order, as CSR [n, k]."""
    column = x.col_indices()
    left = kept.index_select(0, column)
    entry = left.nonzero().squeeze(1)
    count = torch.cat([column.new_zeros(1), left.cumsum(0)])
    name = kept.cumsum(0) - 1
    shape = (x.size(0), int(name[-1]) + 1)
    columns = name.index_select(0, column.index_select(0, entry))
    return csr_tensor(count[x.crow_indices()], columns, x.values().index_select(0, entry), shape)


def transposed(x: Tensor) -> Tensor:
    """The transpose [f, n] of a CSR tensor [n, f], as CSR."""
    # The columns of x are the rows of its transpose: no detour over COO.
    t = x.to_sparse_csc()
    return csr_tensor(t.ccol_indices(), t.row_indices(), t.values(), (x.size(1), x.size(0)))


def to_scipy_or_numpy(x: Any) -> Any:
    """A matrix from anywhere as SciPy CSR if it is sparse, else as a NumPy array; no copy where none is needed."""
    import numpy as np
    import scipy.sparse as sp

    if isinstance(x, Tensor):
        x = x.detach().cpu()
        if x.layout != torch.strided:
            x = x.to_sparse_csr()
            parts = (x.values().numpy(), x.col_indices().numpy(), x.crow_indices().numpy())
            return sp.csr_matrix(parts, shape=tuple(x.shape))
        return x.numpy()
    return x.tocsr() if sp.issparse(x) else np.asarray(x)


def from_scipy(matrix: Any) -> Tensor:
    """A SciPy CSR matrix as a float32 CSR tensor."""
    crow, col = (torch.from_numpy(part.astype("int64")) for part in (matrix.indptr, matrix.indices))
    return csr_tensor(crow, col, torch.from_numpy(matrix.data.astype("float32")), matrix.shape)


def scale_columns(x: Tensor, weight: Tensor) -> Tensor:
    """``x * weight``: the columns of x [n, f], strided or CSR, each times its weight [f]."""
    if x.layout != torch.sparse_csr:
        return x * weight
    scaled = to_scipy_or_numpy(x).copy()
    scaled.data = scaled.data * weight.numpy()[scaled.indices]
    scaled.eliminate_zeros()
    return from_scipy(scaled)


# Numbers of a dense factor that are read together on a CPU, about what its cache holds, and their fewest columns.
_CACHED, _NARROW = 1 << 20, 64


def product(matrix: Tensor, dense: Tensor) -> Tensor:
    """``matrix @ dense`` of a CSR matrix [n, m] and a matrix [m, d] of the same dtype, without gradients.

    On a CPU a few columns at a time, so that the rows that are gathered stay in its cache, and without the two passes
    that torch makes over a result beforehand: 1.5 to 2 times faster for 512 columns.
    """
    if dense.device.type != "cpu" or not torch._C.has_mkl:
        return matrix @ dense
    out = dense.new_empty(matrix.size(0), dense.size(1))
    width = max(1, _CACHED // (_NARROW * max(1, dense.size(0)))) * _NARROW
    for start in range(0, dense.size(1), width):
        part = out[:, start : start + width]
        torch.addmm(part, matrix, dense[:, start : start + width].contiguous(), beta=0, out=part)
    return out


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, matrix: Tensor, transpose: Tensor, dense: Tensor) -> Tensor:
        ctx.transpose = transpose
        return product(matrix, dense)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[None, None, Tensor]:
        return None, None, product(ctx.transpose, grads[0].contiguous())


def constant_product(matrix: Tensor, transpose: Tensor, dense: Tensor) -> Tensor:
    """``matrix @ dense`` with gradients for `dense` alone.

    torch would transpose the matrix anew, that is, sort its entries, at every backward pass. Here the transpose, CSR as
    well, is given (it may be the matrix itself), and the backward product is as cheap as the forward one.
    """
    # Sparse products there are in the dtype of the matrix only, whatever precision networks have around here.
    dense = dense.to(matrix.dtype)
    with torch.autocast(dense.device.type, enabled=False):
        out: Tensor = _Product.apply(matrix, transpose, dense)  # type: ignore[no-untyped-call]
    return out


# torch announces once a process that CSR is in beta. It does so here, unheard: what is used of it is tested.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    csr_tensor(torch.tensor([0, 0]), torch.empty(0, dtype=torch.long), torch.empty(0), (1, 1))
