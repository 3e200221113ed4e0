"""kNN edges between nodes that do much the same in a window."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.graph.knn import knn
from genurl_graph.graph.knn_edges import calibrate_distances
from genurl_graph.graph.merge import MergedGraph, combine
from genurl_graph.graph.sources import mean_of_ends


def with_profile_edges(
    given: MergedGraph, profile: Tensor, window: Tensor, config: Config, seed: int, device: torch.device
) -> MergedGraph:
    """A graph with kNN edges of activity profiles, whose weight fades with the degree as in the graph task.

    Parameters
    ----------
    given : MergedGraph
        Over the rows.
    profile : Tensor, float32, shape [R, p]
        Standardised.
    window : Tensor, int64, shape [R]
        Ascending; neighbours are of one's own window.
    config, seed, device
        As of a recipe.
    """
    rows = len(profile)
    edges, p = calibrate_distances(*neighbors_in_windows(profile, window, config, seed, device), rows, config)
    degree = torch.bincount(given.edge_index[0], given.edge_weight, minlength=rows).float()
    weight = p.cpu() / (1 + mean_of_ends(degree, edges.cpu())) * config.merge.feature_weight
    # A similarity that is all but 0 may be 0 once it is divided.
    edges, weight = edges.cpu()[:, weight > 0], weight[weight > 0]
    return combine(given.edge_index, given.edge_weight, edges, weight, num_nodes=rows, how="mix")


def neighbors_in_windows(
    profile: Tensor, window: Tensor, config: Config, seed: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """The nearest rows of each row in its window, int64 [2, E], and their distances, float32 [E]."""
    c, edges, distances, start = config.neighbors, [], [], 0
    for size in torch.unique_consecutive(window, return_counts=True)[1].tolist():
        k = min(c.n_neighbors, size - 1)
        if k > 0:
            part = profile[start : start + size]
            found = knn(part, k, metric=c.metric, backend=c.backend, memory_mb=c.memory_mb, device=device, seed=seed)
            row = torch.arange(size, device=found.indices.device).repeat_interleave(k)
            edges.append(torch.stack([row, found.indices.reshape(-1)]) + start)
            distances.append(found.distances.reshape(-1))
        start += size
    if not edges:
        return torch.empty(2, 0, dtype=torch.int64), torch.empty(0)
    return torch.cat(edges, 1), torch.cat(distances)
