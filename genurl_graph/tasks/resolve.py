"""From what a user asks for to the configuration of a run: preset, settings, arguments, and a value for every "auto".

This is the one place where "auto" is resolved, by functions of the data and of the other parameters. What stays "auto"
is an argument of a function that documents it: ``neighbors.backend`` (`knn`), ``merge.cutoff``
(`geodesic_similarities`) and ``loss.scale`` (`genurl_graph.losses`); or no stage reads it. HeteroData keeps it in
``neighbors.metric`` and ``encoder.normalize``, for each node type.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genurl_graph.config import Config, load_preset, read_settings
from genurl_graph.config.choices import EncoderName, ScaleName, TaskName, words
from genurl_graph.exceptions import InputError, unknown, wrong
from genurl_graph.inputs.columns import AS_THEY_ARE, FeatureOptions, FeaturePlan
from genurl_graph.inputs.columns.plan import SCALES
from genurl_graph.inputs.hashing import resolve_hashing
from genurl_graph.inputs.hetero import block
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.normalize import is_bag
from genurl_graph.losses.exaggeration import resolve_late
from genurl_graph.nn.build import DENSE, IMAGES
from genurl_graph.nn.gnn import GNNS
from genurl_graph.nn.prototypes import ANCHORS
from genurl_graph.objectives.all_pairs import why_not
from genurl_graph.objectives.pair_distances import WIDE
from genurl_graph.tasks.distillation import resolve_distillation
from genurl_graph.tasks.edges.on_line_graph import resolve_edges
from genurl_graph.tasks.evidence import resolve_beside, resolve_structure, weigh_evidence
from genurl_graph.tasks.evidence.columns import resolve_columns
from genurl_graph.tasks.graphs import resolve_graphs
from genurl_graph.tasks.images import resolve_images
from genurl_graph.tasks.initialization import resolve_start
from genurl_graph.tasks.metric import resolve_metric, resolve_perplexity, resolve_search
from genurl_graph.tasks.size import fit_to_size
from genurl_graph.tasks.temporal import resolve_temporal
from genurl_graph.tasks.triples import resolve_triples

TASKS = words(TaskName)

# Steps in a finished map, as a share of those of a new one.
GENTLE = 0.3
# Columns beyond which the encoder "sign" reads principal components, and their number where nothing else says it.
COMPONENTS = 1024


def resolve_config(
    data: Input,
    task: str = "auto",
    config: Mapping[str, Any] | str | Path | None = None,
    arguments: Mapping[str, Any] | None = None,
    device: torch.device | str = "cpu",
) -> Config:
    """The configuration of a run on `data`.

    Parameters
    ----------
    data : Input
        Its edges choose the task, its features metric and normalisation, where these are "auto".
    task : "auto", "graph", "reduce", "distill", "images", "graphs", "temporal",
        "edges" or "triples"
    config : mapping of dotted names, path of a TOML file, or name of a set of settings ("words", "shallow", "tldr")
        Overrules the preset of the task.
    arguments : mapping of dotted names
        Overrules `config`; values of None do not count, nor does the encoder "auto".
    device : torch.device
        Where the run is to be: its memory decides from which size on a graph is embedded in mini-batches.

    Raises
    ------
    InputError
        Unknown task, encoder or key, a value of the wrong type, or the graph task without edges.
    """
    task, asked = _resolve_task(data, task), collect_settings(config, arguments)
    if asked.get("encoder.name", "module") not in (*words(EncoderName), "module"):
        raise unknown("encoder", asked["encoder.name"], ("auto", *words(EncoderName)))
    if task == "graphs":
        return resolve_graphs(data, asked)
    if task == "temporal":
        return resolve_temporal(data, asked)
    if task == "triples":
        return resolve_triples(data, asked)
    if task in ("graph", "edges"):
        fit_to_size(data, asked, device)
        data, asked = weigh_evidence(data, asked, resolve_metric, task)
    resolved = load_preset(task, *_variants(task, asked)).override(asked)
    if task == "edges":
        resolved = resolved.override(resolve_edges(data, resolved, asked))
    if resolved.embeds_graph:
        resolved = resolved.override(resolve_beside(data, resolved))
    if task == "distill":
        resolved = resolved.override(resolve_distillation(data, resolved))
    if task == "images":
        resolved = resolved.override(resolve_images(data, resolved))
    resolved = resolved.override({"encoder.structure": resolve_structure(data, resolved)})
    n = data.num_nodes
    finished = data.start is not None and data.start.finished
    resolved = resolved.override(resolve_steps(resolved, n, gentle=finished))
    # Epochs that were asked for are all run; so are those that a schedule is made for.
    fixed = "training.epochs" in asked or resolved.training.schedule != "constant"
    if fixed and "training.tolerance" not in asked:
        resolved = resolved.override({"training.tolerance": 0.0})
    if finished:
        # What is assembled stays so; without the last phase it would contract.
        resolved = resolved.override({"loss.early_share": 0.0})
    resolved = resolved.override({"encoder.anchors": resolve_prototypes(resolved, n)})
    if data.types is not None:
        if task != "graph":
            raise wrong(f"task {task}", "HeteroData", "vectors (or use task graph)")
        resolved = _resolve_hetero(resolved, asked)
    k = resolved.neighbors.n_neighbors
    if "neighbors.n_neighbors" not in asked and (data.x is not None or data.distances is not None) and not data.types:
        # A default that does not fit a small input gives way; a number that was asked for does not.
        k = min(k, n - 1)
    changes: dict[str, Any] = {
        # What was done, whatever was asked for.
        "input.scale": "columns" if data.plan is not None and data.plan.is_scaled else "none",
        "input.hash_columns": 0 if data.types is not None else resolve_hashing(data.x, resolved.input.hash_columns),
        "neighbors.n_neighbors": k,
        "similarity.perplexity": resolve_perplexity(resolved, k),
    }
    if data.distances is not None or (data.x is None and task == "reduce"):
        # There are no components of distances or of edges.
        changes |= {} if "encoder.init" in asked else {"encoder.init": "spectral"}
    elif data.x is None:
        # Walks and eigenvectors differ by orders of magnitude from column to column.
        how = resolved.encoder.normalize
        changes["encoder.normalize"] = "columns" if how == "auto" else how
    elif data.types is None:
        changes |= resolve_search(data, resolved, "neighbors.pca" in asked)
        changes["encoder.normalize"] = _resolve_input(data.x, resolved, data.plan)
    resolved = resolved.override(changes | resolve_start(data, resolved))
    return resolved.override(resolve_columns(data, resolved))


def _resolve_task(data: Input, task: str) -> str:
    if task not in ("auto", *TASKS):
        raise unknown("task", task, ("auto", *TASKS))
    if data.graphs is not None or task == "graphs":
        if data.graphs is None or task not in ("auto", "graphs"):
            found = "one graph" if data.graphs is None else f"{data.num_nodes:,} graphs"
            raise wrong(f"task {task}", found, "many graphs (task graphs)" if data.graphs is None else "task graphs")
        return "graphs"
    if data.events is not None or task == "temporal":
        if data.events is None or task not in ("auto", "temporal"):
            found = "no times" if data.events is None else "events with a time"
            raise wrong(f"task {task}", found, "events with a time" if data.events is None else "task temporal")
        return "temporal"
    if data.triples is not None or task == "triples":
        if data.triples is None or task not in ("auto", "triples"):
            found = "no types of edges" if data.triples is None else "typed edges"
            raise wrong(f"task {task}", found, "typed edges" if data.triples is None else "task triples")
        return "triples"
    if data.ends is not None or task == "edges":
        if data.ends is None or task not in ("auto", "edges"):
            found = "no edges as rows" if data.ends is None else "edges as rows"
            raise wrong(f"task {task}", found, "edges as rows" if data.ends is None else "task edges")
        return "edges"
    has_edges = data.edge_index is not None and data.edge_index.numel() > 0
    if task == "graph" and not has_edges:
        raise InputError("task graph: the input has no edges; expected a graph (or use task reduce)")
    return task if task != "auto" else ("graph" if has_edges else "reduce")


def collect_settings(config: Any, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the user asks for by dotted name, without an encoder "auto"."""
    if isinstance(config, str | Path):
        config = read_settings(config)
    elif not (config is None or isinstance(config, Mapping)):
        raise wrong("config", type(config).__name__, "a mapping or the path of a TOML file")
    given = {key: value for key, value in (arguments or {}).items() if value is not None}
    # An argument "auto" must not overrule an encoder that the configuration names.
    parts = (config or {}), given
    return {k: v for part in parts for k, v in part.items() if k != "encoder.name" or v != "auto"}


def _variants(task: str, asked: Mapping[str, Any]) -> tuple[str, ...]:
    """Presets on top of the task's: of some encoders, and of networks that reduce vectors to more than two columns."""
    name = asked.get("encoder.name")
    if task in ("graph", "edges"):
        # The preset's own encoder is a GNN, too.
        batches = asked.get("sampling.negatives") == "batch" and name in (None, *GNNS)
        return ("sign",) if name == "sign" else ("sampled",) if batches else ()
    if task == "distill":
        return ("gnn",) if name in GNNS else ("cnn",) if name in IMAGES else ()
    if task == "images" or name not in DENSE:
        return ()
    try:
        wide = int(asked.get("encoder.dim", 2)) > 2
    except ValueError:
        wide = False  # refused when it is converted
    if wide:
        return ("mlp", "mlp-wide")
    flat = load_preset(task, "mlp").override(asked)
    direct = why_no_prototypes(flat) is not None or ("encoder.anchors" in asked and flat.encoder.anchors == 0)
    return ("mlp",) if direct else ("mlp", "mlp-anchors")


def feature_options(
    config: Mapping[str, Any] | str | Path | None, scale: bool | ScaleName = "auto", own: bool = False
) -> FeatureOptions:
    """What is to be done with features: `scale` of `genurl_graph.estimator.GenURL`, or else ``input`` of `config`.

    Nothing is done where the user's `own` network reads them. InputError for another scale.
    """
    if not (isinstance(scale, bool) or scale in SCALES):
        raise wrong("scale", repr(scale), "True, False or 'auto'")
    said: dict[bool | str, str | None] = {True: "columns", False: "none", "auto": None}
    settings = collect_settings(config, {"input.scale": said.get(scale, str(scale))})
    stage = Config().override({key: value for key, value in settings.items() if key.startswith("input.")}).input
    return AS_THEY_ARE if own else FeatureOptions(stage.scale, stage.text)


def resolve_normalization(x: Tensor, how: str, graph: bool = True, plan: FeaturePlan | None = None) -> str:
    """Normalisation of features: rows for bags of words (`is_bag`), none where a plan has scaled them, else columns."""
    if how != "auto":
        return how
    if plan is not None and plan.is_scaled:
        return "none"
    return "rows" if is_bag(x, plan, graph) else "columns"


def resolve_type_normalization(data: Input, how: str, statistics: Mapping[str, Tensor] | None) -> dict[str, str]:
    """Normalisation of each node type's features: by what they are, or as `statistics` of a fitted graph tell."""
    assert data.types is not None
    assert data.x is not None
    found = {}
    for name in (name for name, width in data.types.widths().items() if width):
        if statistics is None:
            found[name] = resolve_normalization(block(data.x, data.types, name), how)
        else:
            found[name] = "columns" if f"mean.{name}" in statistics else "rows" if how == "auto" else how
    return found


def _resolve_input(x: Tensor, config: Config, plan: FeaturePlan | None) -> str:
    """Normalisation of what the encoder reads: a table reads nothing, and averages of many columns fit nowhere."""
    c = config.encoder
    if c.normalize == "auto" and c.name == "free":
        return "none"
    wide = c.normalize == "auto" and c.name == "sign" and x.size(1) > COMPONENTS
    return "pca" if wide else resolve_normalization(x, c.normalize, config.embeds_graph, plan)


def resolve_steps(config: Config, num_nodes: int, gentle: bool = False) -> dict[str, str | int | float]:
    """Sampling of pairs, learning rate and last exaggeration: dotted keys of a configuration.

    All pairs are counted where they can be, else sampled as suits the number of dimensions. Adam's steps are as long as
    its rate, and a layout of n points is sqrt(n) wide. `gentle` ones change a finished map.
    """
    kind, count, lr = config.sampling.negatives, config.sampling.n_negatives, config.training.lr
    if kind == "auto":
        countable = config.encoder.dim <= 2 and why_not(config.loss, config.views) is None
        kind = "all" if countable else "shared" if config.encoder.dim >= WIDE else "permuted"
    if isinstance(count, str):
        count = {"batch": 1, "shared": 512, "permuted": 20}.get(kind, num_nodes - 1)
    if isinstance(lr, str):
        lr = _table_step(kind, num_nodes) if config.encoder.name == "free" else 1e-3
        lr *= GENTLE if gentle else 1.0
    late = resolve_late(config.loss, num_nodes)
    return {
        "sampling.negatives": kind,
        "sampling.n_negatives": count,
        "training.lr": lr,
        "loss.late_exaggeration": late,
    }


def _table_step(negatives: str, num_nodes: int) -> float:
    """Adam's first step for an embedding table; sampled pairs, whose noise needs time, get a shorter one."""
    share = num_nodes / 10_000
    return 3 * math.sqrt(share) if negatives == "all" else 1.5 * math.sqrt(max(1.0, share))


def resolve_prototypes(config: Config, num_nodes: int) -> int:
    """Number of prototypes: at most one a sample, none where the loss or the views make no table.

    InputError if some are asked for that cannot be.
    """
    asked = config.encoder.anchors
    why = why_no_prototypes(config)
    if asked == "auto":
        return 0 if why else min(ANCHORS, num_nodes)
    if asked and why:
        raise wrong("encoder.anchors", f"{asked} with {why}", 0)
    return min(asked, num_nodes)


def why_no_prototypes(config: Config) -> str | None:
    """What keeps an encoder from choosing among the prototypes of a finished table; None if nothing does."""
    if config.task != "reduce" or config.encoder.name != "mlp":
        return f"task {config.task}, encoder {config.encoder.name}"
    if config.encoder.dim > 2:
        return f"encoder.dim {config.encoder.dim}"
    if config.loss.name == "barlow":
        return "loss barlow"
    return "views" if config.views.self_weight > 0 else None


def _resolve_hetero(config: Config, asked: Mapping[str, Any]) -> Config:
    """The configuration of a run on a graph with types: what its features cannot decide is switched off.

    InputError if something was asked for (`asked`) that features of several types do not allow.
    """
    adaptive = config.merge.weighting == "adaptive"
    refused = {
        "merge.weighting": config.merge.weighting if adaptive and "merge.weighting" in asked else None,
        "merge.how": config.merge.how if config.merge.how == "geodesic" else None,
        "neighbors.hops": config.neighbors.hops or None,
    }
    for key, value in refused.items():
        if value is not None:
            raise wrong(key, f"{value!r} with HeteroData", "a setting that does not compare features along edges")
    if not adaptive:
        return config
    # Beside reliable edges adaptive merging keeps kNN edges out of the propagation, and typed edges are reliable.
    quiet = {} if "merge.propagation_weight" in asked else {"merge.propagation_weight": 0.0}
    return config.override({"merge.weighting": "given", **quiet})
