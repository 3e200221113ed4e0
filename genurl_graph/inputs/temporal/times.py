"""Times of events out of numbers, dates and text, and the unit that they came in."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.tables.edges import count
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import is_clock, is_missing, is_number, kind_of, to_numbers

# How much of a unit a second is; plain numbers have none. Times of dates are seconds since 1970.
PER_SECOND = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9, "dates": 1.0}
NUMBERS = "numbers"
# Since 1970, from 1973 to 2033: spans of which no two overlap.
CLOCKS = {unit: (1e8 * scale, 2e9 * scale) for unit, scale in PER_SECOND.items() if unit != "dates"}
ISO = re.compile(
    r"\d{4}-\d{1,2}(?:-\d{1,2}(?:[T ]\d{1,2}:?\d{2}.*)?)?|\d{4}/\d{1,2}/\d{1,2}(?:[T ].*)?|\d{8}T\d{4,6}.*"
)
# Two numbers of which one is the day and one the month, and a year of four digits.
SHORT = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2\d{4}(?:,?[T ].*)?")
MONTH = re.compile(r"(?i)\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b")
YEAR = re.compile(r"\b\d{4}\b")
WAYS = "dates such as 2004-01-31 12:00:00, or numbers"


class Times(NamedTuple):
    """Times of M events.

    Attributes
    ----------
    value : float64 array, shape [M]
        Finite, in `unit`.
    unit : str
        A key of `PER_SECOND`, or "numbers", of which nobody knows how long one is.
    said : str
        What the times were read as.
    """

    value: npt.NDArray[np.float64]
    unit: str
    said: str


def read_times(table: Table, column: str) -> Times:
    """The times of a column, `settled`.

    Dates are seconds since 1970; where they name no time zone, they are taken for UTC. Numbers stay as they are: they
    are seconds since 1970 (or milli-, micro- or nanoseconds) where all of them lie between 1973 and 2033, dates where
    all are such as 20040131, and else plain numbers.

    Raises
    ------
    InputError
        A cell without a time, with its line; days and months that can be told in two ways.

    Examples
    --------
    >>> read_times(Table("log", pd.DataFrame({"t": ["1970-01-02", "1970-01-03"]})), "t").value.tolist()
    [86400.0, 172800.0]
    """
    return settled(raw_times(table, column))


def raw_times(table: Table, column: str) -> Times:
    """The times of a column that may be a part of all: numbers as they are, of no unit yet and nothing said of them."""
    cells = table.frame[column]
    quick = _of_iso(cells)
    if quick is not None:
        return quick
    missing = is_missing(cells)
    if missing.any():
        lines = f"{count(int(missing.sum()), 'empty cell')}, the first of {_where(table, missing)}"
        raise wrong(f"{table.name}: {table.title(column)}", lines, "a time for each event (leave these lines out)")
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return Times(_since_1970(cells), "dates", _zone(cells.dt.tz is not None))
    if pd.api.types.is_timedelta64_dtype(cells.dtype):
        return Times(cells.dt.total_seconds().to_numpy(np.float64), "seconds", "time spans, in seconds")
    if isinstance(cells.dtype, pd.PeriodDtype):
        return Times(_since_1970(cells.dt.start_time), "dates", "periods, from their beginnings on")
    if pd.api.types.is_bool_dtype(cells.dtype):
        raise wrong(f"{table.name}: {table.title(column)}", "yes or no", f"times: {WAYS}")
    if kind_of(cells) in ("whole", "number"):
        value = to_numbers(cells)
        bad = ~np.isfinite(value)
        if bad.any():
            raise wrong(f"{table.name}: {_where(table, bad)}, {table.title(column)}", "no finite number", "a time")
        return Times(value, "", "")
    return _of_text(table, column, cells)


def unit_of(value: npt.NDArray[np.float64]) -> str:
    """The unit of times that are numbers, by their size; "numbers" where none fits all."""
    low, high = value.min(), value.max()
    return next((unit for unit, (start, end) in CLOCKS.items() if start <= low and high <= end), NUMBERS)


def show_time(value: float, unit: str) -> str:
    """A time for the user: "2004-04-15 14:56:01", or the number itself.

    Examples
    --------
    >>> show_time(1082040961, "seconds"), show_time(3, "numbers")
    ('2004-04-15 14:56:01', '3')
    """
    per = PER_SECOND.get(unit)
    since = 0.0 if per is None else value / per
    # Seconds that are no clock, such as those from the beginning of a measurement, are shown as they are.
    if per is None or (unit != "dates" and not 1e8 <= since <= 4e9) or abs(since) > 9e9:
        return f"{value:,.10g}"
    return str(pd.Timestamp(since, unit="s").floor("s"))


def settled(times: Times) -> Times:
    """Times whose unit is known, of all `raw_times` of a column together."""
    if times.unit:
        return times
    unit = unit_of(times.value)
    if unit == NUMBERS and is_clock(pd.Series(times.value)):
        days, place = np.unique(times.value.astype(np.int64), return_inverse=True)
        found = pd.to_datetime(pd.Series(days.astype(str)), format="%Y%m%d", errors="coerce")
        if not found.isna().any():
            return Times(_since_1970(found)[place], "dates", "dates (year, month, day)")
    return Times(times.value, unit, "numbers" if unit == NUMBERS else f"{unit} since 1970")


def _of_iso(cells: pd.Series) -> Times | None:
    """Dates that are all as 2004-01-31 12:00:00, without a look at each cell by itself; None for other cells."""
    first = cells.iloc[0] if len(cells) else None
    if not isinstance(first, str) or "/" in first or not ISO.fullmatch(first):
        return None
    found = pd.to_datetime(cells, format="ISO8601", errors="coerce", utc=True)
    return None if found.isna().any() else Times(_since_1970(found), "dates", _zone(_is_zoned(first)))


def _of_text(table: Table, column: str, cells: pd.Series) -> Times:
    codes, distinct = pd.factorize(cells)
    text = [str(cell).strip() for cell in distinct]
    found, said = _dates(table, column, text)
    bad = found.isna().to_numpy()
    if bad.any():
        # Among numbers, what is none of them is the fault.
        numbers = np.array([is_number(cell) for cell in text])
        bad = ~numbers if 2 * numbers[codes].sum() > len(codes) else bad
        place = f"{table.name}: {_where(table, bad[codes])}, {table.title(column)}"
        raise wrong(place, repr(text[int(bad.argmax())]), f"a time: {WAYS}")
    return Times(_since_1970(found)[codes], "dates", said)


def _dates(table: Table, column: str, text: list[str]) -> tuple[pd.Series, str]:
    """Dates of distinct cells, NaT where one is none; what they were read as."""
    cells = pd.Series(text, dtype=object)
    first = text[0]
    zoned = _zone(_is_zoned(first))
    if ISO.fullmatch(first):
        plain = cells.str.replace("/", "-") if "/" in first else cells
        return pd.to_datetime(plain, format="ISO8601", errors="coerce", utc=True), zoned
    if SHORT.fullmatch(first):
        return _short(table, column, cells, text)
    known = cells.map(lambda cell: bool(MONTH.search(cell)) and bool(YEAR.search(cell)))
    return pd.to_datetime(cells.where(known), format="mixed", errors="coerce", utc=True), zoned


def _short(table: Table, column: str, cells: pd.Series, text: list[str]) -> tuple[pd.Series, str]:
    """Dates such as 31/01/2004: which of the two numbers is the day must be seen."""
    parts = [SHORT.fullmatch(cell) for cell in text]
    ends = np.array([[int(part[1]), int(part[3])] if part else [0, 0] for part in parts])
    dotted = all(part[2] == "." for part in parts if part)
    days = np.any(ends > 12, axis=0)
    if bool(np.all(days)):
        both = f"{text[int((ends[:, 0] > 12).argmax())]!r} and {text[int((ends[:, 1] > 12).argmax())]!r}"
        raise wrong(f"{table.name}: {table.title(column)}", both, "the day before the month everywhere, or behind it")
    if not bool(np.any(days)) and not dotted:
        found = f"dates such as {text[0]!r}, whose day and month cannot be told apart"
        raise wrong(f"{table.name}: {table.title(column)}", found, "dates such as 2004-01-31")
    first = bool(days[0] or not days[1])
    said = f"dates ({'day, month' if first else 'month, day'}, year), UTC"
    kept = cells.where([part is not None for part in parts])
    return pd.to_datetime(kept, format="mixed", dayfirst=first, errors="coerce", utc=True), said


def _is_zoned(cell: str) -> bool:
    return re.search(r":.*(?:Z|[+-]\d{2}:?\d{2})$", cell) is not None


def _zone(known: bool) -> str:
    return "dates, in UTC" if known else "dates, taken for UTC"


def _since_1970(dates: Any) -> npt.NDArray[np.float64]:
    if dates.dt.tz is not None:
        dates = dates.dt.tz_convert("UTC").dt.tz_localize(None)
    micro = dates.astype("datetime64[us]").to_numpy().astype(np.int64)
    found: npt.NDArray[np.float64] = micro / 1e6
    return found


def _where(table: Table, rows: npt.NDArray[np.bool_]) -> str:
    return table.where(int(rows.argmax()))
