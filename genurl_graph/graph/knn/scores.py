"""Scores of pairs of rows: whole tiles by a matrix product, single pairs without its rounding.

For the Euclidean metric two columns are appended to the rows, so that one product gives the whole squared distance and
no second pass over the tile adds the norms::

    [-2 x_i, 1, |x_i|^2] . [x_j, |x_j|^2, 1]  =  |x_i|^2 + |x_j|^2 - 2 <x_i, x_j>

Cosine rows are normalised first and the entry is ``-<x_i, x_j>``, as for the inner product. `score` is our word for
such an entry: in every metric a smaller score means a nearer row. Neighbours are ordered by what `distance` makes of
it, rounded to float32: float64 scores that differ by rounding only, as those of ties do, then become equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.graph.knn.rows import Frame, Operand, Rows, Select, SparseRows, row_sums_of_squares

if TYPE_CHECKING:
    from collections.abc import Callable


# Elements gathered at a time when distances of single pairs are computed: 2 MB a side, for the cache.
PAIR_ELEMENTS = 1 << 18
# The same of sparse rows, in entries: about 10 MB with all of SciPy's temporaries.
PAIR_ENTRIES = 1 << 17
# Cosine distances below this are rounding of the coordinates (2^-52 of each, squared and with room to spare).
SAME_DIRECTION = 1e-30
# Rows of a float64 tile that exist at a time; what is kept of it is float32.
STRIP = 256


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
        return Operand(-right.dense, None if right.rare is None else -right.rare, right.inverse)
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


def rounding_error(rows: Rows, select: Select, frame: Frame, reach: Tensor, dtype: torch.dtype) -> Tensor:
    """Estimate of the largest rounding error of scores computed in `dtype`, for each row of `select`.

    Rounding of a product of length d grows like sqrt(d) (random walk), times the size of the summands: for the
    Euclidean metric |x|^2 and (|x| + reach)^2, `reach` being the largest distance that matters; for the inner product
    |x| times `reach`, the largest norm on the other side. Measured against float64 for the 19 nearest of 3,000 rows of
    nine data sets (images, bags of words, Gaussian, log-normal, Cauchy, 16 to 6,805 columns): the mean error is at most
    0.28 of this, the largest 1.0 (Euclidean), 1.3 (cosine, of rows that are nearly parallel) and 1.6 (inner product).
    """
    unit = (2.0 + 0.25 * float(rows.d) ** 0.5) * torch.finfo(dtype).eps
    squared: Tensor = rows.squared[select]
    if frame.metric == "cosine":
        return torch.full_like(squared, unit)
    norm = squared.sqrt()
    size = norm * reach if frame.metric == "inner_product" else squared + (norm + reach).square()
    error: Tensor = size * unit
    return error


def distance(score: Tensor, frame: Frame) -> Tensor:
    """float32 distance in the units of `frame`, from scores as of `pair_scores`; what neighbours are ordered by."""
    if frame.metric == "euclidean":
        return score.clamp(min=0).sqrt().float()
    return score.clamp(0, 2).float() if frame.metric == "cosine" else score.float()


def multiply_exactly(left: Operand, right: Operand, margin: Tensor, frame: Frame, out: Tensor) -> None:
    """Write the distances of a tile, from float64 operands or integral ones, into the float32 tensor `out`.

    Below `margin` ``[rows of left]`` a float64 score may be rounding alone: distance 0, as duplicates have.
    """
    if frame.integral:
        multiply(left, right, out)
        if frame.metric == "euclidean":
            out.sqrt_()
        if left.inverse is not None and right.inverse is not None:
            for lo in range(0, len(out), STRIP):
                part = slice(lo, lo + STRIP)
                score = out[part].double().mul_(left.inverse[part, None]).mul_(right.inverse).add_(1.0)
                out[part] = score.masked_fill_(score < margin[part, None], 0.0)
        return
    buffer = torch.empty(min(STRIP, len(out)), out.shape[1], dtype=torch.float64, device=out.device)
    for lo in range(0, len(out), STRIP):
        part = slice(lo, lo + STRIP)
        target = out[part]
        score = buffer[: len(target)]
        multiply(Operand(left.dense[part], None if left.rare is None else left.rare[part]), right, score)
        if frame.metric == "cosine":
            score += 1.0
        if frame.metric != "inner_product":
            score.masked_fill_(score < margin[part, None], 0.0)
        target.copy_(score.sqrt_() if frame.metric == "euclidean" else score)


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
    step = max(1, PAIR_ELEMENTS // a.d)
    if isinstance(a, SparseRows) and isinstance(b, SparseRows):
        step = max(1, PAIR_ENTRIES // (1 + max(a.entries, b.entries)))
    pairs: Callable[[Any, Any, str], Tensor] = _sparse_pairs if a.sparse else _dense_pairs
    for lo in range(0, len(b_rows), step):
        left = a.values(a_rows[lo : lo + step], frame)
        right = b.values(b_rows[lo : lo + step], frame)
        out[lo : lo + step] = pairs(left, right, frame.metric).to(out.device)
    if frame.metric == "cosine":
        # Rows that are multiples of each other differ by rounding once they are normalised.
        out.div_(2).masked_fill_(out < SAME_DIRECTION, 0.0)
        # A zero row has no direction: its similarity to everything is 0, its distance 1.
        out.masked_fill_(a.is_zero(a_rows) | b.is_zero(b_rows), 1.0)
    return out.view(shape)


def _dense_pairs(left: Tensor, right: Tensor, metric: str) -> Tensor:
    if metric == "inner_product":
        return -left.mul_(right).sum(-1)
    # Faster than the sum of the squares.
    length: Tensor = torch.linalg.vector_norm(left.sub_(right), dim=-1)
    return length.square()


def _sparse_pairs(left: Any, right: Any, metric: str) -> Tensor:
    if metric == "inner_product":
        return torch.from_numpy(-np.asarray(left.multiply(right).sum(1), dtype=np.float64).ravel())
    return torch.from_numpy(row_sums_of_squares(left - right))
