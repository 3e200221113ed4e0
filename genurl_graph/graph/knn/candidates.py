"""Approximate neighbours by the Manhattan and Chebyshev distance: the nearest of many Euclidean neighbours.

The inverted lists of `genurl_graph.graph.knn.approximate` find Euclidean neighbours, several for each one that is
wanted; their distances by the metric, in float64, order them. How many are needed is found out on one sample of rows,
of which both kinds of neighbours are searched exactly; the recall is measured on another.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.graph.knn.approximate import RECALL_SAMPLE, TUNING_SAMPLE, approximate_search, recall_at_k
from genurl_graph.graph.knn.differences import difference_search
from genurl_graph.graph.knn.exact import exact_search
from genurl_graph.graph.knn.metrics import pair_distances
from genurl_graph.graph.knn.ranking import sort_candidates
from genurl_graph.graph.knn.rows import Frame, Rows
from genurl_graph.runtime.workers import share_jobs

# Candidates are added until they hold this share of a sample's neighbours, or this many are compared.
ENOUGH, MOST_CANDIDATES = 0.99, 512
# Rows that are ordered at a time.
ORDERED_ROWS = 1024


def candidate_search(rows: Rows, asked: Rows, k: int, budget: int, seed: int) -> tuple[Tensor, Tensor, float]:
    """The k approximate nearest of `rows` to every row of `asked` by the metric of their frame, and the recall.

    Parameters and results as of `genurl_graph.graph.knn.approximate.approximate_search`.
    """
    frame = rows.frame
    euclidean = Frame("euclidean", rows.natural_frame("euclidean").shift, frame.scale)
    drawn = torch.randperm(asked.n, generator=torch.Generator().manual_seed(seed + 2))
    tuning = drawn[:TUNING_SAMPLE].sort().values
    wanted, _ = difference_search(rows, asked, tuning, k, budget)
    _bring(rows, asked, euclidean)
    most = min(MOST_CANDIDATES, rows.n - (asked is rows))
    count = _needed(wanted, exact_search(rows, asked, tuning, most, budget)[0]) if most > k else k
    found = approximate_search(rows, asked, count, budget, seed)[0]
    _bring(rows, asked, frame)
    whole = torch.arange(asked.n, device=rows.device)

    def order(some: Tensor) -> tuple[Tensor, Tensor]:
        index = found[some]
        return sort_candidates(index, pair_distances(asked, some, rows, index).float(), k)

    parts = share_jobs(order, torch.split(whole, ORDERED_ROWS), rows.device)
    indices, distances = (torch.cat(part) for part in zip(*parts, strict=True))
    tested = drawn[TUNING_SAMPLE:][:RECALL_SAMPLE].sort().values if asked.n > 2 * TUNING_SAMPLE else tuning
    truth = difference_search(rows, asked, tested, k, budget)[1]
    return indices, distances, recall_at_k(distances[tested], truth)


def _bring(rows: Rows, asked: Rows, frame: Frame) -> None:
    for part in {rows, asked}:
        part.bring_to(frame)


def _needed(wanted: Tensor, near: Tensor) -> int:
    """How many Euclidean neighbours `near` [s, K], nearest first, hold enough of those `wanted` [s, k]."""
    k, most = wanted.size(1), near.size(1)
    there = (near[:, :, None] == wanted[:, None, :]).any(2).double().mean(0).cumsum(0) / k
    enough = (there >= ENOUGH).nonzero()
    return max(k, int(enough[0]) + 1 if len(enough) else most)
