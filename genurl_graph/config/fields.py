"""The type, range and meaning of a parameter, read off its annotation; values are checked in one place."""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from genurl_graph.config.metrics import OwnMetric
from genurl_graph.exceptions import unknown, wrong


@dataclasses.dataclass(frozen=True)
class Range:
    """Numbers that a parameter may take, as an interval.

    Examples
    --------
    >>> 1.0 in Range("[0, 1)")
    False
    >>> str(Range("[0, 1)")), str(Range("(0, inf)"))
    ('in [0, 1)', '> 0')
    """

    interval: str

    def _ends(self) -> tuple[str, str]:
        low, high = self.interval[1:-1].split(", ")
        return low, high

    def __contains__(self, number: float) -> bool:
        low, high = map(float, self._ends())
        return low <= number <= high and not (
            (number == low and self.interval[0] == "(") or (number == high and self.interval[-1] == ")")
        )

    def __str__(self) -> str:
        low, high = self._ends()
        return f"in {self.interval}" if high != "inf" else f"{'>' if self.interval[0] == '(' else '>='} {low}"


# What most parameters may be.
Count = Annotated[int, Range("[1, inf)")]
Natural = Annotated[int, Range("[0, inf)")]
Positive = Annotated[float, Range("(0, inf)")]
NonNegative = Annotated[float, Range("[0, inf)")]
Fraction = Annotated[float, Range("(0, 1]")]
Probability = Annotated[float, Range("[0, 1]")]
Share = Annotated[float, Range("[0, 1)")]


class Option(NamedTuple):
    """One alternative of a type: int, float, str, bool, Literal or OwnMetric, and the range of its numbers."""

    kind: Any
    allowed: Range | None


class Stage:
    """Base of the dataclasses of parameters: every value is converted to its type and checked when one is made.

    InputError for a value of another type or out of its range; the message names the parameter, ``loss.gamma``.
    """

    stage: ClassVar[str]

    def __post_init__(self) -> None:
        for name, (options, _) in self.declared().items():
            object.__setattr__(self, name, convert(f"{self.stage}.{name}", getattr(self, name), options))

    @classmethod
    @functools.cache
    def declared(cls) -> dict[str, tuple[list[Option], str]]:
        """Alternatives of the type and explanation of each field."""
        hints = get_type_hints(cls, include_extras=True)
        names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
        return {name: (_options(hints[name]), hints[name].__metadata__[-1]) for name in names}

    @classmethod
    def explanations(cls) -> dict[str, str]:
        """What each field means and in which range it is, by its name."""
        return {
            name: "; ".join([text, *(str(option.allowed) for option in options if option.allowed)])
            for name, (options, text) in cls.declared().items()
        }


def _options(annotated: Any) -> list[Option]:
    if get_origin(annotated) in (Union, types.UnionType):
        return [option for each in get_args(annotated) for option in _options(each)]
    if get_origin(annotated) is not Annotated:
        return [Option(annotated, None)]
    kind, *notes = get_args(annotated)
    allowed = next((note for note in notes if isinstance(note, Range)), None)
    return [Option(option.kind, option.allowed or allowed) for option in _options(kind)]


def convert(key: str, value: Any, options: list[Option]) -> Any:
    """`value` as one of `options` (int, float, str, bool, Literal).

    A bool for a number, NaN and lossy conversions are refused.
    """
    if key == "merge.type_weights" and isinstance(value, Mapping):
        # A table in TOML, a dictionary in Python; PyG's relations are tuples.
        pairs = ((name if isinstance(name, str) else "__".join(name), weight) for name, weight in value.items())
        value = ",".join(f"{name}={weight}" for name, weight in pairs)
    expected: list[str] = []
    for kind, allowed in options:
        if get_origin(kind) is Literal:
            if isinstance(value, str) and value in get_args(kind):
                return value
            expected += map(repr, get_args(kind))
        elif kind is OwnMetric:
            if OwnMetric.reads(value):
                return OwnMetric(value)
            expected.append("a function of two rows")
        elif kind is bool:
            if isinstance(value, bool) or value in ("true", "false"):
                return value in (True, "true")
            expected.append("true or false")
        elif kind is str:
            if isinstance(value, str):
                return value
            expected.append("a string")
        else:
            number = _number(value, kind)
            if number is not None and (allowed is None or number in allowed):
                return number
            expected.append(f"{'a whole' if kind is int else 'a finite'} number {allowed or ''}".rstrip())
    if isinstance(value, str) and all(kind is OwnMetric or get_origin(kind) is Literal for kind, _ in options):
        raise unknown(key, value, get_args(options[0].kind))
    raise wrong(key, repr(value), " or ".join(expected))


def _number(value: Any, kind: Callable[[Any], int | float]) -> int | float | None:
    """`value`, a number or its text, as int or float; None if it is not one."""
    if isinstance(value, bool) or not isinstance(value, str | numbers.Real):
        return None
    try:
        number = kind(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and (isinstance(value, str) or number == value) else None
