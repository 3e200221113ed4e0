"""The configuration of a run: all stages together, their presets, overrides and TOML files.

The estimator, the command line (``--set loss.gamma=0.5``), the TOML presets and the file of resolved
parameters stored beside each result all read the classes of `genurl_graph.stages`; nothing else declares a default.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import numbers
import textwrap
import tomllib
import types
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from genurl_graph.exceptions import InputError
from genurl_graph.stages import (
    EncoderConfig,
    ImageViewConfig,
    LossConfig,
    MergeConfig,
    NeighborConfig,
    SamplingConfig,
    SimilarityConfig,
    TrainingConfig,
    ViewConfig,
    explanations,
)

__all__ = [
    "Config",
    "EncoderConfig",
    "ImageViewConfig",
    "LossConfig",
    "MergeConfig",
    "NeighborConfig",
    "SamplingConfig",
    "SimilarityConfig",
    "TrainingConfig",
    "ViewConfig",
    "explained_toml",
    "flatten",
    "load_preset",
    "parse_assignments",
    "read_method",
    "read_settings",
    "read_toml",
    "to_toml",
]


@dataclasses.dataclass(frozen=True)
class Config:
    """All stages of a run, resolved; `task` says which recipe reads them."""

    task: str = "graph"
    neighbors: NeighborConfig = dataclasses.field(default_factory=NeighborConfig)
    merge: MergeConfig = dataclasses.field(default_factory=MergeConfig)
    similarity: SimilarityConfig = dataclasses.field(default_factory=SimilarityConfig)
    views: ViewConfig = dataclasses.field(default_factory=ViewConfig)
    images: ImageViewConfig = dataclasses.field(default_factory=ImageViewConfig)
    encoder: EncoderConfig = dataclasses.field(default_factory=EncoderConfig)
    loss: LossConfig = dataclasses.field(default_factory=LossConfig)
    sampling: SamplingConfig = dataclasses.field(default_factory=SamplingConfig)
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)

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
            An unknown key (the nearest is named), or a value of the wrong type.
        """
        stages = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "task"}
        changes: dict[str, dict[str, Any]] = {}
        known = [f"{s}.{f.name}" for s, stage in stages.items() for f in dataclasses.fields(stage)]
        for key, value in values.items():
            if key == "task":
                if value != self.task:
                    raise InputError(f"config: task is {value!r} but this run's task is {self.task!r}")
                continue
            if key not in known:
                # The name without its stage is the commonest slip: "gamma" for "loss.gamma".
                near = [k for k in known if k.endswith(f".{key}")]
                near = near or difflib.get_close_matches(key, known, n=1, cutoff=0.5)
                hint = f"; did you mean {near[0]!r}?" if near else f"; expected one of {', '.join(known)}"
                raise InputError(f"config: unknown key {key!r}{hint}")
            stage, name = key.split(".")
            kind = get_type_hints(type(stages[stage]))[name]
            changes.setdefault(stage, {})[name] = _convert(key, value, kind)
        return dataclasses.replace(self, **{s: dataclasses.replace(stages[s], **c) for s, c in changes.items()})


def load_preset(task: str, *variants: str) -> Config:
    """Documented defaults of a task, ``presets/<task>.toml``; those of variants (``<task>-<variant>``) on top.

    Raises
    ------
    InputError
        Unknown task.
    """
    folder = resources.files("genurl_graph.presets")
    if not (folder / f"{task}.toml").is_file():
        raise InputError(f"task: unknown {task!r}; expected one of graph, reduce, distill, images")
    config = Config(task=task)
    for name in (f"{task}.toml", *(f"{task}-{variant}.toml" for variant in variants)):
        config = config.override(flatten(tomllib.loads((folder / name).read_text(encoding="utf-8"))))
    return config


def read_method(name: str) -> dict[str, Any] | None:
    """Dotted keys of a named set of settings, ``presets/method-<name>.toml``; None if there is none."""
    file = resources.files("genurl_graph.presets") / f"method-{name}.toml"
    return flatten(tomllib.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def read_settings(source: str | Path) -> dict[str, Any]:
    """Dotted keys of a named set of settings (`read_method`), else of a TOML file (`read_toml`)."""
    found = read_method(str(source))
    return read_toml(source) if found is None else found


def read_toml(path: str | Path) -> dict[str, Any]:
    """Dotted keys of a TOML file.

    Raises
    ------
    InputError
        The file cannot be read or is not TOML.
    """
    try:
        return flatten(tomllib.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"config file {path}: {error}") from error


def flatten(tree: Mapping[str, Any]) -> dict[str, Any]:
    """``{"loss": {"gamma": 1}}`` to ``{"loss.gamma": 1}``."""
    out: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            out.update({f"{key}.{name}": leaf for name, leaf in value.items()})
        else:
            out[key] = value
    return out


def to_toml(config: Config) -> str:
    """The configuration as TOML that `read_toml` reads back."""
    lines = [f"task = {_literal(config.task)}"]
    for stage, values in config.to_dict().items():
        if isinstance(values, dict):
            lines += ["", f"[{stage}]"]
            lines += [f"{name} = {_literal(value)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


def explained_toml(config: Config, left_out: Mapping[str, str]) -> str:
    """`to_toml` with each parameter's explanation above it.

    Parameters
    ----------
    config : Config
    left_out : dict
        Dotted keys that stand there as comments only, with the reason.
    """
    lines = [f"task = {_literal(config.task)}"]
    for field in dataclasses.fields(config)[1:]:
        stage = getattr(config, field.name)
        meaning = explanations(type(stage))
        lines += ["", *_comment((type(stage).__doc__ or "").replace("`", "")), f"[{field.name}]"]
        for name, value in dataclasses.asdict(stage).items():
            reason = left_out.get(f"{field.name}.{name}")
            lines += _comment(meaning[name] + (f". {reason}" if reason else ""))
            lines.append(f"{'# ' if reason else ''}{name} = {_literal(value)}")
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 116, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _literal(value: str | float) -> str:
    # JSON escapes strings as TOML does.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """``["loss.gamma=0.5"]`` (of ``--set``) to ``{"loss.gamma": "0.5"}``."""
    out: dict[str, str] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise InputError(f"--set: found {text!r}; expected KEY=VALUE, such as loss.gamma=0.5")
        out[key.strip()] = value.strip()
    return out


def _convert(key: str, value: Any, kind: Any) -> Any:
    """`value` as `kind` (int, float, str, Literal or a union of them); bool, NaN and lossy conversions are refused."""
    if key == "merge.type_weights" and isinstance(value, Mapping):
        # A table in TOML, a dictionary in Python; PyG's relations are tuples.
        pairs = ((name if isinstance(name, str) else "__".join(name), weight) for name, weight in value.items())
        value = ",".join(f"{name}={weight}" for name, weight in pairs)
    options = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    names = []
    for option in options:
        if get_origin(option) is Literal:
            if value in get_args(option):
                return value
            names += [repr(choice) for choice in get_args(option)]
        elif option is str:
            if isinstance(value, str):
                return value
            names.append("a string")
        else:
            number = _number(value, option)
            if number is not None:
                return number
            names.append("a whole number" if option is int else "a finite number")
    raise InputError(f"config: {key} is {value!r}; expected {' or '.join(names)}")


def _number(value: Any, kind: Callable[[Any], int | float]) -> int | float | None:
    """`value`, a number or its text, as int or float; None if it is not one."""
    if isinstance(value, bool) or not isinstance(value, str | numbers.Real):
        return None
    try:
        number = kind(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(number) or (not isinstance(value, str) and number != value):
        return None
    return number
