"""Approximate neighbours: lists of rows that are near to each other, their candidates in the order of exact distances.

How many lists are searched is found out on one sample of rows; the recall is measured on another.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.graph.knn.exact import exact_search
from genurl_graph.graph.knn.lists import Lists
from genurl_graph.graph.knn.nearest import LAST_INDEX
from genurl_graph.graph.knn.ranking import rerank
from genurl_graph.graph.knn.rows import Rows

# Lists are added until they hold this share of a sample's neighbours, or this many rows.
TARGET, SCANNED = 0.97, 1 << 15
# Rows of the sample that this is tuned on, and of the one whose recall is reported.
TUNING_SAMPLE, RECALL_SAMPLE = 256, 512


def approximate_search(rows: Rows, asked: Rows, k: int, budget: int, seed: int) -> tuple[Tensor, Tensor, float]:
    """The k approximate nearest of `rows` to every row of `asked`, and the recall.

    Rows for which the lists held too few candidates are searched exactly.

    Returns
    -------
    indices : Tensor, int64, shape [m, k]
    distances : Tensor, float32, shape [m, k]
        Exact, in the units of the frame; ascending, ties by index.
    recall : float
        Share of the true neighbours of `RECALL_SAMPLE` rows that were found.
    """
    drawn = torch.randperm(asked.n, generator=torch.Generator().manual_seed(seed + 1))
    lists = Lists(rows, seed)
    tuning = drawn[:TUNING_SAMPLE].sort().values
    theirs = lists.home[exact_search(rows, asked, tuning, k, budget)[0]]
    most = max(1, min(lists.count, SCANNED * lists.count // rows.n))
    count = enough_lists(lists.centres.nearest(asked, tuning, most), theirs, TARGET)
    whole = torch.arange(asked.n, device=rows.device)
    if asked is rows and count > lists.count // 2:
        # As quick: a product of two rows serves both of them there.
        return *exact_search(rows, asked, whole, k, budget), 1.0
    code = lists.search(asked, whole, count, min(k + 1, rows.n - (asked is rows)))
    indices, distances, _ = rerank(rows, asked, whole, code, k, exact=False, complete=True)
    # Not by their distance: that of the cosine is at most 2.
    short = (indices == LAST_INDEX).any(1).nonzero().squeeze(1)
    if len(short):
        indices[short], distances[short] = exact_search(rows, asked, short, k, budget)
    # Not those of the tuning, unless there are no others.
    tested = drawn[TUNING_SAMPLE:][:RECALL_SAMPLE].sort().values if asked.n > 2 * TUNING_SAMPLE else tuning
    truth = exact_search(rows, asked, tested, k, budget)[1]
    return indices, distances, recall_at_k(distances[tested], truth)


def recall_at_k(approximate: Tensor, exact: Tensor, rounding: float = 1e-6) -> float:
    """Share of the approximate neighbours that are no farther than the exact k-th one (ties count as right)."""
    limit = exact[:, -1:]
    return float((approximate <= limit + rounding * limit.abs() + 1e-12).double().mean())


def enough_lists(near: Tensor, theirs: Tensor, target: float) -> int:
    """How many of the nearest lists, `near` [s, p] hold a share of the neighbours in `theirs` [s, k]; or p."""
    held = torch.zeros(near.size(1), dtype=torch.float64)
    for column in theirs.T:
        held += (near == column[:, None]).double().mean(0) / theirs.size(1)
    reached = (held.cumsum(0) >= target).nonzero()
    return int(reached[0]) + 1 if len(reached) else near.size(1)
