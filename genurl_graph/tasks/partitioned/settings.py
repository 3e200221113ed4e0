"""The settings of a run by partitions: resolved once, kept in its work folder, read by every stage and by --resume."""

from __future__ import annotations

import dataclasses
import json
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from genurl_graph.config import Config, complete_settings
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.graph.edge_reliability import Measure
from genurl_graph.graph.projection import Projection
from genurl_graph.inputs.partitioned import Prepared
from genurl_graph.runtime.files import atomic_write, save_tensors, to_json, write_json
from genurl_graph.training.checkpoint import find_difference

FORMAT = 1
SETTINGS, TENSORS = "settings.json", "settings.safetensors"
# Rows of each partition that its checksum is about.
_CHECKED = 256
_IN_TENSORS = ("column_weight", "projection", "statistics")


class RunSettings(NamedTuple):
    """What all stages of a run read, and what was found out for it.

    Attributes
    ----------
    config : Config
        Resolved.
    seed : int
    column_weight : Tensor, float32, shape [f], or None
        How far each column of the features counts; None: all in full.
    consistency : Measure
        Of the features, by which edge reliability is judged.
    projection : Projection or None
        Principal axes along which neighbours are searched; None: in the features.
    statistics : dict of Tensor
        What new rows of the encoder's input are made with (`genurl_graph.tasks.encoder_input`).
    told : dict
        Evidence of the features, and size of the sample that it was measured on, for the record.
    asked : dict
        What the user asked for, by dotted name.
    prepared : int
        Checksum of the prepared folder (`checksum_of`).
    """

    config: Config
    seed: int
    column_weight: Tensor | None
    consistency: Measure
    projection: Projection | None
    statistics: dict[str, Tensor]
    told: dict[str, Any]
    asked: dict[str, Any]
    prepared: int

    def save(self, folder: Path) -> None:
        """Write the settings into a work folder."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {f"statistics.{key}": value for key, value in self.statistics.items()}
        tensors |= {} if self.column_weight is None else {"column_weight": self.column_weight}
        if self.projection is not None:
            parts = self.projection._asdict()
            tensors |= {f"projection.{key}": value for key, value in parts.items() if value is not None}
        with atomic_write(folder / TENSORS) as temporary:
            save_tensors(temporary, {key: value.contiguous() for key, value in tensors.items()}, {"of": "settings"})
        note = {"format": FORMAT, **self._asdict(), "config": self.config.to_dict(), "consistency": [*self.consistency]}
        write_json(folder / SETTINGS, {key: value for key, value in note.items() if key not in _IN_TENSORS})

    @classmethod
    def load(cls, folder: Path) -> RunSettings:
        """The settings that `save` wrote; InputError where there are none, or damaged ones."""
        try:
            note = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
            if note.pop("format") != FORMAT:
                raise ValueError("another format")
            tensors = load_file(folder / TENSORS)
            note["config"] = Config(task=note["config"]["task"]).override(complete_settings(note["config"]))
            note["consistency"] = Measure(*note["consistency"])
            axes, mean = (tensors.get(f"projection.{key}") for key in Projection._fields)
            own = "statistics."
            return cls(
                column_weight=tensors.get("column_weight"),
                projection=None if axes is None else Projection(axes, mean),
                statistics={key.removeprefix(own): value for key, value in tensors.items() if key.startswith(own)},
                **note,
            )
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            if isinstance(error, InputError):
                raise
            raise wrong(
                folder, f"no settings of a run that can be continued ({error})", "those of an earlier run"
            ) from (error)

    def check_same(self, asked: dict[str, Any], seed: int | None, prepared: int, folder: Path) -> None:
        """InputError where another run was asked for: the message names the first difference."""
        stored: dict[str, Any] = {"set": self.asked, "prepared": self.prepared, "seed": self.seed}
        now = {"set": json.loads(to_json(asked)), "prepared": prepared, "seed": self.seed if seed is None else seed}
        difference = find_difference(stored, now)
        if difference:
            raise InputError(
                f"--resume: {folder} is of another run: {difference}; name another output, or start without "
                "--resume to replace it"
            )


def checksum_of(prepared: Prepared) -> int:
    """What tells a prepared folder from another one: the checksum of its manifest, and of the first of each partition.

    Read are the first `_CHECKED` rows of the features, pointers of edges, and edges: a folder whose tables have changed
    since tells itself apart, though its manifest may be the same.
    """
    found = zlib.crc32(to_json(dataclasses.asdict(prepared.manifest)).encode())
    names = ["x"] * (prepared.num_features > 0) + ["crow", "col"] + ["weight"] * prepared.weighted
    for part in range(prepared.store.count):
        for name in names:
            found = zlib.crc32(prepared.store.load(name, part, 0, _CHECKED), found)
    return found
