"""From what a user asks for to the settings of a run by partitions: rules as in memory, read from a sample."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genurl_graph.config import Config, load_preset
from genurl_graph.config.metrics import EUCLIDEAN_METRICS
from genurl_graph.config.toml import flatten
from genurl_graph.exceptions import InputError, unknown, wrong
from genurl_graph.graph.edge_reliability import Measure, measure_consistency
from genurl_graph.graph.knn_edges import feature_space
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.partitioned import Prepared
from genurl_graph.tasks.encoder_input import encoder_input
from genurl_graph.tasks.evidence import describe_evidence, heed_evidence, warn_of_degrees
from genurl_graph.tasks.graph import check_merge
from genurl_graph.tasks.partitioned.sample import MOST_NODES, sample_input
from genurl_graph.tasks.partitioned.settings import RunSettings, checksum_of
from genurl_graph.tasks.resolve import collect_settings, resolve_config

# Encoders that read each row alone.
ENCODERS = ("sign", "mlp", "linear")
# What the whole graph at once would be needed for: the values with which a run by partitions goes without it.
ELSEWHERE: Mapping[str, tuple[Any, ...]] = {
    "merge.how": ("mix", "union"),
    "merge.column_weight": (0,),
    "neighbors.hops": (0,),
    "input.hash_columns": (0,),
    "sampling.negatives": ("batch",),
}


def resolve_run(
    prepared: Prepared,
    config: Mapping[str, Any] | str | Path | None = None,
    arguments: Mapping[str, Any] | None = None,
    *,
    seed: int,
    most: int = MOST_NODES,
) -> RunSettings:
    """Settings of a run on a prepared folder, with a value for every "auto".

    Evidence, weights of the columns, metric, normalisation and the widths of the encoder's parts are what
    `genurl_graph.tasks.resolve.resolve_config` makes of a sample (`sample_input`): of a graph of up to `most` nodes
    what it makes of the graph. The encoder is "sign" where none is named, and trained in mini-batches.

    Parameters
    ----------
    prepared : Prepared
    config, arguments
        As of `genurl_graph.tasks.resolve.resolve_config`.
    seed : int
        Of the run. It does not decide the settings.
    most : int
        Nodes of the sample, at most.

    Raises
    ------
    InputError
        No features; an encoder, metric or setting that needs the whole graph in memory; or as `resolve_config`.
    """
    if not prepared.num_features:
        raise wrong(prepared.store.path, "a graph without features", "features of the nodes (prepare --features)")
    asked = collect_settings(config, arguments)
    check_asked(asked)
    data = sample_input(prepared, most)
    resolved = resolve_config(data, "graph", in_batches(asked))
    check_resolved(resolved, data)
    seen, evidence = heed_evidence(data, resolved)
    warn_of_degrees(evidence, seen)
    # Principal axes that the encoder reads along; means and deviations of columns are those of all rows.
    found = encoder_input(seen, resolved)[1] if resolved.encoder.normalize == "pca" else {}
    judged = resolved.merge.weighting == "adaptive"
    return RunSettings(
        config=resolved,
        seed=seed,
        column_weight=seen.column_weight,
        consistency=measure_consistency(seen, resolved.neighbors.metric) if judged else Measure(0.5, 0.0),
        projection=feature_space(seen, resolved, seed).projection if resolved.neighbors.pca else None,
        statistics={key: value for key, value in found.items() if key != "weight"},
        told=describe_evidence(evidence, seen, resolved) | {"n_sample": data.num_nodes},
        asked=asked,
        prepared=checksum_of(prepared),
    )


def check_asked(asked: Mapping[str, Any]) -> None:
    """InputError for what was asked for and needs the whole graph in memory; before anything is read."""
    name = asked.get("encoder.name")
    if name is not None and name not in ENCODERS:
        raise unknown("encoder of a prepared folder", name, ENCODERS)
    metric = asked.get("neighbors.metric", "auto")
    if metric not in ("auto", *EUCLIDEAN_METRICS):
        raise unknown("metric of a prepared folder", metric, EUCLIDEAN_METRICS)
    for key, allowed in ELSEWHERE.items():
        value = asked.get(key)
        if value is not None and value != "auto" and str(value) not in map(str, allowed):
            expected = " or ".join(map(str, allowed))
            raise wrong(
                key, value, f"{expected} with a prepared folder (files that fit into memory: embed --input FILE)"
            )


def in_batches(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for, of an encoder that is trained in mini-batches of rows: "sign" where none is named."""
    name = asked.get("encoder.name", "sign")
    alone, batches = (flatten(load_preset("graph", *variant).to_dict()) for variant in ((), ("sign",)))
    # As the preset of "sign" has it for the other encoders of rows; how long is trained is left to the rules.
    stages = () if name == "sign" else ("views", "sampling", "encoder")
    changed = {key for key, value in batches.items() if key.partition(".")[0] in stages and alone[key] != value}
    return {key: batches[key] for key in changed} | {"input.hash_columns": 0} | dict(asked) | {"encoder.name": name}


def check_resolved(config: Config, data: Input) -> None:
    """InputError for settings that a run by partitions cannot follow."""
    try:
        check_merge(data, config)
    except InputError as error:
        raise InputError(f"prepared folder: {error}") from error
