"""What one cell of text is: a number, a whole number, or nothing."""

from __future__ import annotations

import re
from typing import Any

import numpy.typing as npt

# How programs write that there is no value, in lower case.
MISSING = frozenset(
    {"", "na", "n/a", "n.a.", "#n/a", "nan", "-nan", "null", "none", "nil", "<na>", "nat", "?", "-", "--"}
)

_WHOLE = re.compile(r"-?[0-9]+")


def is_number(cell: str) -> bool:
    """Whether a cell is a number as `float` reads it (nan and inf included)."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python's own 1_000


def is_whole(cell: str) -> bool:
    """Whether a cell is a whole number in its usual form."""
    return _WHOLE.fullmatch(cell) is not None


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value: empty, NA, N/A, nan, null, None, ? or a dash (`MISSING`)."""
    return cell.strip().lower() in MISSING


def all_match(pattern: re.Pattern[str], cells: npt.NDArray[Any]) -> bool:
    """Whether each of many cells is what `pattern` has before a line break; it matches any number of such lines."""
    text = "\n".join(cells) + "\n" if len(cells) else ""
    return text.count("\n") == len(cells) and pattern.fullmatch(text) is not None
