"""From float32 candidates to final neighbours: which scores stand, which are computed again, what is searched again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genurl_graph._rows import Frame, Rows, pair_scores
from genurl_graph._workers import share_jobs, worker_count

if TYPE_CHECKING:
    from collections.abc import Iterator

# A squared distance surely off by less than this share (1e-5 of the distance; typically 2e-6) needs no second look.
TOLERANCE = 2e-5
SETTLE_ROWS = 1024


def settle(
    rows: Rows, asked: Rows, index: Tensor, score: Tensor, k: int, frame: Frame
) -> tuple[Tensor, Tensor, Tensor]:
    """Sort the candidates, recomputing scores that rounding may have spoiled; name the rows it may have cost a
    neighbour.

    Float32 scores carry an error of up to about `margin`. Where this is small against the distance itself, or where
    the metric cannot do better (inner product), they stand; else the score is computed again without cancellation. A
    row is doubtful if even its k-th score was spoiled and a row outside its candidates might be nearer.
    """
    m, width = index.shape
    available = rows.n - (asked is rows)
    indices = torch.empty(m, k, dtype=torch.int64, device=rows.device)
    scores = torch.empty(m, k, dtype=torch.float64, device=rows.device)
    doubtful: list[Tensor] = []

    def loop(starts: Iterator[int]) -> None:
        for lo in starts:
            some = torch.arange(lo, min(m, lo + SETTLE_ROWS), device=rows.device)
            value = score[some].double()
            if frame.metric == "cosine":
                value += 1.0
            if frame.metric != "inner_product":
                margin = _rounding_error(asked, some, frame, value)
                outside = value.amax(1) - margin
                row, column = (margin[:, None] > TOLERANCE * value).nonzero(as_tuple=True)
                value[row, column] = pair_scores(asked, some[row], rows, index[some][row, column], frame)
                if width < available:
                    kth = value.kthvalue(k, dim=1).values
                    doubtful.append(some[(outside < kth) & (margin > TOLERANCE * kth) & (kth > 0)])
            indices[some], scores[some] = sort_candidates(index[some], value, k)

    share_jobs(loop, range(0, m, SETTLE_ROWS), worker_count(rows.device))
    return indices, scores, torch.cat(doubtful) if doubtful else indices.new_empty(0)


def _rounding_error(asked: Rows, some: Tensor, frame: Frame, value: Tensor) -> Tensor:
    """Bound on the rounding error of float32 scores, per row.

    Rounding of a product of length d grows like sqrt(d) (random walk), times the size of the summands: |x|^2 and,
    for any candidate that matters, at most (|x| + distance)^2.
    """
    steps = 2.0 + 0.25 * float(asked.d) ** 0.5
    if frame.metric == "cosine":
        return torch.full((len(some),), steps * 2.0**-23, dtype=torch.float64, device=asked.device)
    squared = asked.squared[some]
    reach = squared.sqrt() + value.amax(1).clamp(min=0).sqrt()
    bound: Tensor = steps * 2.0**-23 * (squared + reach.square())
    return bound


def sort_candidates(index: Tensor, score: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k smallest, ascending; equal scores by index, so that the answer does not depend on tiles."""
    index, order = index.sort(dim=1)
    score, by_score = score.gather(1, order).sort(dim=1, stable=True)
    return index.gather(1, by_score)[:, :k], score[:, :k]
