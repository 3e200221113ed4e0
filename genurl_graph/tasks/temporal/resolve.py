"""The configuration of a run on events with a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from genurl_graph.config import Config, load_preset
from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.temporal.windows import EACH_SNAPSHOT, cut_windows
from genurl_graph.objectives.base import LEAST_STEPS
from genurl_graph.tasks.metric import resolve_perplexity

# Encoders that read each row alone, and steps that are enough.
ENCODERS = ("mlp", "linear")
MOST_STEPS = 1500
# Columns of positions, those of large graphs, and the nodes from which on a graph is large: there the search for near
# profiles, which has not made any figure better, would take most of the time.
POSITIONS, FEW, LARGE = 128, 32, 20_000


def resolve_temporal(data: Input, asked: Mapping[str, Any]) -> Config:
    """Preset, what was asked for, and a value for every "auto".

    Parameters
    ----------
    data : Input
        With events.
    asked : mapping
        Dotted names and values.

    Raises
    ------
    InputError
        Unknown key, value out of range, windows that time cannot be cut into, or an encoder other than mlp or linear.
    """
    assert data.events is not None
    config = load_preset("temporal").override(asked)
    if config.encoder.name not in ENCODERS:
        raise unknown("task temporal: encoder", config.encoder.name, ENCODERS)
    windows, text = cut_windows(data.events.edges, config.temporal.windows, data.events.unit), config.temporal.windows
    if text == "auto":
        text = EACH_SNAPSHOT if data.events.unit == "snapshots" else str(len(windows))
    if config.sampling.negatives != "batch":
        raise wrong("sampling.negatives", repr(config.sampling.negatives), "batch (task temporal)")
    changes: dict[str, Any] = {
        "similarity.perplexity": resolve_perplexity(config, config.neighbors.n_neighbors),
        "encoder.structure_columns": 0,
        "encoder.skip": 0,
        "input.hash_columns": 0,
        "input.scale": "columns" if data.plan is not None and data.plan.is_scaled else "none",
        "temporal.windows": text,
    }
    if config.temporal.positions == "auto":
        changes["temporal.positions"] = POSITIONS if data.num_nodes <= LARGE else FEW
    if data.num_nodes > LARGE and "merge.feature_weight" not in asked:
        changes["merge.feature_weight"] = 0.0
    if config.neighbors.metric == "auto":
        changes["neighbors.metric"] = "euclidean"
    if config.training.lr == "auto":
        changes["training.lr"] = 1e-3
    if "training.epochs" not in asked:
        rows = min(2 * len(data.events.edges), config.temporal.train_rows)
        steps = max(math.ceil(rows / config.sampling.batch_size), LEAST_STEPS)
        changes["training.epochs"] = max(min(config.training.epochs, MOST_STEPS // steps), 1)
    if "training.epochs" in asked and "training.tolerance" not in asked:
        # Epochs that were asked for are all run.
        changes["training.tolerance"] = 0.0
    return config.override(changes)
