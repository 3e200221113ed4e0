"""Settings of the baselines: published values from ``defaults.toml``, and what a user changes of them."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any, Literal

from genurl_graph.config.fields import Option, Range, convert
from genurl_graph.exceptions import unknown

Task = Literal["nodes", "graphs", "temporal", "triples"]

# Numbers that may be 0; shares may, too, and stay below 1: those of dropped columns and edges ("drop..."), and these.
_FROM_ZERO = ("lr", "min_dist", "weight_decay", "lambd", "ema", "iterations", "penalty")
_SHARES = ("mask", "replace", "momentum")


def baseline_settings(
    method: str, dataset: str | None = None, changes: Mapping[str, Any] | None = None, task: Task = "nodes"
) -> dict[str, Any]:
    """All settings of a baseline on a data set.

    Parameters
    ----------
    method : str
        Name of a baseline (`genurl_graph.baselines.BASELINES` or `genurl_graph.baselines.reduction.REDUCERS`; of
        whole graphs `genurl_graph.baselines.graphs.GRAPH_BASELINES`; of dynamic graphs
        `genurl_graph.baselines.temporal.TEMPORAL_BASELINES`; of typed edges
        `genurl_graph.baselines.triples.TRIPLE_BASELINES`).
    dataset : str, optional
        Canonical name of the data set; settings that the source gives for it replace the defaults.
    changes : mapping, optional
        Values that replace both, by name. Strings are converted to the type of the default.
    task : "nodes", "graphs", "temporal" or "triples"
        "graphs" for the methods of whole graphs, some of which have names of methods for nodes.

    Returns
    -------
    dict
        Name to int, float or str.

    Raises
    ------
    InputError
        An unknown setting, or a value of the wrong type or out of range.
    """
    tables = _tables()
    table = dict((tables if task == "nodes" else tables[task])[method])
    published = table.pop("data", {})
    found: dict[str, Any] = {**table, **published.get(dataset, {})}
    for name, value in (changes or {}).items():
        if name not in found:
            raise unknown(f"{method} setting", name, found)
        found[name] = convert(f"{method}.{name}", value, _options(name, found[name]))
    return found


@functools.lru_cache(maxsize=1)
def _tables() -> dict[str, dict[str, Any]]:
    text = (resources.files("genurl_graph.baselines") / "defaults.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _options(name: str, default: Any) -> list[Option]:
    """Type and range of a setting, by its default and its name."""
    kind = type(default)
    if kind is str:
        return [Option(str, None)]
    if name.startswith("drop") or name in _SHARES:
        return [Option(kind, Range("[0, 1)"))]
    return [Option(kind, Range("[1, inf)" if kind is int else "[0, inf)" if name in _FROM_ZERO else "(0, inf)"))]
