"""Dimension reduction: feature edges only, a free table of coordinates, an MLP or a linear map, one view."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.all_pairs import AllPairsObjective
from genurl_graph.batches import BatchObjective
from genurl_graph.config import Config
from genurl_graph.encoders import DENSE, Features, begins_as_pca, make_encoder
from genurl_graph.exceptions import InputError
from genurl_graph.graph import merge_graphs
from genurl_graph.inputs import Input
from genurl_graph.objective import PairwiseObjective
from genurl_graph.space import FeatureSpace, principal_components
from genurl_graph.tasks import Problem
from genurl_graph.tasks.common import feature_similarities, feature_space, predefined_weights

# Deviation of the first coordinate at the start: small, so that the attraction shapes the picture first.
START_SCALE = 1e-2

OBJECTIVES: dict[str, type[PairwiseObjective]] = {"all": AllPairsObjective, "batch": BatchObjective}


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
    if config.encoder.name not in ("free", *DENSE):
        expected = f"free, {', '.join(DENSE)}"
        raise InputError(f"task reduce: encoder {config.encoder.name!r} needs a graph; expected one of {expected}")
    space = feature_space(data, config, seed)
    neighbors, knn_edges, knn_p = feature_similarities(data, config, seed, device, space)
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
        start=_start(data.x, space, config, seed) if free else None,
        skip=begins_as_pca(config),
    )
    positive = merged.edge_weight > 0
    make = OBJECTIVES.get(config.sampling.negatives, PairwiseObjective)
    objective = make(
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
    # Averages over a graph are not to be had for samples outside it.
    alone = config.neighbors.hops == 0 or data.edge_index is None
    return Problem(objective, merged, neighbors, space=space if alone else None)


def _start(x: Tensor, space: FeatureSpace, config: Config, seed: int) -> Tensor:
    """First coordinates of the free table, on the scale `START_SCALE`."""
    n, d = int(x.size(0)), config.encoder.dim
    if config.encoder.init not in ("pca", "random"):
        raise InputError(f"encoder.init: unknown {config.encoder.init!r}; expected pca or random")
    noise = torch.randn(n, d)
    if config.encoder.init == "random":
        return noise * START_SCALE
    if space.projection is not None and not space.unit and space.vectors.size(1) >= d and config.neighbors.hops == 0:
        found = space.vectors[:, :d]  # found already
    else:
        found = principal_components(x, d, seed)
    scale = found[:, 0].std().clamp_min(torch.finfo(found.dtype).tiny)
    # Columns that PCA cannot give (d > f) start as noise; a little of it everywhere parts duplicates.
    start = noise * 0.01
    start[:, : found.size(1)] += found / scale
    return start * START_SCALE
