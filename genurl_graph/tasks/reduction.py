"""Dimension reduction: feature edges only, a free table of coordinates or an MLP, one view."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.encoders import Features, make_encoder
from genurl_graph.exceptions import InputError
from genurl_graph.graph import merge_graphs
from genurl_graph.inputs import Input
from genurl_graph.objective import PairwiseObjective
from genurl_graph.tasks import Problem
from genurl_graph.tasks.common import feature_similarities, predefined_weights, principal_components

# Deviation of the first coordinate at the start: small, so that the attraction shapes the picture first.
START_SCALE = 1e-2


def build(data: Input, x: Tensor | None, config: Config, seed: int, device: torch.device) -> Problem:
    """Dimension-reduction problem; a graph that comes with the vectors is merged into P.

    Parameters
    ----------
    data : Input
        With features.
    x : Tensor or None
        Features as an MLP sees them (normalised).
    config : Config
    seed : int
        Of everything random before training.
    device : torch.device

    Raises
    ------
    InputError
        No features, or an encoder that needs edges.
    """
    if data.x is None or x is None:
        raise InputError("task reduce: the input has no features; expected vectors (or use the graph task)")
    if config.encoder.name not in ("free", "mlp"):
        raise InputError(f"task reduce: encoder {config.encoder.name!r} needs a graph; expected free or mlp")
    neighbors, knn_edges, knn_p = feature_similarities(data, config, seed, device)
    merged = merge_graphs(
        data.edge_index, predefined_weights(data), knn_edges, knn_p, num_nodes=data.num_nodes, how="union"
    )
    free = config.encoder.name == "free"
    encoder = make_encoder(
        config.encoder.name,
        int(x.size(1)),
        config.encoder.dim,
        hidden=config.encoder.hidden,
        layers=config.encoder.layers,
        dropout=config.encoder.dropout,
        norm=config.encoder.norm,
        start=_start(data.x, config, seed) if free else None,
    )
    positive = merged.edge_weight > 0
    objective = PairwiseObjective(
        encoder,
        None if free else Features(x),
        None,
        merged.edge_index[:, positive].cpu(),
        merged.edge_weight[positive].cpu(),
        data.num_nodes,
        config.loss,
        config.sampling,
        config.views,
    )
    return Problem(objective, merged, neighbors)


def _start(x: Tensor, config: Config, seed: int) -> Tensor:
    """First coordinates of the free table, on the scale `START_SCALE`."""
    n, d = int(x.size(0)), config.encoder.dim
    if config.encoder.init not in ("pca", "random"):
        raise InputError(f"encoder.init: unknown {config.encoder.init!r}; expected pca or random")
    noise = torch.randn(n, d)
    if config.encoder.init == "random":
        return noise * START_SCALE
    found = principal_components(x, min(d, n, int(x.size(1))), seed)
    scale = found[:, 0].std().clamp_min(torch.finfo(found.dtype).tiny)
    # Columns that PCA cannot give (d > f) start as noise; a little of it everywhere parts duplicates.
    start = noise * 0.01
    start[:, : found.size(1)] += found / scale
    return start * START_SCALE
