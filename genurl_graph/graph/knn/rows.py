"""Rows of a matrix, dense or CSR, in the form in which they are compared; exact distances of single pairs of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.inputs.sparse import to_scipy_or_numpy
from genurl_graph.inputs.validation import check_matrix, value_range
from genurl_graph.runtime.warnings import unheard

# A dense matrix of at least this many columns, filled to at most this share, is searched faster as a sparse one
# (processor seconds, k = 15: Cora, 2,708 x 1,433, 1.3 %: 0.2 for 0.4; CiteSeer, 3,327 x 3,703, 0.9 %: 0.3 for 0.9).
SPARSE_COLUMNS, SPARSE_FILL = 500, 0.02
# float32 is exact for whole numbers to 2^24: with |x|^2 and |y|^2 below this so is every partial sum of |x - y|^2.
INTEGRAL_SQUARE = 2.0**22
# Numbers read at a time when the distances of single pairs are computed: 2 MB a side, for the cache.
PAIR_ELEMENTS = 1 << 18
# Cosine distances below this are rounding of the coordinates (2^-52 of each, squared and with room to spare).
SAME_DIRECTION = 1e-30

Select = slice | Tensor


@dataclass(frozen=True)
class Frame:
    """What both sides of a product are brought to: the metric, a point that becomes the origin, and a factor."""

    metric: str
    shift: Tensor | None = None
    scale: float = 1.0
    integral: bool = False
    """Whole numbers so small that float32 products of them are exact; they are neither shifted nor scaled."""

    @classmethod
    def natural(cls, metric: str, shift: Tensor | None, largest: float) -> Frame:
        """Scaled by a power of two that keeps squares finite, of a matrix whose numbers are at most the `largest`."""
        ordinary = largest == 0.0 or 1e-12 < largest < 1e12
        return cls(metric, shift, 1.0 if ordinary else float(2.0 ** -np.floor(np.log2(largest))))


def slab_rows(d: int) -> int:
    """Rows of d columns that are read at a time: about 4 million numbers."""
    return max(1, (1 << 22) // d)


class Rows:
    """Rows of a checked matrix [n, d]: a strided Tensor, or a SciPy CSR matrix of float64.

    Blocks of rows are shifted and scaled when they are asked for, never the whole matrix.
    """

    def __init__(self, x: Any, device: torch.device) -> None:
        self.x, self.device = x, device
        self.n, self.d = int(x.shape[0]), int(x.shape[1])
        self.sparse = not isinstance(x, Tensor)
        low, high = value_range(x)
        self.largest = max(-low, high)
        self.entries = -(-int(x.nnz) // self.n) if self.sparse else self.d
        self.frame = Frame("euclidean")
        # |x|^2 of the rows as they are multiplied; 1 / |x| of the rows as they are, 0 for a zero row.
        self.squared = self.inverse = torch.zeros(self.n, dtype=torch.float64, device=device)

    def slabs(self) -> list[slice]:
        """The rows in blocks of about 4 million numbers."""
        step = slab_rows(self.d)
        return [slice(lo, min(self.n, lo + step)) for lo in range(0, self.n, step)]

    def is_integral(self) -> bool:
        """Whether these are dense whole numbers, so small that float32 products of rows are exact."""
        if self.sparse or self.largest**2 >= INTEGRAL_SQUARE:
            return False
        for slab in self.slabs():
            block = self.x[slab].double()
            if not bool((block == block.round()).all()) or float(block.square().sum(1).max()) >= INTEGRAL_SQUARE:
                return False
        return True

    def natural_frame(self, metric: str) -> Frame:
        """The mean as origin (dense, Euclidean: rounding sees it) and a power of two that keeps squares finite."""
        shift = None
        if metric == "euclidean" and not self.sparse:
            shift = sum(self.x[slab].sum(0, dtype=torch.float64) for slab in self.slabs()) / self.n
        return Frame.natural(metric, shift, self.largest)

    def bring_to(self, frame: Frame) -> None:
        """Use `frame` from now on, and note the rows' lengths."""
        self.frame = frame
        self.squared, self.inverse = torch.zeros_like(self.squared), torch.ones_like(self.squared)
        if frame.metric == "cosine":
            length = torch.cat([_lengths(self.read(slab)) for slab in self.slabs()]).to(self.device)
            self.inverse = torch.where(length > 0, 1 / length, 0.0)
        for slab in self.slabs():
            self.squared[slab] = _lengths(self.block(slab, torch.float32)).square().to(self.device)

    def read(self, select: Select, fast: bool = False) -> Any:
        """Rows in float64, scaled and, for the cosine, of unit length; not shifted, so that differences are exact.

        `fast`: dense float32 rows stay as they are, unless they are to be of unit length.
        """
        if not self.sparse:
            block = self.x[select] if isinstance(select, slice) else self.x.index_select(0, select)
            if fast and block.dtype == torch.float32 and self.frame.metric != "cosine":
                return block if self.frame.scale == 1.0 else block * self.frame.scale
            block = block.double() * self.frame.scale
            return block.mul_(self.inverse[select][:, None]) if self.frame.metric == "cosine" else block
        index = select if isinstance(select, slice) else select.cpu().numpy()
        block = self.x[index]
        factor = (self.inverse[select] * self.frame.scale).cpu().numpy()
        block.data = block.data * np.repeat(factor, np.diff(block.indptr))
        return block

    def sums(self, select: Tensor) -> Tensor:
        """Sums of the absolute numbers of dense rows as they are multiplied, float64."""
        total: Tensor = self.block(select, torch.float32).abs().sum(1, dtype=torch.float64)
        return total

    def block(self, select: Select, dtype: torch.dtype) -> Any:
        """Rows as they are multiplied: a Tensor, or CSR of float64 (on a GPU a Tensor of these few rows instead)."""
        if self.sparse:
            block = self.read(select)
            return block if self.device.type == "cpu" else torch.from_numpy(block.toarray()).to(self.device, dtype)
        if self.frame.metric == "cosine" and not self.frame.integral:
            return self.read(select).to(dtype)
        block = self.x[select]
        block = block.to(torch.float64 if torch.float64 in (dtype, block.dtype) else torch.float32)
        if self.frame.shift is not None:
            block = block - self.frame.shift.to(block.dtype)
        # A copy in every case: products may depend on where in memory the user's array lies.
        return (block * self.frame.scale).to(dtype)


def as_rows(x: Any, name: str, device: torch.device | None) -> Rows:
    """The rows of a matrix of real, finite numbers, without a dense copy; InputError if it is none."""
    x = check_matrix(x, name)
    if isinstance(x, Tensor) and x.layout == torch.strided:
        x = x if device is None else x.to(device)
        return Rows(x, x.device)
    if isinstance(x, np.ndarray):
        wide = x.dtype.kind == "u" and x.dtype.itemsize > 1  # torch knows these by name only
        x = np.ascontiguousarray(x, np.float64 if wide else x.dtype)
        with unheard(".*not writable.*"):  # it is only read here
            x = torch.from_numpy(x)
        return Rows(x if device is None else x.to(device), device or torch.device("cpu"))
    where = device or (x.device if isinstance(x, Tensor) else torch.device("cpu"))
    return Rows(to_scipy_or_numpy(x).astype(np.float64), where)


def as_sparse(rows: Rows) -> Rows:
    """The same rows as CSR."""
    import scipy.sparse as sp

    return rows if rows.sparse else Rows(sp.csr_matrix(rows.x.cpu().numpy(), dtype=np.float64), rows.device)


def mostly_zero(rows: Rows) -> bool:
    """Whether dense `rows` are searched faster as sparse ones."""
    if type(rows) is not Rows or rows.sparse or rows.device.type != "cpu" or rows.d < SPARSE_COLUMNS:
        return False
    return bool(int(rows.x.count_nonzero()) <= SPARSE_FILL * rows.x.numel())


def pair_scores(a: Rows, a_rows: Tensor, b: Rows, b_rows: Tensor, fast: bool = False) -> Tensor:
    """Scores of the pairs ``(a[a_rows[p]], b[b_rows[p]])`` without cancellation, float64 of the shape of `b_rows`.

    Euclidean and cosine scores come from differences (``1 - cos = |u - v|^2 / 2``), so that duplicates get exactly 0.
    `a_rows` is broadcast over the columns of `b_rows`. `fast`: differences of float32 rows are taken in float32, which
    costs the last digit of the score, and a third of the time.
    """
    metric, shape = a.frame.metric, b_rows.shape
    if a_rows.dim() < b_rows.dim():
        a_rows = a_rows[:, None].expand(shape)
    a_rows, b_rows = a_rows.reshape(-1), b_rows.reshape(-1)
    out = torch.empty(len(b_rows), dtype=torch.float64, device=a.device)
    step = max(1, PAIR_ELEMENTS // (1 + max(a.entries, b.entries)))
    for lo in range(0, len(b_rows), step):
        part = slice(lo, lo + step)
        left, right = a.read(a_rows[part], fast), b.read(b_rows[part], fast)
        if metric != "inner_product":
            out[part] = _lengths(left - right, left.dtype).square()
        elif a.sparse:
            out[part] = -torch.from_numpy(np.asarray(left.multiply(right).sum(1)).ravel())
        else:
            out[part] = -left.mul_(right).sum(-1)
    if metric == "cosine":
        # Rows that are multiples of each other differ by rounding once they are normalised.
        out.div_(2).masked_fill_(out < SAME_DIRECTION, 0.0)
        # A zero row has no direction: its similarity to everything is 0, its distance 1.
        out.masked_fill_((a.inverse[a_rows] == 0) | (b.inverse[b_rows] == 0), 1.0)
    return out.view(shape)


def _lengths(block: Any, dtype: Any = torch.float64) -> Tensor:
    """Norms of the rows of a Tensor in `dtype`, or of a CSR matrix in float64."""
    if isinstance(block, Tensor):
        length: Tensor = torch.linalg.vector_norm(block, dim=-1, dtype=dtype)
        return length
    row = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
    return torch.from_numpy(np.sqrt(np.bincount(row, block.data**2, minlength=block.shape[0]).astype(np.float64)))
