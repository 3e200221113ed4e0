"""The configuration of a run: all stages together, their presets, overrides and TOML files.

The estimator, the command line (``--set loss.gamma=0.5``), the TOML presets and the file of resolved
parameters stored beside each result all read the classes of `genurl_graph.config.parameters`; nothing else declares a
default.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, cast

from genurl_graph.config.choices import TaskName, words
from genurl_graph.config.edges import EdgesConfig
from genurl_graph.config.parameters import (
    EncoderConfig,
    InputConfig,
    LossConfig,
    MergeConfig,
    NeighborConfig,
    SamplingConfig,
    SimilarityConfig,
    TrainingConfig,
)
from genurl_graph.config.temporal import TemporalConfig
from genurl_graph.config.toml import flatten, read_toml
from genurl_graph.config.triples import TriplesConfig
from genurl_graph.config.views import GraphViewConfig, ImageViewConfig, ViewConfig
from genurl_graph.exceptions import unknown, wrong

__all__ = ["Config", "complete_settings", "load_preset", "read_method", "read_settings"]


# Tasks whose preset says how they differ from another task's, of which they have the variants as well.
BASES = {"edges": "graph"}


@dataclasses.dataclass(frozen=True)
class Config:
    """All stages of a run, resolved; `task` says which recipe reads them."""

    task: TaskName = "graph"
    input: InputConfig = dataclasses.field(default_factory=InputConfig)
    neighbors: NeighborConfig = dataclasses.field(default_factory=NeighborConfig)
    merge: MergeConfig = dataclasses.field(default_factory=MergeConfig)
    similarity: SimilarityConfig = dataclasses.field(default_factory=SimilarityConfig)
    views: ViewConfig = dataclasses.field(default_factory=ViewConfig)
    images: ImageViewConfig = dataclasses.field(default_factory=ImageViewConfig)
    graphs: GraphViewConfig = dataclasses.field(default_factory=GraphViewConfig)
    temporal: TemporalConfig = dataclasses.field(default_factory=TemporalConfig)
    triples: TriplesConfig = dataclasses.field(default_factory=TriplesConfig)
    edges: EdgesConfig = dataclasses.field(default_factory=EdgesConfig)
    encoder: EncoderConfig = dataclasses.field(default_factory=EncoderConfig)
    loss: LossConfig = dataclasses.field(default_factory=LossConfig)
    sampling: SamplingConfig = dataclasses.field(default_factory=SamplingConfig)
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)

    @property
    def embeds_graph(self) -> bool:
        """Whether the nodes of one graph are embedded; edges are the nodes of their line graph."""
        return BASES.get(self.task, self.task) == "graph"

    def to_dict(self) -> dict[str, Any]:
        """Nested plain dictionary, as stored beside results."""
        return dataclasses.asdict(self)

    def override(self, values: Mapping[str, Any]) -> Config:
        """A copy with some values replaced.

        Parameters
        ----------
        values : mapping
            Dotted keys, ``{"loss.gamma": 0.5}``. Strings are converted to the type of the key.

        Raises
        ------
        InputError
            An unknown key (the nearest is named), or a value of another type or out of its range.
        """
        stages = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "task"}
        changes: dict[str, dict[str, Any]] = {}
        known = [f"{s}.{f.name}" for s, stage in stages.items() for f in dataclasses.fields(stage)]
        for key, value in values.items():
            if key == "task":
                if value != self.task:
                    raise wrong("task", repr(value), repr(self.task))
                continue
            if key not in known:
                raise unknown("config", key, known)
            stage, name = key.split(".")
            changes.setdefault(stage, {})[name] = value
        return dataclasses.replace(self, **{s: dataclasses.replace(stages[s], **c) for s, c in changes.items()})


def load_preset(task: str, *variants: str) -> Config:
    """Documented defaults of a task, ``presets/<task>.toml``; those of variants (``<task>-<variant>``) on top.

    InputError for an unknown task.
    """
    folder = resources.files("genurl_graph.config.presets")
    if task not in words(TaskName):
        raise unknown("task", task, words(TaskName))
    config = Config(task=cast(TaskName, task))
    base = BASES.get(task, task)
    for name in dict.fromkeys((f"{base}.toml", f"{task}.toml", *(f"{base}-{variant}.toml" for variant in variants))):
        config = config.override(flatten(tomllib.loads((folder / name).read_text(encoding="utf-8"))))
    return config


def read_method(name: str) -> dict[str, Any] | None:
    """Dotted keys of a named set of settings, ``presets/named/<name>.toml``; None if there is none."""
    file = resources.files("genurl_graph.config.presets") / "named" / f"{name}.toml"
    return flatten(tomllib.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def read_settings(source: str | Path) -> dict[str, Any]:
    """Dotted keys of a named set of settings (`read_method`), else of a TOML file (`read_toml`)."""
    found = read_method(str(source))
    return read_toml(source) if found is None else found


def complete_settings(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted keys of a stored configuration, with those that its version did not know yet, as they were without them.

    Nothing was scaled or hashed then; the defaults of `genurl_graph.config.parameters` stand for the rest. Positions
    had the deviation of components. InputError for columns that a second network learned, which this version has not.
    """
    before = {**flatten(Config().to_dict()), "input.scale": "none", "input.hash_columns": 0}
    given = flatten(stored)
    by, count = given.pop("encoder.structure_by", "network"), given.get("encoder.structure_columns", 0)
    if count not in (0, "auto") and "encoder.structure_deviation" not in given:
        if by == "network":
            raise wrong("encoder.structure_columns", f"{count} that an earlier version trained", "a new fit")
        given["encoder.structure_deviation"] = given.get("encoder.skip_deviation", before["encoder.skip_deviation"])
    return {**{key: value for key, value in before.items() if key != "task"}, **given}
