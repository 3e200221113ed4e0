"""Rows of a text table as columns of whole numbers, numbers or text, read by pandas."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from genurl_graph.datasets.readers.text.headers import is_id_name
from genurl_graph.datasets.readers.text.lines import Text
from genurl_graph.datasets.readers.text.rows import Scan
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.cells import all_match, is_missing, is_number

# Of more columns, pandas' blocks of rows take long.
_WIDE = 1000
# Cells that are looked at together.
_BLOCK = 1 << 20

# Floats hold all whole numbers below.
_EXACT = 2.0**53

_USUAL = re.compile(r"(?:(?:0|-?[1-9][0-9]*)\n)*+")
_COMMA = re.compile(r"(?:[+-]?(?:[0-9]+(?:,[0-9]+)?|,[0-9]+)(?:[eE][+-]?[0-9]+)?\n)*+")
_THOUSANDS = re.compile(r"(?:[+-]?(?:[0-9]{1,3}|[1-9][0-9]{0,2},[0-9]{3})\n)*+")
_MIXED = re.compile(r"[+-]?[0-9]{1,3}(?:([.,])[0-9]{3})+(?!\1)[.,][0-9]+")


def read_frame(
    text: Text,
    offset: int,
    separator: str | None,
    rows: Sequence[Sequence[str]],
    counted: Scan,
    names: Collection[int],
    options: ReadOptions,
) -> tuple[pd.DataFrame, list[str]]:
    """Read all rows from a position on.

    Parameters
    ----------
    text, offset
        The file, and the byte where the first row begins.
    separator : str or None
        Between cells; None: spaces and tabs.
    rows : list of list of str
        The first ones, for the kinds of the columns.
    counted : Scan
        What was found in all rows.
    names : collection of int
        Columns of ids or labels: decimals stay text there, as 1.10 and 1.1 are two names.
    options : ReadOptions
        Its decimal mark.

    Returns
    -------
    frame : DataFrame
        Columns 0, 1, ...: int64, float64, or object of stripped text.
    notes : list of str
        On decimal commas.

    Raises
    ------
    InputError
        Where a comma may be a decimal mark or one of thousands.
    """
    if counted.returns and not counted.quoted:
        # pandas takes \r alone for the end of a line, but not beside spaces.
        text.stream.seek(offset)
        content = text.stream.read().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        text, offset = Text(text.path, io.BytesIO(content)), 0
    width = len(rows[0])
    numbers = [all(len(row) > i and is_number(row[i]) for row in rows) for i in range(width)]
    kinds: Any = {i: object for i in range(width) if not numbers[i]}
    if all(numbers) and not names and not any(map(all_whole, zip(*rows, strict=False))):
        kinds = np.float64
    try:
        frame = _read(text, offset, separator, width, kinds)
    except (ValueError, OverflowError):  # text among decimals, below the sample
        frame = _read(text, offset, separator, width, {})
    if len(frame) != counted.rows:
        raise wrong(text.path, f"{len(frame)} rows as pandas reads them", f"{counted.rows}, as it has; quote its cells")
    if kinds is np.float64:
        values = frame.to_numpy(np.float64, na_value=np.nan) if set(frame.dtypes) == {np.dtype(np.float64)} else None
        if values is not None and np.isfinite(values).all() and np.abs(values).max() < _EXACT:
            return pd.DataFrame(values), []  # in one piece, which matters if there are many columns
    texts = {i for i in range(width) if not _is_number_column(frame[i], i in names)}
    if counted.unusual:
        whole = [i for i in range(width) if i not in texts and frame[i].dtype == np.int64]
        texts.update(_unusual(text, offset, separator, width, whole))
    again = [i for i in texts if kinds is np.float64 or i not in kinds]
    columns: dict[int, Any] = {}
    if again:
        columns.update(_read(text, offset, separator, width, dict.fromkeys(range(width), object), again))
    columns.update({i: frame[i] for i in texts if i not in columns})
    if not texts:
        return frame, []
    columns = {i: _stripped(column.to_numpy(object)) for i, column in columns.items()}
    notes = []
    if separator != "," and options.decimal != ".":
        notes = _decimals(text.path, columns, {i for i in columns if i in names}, options)
    series = {i: pd.Series(column, dtype=column.dtype) for i, column in columns.items()}
    return pd.DataFrame({i: series.get(i, frame[i]) for i in range(width)}, copy=False), notes


def name_columns(path: Path, frame: pd.DataFrame, names: Sequence[str] | None) -> tuple[pd.DataFrame, list[str]]:
    """Name columns by the header or by their numbers; leave out empty ones without a name at the end.

    Raises
    ------
    InputError
        For cells in a column that the header does not have.
    """
    notes = []
    width = frame.shape[1]
    last = width
    while last > 1 and (names is None or last > len(names) or not names[last - 1]) and _is_empty(frame[last - 1]):
        last -= 1
    if last < width:
        frame = frame.iloc[:, :last]
        notes.append(
            "an empty column at the end left out" if width - last == 1 else "empty columns at the end left out"
        )
    if names is None:
        frame.columns = pd.Index([str(i + 1) for i in range(last)], dtype=object)
        return frame, notes
    if last > len(names):
        raise wrong(path, f"{last} columns", f"{len(names)}, as in the header")
    unique: list[str] = []
    taken = set(names)
    seen: set[str] = set()
    for position, name in enumerate(names[:last], start=1):
        new = name
        # The first column without a name is that of pandas' index.
        if (not name and position > 1) or name in seen:
            new = f"{name}.{position}" if name else str(position)
            while new in taken:
                new += "'"
            taken.add(new)
            if name:
                notes.append(f"column {position}, {name!r} again, is called {new!r}")
        seen.add(new)
        unique.append(new)
    frame.columns = pd.Index(unique, dtype=object)
    return frame, notes[:4] + ([f"{len(notes) - 4} further names like these"] if len(notes) > 5 else notes[4:])


def id_columns(names: Sequence[str] | None, width: int, options: ReadOptions) -> set[int]:
    """Positions of the columns that hold ids or labels, by their names or as the user says."""
    given = {name for role in ("source", "target", "key", "id", "label", "type") for name in options.names(role)}
    titles = names if names is not None else [str(i + 1) for i in range(width)]
    return {i for i, name in enumerate(titles) if name in given or (names is not None and is_id_name(name))}


def _read(
    text: Text,
    offset: int,
    separator: str | None,
    width: int,
    kinds: Any,
    columns: Sequence[int] | None = None,
    **more: Any,
) -> Any:
    text.stream.seek(offset)
    return pd.read_csv(
        text.stream,
        sep=r"\s+" if separator is None else separator,
        header=None,
        names=range(width),
        index_col=False,
        usecols=columns,
        dtype=kinds,
        na_filter=False,
        skipinitialspace=True,
        low_memory=width < _WIDE,
        encoding="utf-8",
        **more,
    )


def all_whole(cells: Sequence[str]) -> bool:
    """Whether all cells may be whole numbers."""
    return all(cell.lstrip("+-").isdigit() for cell in cells)


def _is_number_column(column: pd.Series, name: bool) -> bool:
    """Whether pandas has read a column as numbers that say all that stood there."""
    if column.dtype == np.float64:
        values = column.to_numpy()
        if name or not np.isfinite(values).all():
            return False
        # Whole numbers of many digits, which floats would round.
        return not ((np.abs(values) >= _EXACT).any() and (values % 1 == 0).all())
    return bool(column.dtype == np.int64)


def _unusual(text: Text, offset: int, separator: str | None, width: int, columns: list[int]) -> set[int]:
    """Those columns of whole numbers in which some are written as 007, +5 or -0."""
    found: set[int] = set()
    if columns:
        size = max(1, _BLOCK // len(columns))
        blocks: Iterator[pd.DataFrame] = _read(text, offset, separator, width, object, columns, chunksize=size)
        for block in blocks:
            for i in columns:
                if i not in found and not all_match(_USUAL, _stripped(block[i].to_numpy(object))):
                    found.add(i)
    return found


def _stripped(cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Text without spaces around it; equal cells become one object."""
    codes, distinct = pd.factorize(cells)
    found: npt.NDArray[Any] = np.array([cell.strip() for cell in distinct], dtype=object)[codes]
    return found


def _decimals(path: Path, columns: dict[int, Any], names: set[int], options: ReadOptions) -> list[str]:
    """Turn decimal commas into points, in place: a column becomes float64, or text where cells are missing."""
    changed = []
    for i, column in sorted(columns.items()):
        _, distinct = pd.factorize(column)
        if i in names or not any("," in cell for cell in distinct):
            continue
        cells = np.array([cell for cell in distinct if not is_missing(cell)], dtype=object)
        if not all_match(_COMMA, cells):
            mixed = next((cell for cell in cells if _MIXED.fullmatch(cell)), None)
            if mixed and options.decimal is None and all(is_number(re.sub("[.,]", "", cell)) for cell in cells):
                _refuse(path, i, mixed)
            continue
        if options.decimal is None and all_match(_THOUSANDS, cells):
            _refuse(path, i, next(cell for cell in cells if "," in cell))
        points = np.array([cell.replace(",", ".") for cell in column], dtype=object)
        columns[i] = points if any(map(is_missing, distinct)) else points.astype(np.float64)
        changed.append(str(i + 1))
    return [f"decimal comma in column{'s' if len(changed) > 1 else ''} {', '.join(changed)}"] if changed else []


def _refuse(path: Path, column: int, cell: str) -> None:
    expected = "--decimal , or --decimal . to say which mark stands before the decimals"
    raise wrong(f"{path}: column {column + 1}", repr(cell), expected)


def _is_empty(column: pd.Series) -> bool:
    return column.dtype == object and not any(column.array)
