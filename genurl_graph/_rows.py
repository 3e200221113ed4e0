"""Rows of a feature matrix as operands of a matrix product whose entries are (almost) distances.

For the Euclidean metric two columns are appended to the rows, so that one product gives the whole squared distance and
no second pass over the tile adds the norms::

    [-2 x_i, 1, |x_i|^2] . [x_j, |x_j|^2, 1]  =  |x_i|^2 + |x_j|^2 - 2 <x_i, x_j>

Cosine rows are normalised first and the entry is ``-<x_i, x_j>``, as for the inner product. `score` is our word for
such an entry: in every metric a smaller score means a nearer row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

# Measured (Coauthor CS, 18,333 x 6,805, 0.9 % dense, 2 cores; one 2048 x 2048 tile): SciPy CSR @ CSR 140 ms, SciPy
# CSR @ dense 101 ms, torch CSR @ dense 150-280 ms, dense product of densified rows 705 ms. A multiply-add costs
# about 11 ns in the sparse and 0.02 ns in the dense product, so a column pays off as dense once more than
# sqrt(0.02 / 11) = 4 % of it is filled. Split there, the self join (cosine, k = 15) takes 9.0 s of processor time.
DENSE_COLUMN_FILL = 0.04

# Elements gathered at a time when distances of single pairs are computed: 8 to 16 MB a side.
PAIR_ELEMENTS = 1 << 21

Select = slice | Tensor


class Operand(NamedTuple):
    """A block of rows, ready for `multiply`: dense columns and, for sparse input, the rare columns as CSR."""

    dense: Tensor
    rare: Any


@dataclass(frozen=True)
class Frame:
    """What the rows are brought to before they are multiplied; shared by both sides of a product."""

    metric: str
    shift: Tensor | None
    scale: float


class DenseRows:
    """Rows of a strided tensor; blocks are centred and scaled when they are asked for, never the whole matrix."""

    sparse = False

    def __init__(self, x: Tensor, largest: float) -> None:
        self.x = x
        self.n, self.d = int(x.shape[0]), int(x.shape[1])
        self.device = x.device
        self.largest = largest
        self.squared = torch.zeros(self.n, dtype=torch.float64, device=self.device)

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
        if frame.metric == "cosine":
            block = torch.nn.functional.normalize(block.to(torch.float64), dim=1, eps=0.0).nan_to_num_(0.0)
        block = block.to(dtype)
        # Squares summed from the rounded rows, so that the norm of a row and its product with itself agree.
        norm = torch.linalg.vector_norm(block, dim=1, dtype=torch.float64).square()
        self.squared[select] = norm
        return Operand(block, None), norm

    def values(self, select: Tensor, frame: Frame) -> Tensor:
        """Rows for the recomputation of a few distances: unshifted (differences are exact then), at input precision."""
        block = self.x[select]
        if frame.metric != "euclidean":
            block = block.to(torch.float64)
        elif block.dtype != torch.float64:
            block = block.to(torch.float32)
        if frame.scale != 1.0:
            block = block * frame.scale
        if frame.metric == "cosine":
            block = torch.nn.functional.normalize(block, dim=1, eps=0.0).nan_to_num_(0.0)
        return block

    def width(self, frame: Frame) -> int:
        return self.d + 2 * (frame.metric == "euclidean")


class SparseRows:
    """Rows of a SciPy CSR matrix; the few well-filled columns go through the dense product, the rest stay sparse."""

    sparse = True

    def __init__(self, x: Any, device: torch.device, frequent: np.ndarray[Any, Any] | None = None) -> None:
        self.x = x
        self.n, self.d = int(x.shape[0]), int(x.shape[1])
        self.device = device
        self.largest = float(np.abs(x.data).max(initial=0.0))
        self.squared = torch.zeros(self.n, dtype=torch.float64, device=device)
        fill = np.bincount(x.indices, minlength=self.d) / max(self.n, 1)
        # On an accelerator the dense product is cheap and a sparse one would wait for the host.
        self.frequent = (
            frequent if frequent is not None else fill > (DENSE_COLUMN_FILL if device.type == "cpu" else -1.0)
        )
        self._dense_part = x[:, np.flatnonzero(self.frequent)]
        self._rare_part = None if self.frequent.all() else x[:, np.flatnonzero(~self.frequent)]

    def natural_frame(self, metric: str) -> Frame:
        """Sparse rows are not centred (that would fill them), only scaled."""
        return Frame(metric, None, _power_of_two(self.largest))

    def _factor(self, select: Any, frame: Frame) -> np.ndarray[Any, Any]:
        count = self.x[select].shape[0]
        if frame.metric != "cosine":
            return np.full(count, frame.scale)
        norm = np.sqrt(_row_sums_of_squares(self.x[select], frame.scale))
        factor: np.ndarray[Any, Any] = np.divide(frame.scale, norm, out=np.zeros(count), where=norm > 0)
        return factor

    def parts(self, select: Select, frame: Frame, dtype: torch.dtype) -> tuple[Operand, Tensor]:
        """Rows as they enter the product, and their squared norms (float64; also kept in `squared`)."""
        index = select if isinstance(select, slice) else select.cpu().numpy()
        kind = np.float64 if dtype == torch.float64 else np.float32
        factor = self._factor(index, frame)
        dense = _scaled(self._dense_part[index], factor, kind)
        norm = _row_sums_of_squares(dense)
        rare = None
        if self._rare_part is not None:
            rare = _scaled(self._rare_part[index], factor, kind)
            norm = norm + _row_sums_of_squares(rare)
        squared = torch.from_numpy(norm).to(self.device)
        self.squared[select] = squared
        return Operand(torch.from_numpy(dense.toarray()).to(self.device), rare), squared

    def values(self, select: Tensor, frame: Frame) -> Any:
        """Rows (SciPy CSR, float64) for the recomputation of a few distances."""
        index = select.cpu().numpy()
        return _scaled(self.x[index], self._factor(index, frame), np.float64)

    def width(self, frame: Frame) -> int:
        return int(self.frequent.sum()) + 2 * (frame.metric == "euclidean")


Rows = DenseRows | SparseRows


def right_operand(rows: Rows, select: Select, frame: Frame, dtype: torch.dtype) -> Operand:
    """``[x_j, |x_j|^2, 1]`` (Euclidean) or ``x_j``."""
    part, norm = rows.parts(select, frame, dtype)
    if frame.metric != "euclidean":
        return part
    norm = norm.to(dtype)[:, None]
    return Operand(torch.cat([part.dense, norm, torch.ones_like(norm)], 1), part.rare)


def left_operand(right: Operand, frame: Frame) -> Operand:
    """``[-2 x_i, 1, |x_i|^2]`` (Euclidean) or ``-x_i``, made from the right operand of the same rows."""
    if frame.metric != "euclidean":
        return Operand(-right.dense, None if right.rare is None else -right.rare)
    left = torch.empty_like(right.dense)
    torch.mul(right.dense[:, :-2], -2.0, out=left[:, :-2])
    left[:, -2] = 1.0
    left[:, -1] = right.dense[:, -2]
    return Operand(left, None if right.rare is None else -2.0 * right.rare)


def multiply(left: Operand, right: Operand, out: Tensor) -> None:
    """Write the scores of a tile, ``[rows of left, rows of right]``, into `out`."""
    if left.rare is None:
        torch.mm(left.dense, right.dense.T, out=out)
    else:
        rare = torch.from_numpy((left.rare @ right.rare.T).toarray()).to(out.device)
        torch.addmm(rare, left.dense, right.dense.T, out=out)


def pair_scores(a: Rows, a_rows: Tensor, b: Rows, b_rows: Tensor, frame: Frame) -> Tensor:
    """Scores of the pairs ``(a[a_rows[p]], b[b_rows[p]])`` without cancellation, float64 of the shape of `b_rows`.

    Euclidean and cosine come from differences (for unit vectors ``1 - cos = |u - v|^2 / 2``), so that duplicates get
    exactly 0. Here cosine and inner product are returned as ``1 - cos`` and ``-<x, y>``; Euclidean as the squared
    distance. All in the units of `frame`, that is, times a power of `frame.scale`. `a_rows` is broadcast over the
    columns of `b_rows`.
    """
    shape = b_rows.shape
    if a_rows.dim() < b_rows.dim():
        a_rows = a_rows[:, None].expand(shape)
    a_rows, b_rows = a_rows.reshape(-1), b_rows.reshape(-1)
    out = torch.empty(len(b_rows), dtype=torch.float64, device=a.device)
    step = max(1, PAIR_ELEMENTS // (256 if a.sparse else a.d))
    pairs: Callable[[Any, Any, str], Tensor] = _sparse_pairs if a.sparse else _dense_pairs
    for lo in range(0, len(b_rows), step):
        left = a.values(a_rows[lo : lo + step], frame)
        right = b.values(b_rows[lo : lo + step], frame)
        out[lo : lo + step] = pairs(left, right, frame.metric).to(out.device)
    return out.view(shape)


def _dense_pairs(left: Tensor, right: Tensor, metric: str) -> Tensor:
    if metric == "inner_product":
        return -left.mul_(right).sum(-1)
    if metric == "euclidean":
        distance: Tensor = torch.linalg.vector_norm(left.sub_(right), dim=-1)
        return distance.double().square()
    # A zero row has no direction: its similarity to everything is 0, its distance 1.
    zero = (left == 0).all(-1) | (right == 0).all(-1)
    return (left.sub_(right).square_().sum(-1) / 2).masked_fill(zero, 1.0)


def _sparse_pairs(left: Any, right: Any, metric: str) -> Tensor:
    if metric == "inner_product":
        return torch.from_numpy(-np.asarray(left.multiply(right).sum(1), dtype=np.float64).ravel())
    value = _row_sums_of_squares(left - right)
    if metric == "cosine":
        zero = (np.diff(left.indptr) == 0) | (np.diff(right.indptr) == 0)
        value = np.where(zero, 1.0, value / 2)
    return torch.from_numpy(value)


def _scaled(x: Any, factor: np.ndarray[Any, Any], kind: Any) -> Any:
    out = x.astype(np.float64)
    out.data *= np.repeat(factor, np.diff(out.indptr))
    return out.astype(kind)


def _row_sums_of_squares(x: Any, scale: float = 1.0) -> np.ndarray[Any, Any]:
    squares = (x.data.astype(np.float64) * scale) ** 2
    row = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))
    return np.bincount(row, squares, minlength=x.shape[0])


def _power_of_two(largest: float) -> float:
    """1 for ordinary data; else the power of two that brings the largest entry to about 1 (squares stay finite)."""
    if largest == 0.0 or 1e-12 < largest < 1e12:
        return 1.0
    return float(2.0 ** -np.floor(np.log2(largest)))


def _slabs(n: int, d: int, elements: int = 1 << 22) -> list[tuple[int, int]]:
    step = max(1, elements // max(1, d))
    return [(lo, min(n, lo + step)) for lo in range(0, n, step)]
