"""Events with a time: interactions in a window, a node's own windows and near activity as edges; an MLP on averages."""

from __future__ import annotations

import torch

from genurl_graph.config import Config
from genurl_graph.exceptions import wrong
from genurl_graph.graph.edge_lists import add_inverses
from genurl_graph.graph.merge import PREDEFINED, MergedGraph, count_components
from genurl_graph.graph.temporal.profiles import active_nodes
from genurl_graph.graph.temporal.supra_graph import SupraGraph, supra_graph
from genurl_graph.graph.temporal.window_rows import RowScale, WindowReader
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.windows import Windows, cut_windows
from genurl_graph.nn.build import make_encoder
from genurl_graph.nn.features import Features
from genurl_graph.objectives.temporal import TemporalObjective
from genurl_graph.runtime.processes import one_process
from genurl_graph.tasks import TrainingProblem
from genurl_graph.tasks.temporal.profile_edges import with_profile_edges


def build(data: Input, config: Config, seed: int, device: torch.device) -> TrainingProblem:
    """Problem of events; `config` is resolved (`genurl_graph.tasks.temporal.resolve_temporal`)."""
    assert data.events is not None
    one_process("the task temporal")
    edges, c = data.events.edges, config.temporal
    windows = cut_windows(edges, c.windows, data.events.unit)
    reader = WindowReader.fit(edges, int(c.positions), config.encoder.hops, c.half_life, data.x, c.causal)
    chosen = training_windows(rows_of_windows(edges, windows), c.train_rows)
    # Of each window what is needed below: histories would hold the decayed graph of every one.
    parts = [
        (rows.averages, rows.profile, rows.nodes, torch.full_like(rows.nodes, number), (rows.edges, rows.weight))
        for number, rows in enumerate(reader.read(edges, windows))
        if number in chosen and len(rows.nodes)
    ]
    averages, profile = torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])
    node, window = torch.cat([part[2] for part in parts]), torch.cat([part[3] for part in parts])
    pairs = [part[4] for part in parts]
    del parts
    scale = RowScale.of(profile)
    x = scale.input(averages, profile)
    supra = supra_graph(pairs, node, window, c.half_life)
    merged = given = given_edges(supra, len(node), config.merge.identity_weight, c.interaction_weight)
    if config.merge.feature_weight > 0:
        merged = with_profile_edges(merged, scale.profiles(profile), window, config, seed, device)
    if not merged.edge_weight.numel():
        raise wrong("data", "no event between different nodes", "some")
    objective = TemporalObjective(
        make_encoder(config, x.size(1)),
        Features(x),
        None,
        merged.edge_index,
        merged.edge_weight,
        len(node),
        *(config.loss, config.sampling, config.views),
        reader=reader,
        scale=scale,
        edges=edges,
        windows=windows,
    )
    bonds = 2 * config.merge.identity_weight * identity_unit(supra, len(node)) * float(supra.decay.sum())
    summary = {
        "n_rows": len(node),
        "n_windows": len(windows),
        "n_windows_trained": len(chosen),
        "n_interaction": supra.interaction.size(1),
        "n_identity": supra.identity.size(1),
        "mass_identity": bonds / merged.total_weight(),
        "n_components_before": count_components(given.edge_index, len(node)),
    }
    return TrainingProblem(objective, merged, None, summary, config=config, rows=len(node))


def given_edges(supra: SupraGraph, rows: int, identity_weight: float, interaction_weight: float = 1.0) -> MergedGraph:
    """Interaction and identity edges as a graph of `rows` nodes.

    `identity_weight` is that of an identity edge from one window to the next, as a share of `identity_unit`;
    `interaction_weight` a factor of the weights of interactions. Edges of weight 0 are left out.
    """
    edges = torch.cat([supra.interaction, supra.identity], 1)
    weight = torch.cat(
        [supra.weight * interaction_weight, supra.decay * (identity_weight * identity_unit(supra, rows))]
    )
    edges, weight = edges[:, weight > 0], weight[weight > 0]
    order = (edges[0] * rows + edges[1]).argsort()
    found, weight = add_inverses(edges[:, order], weight[order], rows, lengths=False)
    return MergedGraph(found, weight, torch.full_like(weight, PREDEFINED, dtype=torch.uint8), rows)


def identity_unit(supra: SupraGraph, rows: int) -> float:
    """Mean total weight of the interactions of a row."""
    return 2 * float(supra.weight.double().sum()) / rows


def rows_of_windows(edges: TemporalEdges, windows: Windows) -> list[int]:
    """How many nodes are active in each window."""
    return [len(active_nodes(windows.events(edges, window))) for window in range(len(windows))]


def training_windows(rows: list[int], most: int) -> set[int]:
    """Windows that the encoder is trained on: all, or pairs of neighbours evenly over time, of `most` rows about.

    Examples
    --------
    >>> sorted(training_windows([10] * 6, 40))
    [0, 1, 4, 5]
    """
    if sum(rows) <= most:
        return {*range(len(rows))}
    pairs = max(int(most * len(rows) / sum(rows)) // 2, 1)
    starts = torch.linspace(0, max(len(rows) - 2, 0), pairs).round().long().tolist()
    return {window for start in starts for window in (start, start + 1) if window < len(rows)}
