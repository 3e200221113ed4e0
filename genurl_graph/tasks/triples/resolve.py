"""The configuration of a run on typed edges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from genurl_graph.config import Config, load_preset
from genurl_graph.exceptions import unknown, wrong
from genurl_graph.graph.triples.relation_rows import RelationRows
from genurl_graph.inputs.input import Input
from genurl_graph.objectives.base import LEAST_STEPS
from genurl_graph.tasks.metric import resolve_perplexity

# Entities up to which each row is compared with all of them, and how many stand for all beyond that.
ALL, DRAWN = 20_000, 4096
# Steps that are enough, epochs at least, and entities from which on their vectors are narrow: columns of these.
MOST_STEPS, LEAST_EPOCHS, LARGE, NARROW = 3000, 5, 100_000, 128


def resolve_triples(data: Input, asked: Mapping[str, Any]) -> Config:
    """Preset, what was asked for, and a value for every "auto".

    Parameters
    ----------
    data : Input
        With triples.
    asked : mapping
        Dotted names and values.

    Raises
    ------
    InputError
        Unknown key, value out of range, another encoder than an embedding table, an odd number of columns for the
        readout complex, or other negatives than "all" and "shared".
    """
    assert data.triples is not None
    config, triples = load_preset("triples").override(asked), data.triples.triples
    if config.encoder.name != "free":
        raise unknown("task triples: encoder", config.encoder.name, ("free",))
    n = triples.num_entities
    changes: dict[str, Any] = {
        "similarity.perplexity": resolve_perplexity(config, config.neighbors.n_neighbors),
        "encoder.structure_columns": 0,
        "encoder.skip": 0,
        "encoder.anchors": 0,
        "input.hash_columns": 0,
    }
    if config.input.scale == "auto":
        # Of several modalities some may be scaled and others not: each is asked again when the run is repeated.
        scaled = {part.plan is not None and part.plan.is_scaled for part in data.triples.modalities}
        if len(scaled) < 2:
            changes["input.scale"] = "columns" if scaled == {True} else "none"
    if n > LARGE and "encoder.dim" not in asked:
        changes["encoder.dim"] = NARROW
    dim = changes.get("encoder.dim", config.encoder.dim)
    if config.triples.readout == "complex" and dim % 2:
        raise wrong("encoder.dim", dim, "an even number for the readout complex (or triples.readout=distmult)")
    kind, count = config.sampling.negatives, config.sampling.n_negatives
    if kind not in ("auto", "all", "shared"):
        raise wrong("sampling.negatives", repr(kind), "all or shared (task triples)")
    kind = ("all" if n <= ALL else "shared") if kind == "auto" else kind
    count = (n - 1 if kind == "all" else min(DRAWN, n)) if isinstance(count, str) else count
    changes |= {"sampling.negatives": kind, "sampling.n_negatives": count}
    if config.training.lr == "auto":
        changes["training.lr"] = 1e-2
    if "training.epochs" not in asked:
        steps = max(math.ceil(len(RelationRows.of(triples)) / config.sampling.batch_size), LEAST_STEPS)
        changes["training.epochs"] = min(config.training.epochs, max(MOST_STEPS // steps, LEAST_EPOCHS))
    return config.override(changes)
