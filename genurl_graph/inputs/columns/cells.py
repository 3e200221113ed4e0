"""Cells of one raw column as numbers, truth values, dates or words; which cells are missing."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.tables.cells import MISSING

YES = frozenset({"true", "yes", "y", "t", "1", "1.0", "on"})
NO = frozenset({"false", "no", "n", "f", "0", "0.0", "off"})
# In the order in which they are tried; None is ISO 8601, date and time.
DATES = ("%Y-%m-%d", "ISO8601", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d %b %Y", "%b %d, %Y")
# Says of a column that `as_words` made it.
_WORDS = "words"
# Of a day.
MICROSECONDS = 86_400e6
# Two formats between which the cells of a column may not decide.
AMBIGUOUS = ("%d/%m/%Y", "%m/%d/%Y")


def as_words(cells: pd.Series[Any], more: Collection[str] = ()) -> pd.Series[Any]:
    """The cells as text without spaces around them, None where one is missing or one of `more`.

    Whole numbers among floats lose their ".0", so that 3 and 3.0 are one category.
    """
    if cells.attrs.get(_WORDS) and not more:
        return cells
    words = cells.astype(object).where(cells.notna().to_numpy(), None)
    # A few distinct values stand for all cells.
    codes, values = pd.factorize(words, use_na_sentinel=True)
    texts = [_as_word(value) for value in values]
    known = np.array([None if t.lower() in MISSING or t in more else t for t in texts] + [None], dtype=object)
    found = pd.Series(known[codes], index=cells.index, dtype=object)
    found.attrs[_WORDS] = True
    return found


def as_numbers(cells: pd.Series[Any]) -> np.ndarray[Any, Any] | None:
    """The cells as float64 [n], NaN where one is missing; None if a cell is no number."""
    kind = cells.dtype.kind
    if kind in "iufb":
        return np.asarray(cells.to_numpy(dtype=np.float64, na_value=np.nan))
    if kind == "c" or pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return None
    words = as_words(cells)
    found = pd.to_numeric(words, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return None if bool((np.isnan(found) & words.notna().to_numpy()).any()) else found


def as_flags(cells: pd.Series[Any]) -> np.ndarray[Any, Any] | None:
    """The cells as 1.0 and 0.0, NaN where one is missing; None if they are not yes/no, true/false, y/n, t/f or 1/0."""
    if cells.dtype.kind in "iuf":
        numbers = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        return numbers if bool(np.isin(numbers[~np.isnan(numbers)], (0.0, 1.0)).all()) else None
    words = as_words(cells).str.lower()
    flags = np.select([words.isin(YES), words.isin(NO)], [1.0, 0.0], np.nan)
    return None if bool((np.isnan(flags) & words.notna().to_numpy()).any()) else flags


def as_days(cells: pd.Series[Any], style: str | None) -> np.ndarray[Any, Any] | None:
    """The cells as days since 1970 in UTC, float64 [n], NaN where one is missing; None if one is no date of `style`.

    `style` is one of `DATES`, or None for a column that holds dates already.
    """
    if style is None:
        if not pd.api.types.is_datetime64_any_dtype(cells.dtype):
            return None
        dates = pd.to_datetime(cells, utc=True)
    else:
        words = as_words(cells)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dates = pd.to_datetime(words, format=style, errors="coerce", utc=True)
        if bool((dates.isna() & words.notna()).any()):
            return None
    # Microseconds: nanoseconds end in 2262.
    moments = dates.dt.tz_convert(None).to_numpy(dtype="datetime64[us]")
    days = moments.astype(np.int64) / MICROSECONDS
    days[np.isnat(moments)] = np.nan
    return np.asarray(days)


def to_dates(days: np.ndarray[Any, Any]) -> Any:
    """Days since 1970 [n] as dates, as pandas' ``.dt`` has their parts; NaT for NaN."""
    moments = np.zeros(len(days), dtype="datetime64[us]")
    known = np.isfinite(days)
    moments[known] = np.round(days[known] * MICROSECONDS).astype(np.int64).astype("datetime64[us]")
    moments[~known] = np.datetime64("NaT")
    return pd.Series(moments).dt


def date_styles(cells: pd.Series[Any]) -> list[str | None]:
    """The styles in which all cells are dates: none, one, or both of `AMBIGUOUS`."""
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return [None]
    words = as_words(cells).dropna()
    # Dates hold digits and some mark; most columns of text are told apart by the first cells.
    if not len(words) or not words.iloc[:100].str.fullmatch(r"(?=.*\d)[\w:/.,+ -]{6,40}").all():
        return []
    if not words.iloc[:100].str.contains(r"\d[/.: -]|[a-zA-Z] \d").all():
        return []
    distinct = pd.Series(words.unique(), dtype=object)
    distinct.attrs[_WORDS] = True
    styles = [style for style in DATES if as_days(distinct.iloc[:100], style) is not None]
    found: list[str | None] = [style for style in styles if as_days(distinct, style) is not None]
    return found[:2] if tuple(found[:2]) == AMBIGUOUS else found[:1]


def check_cells(values: np.ndarray[Any, Any] | None, cells: pd.Series[Any], what: str, expected: str) -> Any:
    """`values`, what was made of `cells`; InputError with the first other cell where they are None."""
    if values is not None:
        return values
    words = as_words(cells)
    readers = {"numbers": as_numbers, "yes or no": as_flags}
    reader = readers.get(expected, lambda part: next((d for s in DATES if (d := as_days(part, s)) is not None), None))
    distinct = words.dropna().drop_duplicates()
    bad = next((w for i, w in distinct.items() if reader(distinct.loc[[i]]) is None), None)
    raise wrong(what, f"{cells.dtype} such as {bad or words.iloc[0]!r}", expected)


def _as_word(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()
