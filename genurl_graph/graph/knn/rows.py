"""Rows of a feature matrix, brought block by block to the form in which they are multiplied."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

# Measured (Coauthor CS, 18,333 x 6,805, 0.9 % dense, 2 cores; one 2048 x 2048 tile): SciPy CSR @ CSR 140 ms, SciPy
# CSR @ dense 101 ms, torch CSR @ dense 150-280 ms, dense product of densified rows 705 ms. A multiply-add costs
# about 11 ns in the sparse and 0.02 ns in the dense product, so a column pays off as dense once more than
# sqrt(0.02 / 11) = 4 % of it is filled. Split there, the self join (cosine, k = 15) takes 9.0 s of processor time.
DENSE_COLUMN_FILL = 0.04

# Float32 is exact for whole numbers to 2^24: with |x|^2 and |y|^2 below this so is every partial sum of |x - y|^2.
INTEGRAL_SQUARE = 2.0**22

Select = slice | Tensor


class Operand(NamedTuple):
    """A block of rows, ready for `multiply`: dense columns and, for sparse input, the rare columns as CSR.

    Of whole numbers under the cosine also what the rows are still to be multiplied by.
    """

    dense: Tensor
    rare: Any
    inverse: Tensor | None = None


@dataclass(frozen=True)
class Frame:
    """What the rows are brought to before they are multiplied; shared by both sides of a product.

    `integral`: they are whole numbers and stay what they are, so that products in float32 are exact.
    """

    metric: str
    shift: Tensor | None
    scale: float
    integral: bool = False


class DenseRows:
    """Rows of a strided tensor; blocks are centred and scaled when they are asked for, never the whole matrix."""

    sparse = False

    def __init__(self, x: Tensor, largest: float) -> None:
        self.x = x
        self.n, self.d = int(x.shape[0]), int(x.shape[1])
        self.device = x.device
        self.largest = largest
        self.squared = torch.zeros(self.n, dtype=torch.float64, device=self.device)
        # For the cosine: the reciprocal of each row's length, 0 for a zero row.
        self.inverse = torch.zeros(self.n, dtype=torch.float64, device=self.device)

    def is_integral(self) -> bool:
        """Whether these are whole numbers, so small that float32 products of rows are exact."""
        if self.largest**2 >= INTEGRAL_SQUARE:
            return False
        for lo, hi in _slabs(self.n, self.d, 1 << 18):
            block = self.x[lo:hi]
            if block.is_floating_point() and not bool((block == block.round()).all()):
                return False
            if float(block.double().square().sum(1).max()) >= INTEGRAL_SQUARE:
                return False
        return True

    def natural_frame(self, metric: str) -> Frame:
        """Mean (Euclidean only: rounding sees it, distances do not) and a power of two that keeps squares finite."""
        shift = None
        if metric == "euclidean":
            total = torch.zeros(self.d, dtype=torch.float64, device=self.device)
            for lo, hi in _slabs(self.n, self.d):
                total += self.x[lo:hi].sum(0, dtype=torch.float64)
            shift = total / self.n
        return Frame(metric, shift, _power_of_two(self.largest))

    def _shifted(self, select: Select, shift: Tensor | None, dtype: torch.dtype) -> Tensor:
        block = self.x[select]
        if self.x.dtype == torch.float64 or dtype == torch.float64:
            block = block.to(torch.float64)
        else:
            block = block.to(torch.float32)
        return block if shift is None else block - shift.to(block.dtype)

    def parts(self, select: Select, frame: Frame, dtype: torch.dtype) -> tuple[Operand, Tensor]:
        """Rows as they enter the product, and their squared norms (float64; also kept in `squared`)."""
        block = self._shifted(select, frame.shift, dtype)
        if frame.scale != 1.0:
            block = block * frame.scale
        inverse = None
        if frame.metric == "cosine":
            length = torch.linalg.vector_norm(block, dim=1, dtype=torch.float64)
            self.inverse[select] = inverse = torch.where(length > 0, 1 / length, 0.0)
            if not frame.integral:
                block, inverse = block.to(torch.float64) * inverse[:, None], None
        # A copy if nothing has made one: products may depend on where in memory the user's array lies.
        block = block.to(dtype, copy=frame.metric != "euclidean")
        # Squares summed from the rounded rows, so that the norm of a row and its product with itself agree.
        norm = torch.linalg.vector_norm(block, dim=1, dtype=torch.float64).square()
        self.squared[select] = norm
        return Operand(block, None, inverse), norm

    def values(self, select: Tensor, frame: Frame) -> Tensor:
        """Rows (float64) for the recomputation of a few distances: unshifted, so that differences are exact.

        For the cosine `parts` must have seen these rows before.
        """
        block = self.x.index_select(0, select).to(torch.float64)  # faster than self.x[select]
        if frame.scale != 1.0:
            block = block * frame.scale
        return block * self.inverse[select][:, None] if frame.metric == "cosine" else block

    def is_zero(self, select: Tensor) -> Tensor:
        """Which rows have no direction; for the cosine, after `parts`."""
        return self.inverse[select] == 0

    def width(self, frame: Frame) -> int:
        return self.d + 2 * (frame.metric == "euclidean")

    def room(self, frame: Frame) -> int:
        """How many numbers a row takes while it is made ready for the product."""
        return self.width(frame)


class SparseRows:
    """Rows of a SciPy CSR matrix; the few well-filled columns go through the dense product, the rest stay sparse."""

    sparse = True

    def __init__(self, x: Any, device: torch.device, frequent: np.ndarray[Any, Any] | None = None) -> None:
        self.x = x
        self.n, self.d = int(x.shape[0]), int(x.shape[1])
        self.device = device
        self.largest = float(np.abs(x.data).max(initial=0.0))
        # Mean number of entries in a row.
        self.entries = math.ceil(int(x.nnz) / self.n)
        self.squared = torch.zeros(self.n, dtype=torch.float64, device=device)
        fill = np.bincount(x.indices, minlength=self.d) / max(self.n, 1)
        # On an accelerator the dense product is cheap and a sparse one would wait for the host.
        self.frequent = (
            frequent if frequent is not None else fill > (DENSE_COLUMN_FILL if device.type == "cpu" else -1.0)
        )
        self._dense_part = x[:, np.flatnonzero(self.frequent)]
        self._rare_part = None if self.frequent.all() else x[:, np.flatnonzero(~self.frequent)]

    @property
    def nbytes(self) -> int:
        """What the matrix and its two parts take."""
        parts = [part for part in (self.x, self._dense_part, self._rare_part) if part is not None]
        return sum(int(part.data.nbytes + part.indices.nbytes + part.indptr.nbytes) for part in parts)

    def is_integral(self) -> bool:
        """Whether these are whole numbers, so small that float32 products of rows are exact."""
        whole = bool((self.x.data == np.round(self.x.data)).all())
        return whole and float(row_sums_of_squares(self.x).max()) < INTEGRAL_SQUARE

    def natural_frame(self, metric: str) -> Frame:
        """Sparse rows are not centred (that would fill them), only scaled."""
        return Frame(metric, None, _power_of_two(self.largest))

    def _factor(self, select: Any, frame: Frame) -> np.ndarray[Any, Any]:
        count = self.x[select].shape[0]
        if frame.metric != "cosine":
            return np.full(count, frame.scale)
        norm = np.sqrt(row_sums_of_squares(self.x[select], frame.scale))
        factor: np.ndarray[Any, Any] = np.divide(frame.scale, norm, out=np.zeros(count), where=norm > 0)
        return factor

    def parts(self, select: Select, frame: Frame, dtype: torch.dtype) -> tuple[Operand, Tensor]:
        """Rows as they enter the product, and their squared norms (float64; also kept in `squared`)."""
        index = select if isinstance(select, slice) else select.cpu().numpy()
        kind = np.float64 if dtype == torch.float64 else np.float32
        factor = self._factor(index, frame)
        inverse = None
        if frame.integral and frame.metric == "cosine":
            inverse, factor = torch.from_numpy(factor).to(self.device), np.ones_like(factor)
        dense = _scaled(self._dense_part[index], factor, kind)
        norm = row_sums_of_squares(dense)
        rare = None
        if self._rare_part is not None:
            rare = _scaled(self._rare_part[index], factor, kind)
            norm = norm + row_sums_of_squares(rare)
        squared = torch.from_numpy(norm).to(self.device)
        self.squared[select] = squared
        # torch.tensor copies to where torch aligns memory, on which products may depend.
        return Operand(torch.tensor(dense.toarray(), device=self.device), rare, inverse), squared

    def values(self, select: Tensor, frame: Frame) -> Any:
        """Rows (SciPy CSR, float64) for the recomputation of a few distances."""
        index = select.cpu().numpy()
        return _scaled(self.x[index], self._factor(index, frame), np.float64)

    def is_zero(self, select: Tensor) -> Tensor:
        """Which rows have no direction."""
        return torch.from_numpy(np.diff(self.x.indptr)[select.cpu().numpy()] == 0).to(self.device)

    def width(self, frame: Frame) -> int:
        return int(self.frequent.sum()) + 2 * (frame.metric == "euclidean")

    def room(self, frame: Frame) -> int:
        """How many numbers a row takes while it is made ready for the product: float64 and int32, twice, an entry."""
        return self.width(frame) + 6 * self.entries


Rows = DenseRows | SparseRows


def _scaled(x: Any, factor: np.ndarray[Any, Any], kind: Any) -> Any:
    out = x.astype(np.float64)
    out.data *= np.repeat(factor, np.diff(out.indptr))
    return out.astype(kind)


def row_sums_of_squares(x: Any, scale: float = 1.0) -> np.ndarray[Any, Any]:
    squares = (x.data.astype(np.float64) * scale) ** 2
    row = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))
    # Of no entries at all bincount makes integers.
    return np.bincount(row, squares, minlength=x.shape[0]).astype(np.float64, copy=False)


def _power_of_two(largest: float) -> float:
    """1 for ordinary data; else the power of two that brings the largest entry to about 1 (squares stay finite)."""
    if largest == 0.0 or 1e-12 < largest < 1e12:
        return 1.0
    return float(2.0 ** -np.floor(np.log2(largest)))


def _slabs(n: int, d: int, elements: int = 1 << 22) -> list[tuple[int, int]]:
    step = max(1, elements // max(1, d))
    return [(lo, min(n, lo + step)) for lo in range(0, n, step)]
