"""Estimators from the options of a command or from a stored configuration."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from genurl_graph.config.choices import EncoderName, TaskName
from genurl_graph.config.metrics import MetricName
from genurl_graph.exceptions import InputError, unknown, wrong

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from genurl_graph.estimator import GenURL


def make_estimator(
    *,
    task: Literal["auto", TaskName],
    encoder: Literal["auto", EncoderName] | None,
    dim: int | None,
    epochs: int | None,
    device: str,
    config: Path | Mapping[str, Any] | None,
    assignments: tuple[str, ...],
    seed: int | None,
    n_neighbors: int | None = None,
    metric: Literal["auto", MetricName, "precomputed"] | None = None,
    exaggeration: float | None = None,
    init: str | None = None,
    previous: str | None = None,
    windows: str | None = None,
    **more: Any,
) -> "GenURL":
    """The estimator that the options of `genurl_graph.cli.options.model` describe; `more` goes to its constructor.

    `config` may also be a configuration by dotted names, as `repeated` makes it of a stored one.
    """
    from genurl_graph.config import read_settings
    from genurl_graph.config.toml import parse_assignments
    from genurl_graph.estimator import GenURL

    overrides: dict[str, Any] = read_settings(config) if isinstance(config, Path) else dict(config or {})
    overrides |= parse_assignments(assignments)
    if windows is not None:
        if task not in ("auto", "temporal"):
            raise wrong("--windows", f"--task {task}", "--task temporal, or none: of events with a time")
        overrides["temporal.windows"], task = windows, "temporal"
    return GenURL(
        n_components=dim,
        task=task,
        encoder=encoder or "auto",
        epochs=epochs,
        device=device,
        random_state=seed,
        config=overrides or None,
        n_neighbors=n_neighbors,
        metric=metric or "auto",
        exaggeration=exaggeration,
        init=read_init(init) if previous is None else read_previous(previous, init),
        **more,
    )


def read_init(init: str | None) -> Any:
    """A start by its name, or the coordinates in a file: by the names in it, else in the order of the samples."""
    from genurl_graph.inputs.start import NAMED

    if init is None or init in NAMED:
        return init
    if not Path(init).suffix:
        raise unknown("--init", init, (*NAMED, "a file of coordinates"))
    return _named_coordinates(init)


def read_previous(previous: str, init: str | None = None) -> Any:
    """A finished map in the file of an embedding or in the folder of a model; InputError if there is an `init`, too."""
    from genurl_graph.estimator import GenURL
    from genurl_graph.inputs.start import FinishedMap

    if init is not None:
        raise wrong("--previous", f"{previous}, and --init {init}", "one of them")
    whole = Path(previous).is_dir()
    return FinishedMap(GenURL.load(previous).embedding_ if whole else _named_coordinates(previous))


def _named_coordinates(path: str) -> Any:
    import pandas as pd

    from genurl_graph.inputs.embeddings import read_embedding

    found = read_embedding(path)
    return found["embedding"] if "node_id" not in found else pd.DataFrame(found["embedding"], index=found["node_id"])


def resolved(model: Mapping[str, Any], data: "Data") -> dict[str, Any]:
    """All settings that the options of a model lead to on a data set, as nested dictionaries."""
    found: dict[str, Any] = make_estimator(**model, seed=0).resolve(data).to_dict()
    return found


def again(device: str) -> str:
    """The device that a run was on, where there is one."""
    import torch

    return "auto" if device == "cuda" and not torch.cuda.is_available() else device


def repeated(config: Mapping[str, Any], device: str) -> dict[str, Any]:
    """Options of the model that lead to a stored configuration again, on `device` where there is one."""
    from genurl_graph.config import complete_settings

    return {
        "task": config["task"],
        **dict.fromkeys(("encoder", "dim", "epochs")),
        "device": again(device),
        "config": {key: value for key, value in complete_settings(config).items() if key != "task"},
        "assignments": (),
    }


def check_same(config: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
    """Check that a repetition resolves to the stored configuration; InputError where this version makes another."""
    from genurl_graph.config import complete_settings
    from genurl_graph.config.toml import flatten
    from genurl_graph.training.checkpoint import find_difference

    difference = find_difference(complete_settings(stored), flatten(config))
    if difference:
        raise InputError(f"config: this version makes another configuration of the stored one: {difference}")


def parse_names(option: str, noun: str, text: str, known: Iterable[str]) -> list[str]:
    """``"a, B"`` to ``["a", "b"]``, each once; InputError for a name that is not `known`, or for none at all."""
    known = tuple(known)
    words = (word.strip().lower() for word in text.split(","))
    chosen = list(dict.fromkeys(word for word in words if word))
    if not chosen:
        raise wrong(option, f"no {noun}", f"some of {', '.join(known)}")
    for name in chosen:
        if name not in known:
            raise unknown(option, name, known)
    return chosen
