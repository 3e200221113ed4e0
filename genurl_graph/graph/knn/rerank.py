"""From candidates to final neighbours: which scores stand, which are computed again, what is searched again.

The answer is to be the first k by (float32 distance, index), whatever the rounding of the tiles was. So candidates too
near to each other for a float32 product to tell apart are compared by their exact distances, and a row is doubtful
(to be searched again in exact tiles) if a row that is not among its candidates might be as near as its k-th.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genurl_graph.graph.knn.nearest import decode_index, decode_score, encode
from genurl_graph.graph.knn.rows import Frame, Rows
from genurl_graph.graph.knn.scores import distance, pair_scores, rounding_error
from genurl_graph.runtime.workers import share_jobs, worker_count

if TYPE_CHECKING:
    from collections.abc import Iterator


# A squared distance surely off by less than this share (1e-5 of the distance; typically 2e-6) needs no second look.
TOLERANCE = 2e-5
# What the order of two scores depends on must hold: twice the estimate of their error.
SAFETY = 2.0
# In exact tiles: an eighth of the last bit of a float32.
EXACT_TOLERANCE = 2.0**-27
SETTLE_ROWS = 1024


def rerank(
    rows: Rows, asked: Rows, select: Tensor, code: Tensor, k: int, frame: Frame, exact: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Indices and float32 distances (in the units of `frame`) ``[m, k]`` of the k best candidates; doubtful rows.

    `code` ``[m, width]`` holds the candidates of ``asked[select]``; whether they come from exact tiles says `exact`.
    Doubtful rows are named by their place in `select`.
    """
    m = len(select)
    indices = torch.empty(m, k, dtype=torch.int64, device=rows.device)
    distances = torch.empty(m, k, dtype=torch.float32, device=rows.device)
    doubtful = torch.zeros(m, dtype=torch.bool, device=rows.device)
    # All blocks have been multiplied: their norms are known.
    longest = rows.squared.max().sqrt()
    judge = _judge_exact if exact else _judge_rough
    may_doubt = not exact and code.shape[1] < rows.n - (asked is rows)

    def loop(starts: Iterator[int]) -> None:
        for lo in starts:
            part = slice(lo, min(m, lo + SETTLE_ROWS))
            some, ordered = select[part], code[part].sort(dim=1).values
            index = decode_index(ordered)
            value, margin, spoiled = judge(decode_score(ordered).double(), asked, some, frame, longest)
            if may_doubt:
                # What is outside is no nearer than the worst candidate, but for rounding.
                nearest = distance(value[:, -1] - SAFETY * margin, frame)
                doubtful[part] = doubt = nearest <= distance(value[:, k - 1] + SAFETY * margin, frame)
                spoiled &= ~doubt[:, None]
            row, column = spoiled.nonzero(as_tuple=True)
            value[row, column] = pair_scores(asked, some[row], rows, index[row, column], frame)
            indices[part], distances[part] = sort_candidates(index, distance(value, frame), k)

    share_jobs(loop, range(0, m, SETTLE_ROWS), worker_count(rows.device))
    return indices, distances, doubtful.nonzero().squeeze(1)


def _judge_rough(
    value: Tensor, asked: Rows, some: Tensor, frame: Frame, longest: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Scores of float32 tiles, ascending: as of `pair_scores`, their error, and which of them must be computed again.

    These are the scores whose error is large against the distance itself (not for the inner product, whose absolute
    error counts), and those that are so near to each other that the error may have changed their order.
    """
    if frame.metric == "cosine":
        value = value + 1.0
    reach = longest if frame.metric == "inner_product" else value[:, -1].clamp(min=0).sqrt()
    margin = rounding_error(asked, some, frame, reach, torch.float32)
    close = value.diff(dim=1) <= 2 * SAFETY * margin[:, None]
    spoiled = torch.zeros_like(value, dtype=torch.bool)
    spoiled[:, 1:] |= close
    spoiled[:, :-1] |= close
    if frame.metric != "inner_product":
        spoiled |= margin[:, None] > TOLERANCE * value
    return value, margin, spoiled


def _judge_exact(
    value: Tensor, asked: Rows, some: Tensor, frame: Frame, longest: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The same for the distances of exact tiles: only where float64 lost the distance itself it is computed again."""
    reach = value[:, -1] if frame.metric == "euclidean" else longest
    margin = rounding_error(asked, some, frame, reach, torch.float64)
    if frame.metric == "euclidean":
        value = value.square()
    spoiled = margin[:, None] > EXACT_TOLERANCE * value
    if frame.metric == "inner_product" or (frame.metric == "euclidean" and frame.integral):
        spoiled[:] = False
    return value, margin, spoiled


def sort_candidates(index: Tensor, distance: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The first k by (distance, index)."""
    code = encode(distance, index).sort(dim=1).values[:, :k]
    return decode_index(code), decode_score(code)
