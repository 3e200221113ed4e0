"""Computed columns: degrees, clusters, and how well the map preserves the neighbourhood of each point."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.evaluation.clustering import kmeans
from genurl_graph.evaluation.preservation import EXACT_UP_TO, preservation
from genurl_graph.graph.merge import FEATURE, PREDEFINED, MergedGraph
from genurl_graph.plotting.explorer.colours import Categories, Column, Numbers

# Neighbours of the local trustworthiness, as in the protocol "reduce".
NEIGHBORS = 12
METRIC_NAMES = {"euclidean": "Euclidean distance", "cosine": "cosine distance"}


def degrees(merged: MergedGraph, n: int) -> list[Column]:
    """Degrees of the nodes by predefined edges, and by kNN edges that the merge added."""

    def count(chosen: Tensor) -> Any:
        return torch.bincount(merged.edge_index[0][chosen], minlength=n).numpy().astype(np.float32)

    given, near = ((merged.provenance & bit) > 0 for bit in (PREDEFINED, FEATURE))
    if not bool(given.any()):
        about = "Neighbours by kNN edges, counted both ways"
        return [Numbers("Degree", about, count(near))]
    return [
        Numbers("Degree", "Neighbours by predefined edges", count(given)),
        Numbers("Degree, merged", "Neighbours in the merged graph, by edges of all sources", count(given | ~given)),
        Numbers("Added by features", "Neighbours by kNN edges that are no predefined edges", count(near & ~given)),
    ]


def clusters(z: Any, k: int, seed: int = 0) -> Categories:
    """k-means clusters of the embedding [n, d], numbered from 1, the largest first."""
    k = min(k, len(np.unique(z, axis=0)))
    found = kmeans(z, k, seed)
    order = np.argsort(-np.bincount(found, minlength=k), kind="stable")
    rank = np.empty(k, dtype=np.int64)
    rank[order] = np.arange(k)
    about = f"k-means with {k} clusters on the embedding's {z.shape[1]} dimensions, 10 restarts"
    return Categories("Cluster", about, rank[found], [str(number) for number in range(1, k + 1)])


def local_trustworthiness(reference: Any, points: Any, metric: str, what: str) -> Numbers | None:
    """Trustworthiness of the map [n, 2] against a reference [n, f] at each point; None where it is not computed.

    `preservation` ranks each point against all others: this needs 3 to `EXACT_UP_TO` points.
    """
    n = len(points)
    k = min(NEIGHBORS, (n - 1) // 2)
    if n > EXACT_UP_TO or k < 1:
        return None
    about = (
        f"Local trustworthiness against the {what} ({METRIC_NAMES[metric]}, k = {k}): "
        "1 where all neighbours in the map are near there"
    )
    found = preservation(reference, points, k, metric=metric)
    return Numbers(f"Local trustworthiness: {what}", about, found.trustworthiness.numpy().astype(np.float32))


def preserved_neighbours(reference: Tensor, shown: Tensor, what: str) -> Numbers:
    """Share of each node's k neighbours in a reference [n, k] that are among its k nearest [n, >= k] in the map."""
    k = reference.size(1)
    share = [
        (wanted[:, :, None] == found[:, None, :k]).any(2).float().mean(1)
        for wanted, found in zip(torch.split(reference, 4096), torch.split(shown, 4096), strict=True)
    ]
    about = f"Share of the {k} nearest in the {what} that are among the {k} nearest in the map"
    return Numbers(f"Neighbours preserved: {what}", about, torch.cat(share).numpy())
