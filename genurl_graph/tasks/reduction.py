"""Dimension reduction: kNN edges, an embedding table, an MLP or a linear map, one view."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from genurl_graph.config import Config, load_preset
from genurl_graph.exceptions import unknown, wrong
from genurl_graph.graph.knn import Neighbors
from genurl_graph.graph.knn_edges import calibrate_given_distances, feature_space
from genurl_graph.graph.merge import MergedGraph, merge_graphs, predefined_edges
from genurl_graph.graph.projection import FeatureSpace, encoder_projection
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.start import Start
from genurl_graph.nn.build import DENSE, make_encoder
from genurl_graph.nn.features import Features
from genurl_graph.nn.prototypes import PrototypeMLP
from genurl_graph.nn.table import EmbeddingTable
from genurl_graph.objectives.all_pairs import AllPairsObjective
from genurl_graph.objectives.bipartite import IdentityEdges
from genurl_graph.objectives.full_batch import PairwiseObjective
from genurl_graph.objectives.mini_batch import MiniBatchObjective
from genurl_graph.objectives.prototypes import PrototypeObjective
from genurl_graph.runtime.processes import alone
from genurl_graph.tasks import TrainingProblem
from genurl_graph.tasks.continuation import STEPS, at_fitting_temperature, continued
from genurl_graph.tasks.initialization import start
from genurl_graph.tasks.prepare import feature_similarities
from genurl_graph.tasks.resolve import GENTLE, resolve_steps
from genurl_graph.training.checkpoint import KeptNeighbors
from genurl_graph.training.loop import train

OBJECTIVES: dict[str, type[PairwiseObjective]] = {"all": AllPairsObjective, "batch": MiniBatchObjective}


def build(
    data: Input,
    x: Tensor | None,
    config: Config,
    seed: int,
    device: torch.device,
    statistics: dict[str, Tensor] | None = None,
    kept: KeptNeighbors | None = None,
) -> TrainingProblem:
    """Dimension-reduction problem; a graph that comes with the vectors is merged into P, and one without is P itself.

    `statistics` are those that `encoder_input` returned with `x`; `kept` holds the neighbours of a run that goes on.
    """
    free = config.encoder.name == "free"
    if data.distances is not None and not free:
        raise wrong("metric precomputed: encoder", repr(config.encoder.name), "free; all others need features")
    if data.distances is None and not free and (data.x is None or x is None):
        raise wrong("task reduce", "no features", "vectors, or the encoder free (or use the graph task)")
    if config.encoder.name not in ("free", *DENSE):
        raise unknown("task reduce: encoder", config.encoder.name, ("free", *DENSE))
    if config.merge.column_weight > 0:
        raise wrong("merge.column_weight", f"{config.merge.column_weight:g}", "0 in the task reduce")
    space, neighbors, merged = merged_graph(data, config, seed, device, statistics, kept)
    width = data.num_features if x is None else int(x.size(1))
    first: Tensor | None = None
    given = data.start if data.start is not None and data.start.finished else None
    if given is not None:
        first, config = go_on(given, merged, config, device)
    elif free or config.encoder.anchors:
        first = start(data, space, merged, config, seed)
    encoder = make_encoder(config, width, first)
    features = None if free or x is None else Features(x)
    objective: PairwiseObjective | PrototypeObjective
    if isinstance(encoder, PrototypeMLP):
        assert features is not None
        assert first is not None
        table = finished_table(first, merged, table_config(config, data.num_nodes), device)
        objective = PrototypeObjective(encoder, features, table, config.sampling, seed)
    else:
        objective = pairwise(encoder, features, merged, config, data.num_nodes)
        if given is not None and config.merge.identity_weight > 0:
            weight = config.merge.identity_weight * objective.mass / data.num_nodes
            index = given.known.nonzero().view(-1)
            objective.columns = IdentityEdges(given.z[index], index, weight, config.loss)
    # Averages over a graph are not to be had for samples outside it.
    outside = config.neighbors.hops == 0 or data.edge_index is None
    return TrainingProblem(objective, merged, neighbors, space=space if outside else None, config=config)


def pairwise(
    encoder: nn.Module, features: Features | None, merged: MergedGraph, config: Config, num_nodes: int
) -> PairwiseObjective:
    """The divergence between P on a merged graph and Q of an encoder."""
    edges, p = merged.similarities()
    kind = OBJECTIVES.get(config.sampling.negatives, PairwiseObjective)
    return kind(encoder, features, None, edges, p, num_nodes, config.loss, config.sampling, config.views)


def table_config(config: Config, num_nodes: int) -> Config:
    """Configuration of the table that an MLP takes its prototypes from: the MLP's P and loss, a table's steps."""
    preset = load_preset("reduce")
    table = replace(
        config,
        encoder=replace(config.encoder, name="free", anchors=0),
        sampling=preset.sampling,
        training=preset.training,
    )
    return table.override(resolve_steps(table, num_nodes))


def finished_table(first: Tensor, merged: MergedGraph, config: Config, device: torch.device) -> Tensor:
    """An embedding table [n, d] that started as `first`, trained to its end; on the CPU."""
    # Several processes compute the same one.
    with alone():
        objective = pairwise(EmbeddingTable(first), None, merged, config, len(first)).to(device)
        train(objective, config.training)
    return objective.embed().cpu()


def go_on(given: Start, merged: MergedGraph, config: Config, device: torch.device) -> tuple[Tensor, Config]:
    """Coordinates [n, d] that a table goes on from, new samples embedded among the others, and its configuration."""
    z, config = continued(given, merged, config)
    if bool(given.known.all()):
        return z, config
    objective = pairwise(EmbeddingTable(z), None, merged, config, len(z)).to(device)
    moving = ~given.known.to(device)[:, None]
    table = next(objective.encoder.parameters())
    table.register_hook(lambda gradient: gradient * moving)  # type: ignore[no-untyped-call]
    train(objective, replace(config.training, epochs=STEPS, patience=0, lr=float(config.training.lr) / GENTLE))
    z = objective.embed().cpu()
    return z, at_fitting_temperature(z, merged, config)


def merged_graph(
    data: Input,
    config: Config,
    seed: int,
    device: torch.device,
    statistics: dict[str, Tensor] | None = None,
    kept: KeptNeighbors | None = None,
) -> tuple[FeatureSpace | None, Neighbors | None, MergedGraph]:
    """Where neighbours are searched, those found, and the graph P lives on.

    Distances need no search: None, None. Nor do edges without features, whose weights are P as they are, divided by the
    largest.
    """
    space, neighbors, knn_edges, knn_p = None, None, None, None
    if data.distances is not None:
        knn_edges, knn_p = calibrate_given_distances(data, config, device)
    elif data.x is not None:
        space = feature_space(data, config, seed, encoder_projection(statistics or {}))
        neighbors, knn_edges, knn_p = feature_similarities(data, config, seed, device, space, kept)
    merged = merge_graphs(*predefined_edges(data), knn_edges, knn_p, num_nodes=data.num_nodes, how="union")
    return space, neighbors, merged
