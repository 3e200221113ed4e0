"""From what a user asked for to the configuration of a run: preset, overrides, arguments, and no "auto" left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from genurl_graph.config import Config, load_preset, read_settings
from genurl_graph.config.parameters import EncoderConfig
from genurl_graph.exceptions import InputError
from genurl_graph.graph.edge_reliability import CONSISTENT, measure_consistency
from genurl_graph.graph.knn_edges import resolve_metric, resolve_perplexity
from genurl_graph.inputs.images import named_shape
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.normalize import resolve_normalization
from genurl_graph.nn.build import DENSE, ENCODERS, IMAGES
from genurl_graph.nn.cnn import output_width
from genurl_graph.nn.gnn import GNNS
from genurl_graph.nn.prototypes import ANCHORS
from genurl_graph.objectives.all_pairs import why_not
from genurl_graph.objectives.pair_distances import WIDE
from genurl_graph.runtime.processes import world_size
from genurl_graph.tasks.encoder_input import COMPONENTS


def resolve_hetero(config: Config, asked: Mapping[str, Any]) -> Config:
    """The configuration of a run on a graph with types: what its features cannot decide is switched off.

    "auto" stays in ``neighbors.metric`` and ``encoder.normalize``: each type decides by its own features.

    Raises
    ------
    InputError
        Something was asked for (`asked`) that features of several types do not allow.
    """
    refused = {
        "merge.weighting": config.merge.weighting == "adaptive" and "merge.weighting" in asked,
        "merge.how": config.merge.how == "geodesic",
        "neighbors.hops": config.neighbors.hops > 0,
    }
    for key, wrong in refused.items():
        if wrong:
            stage, name = key.split(".")
            raise InputError(
                f"{key}: found {getattr(getattr(config, stage), name)!r}, which compares features along edges; with "
                "HeteroData features of two types have nothing in common"
            )
    changes: dict[str, Any] = {}
    if config.merge.weighting == "adaptive":
        # Beside trusted edges adaptive merging keeps feature edges out of the propagation, and these are trusted.
        changes["merge.weighting"] = "given"
        if "merge.propagation_weight" not in asked:
            changes["merge.propagation_weight"] = 0.0
    return config.override(changes)


def resolve_learning_rate(config: Config, num_nodes: int) -> float:
    """ "auto" made definite. Adam's steps are as long as its rate, and a picture of n points is sqrt(n) wide."""
    lr = config.training.lr
    if not isinstance(lr, str):
        return lr
    return 1.5 * max(1.0, num_nodes / 10_000) ** 0.5 if config.encoder.name == "free" else 1e-3


def resolve_sampling(config: Config, num_nodes: int) -> dict[str, str | int]:
    """ "auto" made definite: all pairs where they can be counted, else what suits the number of dimensions."""
    kind, count = config.sampling.negatives, config.sampling.n_negatives
    if kind == "batch":
        return {"sampling.negatives": kind, "sampling.n_negatives": 1 if isinstance(count, str) else count}
    if kind == "auto":
        if config.encoder.dim <= 2 and why_not(config.loss, config.views) is None:
            kind = "all"
        else:
            kind = "shared" if config.encoder.dim >= WIDE else "permuted"
    if isinstance(count, str):
        count = {"shared": 512, "permuted": 20}.get(kind, num_nodes - 1)
    return {"sampling.negatives": kind, "sampling.n_negatives": count}


def resolve_prototypes(config: Config, num_nodes: int) -> int:
    """ "auto" made definite: at most one anchor a sample, none where the loss or the views make no table.

    Raises
    ------
    InputError
        Anchors asked for that cannot be.
    """
    asked = config.encoder.anchors
    why = why_no_prototypes(config)
    if asked == "auto":
        return 0 if why else min(ANCHORS, num_nodes)
    if asked < 0:
        raise InputError(f"encoder.anchors: found {asked}; expected 0 or more")
    if asked and why:
        raise InputError(f"encoder.anchors: found {asked} with {why}; expected 0")
    return min(asked, num_nodes)


def why_no_prototypes(config: Config) -> str | None:
    """What keeps an encoder from choosing among the places of a table; None if nothing does."""
    if config.task != "reduce" or config.encoder.name != "mlp":
        return f"task {config.task}, encoder {config.encoder.name}"
    if config.encoder.dim > 2:
        return f"encoder.dim {config.encoder.dim}"
    if config.loss.name == "barlow":
        return "loss barlow"
    return "views" if config.views.self_weight > 0 else None


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
        resolved = resolved.override(resolve_distillation(data, resolved))
    if task == "images":
        resolved = resolved.override(resolve_images(data, resolved))
    known = (*ENCODERS, *IMAGES)
    if resolved.encoder.name not in (*known, "module"):
        raise InputError(f"encoder: unknown {resolved.encoder.name!r}; expected auto, {', '.join(known)}")
    resolved = resolved.override(
        resolve_sampling(resolved, data.num_nodes) | {"training.lr": resolve_learning_rate(resolved, data.num_nodes)}
    )
    resolved = resolved.override({"encoder.anchors": resolve_prototypes(resolved, data.num_nodes)})
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
    direct = why_no_prototypes(plane) is not None or ("encoder.anchors" in asked and plane.encoder.anchors == 0)
    return ("mlp",) if direct else ("mlp", "mlp-anchors")


def _telling(data: Input, config: Config) -> bool:
    """Whether features tell so much by themselves that the preset gives them more weight."""
    if data.x is None or data.types is not None:
        return False
    return measure_consistency(data, resolve_metric(data.x, config.neighbors)) >= CONSISTENT


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


def student_width(student: Any, dim: int | None, data: Input) -> int | None:
    """Columns of the embedding: `dim`, or what a module gives; InputError where they differ."""
    if not isinstance(student, nn.Module) or data.x is None:
        return dim
    found = output_width(student, data.num_features, data.image)
    if dim not in (None, found):
        raise InputError(
            f"n_components: found {dim}, but the student has {found} output columns; leave one of them out"
        )
    return found


def resolve_distillation(data: Input, config: Config) -> dict[str, Any]:
    """What "auto" means for a student: dotted keys of a configuration.

    Raises
    ------
    InputError
        A student that cannot be, or nothing that it could read.
    """
    name, how = config.encoder.name, config.encoder.normalize
    if data.types is not None or data.distances is not None:
        raise InputError("task distill: found HeteroData or distances; expected features of samples, or a graph")
    if name == "free":
        raise InputError("task distill: a free table reads nothing; expected a student such as mlp, cnn or gcn")
    if name == "sign":
        raise InputError("task distill: found the student 'sign'; expected a GNN such as gcn, or mlp")
    if name in GNNS and data.edge_index is None:
        raise InputError(f"task distill: student {name!r} needs a graph; expected edges, or the student mlp")
    if data.x is None:
        if name not in GNNS:
            raise InputError(f"task distill: the input has no features; student {name!r} needs some")
        return {}
    image = config.encoder.image
    if name == "module" and data.image is None and image == "auto":
        image = "rows"
    elif name in ("cnn", "module") and image != "rows":
        image = named_shape(image, data.image, data.num_features)
    if how == "auto":
        # Pixels, and what only the user's own module knows, stay as they are.
        bag = data.x.layout == torch.sparse_csr
        how = "none" if name in ("cnn", "module") or data.image is not None else "rows" if bag else "columns"
    return {"encoder.image": image, "encoder.normalize": how}


def resolve_images(data: Input, config: Config) -> dict[str, Any]:
    """What "auto" means for images: dotted keys of a configuration.

    Raises
    ------
    InputError
        No images, or an encoder that reads none.
    """
    if data.types is not None or data.distances is not None or data.x is None:
        raise InputError("task images: found no pixels; expected images [n, c, h, w], or rows of pixels")
    if data.edge_index is not None:
        raise InputError("task images: found edges, which it does not read; expected images alone (or use task graph)")
    if config.encoder.name not in (*IMAGES, "module"):
        raise InputError(
            f"task images: encoder {config.encoder.name!r} reads no images; expected {', '.join(IMAGES)} or a module"
        )
    how = "none" if config.encoder.normalize == "auto" else config.encoder.normalize
    return {"encoder.image": named_shape(config.encoder.image, data.image, data.num_features), "encoder.normalize": how}
