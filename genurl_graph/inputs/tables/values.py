"""What the cells of a column tell: their kind, whether they are times, and whether two columns name the same nodes."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.tables.cells import MISSING
from genurl_graph.inputs.tables.table import Table

# Whole numbers in their usual form: "007" and "+5" are names.
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_DIGITS = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DATE = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}.*)?|\d{1,2}[./]\d{1,2}[./]\d{4}(?: .*)?|\d{4}/\d{1,2}/\d{1,2}.*"
)
# Seconds since 1970 from 1973 to 2033, and the same in milliseconds, microseconds and nanoseconds.
_CLOCKS = tuple((1e8 * scale, 2e9 * scale) for scale in (1, 1e3, 1e6, 1e9))
# Cells that are looked at before all.
SAMPLE = 1000
# A share of the values of the smaller column that also stand in the other.
OVERLAP = 0.3
# Columns of fewer distinct whole numbers may be grades, ages or pixels.
FEW = 256


def is_missing(cells: pd.Series) -> npt.NDArray[np.bool_]:
    """Whether each cell is empty, NaN, or a word for nothing."""
    gaps: npt.NDArray[np.bool_] = cells.isna().to_numpy().copy()
    if _is_text(cells):
        codes, distinct = pd.factorize(cells)
        empty = np.array([str(cell).strip().lower() in MISSING for cell in distinct], dtype=bool)
        gaps |= np.append(empty, True)[codes]
    return gaps


def kind_of(cells: pd.Series) -> str:
    """ "whole", "number", "bool", "date", "text" or "empty": the kind of all cells that are not missing."""
    dtype = cells.dtype
    if pd.api.types.is_bool_dtype(dtype):
        return "bool"
    if pd.api.types.is_integer_dtype(dtype):
        return "whole"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "date"
    if pd.api.types.is_numeric_dtype(dtype):
        return "empty" if cells.isna().all() else "number"
    # A word among the first cells tells without the others.
    first = [str(cell) for cell in cells.iloc[:SAMPLE] if not pd.isna(cell)]
    if any(cell.strip().lower() not in MISSING and not is_number(cell) and not _DATE.fullmatch(cell) for cell in first):
        return "text"
    distinct = [*map(str, pd.unique(cells[~is_missing(cells)]))]
    if not distinct:
        return "empty"
    if all(map(_DIGITS.fullmatch, distinct)):
        # Longer ones are names: an account, say.
        return "whole" if all(map(_WHOLE.fullmatch, distinct)) else "text"
    if all(map(_DATE.fullmatch, distinct)):
        return "date"
    return "number" if all(map(is_number, distinct)) else "text"


def is_number(cell: str) -> bool:
    """Whether a cell is a number in a usual form."""
    try:
        float(cell)
    except ValueError:
        return False
    # Python reads 1_000 and 007 as well; the latter is a name.
    return "_" not in cell and re.fullmatch(r"[+-]?0[0-9]+|[+].*", cell.strip()) is None


def is_clock(cells: pd.Series) -> bool:
    """Whether numbers look like seconds since 1970 (or milliseconds and so on), or like dates such as 20040131."""
    values = to_numbers(cells)
    if not len(values) or not np.isfinite(values).all():
        return False
    low, high = values.min(), values.max()
    if any(start <= low and high <= end for start, end in _CLOCKS):
        return True
    if not (low >= 19_000_101 and high <= 21_001_231) or (values % 1).any():
        return False
    day, month = values % 100, values // 100 % 100
    return bool(((day >= 1) & (day <= 31) & (month >= 1) & (month <= 12)).all())


def is_sorted_clock(cells: pd.Series) -> bool:
    """Whether whole numbers rise from line to line, as times do in a log."""
    values = to_numbers(cells)
    return (
        len(values) >= 10
        and bool((np.diff(values) >= 0).all())
        and not (values % 1).any()
        and len(np.unique(values)) > 10
    )


def to_numbers(cells: pd.Series) -> npt.NDArray[np.float64]:
    """The cells as float64, NaN where one is missing or no number."""
    if _is_text(cells):
        codes, distinct = pd.factorize(cells)
        numbers = [float(cell) if is_number(str(cell)) else np.nan for cell in distinct]
        found: npt.NDArray[np.float64] = np.array([*numbers, np.nan])[codes]
        return found
    values: npt.NDArray[np.float64] = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return values


def is_whole_number(cells: pd.Series) -> bool:
    """Whether all cells are whole numbers or missing, also as floats, which pandas makes of them beside gaps."""
    return _holds_whole(cells)


def as_ids(table: Table, columns: list[str]) -> list[pd.Index]:
    """Columns of node ids: int64 if all of them hold whole numbers, else text.

    Raises
    ------
    InputError
        For a cell that is missing or a number with a fraction, with its line.
    """
    whole = all(_holds_whole(table.frame[column]) for column in columns)
    return [_as_index(table, column, whole) for column in columns]


def overlap(first: pd.Series, second: pd.Series) -> float:
    """Share of the distinct values of the smaller column that also stand in the other."""
    distinct = [pd.Index(cells.dropna().unique()) for cells in (first, second)]
    if distinct[0].dtype != distinct[1].dtype:
        distinct = [pd.Index([*map(str, values)], dtype=object) for values in distinct]
    small, large = sorted(distinct, key=len)
    return float(small.isin(large).mean()) if len(small) else 0.0


def can_be_points(first: pd.Series, second: pd.Series) -> bool:
    """Whether lines with the same number twice are as frequent as in two columns of small measurements.

    Nodes are rarely linked to themselves. Two grades, ages or pixels are equal by chance.
    """
    if len(first) < 1 or max(first.nunique(), second.nunique()) > FEW:
        return False
    shares = [cells.value_counts(normalize=True) for cells in (first, second)]
    by_chance = float((shares[0] * shares[1]).sum()) * len(first)
    same = int((first.to_numpy() == second.to_numpy()).sum())
    return by_chance >= 3 and same >= by_chance / 2


def _is_text(cells: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_datetime64_any_dtype(cells.dtype)


def _holds_whole(cells: pd.Series) -> bool:
    if pd.api.types.is_unsigned_integer_dtype(cells.dtype):
        return len(cells) == 0 or bool(cells.max() < 2**63)  # int64 holds no larger ones: they are names
    if pd.api.types.is_float_dtype(cells.dtype):
        values = cells.to_numpy(np.float64, na_value=np.nan)
        return bool((np.isnan(values) | ((values % 1 == 0) & (np.abs(values) < 2**53))).all())
    if _is_text(cells):
        some = (pd.unique(part) for part in (cells.iloc[:SAMPLE], cells))
        return all(_WHOLE.fullmatch(str(c)) for part in some for c in part if not pd.isna(c) and c != "")
    return kind_of(cells) == "whole"


def _as_index(table: Table, column: str, whole: bool) -> pd.Index:
    cells = table.frame[column]
    gaps = cells.isna().to_numpy() if not _is_text(cells) else (cells.isna() | (cells == "")).to_numpy()
    if gaps.any():
        raise wrong(_place(table, column, gaps), "an empty cell", "the id of a node")
    if whole:
        return pd.Index(cells.astype("int64").to_numpy())
    if pd.api.types.is_float_dtype(cells.dtype):
        fractions = cells.to_numpy(np.float64) % 1 != 0
        if fractions.any():
            found = f"{cells.iloc[int(fractions.argmax())]:g}"
            raise wrong(_place(table, column, fractions), found, "the id of a node: a whole number or a name")
        cells = cells.astype("int64")
    if pd.api.types.infer_dtype(cells, skipna=False) == "string":
        return pd.Index(cells.to_numpy(object), dtype=object)
    codes, distinct = pd.factorize(cells)
    names: npt.NDArray[Any] = np.array([_name(cell) for cell in distinct], dtype=object)
    return pd.Index(names[codes], dtype=object)


def _name(cell: Any) -> str:
    return cell.decode() if isinstance(cell, bytes) else str(cell)


def _place(table: Table, column: str, rows: npt.NDArray[np.bool_]) -> str:
    return f"{table.name}: {table.where(int(rows.argmax()))}, {table.title(column)}"
