"""Values from text and from TOML, converted to the type of their parameter."""

from __future__ import annotations

import math
import numbers
import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, Union, get_args, get_origin

from genurl_graph.exceptions import InputError


def convert(key: str, value: Any, kind: Any) -> Any:
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
