"""Edge sources of a run: predefined edges, and kNN edges by node type, searched once even if a run is resumed."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.graph.knn import Neighbors
from genurl_graph.graph.knn_edges import calibrate_distances, feature_space, search_neighbors
from genurl_graph.graph.merge import predefined_graph
from genurl_graph.graph.projection import FeatureSpace
from genurl_graph.graph.sources import Sources, fade, mean_of_ends, uses_neighbors, weight_by_reliability
from genurl_graph.inputs.hetero import block
from genurl_graph.inputs.input import Input
from genurl_graph.tasks.metric import resolve_metric
from genurl_graph.training.checkpoint import KeptNeighbors


def gather(data: Input, config: Config, seed: int, device: torch.device, kept: KeptNeighbors | None = None) -> Sources:
    """Both edge sources of `data`, weighted for the merge.

    A kNN edge weighs ``p / (1 + mean degree of both ends)``: features decide where a node has few edges of its own,
    and fade beside many. (With one weight for all nodes Cora scored best with a small one, and CiteSeer, whose nodes
    have fewer edges, with a larger one.)

    With ``merge.weighting = adaptive`` a predefined edge weighs ``1 - c (1 - r)`` times its own weight, c the
    confidence in the features and r the edge reliability of both ends (`genurl_graph.graph.edge_reliability`), and
    degrees count reliable edges: where consistent features contradict the edges, kNN edges take over. With
    ``merge.weighting = none`` the reliability is 0 everywhere, and kNN edges are all there is. Features that stand
    apart (``encoder.beside``) say nothing of edges.
    """
    given = predefined_graph(data)
    found = Sources(given.edge_index, given.edge_weight)
    if data.x is None or config.encoder.beside == "apart":
        return found
    found = weight_by_reliability(found, data, config)
    assert found.degree is not None
    # Features count as far as they are shown to tell something.
    if uses_neighbors(config.merge):
        neighbors, knn_edges, p = feature_similarities(data, config, seed, device, kept=kept)
        weight = fade(p, mean_of_ends(found.degree.to(p.device), knn_edges), config.merge.evidence)
        found = found._replace(knn_edge_index=knn_edges, knn_weight=weight, neighbors=neighbors)
    return found


def feature_similarities(
    data: Input,
    config: Config,
    seed: int,
    device: torch.device,
    space: FeatureSpace | None = None,
    kept: KeptNeighbors | None = None,
) -> tuple[Neighbors, Tensor, Tensor]:
    """Feature-space kNN and their calibrated similarities.

    Parameters
    ----------
    data, config, seed, device
        As of a recipe.
    space : FeatureSpace, optional
        Where neighbours are searched; by default `feature_space` of the data.
    kept : KeptNeighbors, optional
        Of a run that goes on: neighbours that it holds are not searched again, and others are added to it.

    Returns
    -------
    neighbors : Neighbors
        With node types, neighbours are of one's own type; -1 at infinite distance where there are too few.
    edge_index : Tensor, int64, shape [2, E]
        Symmetric.
    p : Tensor, float32, shape [E]
        In (0, 1].
    """
    found = kept.neighbors(device) if kept is not None else None
    if found is None:
        found = _search(data, config, seed, device, space)
        if kept is not None:
            kept.save(found)
    n, k = found.indices.shape
    row = torch.arange(n, device=found.indices.device).repeat_interleave(k)
    edge_index, distance = torch.stack([row, found.indices.reshape(-1)]), found.distances.reshape(-1)
    if data.types is not None:
        there = edge_index[1] >= 0
        edge_index, distance = edge_index[:, there], distance[there]
    return found, *calibrate_distances(edge_index, distance, n, config)


def _search(data: Input, config: Config, seed: int, device: torch.device, space: FeatureSpace | None) -> Neighbors:
    """Neighbours of all nodes, by node type where there are types: each is compared as its own features suggest."""
    if data.types is None:
        return search_neighbors(space or feature_space(data, config, seed), config, seed, device)
    assert data.x is not None
    indices = torch.full((data.num_nodes, config.neighbors.n_neighbors), -1, device=device)
    distances = torch.full(indices.shape, torch.inf, device=device)
    parts = []
    for name, width in data.types.widths().items():
        low, high = data.types.rows[name]
        if not width or high - low < 2:
            continue
        x = block(data.x, data.types, name)
        rows, k = Input(x, None, None, high - low, data.kind), min(indices.size(1), high - low - 1)
        own = config.override({"neighbors.n_neighbors": k, "neighbors.metric": resolve_metric(rows, config)})
        part = _search(rows, own, seed, device, None)
        indices[low:high, :k], distances[low:high, :k] = part.indices + low, part.distances
        parts.append(part)
    backend = next((part.backend for part in parts if part.backend != "exact"), "exact")
    return Neighbors(indices, distances, backend, min((p.recall for p in parts if p.recall is not None), default=None))
