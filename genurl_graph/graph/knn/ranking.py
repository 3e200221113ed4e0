"""The order of candidates: scores that rounding may have spoiled are computed again; the nearest by distance."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.graph.knn.nearest import decode_index, decode_score, encode, sort_codes
from genurl_graph.graph.knn.rows import Rows, Select, pair_scores
from genurl_graph.runtime.workers import share_jobs

# A squared distance surely off by less than this share (1e-5 of the distance; typically 2e-6) needs no second look;
# of a float64 product: an eighth of the last bit of a float32.
TOLERANCE, EXACT_TOLERANCE = 2e-5, 2.0**-27
# What the order of two scores depends on must hold: twice the estimate of their error.
SAFETY = 2.0
RERANKED_ROWS = 1024


class Candidates(NamedTuple):
    """Candidates of some rows, nearest first as far as their scores are right."""

    neighbor: Tensor
    """int64 ``[m, width]``."""
    value: Tensor
    """Scores (``1 - cos`` for the cosine), float64 ``[m, width]``; infinite: no candidate."""
    row: Tensor
    column: Tensor
    """Where scores are to be computed again, int64 each."""
    doubt: Tensor
    """Which rows are to be searched again, boolean ``[m]``."""

    def nearest(self, k: int, metric: str) -> tuple[Tensor, Tensor]:
        """The first k by (distance, index): int64 and float32 [m, k]."""
        return sort_candidates(self.neighbor, distance(self.value, metric), k)


def rerank(
    rows: Rows, asked: Rows, select: Tensor, code: Tensor, k: int, exact: bool, complete: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """The k best candidates of each row, by (distance, index), and the rows that are to be searched again.

    Parameters
    ----------
    code : Tensor, int64, shape [m, width]
        Candidates of ``asked[select]``, of float32 scores or of `exact` distances; at infinity: none.
    complete : bool
        Rows outside the candidates do not matter, nor does the order of those that are as near to within rounding.

    Returns
    -------
    indices, distances : Tensor, shape [m, k]
    uncertain : Tensor, int64
        Positions in `select`; none if `exact`.
    """
    longest = rows.squared.max().sqrt()
    certain = code.shape[1] == rows.n - (asked is rows)

    def rerank_block(lo: int) -> tuple[Tensor, Tensor, Tensor]:
        some = select[lo : lo + RERANKED_ROWS]
        found = assess(asked, some, code[lo : lo + RERANKED_ROWS], k, longest, exact, complete, certain)
        index = found.neighbor[found.row, found.column]
        found.value[found.row, found.column] = pair_scores(asked, some[found.row], rows, index, fast=complete)
        return *found.nearest(k, rows.frame.metric), found.doubt

    found = share_jobs(rerank_block, range(0, len(select), RERANKED_ROWS), rows.device)
    indices, distances, doubts = (torch.cat(part) for part in zip(*found, strict=True))
    return indices, distances, doubts.nonzero().squeeze(1)


def assess(
    asked: Rows, select: Tensor, code: Tensor, k: int, longest: Tensor, exact: bool, complete: bool, certain: bool
) -> Candidates:
    """What is open about the candidates of ``asked[select]``.

    Parameters
    ----------
    longest : Tensor, float64, shape []
        Norm of the longest row that might be a candidate.
    certain : bool
        All rows are among the candidates.
    code, k, exact, complete
        As of `rerank`.
    """
    metric, integral = asked.frame.metric, asked.frame.integral
    code = sort_codes(code)
    index, value = decode_index(code), decode_score(code).double()
    if exact and metric == "euclidean":
        value = value.square()
    elif metric == "cosine" and not exact:
        value = value + 1.0
    reach = longest if metric == "inner_product" else value[:, -1].clamp(min=0).sqrt()
    margin = SAFETY * rounding_error(asked, select, reach, torch.float64 if exact else torch.float32)
    spoiled = margin[:, None] > (EXACT_TOLERANCE if exact else TOLERANCE) * SAFETY * value
    if metric == "inner_product" or (metric == "euclidean" and integral):
        spoiled[:] = False
    if not exact and not complete:
        # Nearer to each other than the error of both: the order of the two is open.
        close = value.diff(dim=1) <= 2 * margin[:, None]
        spoiled[:, 1:] |= close
        spoiled[:, :-1] |= close
    # What is outside is no nearer than the worst candidate, but for rounding.
    doubt = distance(value[:, -1] - margin, metric) <= distance(value[:, k - 1] + margin, metric)
    doubt &= not (certain or exact or complete)
    row, column = (spoiled & ~doubt[:, None] & value.isfinite()).nonzero(as_tuple=True)
    return Candidates(index, value, row, column, doubt)


def rounding_error(rows: Rows, select: Select, reach: Tensor, dtype: torch.dtype) -> Tensor:
    """Estimate of the largest rounding error of scores computed in `dtype`, float64, for each row of `select`.

    Rounding of a product of length d grows like sqrt(d) (random walk), times the size of the summands: for the
    Euclidean metric |x|^2 and (|x| + reach)^2, `reach` being the largest distance that matters; for the inner product
    |x| times `reach`, the largest norm on the other side. Measured against float64 for the 19 nearest of 3,000 rows of
    nine data sets (images, bags of words, Gaussian, log-normal, Cauchy, 16 to 6,805 columns): the mean error is at most
    0.28 of this, the largest 1.0 (Euclidean), 1.3 (cosine, of rows that are nearly parallel) and 1.6 (inner product).
    """
    unit = (2.0 + 0.25 * float(rows.d) ** 0.5) * torch.finfo(dtype).eps
    squared, metric = rows.squared[select], rows.frame.metric
    if metric == "cosine":
        return torch.full_like(squared, unit)
    norm = squared.sqrt()
    size = norm * reach if metric == "inner_product" else squared + (norm + reach).square()
    error: Tensor = size * unit
    return error


def distance(score: Tensor, metric: str) -> Tensor:
    """float32 distance of a score (of ``1 - cos`` for the cosine); what neighbours are ordered by."""
    if metric == "euclidean":
        return score.clamp(min=0).sqrt().float()
    return score.clamp(0, 2).float() if metric == "cosine" else score.float()


def sort_candidates(index: Tensor, distances: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The first k by (distance, index)."""
    code = sort_codes(encode(distances, index))[:, :k]
    return decode_index(code), decode_score(code)
