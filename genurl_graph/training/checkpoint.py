"""Checkpoints: weights, optimiser, random states and losses in one safetensors file, without pickle.

The file holds a checksum of its content, and the checkpoint before it is kept: a damaged one is named, and the training
goes on from the other. The neighbours of the run's nodes have a file of their own beside it: for a large graph their
search is most of the work before the training.
"""

from __future__ import annotations

import json
import os
import warnings
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.amp import GradScaler

from genurl_graph.config import complete_settings
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.graph.knn import Neighbors
from genurl_graph.runtime import random
from genurl_graph.runtime.files import atomic_write, save_tensors
from genurl_graph.runtime.processes import rank

FORMAT = 2
# State of a scaler: its factor, and for how many steps that was not too large.
SCALER = ("scale", "_growth_tracker")


class _DamagedError(InputError):
    """A file that cannot be read, or whose content is not what was written."""


class Checkpoint:
    """State of a training run on disk.

    Parameters
    ----------
    path : path
        The file. It is replaced atomically: an interrupted write leaves the previous one. That one is kept beside it
        under the suffix ``.previous``, and read where the file is missing or damaged.
    run : dict
        What the state belongs to (configuration, seed, sizes), JSON-able; another run is refused on restore.
        The keys "epochs" and "tolerance", if any, may differ: a finished run can be prolonged.
    """

    def __init__(self, path: str | Path, run: dict[str, Any]) -> None:
        self.path = Path(path)
        self.previous = self.path.with_name(self.path.name + ".previous")
        self.search = self.path.with_name(self.path.name + ".neighbors")
        self.run = json.loads(json.dumps(run))

    def exists(self) -> bool:
        """Whether there is anything to resume."""
        return self.trained() or self.search.is_file()

    def trained(self) -> bool:
        """Whether there is a state of the training, not only the neighbours found before it."""
        return self.path.is_file() or self.previous.is_file()

    def remove(self) -> None:
        """Remove the files, when the run is finished."""
        for path in (self.path, self.previous, self.search):
            path.unlink(missing_ok=True)

    def save_neighbors(self, found: Neighbors) -> None:
        """Keep the neighbours of the run's nodes, with 12 bytes a neighbour."""
        indices = found.indices.cpu()
        if indices.numel() and int(indices.max()) < 2**31:
            indices = indices.int()
        tensors = {"indices": indices.contiguous(), "distances": found.distances.cpu().contiguous()}
        _write_file(self.search, tensors, {"run": self.run, "backend": found.backend, "recall": found.recall})

    def neighbors(self, device: torch.device) -> Neighbors | None:
        """The neighbours that `save_neighbors` kept; None if there is no such file, or a damaged one (with a warning).

        Raises
        ------
        InputError
            The file is of another run (the message names the first difference).
        """
        if not self.search.is_file():
            return None
        try:
            tensors, note = _read_file(self.search)
        except _DamagedError as error:
            warnings.warn(f"{error}; neighbours are searched again", stacklevel=2)
            return None
        self._check_run(self.search, note["run"])
        indices, distances = tensors["indices"].long().to(device), tensors["distances"].to(device)
        return Neighbors(indices, distances, note["backend"], note["recall"])

    def stored_run(self) -> dict[str, Any]:
        """The `run` that the file was written with; InputError as in `restore`."""
        if not self.trained() and self.search.is_file():
            return dict(_read_file(self.search)[1]["run"])
        return self._read()[1]

    def save(
        self,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        history: list[float],
        scaler: GradScaler | None = None,
    ) -> None:
        """Write the state after the last epoch of `history`; that of the scaler, too, if there is one in use."""
        own, first = module.state_dict(), _first_names(module)
        tensors = {f"model.{k}": v.detach().cpu().contiguous() for k, v in own.items() if first[k] == k}
        for index, state in optimizer.state_dict()["state"].items():
            for key, value in state.items():
                # clone: safetensors refuses tensors that share memory.
                tensors[f"optimizer.{index}.{key}"] = value.detach().cpu().clone().contiguous()
        tensors |= {f"rng.{name}": state for name, state in random.states().items()}
        if scaler is not None and scaler.is_enabled():
            tensors["scaler"] = torch.tensor([scaler.state_dict()[key] for key in SCALER], dtype=torch.float64)
        tensors["history"] = torch.tensor(history, dtype=torch.float64)
        _write_file(self.path, tensors, self.run, self.previous)

    def restore(
        self, module: nn.Module, optimizer: torch.optim.Optimizer, scaler: GradScaler | None = None
    ) -> list[float]:
        """Bring `module`, `optimizer`, generators and scaler to the saved state; returns the losses so far.

        Raises
        ------
        InputError
            No file, a damaged one, or one of another run (the message names the first difference).
        """
        tensors, stored = self._read()
        self._check_run(self.path, stored)
        try:
            held, first = _below(tensors, "model."), _first_names(module)
            # Earlier versions wrote every name.
            shared = {name: held[first[name]] for name in first if name not in held and first[name] in held}
            module.load_state_dict(held | shared)
            state: dict[int, dict[str, Tensor]] = {}
            for key, value in _below(tensors, "optimizer.").items():
                index, name = key.split(".", 1)
                state.setdefault(int(index), {})[name] = value
            scaled = scaler is not None and scaler.is_enabled()
            # A scaler may have left out every step so far.
            if state or not scaled:
                _check_moments(state, optimizer)
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": state, "param_groups": groups})
            if scaler is not None and scaled:
                scale, steps = tensors["scaler"].tolist()
                scaler.load_state_dict(scaler.state_dict() | dict(zip(SCALER, (scale, int(steps)), strict=True)))
            random.restore(_below(tensors, "rng."))
            return [float(loss) for loss in tensors["history"]]
        except (KeyError, TypeError, RuntimeError, ValueError) as error:
            raise InputError(f"checkpoint {self.path}: does not fit this run ({error})") from error

    def _check_run(self, path: Path, stored: Any) -> None:
        difference = find_difference(stored, self.run)
        if difference:
            raise InputError(f"checkpoint {path} is of another run: {difference}")

    def _read(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and run of the file; where it is missing or damaged, those of the one before it, with a warning."""
        files = [file for file in (self.path, self.previous) if file.is_file()]
        if not files:
            raise InputError(f"resume: there is no checkpoint {self.path}; start without resume")
        faults: list[str] = []
        for file in files:
            try:
                found = _read_file(file)
            except _DamagedError as error:
                faults.append(f"checkpoint {error}")
                continue
            if faults:
                warnings.warn(f"{faults[0]}; going on from the one before it, {file}", stacklevel=3)
            return found
        raise InputError(f"{' and '.join(faults)}; start without resume")


def _write_file(path: Path, tensors: dict[str, Tensor], run: dict[str, Any], previous: Path | None = None) -> None:
    said = json.dumps(run)
    note = {"format": str(FORMAT), "run": said, "checksum": str(_checksum_of_all(tensors, said))}
    with atomic_write(path) as temporary:
        save_tensors(temporary, tensors, note)
        # Until the new one bears its name, this one is the only one: `exists` and `_read` know that.
        if previous is not None and path.is_file():
            os.replace(path, previous)


def _read_file(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(str(path), framework="pt") as file:
            note = file.metadata() or {}
            if note.get("format") != str(FORMAT):
                raise wrong(f"checkpoint {path}", f"format {note.get('format')!r}", repr(str(FORMAT)))
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
        if note["checksum"] != str(_checksum_of_all(tensors, note["run"])):
            raise ValueError("its content does not fit its checksum")
        return tensors, dict(json.loads(note["run"]))
    except InputError:
        raise
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
        raise _DamagedError(f"{path} is damaged ({error})") from error


def _checksum_of_all(tensors: dict[str, Tensor], run: str) -> int:
    """CRC-32 of all tensors with their names and shapes, and of the run they belong to."""
    total = zlib.crc32(run.encode())
    for name in sorted(tensors):
        title = f"{name} {tensors[name].dtype} {list(tensors[name].shape)}"
        total = zlib.crc32(f"{title} {checksum(tensors[name])}".encode(), total)
    return total


def checksum(*tensors: Tensor | None) -> int:
    """CRC-32 of the content of tensors (strided or CSR, on the CPU): tells data of the same shape apart."""
    total = 0
    for tensor in tensors:
        if tensor is None:
            continue
        csr = tensor.layout == torch.sparse_csr
        for part in (tensor.crow_indices(), tensor.col_indices(), tensor.values()) if csr else (tensor,):
            total = zlib.crc32(part.contiguous().numpy().data, total)
    return total


def _check_moments(state: dict[int, dict[str, Tensor]], optimizer: torch.optim.Optimizer) -> None:
    """Adam's moments have the shapes of their parameters: the optimiser itself would notice only in its next step."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    if state.keys() != set(range(len(parameters))):
        raise ValueError(f"optimiser states of {len(state)} parameters; expected {len(parameters)}")
    for index, parameter in enumerate(parameters):
        for name in ("exp_avg", "exp_avg_sq"):
            if state[index][name].shape != parameter.shape:
                raise ValueError(f"optimiser state {index}.{name} has shape {list(state[index][name].shape)}")


def _first_names(module: nn.Module) -> dict[str, str]:
    """Each name of a module's state with the first name of the same tensor, which parts of the module may share.

    A file holds such a tensor once: safetensors refuses tensors that share memory.
    """
    first: dict[tuple[int, torch.Size], str] = {}
    return {
        name: first.setdefault((value.data_ptr(), value.shape), name) if value.numel() else name
        for name, value in module.state_dict().items()
    }


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}


def find_difference(stored: Any, expected: Any, name: str = "") -> str | None:
    """First key in which two runs differ, with both values; ``epochs`` and ``tolerance`` may differ.

    Earlier versions left the perplexity of graphs without features "auto", which is a number now, and did not know all
    parameters: the same run, where these are as they were without them. What became of the features, the stage
    ``input``, is told by their checksum.
    """
    if isinstance(stored, dict) and isinstance(expected, dict):
        for key in sorted({*stored, *expected} - {"epochs", "tolerance"}):
            found = find_difference(stored.get(key), expected.get(key), f"{name}.{key}" if name else key)
            if found:
                return found
        return None
    same = stored == expected or (stored == "auto" and name.endswith("similarity.perplexity"))
    same = same or (stored is None and (name == "config.input" or _as_before(name, expected)))
    return None if same else f"{name} is {stored!r} there and {expected!r} here"


def _as_before(name: str, value: Any) -> bool:
    """Whether a parameter, ``config.STAGE.NAME``, that an earlier version did not know is as it was without it."""
    return name.startswith("config.") and complete_settings({}).get(name.removeprefix("config.")) == value


class KeptNeighbors(NamedTuple):
    """The neighbours of a run, in a file beside its checkpoint: a resumed run does not search them again."""

    checkpoint: Checkpoint
    resume: bool

    def neighbors(self, device: torch.device) -> Neighbors | None:
        """The neighbours that the interrupted run found, if it got as far."""
        return self.checkpoint.neighbors(device) if self.resume else None

    def alone(self) -> bool:
        """Whether the interrupted run got no further than its search."""
        return self.checkpoint.exists() and not self.checkpoint.trained()

    def save(self, found: Neighbors) -> None:
        """Keep them; of several processes the first does."""
        if rank() == 0:
            self.checkpoint.save_neighbors(found)
