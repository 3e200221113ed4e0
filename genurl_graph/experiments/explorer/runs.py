"""The run that an embedding came from: what its graph is merged by once more."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from genurl_graph.exceptions import InputError
from genurl_graph.experiments.edges.source import is_edge_set
from genurl_graph.experiments.sources import is_graph_set
from genurl_graph.experiments.triples.source import is_triple_set

if TYPE_CHECKING:
    from genurl_graph.config import Config
    from genurl_graph.config.edges import EdgesConfig
    from genurl_graph.inputs.collection.graph_set import GraphSet
    from genurl_graph.inputs.columns import FeatureOptions
    from genurl_graph.inputs.input import Input


class Run(NamedTuple):
    """The run that made an embedding: its data, settings and seed, and in words where its merged graph comes from."""

    data: Any
    config: "Config"
    seed: int
    about: str


def known_run(name: str, data: Any, metrics: Path | None) -> Run:
    """The run on `data`, with the settings and the seed that embed --metrics wrote, or the preset's."""
    import torch

    from genurl_graph.inputs.columns import FeatureOptions
    from genurl_graph.tasks.edges import edge_settings
    from genurl_graph.tasks.resolve import feature_options, resolve_config

    if is_graph_set(data):
        return run_of_graphs(name, data, metrics)
    if is_triple_set(data):
        about = f"Neighbours in {name} share a triple of the training, of whichever relation"
        return Run(data, resolve_config(input_of(data, FeatureOptions()), "triples"), 0, about)
    edges = is_edge_set(data)
    if metrics is None:
        given = input_of(data, feature_options(None) if edges else FeatureOptions(), edge_settings({}))
        config = resolve_config(given, "edges" if edges else "auto", device=torch.device("cpu"))
        return Run(data, config, 0, f"Neighbours: {edges_of(given)}, {by_default(config.task)}")
    what = "edges" if edges else "nodes"
    overrides, seed, task, count = read_run(metrics, f"n_{what}")
    given = input_of(data, feature_options(overrides), edge_settings(overrides))
    if count != given.num_nodes:
        raise InputError(f"--run {metrics}: of {count} {what}, but {name} has {given.num_nodes}")
    about = f"Neighbours: {edges_of(given)}, by the settings of the run, seed {seed}"
    return Run(data, resolve_config(given, task, overrides), seed, about)


def edges_of(given: "Input") -> str:
    """Of which kinds the neighbours in a merged graph can be, in words."""
    found = {"predefined edges": given.edge_index, "kNN edges": given.x}
    return " and ".join(kind for kind, there in found.items() if there is not None)


def by_default(task: str) -> str:
    """What is taken where no run is named, in words."""
    return f"by the default settings of the task {task}, seed 0; --run FILE.json takes those of a run"


def input_of(data: Any, how: "FeatureOptions", edges: "EdgesConfig | None" = None) -> "Input":
    """The data as a fit reads them, what is measured kept; `edges` says how those that are rows are joined."""
    from genurl_graph.inputs.edge_rows.convert import as_edges
    from genurl_graph.inputs.input import as_input
    from genurl_graph.inputs.triples.convert import as_triples
    from genurl_graph.tasks.edges import edge_settings, on_line_graph

    if is_edge_set(data):
        return on_line_graph(as_edges(data, features=how)._replace(measured={}), edges or edge_settings({}))
    found = as_triples(data, features=how) if is_triple_set(data) else as_input(data, features=how)
    return found._replace(measured={})


def read_run(metrics: Path, rows: str) -> tuple[dict[str, Any], int, str, int]:
    """Settings, seed, task and number of rows of what embed --metrics wrote."""
    from genurl_graph.config import complete_settings

    try:
        content = json.loads(metrics.read_text(encoding="utf-8"))
        settings, seed, task, count = (content[key] for key in ("config", "seed", "task", rows))
        overrides = {key: value for key, value in complete_settings(settings).items() if key != "task"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"--run {metrics}: not what embed --metrics writes ({error!r})") from error
    return overrides, seed, task, count


def run_of_graphs(name: str, data: "GraphSet", metrics: Path | None) -> Run:
    """`known_run` of whole graphs, whose kNN edges are those by descriptors."""
    from genurl_graph.inputs.collection.convert import as_collection
    from genurl_graph.tasks.resolve import resolve_config

    about, given = "Neighbours: kNN edges by descriptors of the graphs", as_collection(data)
    if metrics is None:
        return Run(data, resolve_config(given, "graphs"), 0, f"{about}, {by_default('graphs')}")
    overrides, seed, task, count = read_run(metrics, "n_graphs")
    if count != len(data):
        raise InputError(f"--run {metrics}: of {count} graphs, but {name} has {len(data)}")
    # Of few graphs the embedding has fewer columns than descriptors were asked for; those settings asked for both.
    skip = overrides.get("encoder.skip")
    if isinstance(skip, int) and skip >= overrides.get("encoder.dim", skip + 1):
        overrides["encoder.dim"] = skip + 1
    return Run(data, resolve_config(given, task, overrides), seed, f"{about}, by the settings of the run, seed {seed}")
