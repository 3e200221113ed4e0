"""Settings of the baselines: published values from ``defaults.toml``, and what a user changes of them."""

from __future__ import annotations

import functools
import math
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from genurl_graph.exceptions import unknown, wrong

# Numbers that may be 0; shares of dropped columns and edges may, too, and stay below 1.
_FROM_ZERO = ("lr", "min_dist", "weight_decay", "lambd", "ema")


def baseline_settings(
    method: str, dataset: str | None = None, changes: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """All settings of a baseline on a data set.

    Parameters
    ----------
    method : str
        Name of a baseline (`genurl_graph.baselines.BASELINES` or `genurl_graph.baselines.reduction.REDUCERS`).
    dataset : str, optional
        Canonical name of the data set; settings that the source gives for it replace the defaults.
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
            raise unknown(f"{method} setting", name, found)
        key = f"{method}.{name}"
        found[name] = _convert(key, value, type(found[name]))
        _check_range(key, name, found[name])
    return found


@functools.lru_cache(maxsize=1)
def _tables() -> dict[str, dict[str, Any]]:
    text = (resources.files("genurl_graph.baselines") / "defaults.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _convert(key: str, value: Any, kind: type) -> Any:
    if kind is str:
        return str(value)
    try:
        number = kind(value)
        fits = math.isfinite(number) and float(number) == float(value) and not isinstance(value, bool)
    except (TypeError, ValueError, OverflowError):
        fits = False
    if not fits:
        raise wrong(key, repr(value), "a whole number" if kind is int else "a finite number")
    return number


def _check_range(key: str, name: str, value: Any) -> None:
    if isinstance(value, str):
        return
    if name.startswith("drop"):
        fits, expected = 0 <= value < 1, "a share in [0, 1)"
    elif isinstance(value, int):
        fits, expected = value >= 1, "at least 1"
    elif name in _FROM_ZERO:
        fits, expected = value >= 0, "a number >= 0"
    else:
        fits, expected = value > 0, "a number > 0"
    if not fits:
        raise wrong(key, value, expected)
