"""What the cells of a column are: numbers, whole numbers, dates, or nothing."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

# How programs write that there is no value, in lower case.
MISSING = frozenset({"", "na", "n/a", "<na>", "#n/a", "nan", "null", "none", "nat", "?"})

_WHOLE = re.compile(r"-?[0-9]+")
_NUMBER = r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?)"
_NUMBERS = re.compile(rf"(?:{_NUMBER}\n)*+")
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
_DATES = re.compile(rf"(?:{_DATE}\n)*+")


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
    """Whether a cell says that there is no value: empty, NA, N/A, nan, null, None or ?."""
    return cell.strip().lower() in MISSING


def all_match(pattern: re.Pattern[str], cells: npt.NDArray[Any]) -> bool:
    """Whether each of many cells is what `pattern` has before a line break; it matches any number of such lines."""
    text = "\n".join(cells) + "\n" if len(cells) else ""
    return text.count("\n") == len(cells) and pattern.fullmatch(text) is not None


def as_numbers(column: pd.Series, decimal: str = ".") -> pd.Series | None:
    """A column as numbers.

    Parameters
    ----------
    column : Series of n cells
        Numbers, or text such as "12", "-1.5", "1e5", "inf". Nullable dtypes and None are fine.
    decimal : str
        The mark before the decimals.

    Returns
    -------
    Series of n float64, or None
        NaN where a cell is missing (`is_missing`); None if some cell is no number, or all are missing, or the column
        is of booleans or dates.

    Examples
    --------
    >>> as_numbers(pd.Series(["1", "", "2.5"])).tolist()
    [1.0, nan, 2.5]
    >>> as_numbers(pd.Series(["1", "red"])) is None
    True
    """
    if pd.api.types.is_bool_dtype(column.dtype):
        return None
    if pd.api.types.is_numeric_dtype(column.dtype):
        if pd.api.types.is_complex_dtype(column.dtype):
            return None
        return pd.Series(column.to_numpy(np.float64, na_value=np.nan), index=column.index, name=column.name)
    found = _texts(column)
    if found is None:
        return None
    texts, there = found
    if decimal != ".":
        # A point is a mark of thousands then, and no cell is read that has both.
        if any("." in cell for cell in texts):
            return None
        texts = np.array([cell.replace(decimal, ".") for cell in texts], dtype=object)
    if not all_match(_NUMBERS, texts):
        return None
    values = np.full(len(column), np.nan)
    values[there] = texts.astype(np.float64)
    return pd.Series(values, index=column.index, name=column.name)


def as_dates(column: pd.Series) -> pd.Series | None:
    """A column as dates and times.

    Parameters
    ----------
    column : Series of n cells
        Of a datetime dtype, or ISO 8601 in text: "2024-05-07", "2024-05-07T12:30:00Z".

    Returns
    -------
    Series of n datetime64[ns], or None
        NaT where a cell is missing; times with a zone in UTC. None if some cell is no date, or all are missing.

    Examples
    --------
    >>> as_dates(pd.Series(["2024-05-07", ""])).dt.day.tolist()
    [7.0, nan]
    """
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        zoned = getattr(column.dtype, "tz", None) is not None
        return (column.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else column).astype("datetime64[ns]")
    if pd.api.types.is_numeric_dtype(column.dtype) or (found := _texts(column)) is None:
        return None
    texts, there = found
    if not all_match(_DATES, texts):
        return None
    dates = pd.to_datetime(pd.Series(texts), format="ISO8601", utc=True, errors="coerce").dt.tz_localize(None)
    if dates.isna().any():
        return None
    values = np.full(len(column), np.datetime64("NaT", "ns"))
    values[there] = dates.to_numpy("datetime64[ns]")
    return pd.Series(values, index=column.index, name=column.name)


def _texts(column: pd.Series) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]] | None:
    """Cells that are not missing, as stripped text, and where they are; None if there are none."""
    codes, distinct = pd.factorize(column.to_numpy(dtype=object), use_na_sentinel=True)
    names = np.array([str(cell).strip() for cell in distinct], dtype=object)
    there = np.array([not is_missing(name) for name in names], dtype=bool)[codes] & (codes >= 0) if len(names) else None
    if there is None or not there.any():
        return None
    return names[codes[there]], there
