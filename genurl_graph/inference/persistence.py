"""Saved models: a folder with ``model.safetensors`` and ``model.json``, readable without running anything."""

from __future__ import annotations

import copy
import json
import secrets
import warnings
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from genurl_graph.config import Config, complete_settings
from genurl_graph.config.metrics import OwnMetric
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.graph.edge_attributes.columns import count_columns
from genurl_graph.graph.projection import FeatureSpace, encoder_projection
from genurl_graph.graph.structural_features import structure_width
from genurl_graph.graph.temporal.profiles import PROFILE
from genurl_graph.inference.fitted import FittedModel
from genurl_graph.inference.known_nodes import FittedNodes
from genurl_graph.inference.temporal.fitted_time import FittedTime
from genurl_graph.inference.transform import why_no_transform
from genurl_graph.inference.triples.fitted_triples import FittedTriples
from genurl_graph.inference.whole_graphs import saved_encoder
from genurl_graph.inputs.columns import FeaturePlan
from genurl_graph.nn.build import make_encoder
from genurl_graph.nn.triples import EndPrior, TripleEncoder
from genurl_graph.runtime.files import atomic_write, save_tensors, write_json
from genurl_graph.tasks.evidence import reads_structure_alone, widened
from genurl_graph.tasks.evidence.columns import stroke_columns
from genurl_graph.tasks.graph import feature_columns

if TYPE_CHECKING:
    from genurl_graph.objectives.base import Encoder

FORMAT = 1
# What the JSON holds of a model, each under its name and "_", the estimator's name for it.
KEPT = ("seed", "n_features_in", "loss_history", "graph_summary", "seconds", "knn_backend", "knn_recall", "mass")
# Absent from models of homogeneous graphs that were saved before there were others.
OPTIONAL = ("node_slices", "node_widths")
# The tensors of descriptors of graphs, which are searched and counted, are of any precision.
EXACT = ("encoder.descriptors.", "time.trajectory.starts")


def pack(space: FeatureSpace) -> dict[str, Tensor]:
    """The tensors of a space by name, for a file."""
    vectors = space.vectors
    parts = {"vectors": vectors}
    if vectors.layout == torch.sparse_csr:
        parts = {"crow": vectors.crow_indices(), "col": vectors.col_indices(), "values": vectors.values()}
        parts["shape"] = torch.tensor(vectors.shape)
    if space.projection is not None:
        parts["axes"] = space.projection.axes.float()
        if space.projection.mean is not None:
            parts["mean"] = space.projection.mean.float()
    return {f"space.{key}": value.cpu().contiguous() for key, value in parts.items()}


def unpack(tensors: dict[str, Tensor], unit: bool) -> FeatureSpace:
    """The space that `pack` took apart; KeyError or ValueError if a tensor is missing, or they do not fit together."""
    parts = _below(tensors, "space.")
    if "shape" in parts:
        rows, columns = parts["shape"].tolist()
        # Checked: sparse products would follow wrong indices out of the tensor.
        vectors = torch.sparse_csr_tensor(
            parts["crow"], parts["col"], parts["values"], (rows, columns), check_invariants=True
        )
    else:
        vectors = parts["vectors"]
    projection = encoder_projection(parts)
    if projection is not None:
        axes, mean = projection
        if axes.dim() != 2 or (mean is not None and mean.shape != axes.shape[:1]):
            raise ValueError("the projection of the features does not fit together")
    if vectors.dim() != 2 or vectors.size(0) != tensors["embedding"].size(0):
        raise ValueError("the fitted vectors are not as many as their coordinates")
    return FeatureSpace(vectors, unit, projection)


def save_model(model: FittedModel, folder: str | Path) -> None:
    """Write encoder weights, column statistics and embedding (safetensors), and the rest (JSON).

    An embedding table puts new samples beside their neighbours: its folder holds the fitted vectors too. InputError if
    the folder cannot be written. A UserWarning says so if the model cannot transform new data.
    """
    target = Path(folder)
    bare = model.n_features == 0 or (model.node_widths is not None and 0 in model.node_widths.values())
    named = model.nodes is not None and model.nodes.names is not None
    why = why_no_transform(model.config, bare, model.graph_summary["n_predefined"] > 0, named)
    if why is None and isinstance(model.config.neighbors.metric, OwnMetric) and model.space is not None:
        why = f"no file holds the metric, {model.config.neighbors.metric}; metrics by name can be saved"
    if why is not None:
        warnings.warn(f"the saved model cannot transform new data: {why}", stacklevel=3)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise wrong(target, f"a folder that cannot be created ({error.strerror})", "one that can") from error
    tensors = {f"encoder.{k}": v.detach().cpu().contiguous() for k, v in model.encoder.state_dict().items()}
    tensors |= {f"statistics.{k}": v.contiguous() for k, v in model.statistics.items()}
    tensors["embedding"] = model.embedding.contiguous()
    space = model.space if model.config.encoder.name == "free" else None
    if space is not None:
        tensors |= pack(space)
    if model.time is not None:
        tensors |= {f"time.{key}": value.contiguous() for key, value in model.time.tensors().items()}
    if model.facts is not None:
        tensors |= {f"facts.{key}": value.contiguous() for key, value in model.facts.tensors().items()}
    # The same mark in both files: one of them may be of an earlier model, if writing the other was interrupted.
    mark = secrets.token_hex(8)
    with atomic_write(target / "model.safetensors") as temporary:
        save_tensors(temporary, tensors, {"mark": mark})
    fitted = {f"{name}_": getattr(model, name) for name in (*KEPT, *OPTIONAL)}
    # For whoever reads the file: they follow from the rest.
    fitted |= {"task_": model.config.task, "encoder_name_": model.config.encoder.name, "n_iter_": model.n_iter}
    head = {"format": FORMAT, "mark": mark, "version": version("genurl-graph"), "config": model.config.to_dict()}
    unit = None if space is None else {"unit": space.unit}
    plan = None if model.plan is None else model.plan.to_dict()
    nodes = None if model.nodes is None else model.nodes._asdict()
    edges = {} if model.edge_plan is None else {"edge_plan": model.edge_plan.to_dict()}
    edges |= {} if model.time is None else {"time": model.time.record()}
    edges |= {} if model.facts is None else {"facts": model.facts.record()}
    write_json(target / "model.json", {**head, "fitted": fitted, "space": unit, "plan": plan, "nodes": nodes, **edges})


def load_model(folder: str | Path, module: nn.Module | None = None) -> FittedModel:
    """The model that `save_model` wrote, on the CPU; a copy of `module` takes the weights of a user's own encoder.

    InputError if the folder is damaged or no such one, or the module is missing, superfluous, or of other weights.
    """
    source = Path(folder)
    try:
        note = json.loads((source / "model.json").read_text(encoding="utf-8"))
        if note["format"] != FORMAT:
            raise wrong(f"model {source}: format", repr(note["format"]), FORMAT)
        tensors = _read_tensors(source / "model.safetensors", note["mark"])
        config = Config(task=note["config"]["task"]).override(complete_settings(note["config"]))
        fitted = {name: note["fitted"][f"{name}_"] for name in KEPT}
        fitted |= {name: note["fitted"].get(f"{name}_") for name in OPTIONAL}
        # Models of earlier versions have none.
        plan, edge_plan = (
            None if note.get(name) is None else FeaturePlan.from_dict(note[name]) for name in ("plan", "edge_plan")
        )
        nodes = _nodes(note.get("nodes"), len(tensors["embedding"]))
        time = None if note.get("time") is None else FittedTime.stored(_below(tensors, "time."), note["time"])
        facts = None if note.get("facts") is None else FittedTriples.stored(_below(tensors, "facts."), note["facts"])
        own = config.encoder.name == "module"
        if own != (module is not None):
            expected = "a module like the saved one" if own else "None"
            raise wrong(f"model {source}: encoder", f"{module} for {config.encoder.name!r}", expected)
        encoder = _encoder(config, fitted, plan, tensors, copy.deepcopy(module)).eval()
        space = None if note["space"] is None else unpack(tensors, bool(note["space"]["unit"]))
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"model {source}: is not a folder that GenURL.save wrote, or is damaged ({error})") from error
    statistics = _below(tensors, "statistics.")
    parts: dict[str, Any] = {"plan": plan, "edge_plan": edge_plan, "nodes": nodes, "time": time}
    return FittedModel(encoder, config, tensors["embedding"], statistics, space, **parts, facts=facts, **fitted)


def _read_tensors(path: Path, mark: str) -> dict[str, Tensor]:
    with safe_open(str(path), framework="pt") as file:
        if (file.metadata() or {}).get("mark") != mark:
            raise ValueError("its two files are of different models")
        tensors: dict[str, Tensor] = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    for key, value in tensors.items():
        if value.is_floating_point() and value.dtype != torch.float32 and not key.startswith(EXACT):
            raise ValueError(f"{key} is {value.dtype}")
    if tensors["embedding"].dim() != 2:
        raise ValueError("the embedding is not a matrix")
    return tensors


def _nodes(note: dict[str, Any] | None, num_nodes: int) -> FittedNodes | None:
    """What the fitted nodes are known again by; models of earlier versions have none."""
    if note is None:
        return None
    found = FittedNodes(**note)
    if found.num_nodes != num_nodes or (found.names is not None and len(found.names) != num_nodes):
        raise ValueError("its nodes are not as many as its embedding has rows")
    return found


def _feature_width(config: Config, fitted: dict[str, Any], plan: FeaturePlan | None, axes: Tensor | None) -> int:
    """Columns of features, or of their components."""
    hashed = config.input.hash_columns
    width: int = fitted["n_features_in"] if plan is None else len(plan.names)
    width = hashed if isinstance(hashed, int) and hashed else width
    return width if axes is None else axes.size(1)


def _input_width(
    config: Config, fitted: dict[str, Any], num_nodes: int, plan: FeaturePlan | None, axes: Tensor | None
) -> int:
    """Columns that the encoder reads: features or their components, and structural ones where it reads these."""
    width = _feature_width(config, fitted, plan, axes)
    bare, slices, widths = num_nodes, fitted["node_slices"], fitted["node_widths"]
    if slices is not None:
        ends = [0, *(high for _, high in slices.values())]
        if list(slices) != list(widths) or [low for low, _ in slices.values()] != ends[:-1] or ends[-1] != num_nodes:
            raise ValueError("its node types do not fit its embedding")
        bare = sum(high - low for name, (low, high) in slices.items() if not widths[name])
    elif reads_structure_alone(config) or config.encoder.beside == "apart":
        width = 0
    elif width and config.encoder.beside != "always":
        bare = 0
    if not bare:
        return width
    structural = structure_width(config.encoder.structure, config.encoder.structure_dim, bare)
    return width + structural + stroke_columns(width, config)


def _encoder(
    config: Config,
    fitted: dict[str, Any],
    plan: FeaturePlan | None,
    tensors: dict[str, Tensor],
    module: nn.Module | None,
) -> Encoder:
    """The encoder that `config` describes, with its saved weights."""
    if config.encoder.name != "free" and config.encoder.layers > len(tensors):
        raise ValueError(f"{config.encoder.layers} layers, but {len(tensors)} tensors")
    if config.task == "graphs":
        return cast("Encoder", saved_encoder(config, _below(tensors, "encoder.")))
    if config.task == "triples":
        weights, c = _below(tensors, "encoder."), config.encoder
        prior = EndPrior.stored(_below(weights, "prior.")) if "prior.key" in weights else None
        return TripleEncoder(weights["table"], weights["relations"], config.triples.readout, c.dropout, prior)
    if config.task == "temporal":
        width = len(tensors["time.mean"]) - len(PROFILE) + (config.encoder.hops + 1) * tensors["time.positions"].size(1)
    else:
        width = _input_width(config, fitted, len(tensors["embedding"]), plan, tensors.get("statistics.axes"))
    columns = feature_columns(config, width, len(tensors["embedding"]))
    features = _feature_width(config, fitted, plan, None)
    if widened(config, features):
        columns = features + widened(config, features)
    # Without memory or random numbers of its own: the file's tensors become the weights, and sizes that do not fit
    # them are noticed before anything of that size is made. A user's module may not be made again: it is filled.
    with torch.device("meta") if module is None else nullcontext():
        count = count_columns(_below(tensors, "statistics."))
        encoder = make_encoder(config, width, tensors["embedding"], module, columns, len(tensors["embedding"]), count)
    encoder.load_state_dict(_below(tensors, "encoder."), assign=module is None)
    return cast("Encoder", encoder)


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
