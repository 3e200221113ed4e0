"""The encoder of a run on partitions: made, written, read, and applied to a partition."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from genurl_graph.config import Config
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.nn.build import make_encoder
from genurl_graph.nn.features import Features
from genurl_graph.nn.mlp import MLP
from genurl_graph.objectives.base import embed_rows
from genurl_graph.runtime.devices import choose_device
from genurl_graph.runtime.files import atomic_write, save_tensors
from genurl_graph.runtime.partitions import Store

# What the encoder is called in the folder of a run, after the training and before it.
ENCODER, UNTRAINED = "encoder.safetensors", "untrained.safetensors"


def read_arrays(config: Config) -> list[str]:
    """Names of the arrays whose columns, side by side, the encoder reads: features, and their averages for "sign"."""
    hops = config.encoder.hops if config.encoder.name == "sign" else 0
    return [f"average{steps}" for steps in range(hops + 1)]


def side_by_side(work: Store, names: Sequence[str], pieces: Sequence[tuple[int, int, int]]) -> Tensor:
    """Columns of several arrays float32 [n, f], of pieces ``(partition, first, last)`` of their rows."""
    width = work.shape(names[0], pieces[0][0])[1]
    # Filled block by block: `numpy.concatenate` would hold everything twice.
    x = torch.empty(sum(last - first for _, first, last in pieces), width * len(names))
    at = 0
    for part, first, last in pieces:
        for column, name in zip(x[at : at + last - first].chunk(len(names), 1), names, strict=True):
            column.copy_(torch.from_numpy(work.load(name, part, first, last)))
        at += last - first
    return x


def new_encoder(config: Config, columns: int) -> MLP:
    """The encoder that a configuration describes, of `columns` features; InputError if it does not read rows alone."""
    encoder = make_encoder(config, columns)
    if not isinstance(encoder, MLP):
        raise wrong("encoder", repr(config.encoder.name), "sign, mlp or linear on partitions")
    return encoder


def save_encoder(path: Path, encoder: nn.Module, run: dict[str, Any], history: list[float]) -> None:
    """Write weights and principal axes of an encoder, with the run that it is of and the losses of its epochs."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in encoder.state_dict().items()}
    with atomic_write(path) as temporary:
        save_tensors(temporary, tensors, {"run": json.dumps(run), "history": json.dumps(history)})


def saved_note(path: Path) -> dict[str, Any]:
    """The ``run`` and the ``history`` that `save_encoder` wrote; InputError for a file that is no such one."""
    return _read(path)[1]


def load_encoder(path: Path, config: Config) -> MLP:
    """The encoder that `save_encoder` wrote, in evaluation mode on the CPU.

    Parameters
    ----------
    path : Path
    config : Config
        The resolved configuration of its run.

    Raises
    ------
    InputError
        A file that is missing, damaged, or of another encoder.
    """
    tensors, note = _read(path)
    try:
        encoder = new_encoder(config, note["run"]["columns"])
        encoder.load_state_dict(tensors)
    except (KeyError, TypeError, RuntimeError) as error:
        raise InputError(f"encoder {path}: does not fit this configuration ({error})") from error
    return encoder.eval()


def embed_part(part: int, work: Store, config: Config, encoder: Path, device: str = "cpu") -> Tensor:
    """Embed the rows of a partition, of which ``average0``, ... are read.

    Parameters
    ----------
    part : int
    work : Store
    config : Config
        Resolved.
    encoder : Path
        What `save_encoder` wrote.
    device : str

    Returns
    -------
    Tensor, float32, shape [m, d]
        On the CPU. Memory besides it: the columns that the encoder reads, and some 100 MB.
    """
    there = choose_device(device)
    names = read_arrays(config)
    # A block of rows at a time goes to the device.
    features = Features(side_by_side(work, names, [(part, 0, work.size(part))]), len(names), stays=True)
    return embed_rows(load_encoder(encoder, config).to(there), features, there).cpu()


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(str(path), framework="pt") as file:
            note = {name: json.loads(value) for name, value in (file.metadata() or {}).items()}
            return {key: file.get_tensor(key) for key in file.keys()}, note  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"encoder {path}: is missing or damaged ({error})") from error
