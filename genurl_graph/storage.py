"""Saved models: a folder with ``model.safetensors`` and ``model.json``, readable without running anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from genurl_graph.estimator import GenURL

FORMAT = 1
_KEPT = (
    "task_",
    "encoder_name_",
    "seed_",
    "n_features_in_",
    "n_iter_",
    "loss_history_",
    "graph_summary_",
    "seconds_",
)
_KEPT += ("knn_backend_", "knn_recall_")


def save_model(model: GenURL, folder: str | Path) -> None:
    """Write encoder weights, feature statistics and embedding (safetensors), and the rest (JSON).

    Raises
    ------
    InputError
        The model is not fitted, or the folder cannot be written.
    """
    from importlib.metadata import version

    from safetensors.torch import save_file

    from genurl_graph.io import atomic_write, write_json

    if not hasattr(model, "embedding_"):
        raise InputError("save: the model is not fitted yet")
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{target}: cannot create this folder: {error.strerror}") from error
    tensors = {f"encoder.{k}": v.detach().cpu().contiguous() for k, v in model._encoder.state_dict().items()}
    tensors |= {f"statistics.{k}": v.contiguous() for k, v in model.statistics_.items()}
    tensors["embedding"] = model.embedding_.contiguous()
    with atomic_write(target / "model.safetensors") as temporary:
        save_file(tensors, str(temporary))
    note: dict[str, Any] = {
        "format": FORMAT,
        "version": version("genurl-graph"),
        "config": model.config_.to_dict(),
    }
    note["fitted"] = {name: getattr(model, name) for name in _KEPT}
    write_json(target / "model.json", note)


def load_model(cls: type[GenURL], folder: str | Path) -> GenURL:
    """The estimator that `save_model` wrote, on the CPU.

    Raises
    ------
    InputError
        Not such a folder, or a damaged one.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from genurl_graph.config import Config, flatten
    from genurl_graph.encoders import make_encoder

    source = Path(folder)
    try:
        note = json.loads((source / "model.json").read_text(encoding="utf-8"))
        tensors = load_file(str(source / "model.safetensors"))
        if note["format"] != FORMAT:
            raise InputError(f"model {source}: format {note['format']!r}; expected {FORMAT}")
        config = Config(task=note["config"]["task"]).override(flatten(note["config"]))
        fitted = {name: note["fitted"][name] for name in _KEPT}
        encoder = make_encoder(
            config.encoder.name,
            fitted["n_features_in_"] or len(tensors["embedding"]),
            config.encoder.dim,
            hidden=config.encoder.hidden,
            layers=config.encoder.layers,
            dropout=config.encoder.dropout,
            norm=config.encoder.norm,
            start=tensors["embedding"],
        )
        encoder.load_state_dict({k[8:]: v for k, v in tensors.items() if k.startswith("encoder.")})
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"model {source}: is not a folder that GenURL.save wrote, or is damaged ({error})") from error
    model = cls(
        n_components=config.encoder.dim,
        task=config.task,
        encoder=config.encoder.name,
        random_state=fitted["seed_"],
        config=flatten(config.to_dict()),
    )
    for name, value in fitted.items():
        setattr(model, name, value)
    model.config_, model.device_ = config, "cpu"
    model.embedding_ = tensors["embedding"]
    model.statistics_ = {k[11:]: v for k, v in tensors.items() if k.startswith("statistics.")}
    model._encoder = encoder.eval()
    return model
