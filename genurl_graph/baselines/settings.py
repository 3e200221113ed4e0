"""Settings of the peers: published values from ``defaults.toml``, and what a user changes of them."""

from __future__ import annotations

import difflib
import functools
import math
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from genurl_graph.exceptions import InputError

# Inclusive bounds of what a setting may be; shares of dropped columns and edges stay below 1.
_LEAST = {"lr": 0.0, "min_dist": 0.0, "weight_decay": 0.0, "lambd": 0.0, "ema": 0.0}


def baseline_settings(
    method: str, dataset: str | None = None, changes: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """All settings of a peer on a data set.

    Parameters
    ----------
    method : str
        Name of a peer (`genurl_graph.baselines.BASELINES`).
    dataset : str, optional
        Canonical name of the data set; where the source gives settings for it, these replace the defaults.
    changes : mapping, optional
        Values that replace both, by name. Strings are converted to the type of the default.

    Returns
    -------
    dict
        Name to int, float or str.

    Raises
    ------
    InputError
        An unknown setting, or a value of the wrong type or out of range.
    """
    table = dict(_tables()[method])
    published = table.pop("data", {})
    found: dict[str, Any] = {**table, **published.get(dataset, {})}
    for name, value in (changes or {}).items():
        if name not in found:
            near = difflib.get_close_matches(name, found, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(found)}"
            raise InputError(f"{method}: unknown setting {name!r}; {hint}")
        found[name] = _convert(f"{method}.{name}", value, type(found[name]))
    return found


@functools.lru_cache(maxsize=1)
def _tables() -> dict[str, dict[str, Any]]:
    text = (resources.files("genurl_graph.baselines") / "defaults.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _convert(key: str, value: Any, kind: type) -> Any:
    name = key.rpartition(".")[2]
    if kind is str:
        return str(value)
    try:
        number = kind(value)
        fits = math.isfinite(number) and float(number) == float(value) and not isinstance(value, bool)
    except (TypeError, ValueError, OverflowError):
        fits = False
    if not fits:
        raise InputError(f"{key}: found {value!r}; expected {'a whole number' if kind is int else 'a finite number'}")
    if name.startswith("drop"):
        if not 0 <= number < 1:
            raise InputError(f"{key}: found {number}; expected a share in [0, 1)")
    elif kind is int and number < 1:
        raise InputError(f"{key}: found {number}; expected at least 1")
    elif number < 0 or (number == 0 and name not in _LEAST):
        raise InputError(f"{key}: found {number}; expected a number {'>= 0' if name in _LEAST else '> 0'}")
    return number
