"""The configuration of a run on a collection of graphs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from genurl_graph.config import Config, load_preset
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.input import Input
from genurl_graph.tasks.metric import resolve_perplexity

# Share of the columns that descriptors may take, and columns of which none is a descriptor.
LARGEST_SHARE, FEW = 0.64, 3
# Steps that are enough, and epochs that each collection gets at least.
MOST_STEPS, FEWEST_EPOCHS = 4000, 10


def resolve_graphs(data: Input, asked: Mapping[str, Any]) -> Config:
    """Preset, what was asked for, and a value for every "auto".

    Parameters
    ----------
    data : Input
        With a collection of graphs.
    asked : mapping
        Dotted names and values.

    Raises
    ------
    InputError
        Unknown key, value out of range, or an encoder other than gin.
    """
    config = load_preset("graphs").override(asked)
    c = config.encoder
    if c.name != "gin":
        raise wrong("task graphs: encoder", repr(c.name), "gin")
    k = config.neighbors.n_neighbors
    if "neighbors.n_neighbors" not in asked:
        # A default that does not fit a small input gives way; a number that was asked for does not. Empty graphs are in
        # no batch.
        assert data.graphs is not None
        k = max(min(k, int((data.graphs.sizes() > 0).sum()) - 1), 1)
    most = int(c.dim * LARGEST_SHARE)
    skip = most if c.skip == "auto" else int(c.skip)
    if "encoder.skip" not in asked:
        # Two or three columns are a map: what is trained.
        skip = min(skip, most) if c.dim > FEW else 0
    if skip >= c.dim:
        raise wrong("encoder.skip", f"{skip} of {c.dim} columns", f"less than {c.dim}")
    changes: dict[str, Any] = {
        "neighbors.n_neighbors": k,
        "similarity.perplexity": resolve_perplexity(config, k),
        "encoder.skip": skip,
        "encoder.structure_columns": 0,
        "input.hash_columns": 0,
        "input.scale": "none",
    }
    metric = config.neighbors.metric
    if metric == "auto":
        changes["neighbors.metric"] = "euclidean"
    if "training.epochs" not in asked:
        steps = math.ceil(data.num_nodes / config.sampling.batch_size)
        enough = max(MOST_STEPS // steps, FEWEST_EPOCHS)
        changes["training.epochs"] = min(config.training.epochs, enough)
    if config.training.schedule != "constant" or "training.epochs" in asked:
        # Epochs that were asked for are all run; so are those that a schedule is made for.
        changes |= {} if "training.tolerance" in asked else {"training.tolerance": 0.0}
    if config.training.lr == "auto":
        changes["training.lr"] = 1e-3
    return config.override(changes)
