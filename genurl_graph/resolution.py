"""From what a user asked for to the configuration of a run: preset, overrides, arguments, and no "auto" left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genurl_graph.agreement import TELLING
from genurl_graph.anchors import resolve_anchors, why_none
from genurl_graph.config import Config, EncoderConfig, load_preset, read_settings
from genurl_graph.distributed import world_size
from genurl_graph.encoders import DENSE, ENCODERS, GNNS, IMAGES
from genurl_graph.exceptions import InputError
from genurl_graph.hetero import resolve_hetero
from genurl_graph.inputs import Input, resolve_normalization
from genurl_graph.tasks import distillation, images
from genurl_graph.tasks.common import (
    COMPONENTS,
    coherence_of,
    resolve_learning_rate,
    resolve_metric,
    resolve_perplexity,
    resolve_sampling,
)

TASKS = ("graph", "reduce", "distill", "images")

# Nodes up to which a graph is embedded by steps over all of them on a CPU; memory of such a step for each node.
FULL_BATCH_NODES = 100_000
FULL_BATCH_BYTES = 40_000


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
        Its edges choose the task, its features choose metric and normalisation, where these are "auto", and the graph
        preset's variant for features of high coherence, where no encoder is named.
    task : "auto", "graph", "reduce", "distill" or "images"
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
    task = _task(data, task)
    asked = dict(_given(config))
    # An "auto" must not overrule an encoder that the configuration names.
    given = {key: value for key, value in (arguments or {}).items() if value is not None}
    for source in (given, asked):
        if source.get("encoder.name") == "auto":
            del source["encoder.name"]
    asked |= given
    chosen = task == "graph" and "encoder.name" not in asked
    if chosen and (too_large(data, device) or world_size() > 1):
        asked["encoder.name"] = "sign"
    gnn = task == "graph" and asked.get("encoder.name") in GNNS
    if gnn and "sampling.negatives" not in asked and too_large(data, device):
        asked["sampling.negatives"] = "batch"
    variants = _variants(task, asked)
    if chosen and not variants and _telling(data, load_preset(task).override(asked)):
        variants = ("coherent",)
    resolved = load_preset(task, *variants).override(asked)
    if task == "distill":
        resolved = resolved.override(distillation.definite(data, resolved))
    if task == "images":
        resolved = resolved.override(images.definite(data, resolved))
    known = (*ENCODERS, *IMAGES)
    if resolved.encoder.name not in (*known, "module"):
        raise InputError(f"encoder: unknown {resolved.encoder.name!r}; expected auto, {', '.join(known)}")
    resolved = resolved.override(
        resolve_sampling(resolved, data.num_nodes) | {"training.lr": resolve_learning_rate(resolved, data.num_nodes)}
    )
    resolved = resolved.override({"encoder.anchors": resolve_anchors(resolved, data.num_nodes)})
    if data.types is not None:
        if task != "graph":
            raise InputError("task reduce: found HeteroData; expected vectors (or use task graph)")
        resolved = resolve_hetero(resolved, asked)
    if data.types is not None and data.x is not None:
        return resolved
    k = resolved.neighbors.n_neighbors
    if "neighbors.n_neighbors" not in asked:
        # A default that does not fit a small input gives way; a number that was asked for does not.
        k = min(k, data.num_nodes - 1)
    if data.distances is not None:
        definite: dict[str, Any] = {
            "neighbors.n_neighbors": k,
            "similarity.perplexity": resolve_perplexity(resolved, k),
        }
        # There are no components of distances.
        definite |= {} if "encoder.init" in asked else {"encoder.init": "spectral"}
        return resolved.override(definite)
    if data.x is None:
        # Walks and eigenvectors differ by orders of magnitude from column to column.
        normalize = resolved.encoder.normalize
        return resolved.override({"encoder.normalize": "columns" if normalize == "auto" else normalize})
    return resolved.override(
        {
            "neighbors.n_neighbors": k,
            "neighbors.metric": resolve_metric(data.x, resolved.neighbors),
            "similarity.perplexity": resolve_perplexity(resolved, k),
            "encoder.normalize": _normalization(data.x, resolved.encoder),
        }
    )


def too_large(data: Input, device: torch.device | str = "cpu") -> bool:
    """Whether a graph has too many nodes for steps over all of them, and the features that mini-batches need."""
    if data.x is None or data.types is not None:
        return False
    device = torch.device(device)
    if device.type != "cuda":
        return data.num_nodes > FULL_BATCH_NODES
    return data.num_nodes * FULL_BATCH_BYTES > 0.8 * torch.cuda.get_device_properties(device).total_memory


def _variants(task: str, asked: Mapping[str, Any]) -> tuple[str, ...]:
    """Presets on top of the task's: of some encoders, and of networks that reduce vectors, not to pictures only."""
    name = asked.get("encoder.name")
    if task == "graph":
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
    plane = load_preset(task, "mlp").override(asked)
    direct = why_none(plane) is not None or ("encoder.anchors" in asked and plane.encoder.anchors == 0)
    return ("mlp",) if direct else ("mlp", "mlp-anchors")


def _telling(data: Input, config: Config) -> bool:
    """Whether features tell so much by themselves that the preset gives them more weight."""
    if data.x is None or data.types is not None:
        return False
    return coherence_of(data, resolve_metric(data.x, config.neighbors)) >= TELLING


def _normalization(x: Tensor, encoder: EncoderConfig) -> str:
    """ "auto" made definite. A free table sees no features; averages of very many columns would not fit anywhere."""
    if encoder.normalize == "auto":
        if encoder.name == "free":
            return "none"
        if encoder.name == "sign" and x.size(1) > COMPONENTS:
            return "pca"
    return resolve_normalization(x, encoder.normalize)


def _task(data: Input, task: str) -> str:
    if task not in ("auto", *TASKS):
        raise InputError(f"task: unknown {task!r}; expected auto, graph, reduce, distill or images")
    has_edges = data.edge_index is not None and data.edge_index.numel() > 0
    if task == "graph" and not has_edges:
        raise InputError("task graph: the input has no edges; expected a graph (or use task reduce)")
    return task if task != "auto" else ("graph" if has_edges else "reduce")


def _given(config: Any) -> Mapping[str, Any]:
    if config is None or isinstance(config, Mapping):
        return config or {}
    if isinstance(config, str | Path):
        return read_settings(config)
    raise InputError(f"config: found {type(config).__name__}; expected a mapping or the path of a TOML file")
