"""Configurations as TOML, read and written."""

from __future__ import annotations

import dataclasses
import json
import textwrap
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from genurl_graph.exceptions import wrong

if TYPE_CHECKING:
    from genurl_graph.config import Config


def read_toml(path: str | Path) -> dict[str, Any]:
    """Dotted keys of a TOML file; InputError if it cannot be read or is not TOML."""
    try:
        return flatten(tomllib.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise wrong(f"config file {path}", error, "a TOML file") from error


def flatten(tree: Mapping[str, Any]) -> dict[str, Any]:
    """``{"loss": {"gamma": 1}}`` to ``{"loss.gamma": 1}``."""
    out: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            out.update({f"{key}.{name}": leaf for name, leaf in value.items()})
        else:
            out[key] = value
    return out


def to_toml(config: Config, left_out: Mapping[str, str] = MappingProxyType({})) -> str:
    """The configuration as TOML that `read_toml` reads back, with each parameter's explanation above it.

    Parameters
    ----------
    config : Config
    left_out : mapping
        Dotted keys that stand there as comments only, with the reason.
    """
    lines = [f"task = {_literal(config.task)}"]
    for field in dataclasses.fields(config)[1:]:
        stage = getattr(config, field.name)
        meaning = stage.explanations()
        lines += ["", *_comment((type(stage).__doc__ or "").replace("`", "")), f"[{field.name}]"]
        for name, value in dataclasses.asdict(stage).items():
            reason = left_out.get(f"{field.name}.{name}")
            lines += _comment(meaning[name] + (f". {reason}" if reason else ""))
            lines.append(f"{'# ' if reason else ''}{name} = {_literal(value)}")
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 116, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _literal(value: str | float) -> str:
    # JSON writes strings and truth values as TOML does.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool) else repr(value)


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """``["loss.gamma=0.5"]`` (of ``--set``) to ``{"loss.gamma": "0.5"}``."""
    out: dict[str, str] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise wrong("--set", repr(text), "KEY=VALUE, such as loss.gamma=0.5")
        out[key.strip()] = value.strip()
    return out
