"""Text tables: comma, semicolon, tab or space separated, with or without header, read by NumPy's C parser."""

from __future__ import annotations

import csv
import mmap
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from genurl_graph.exceptions import InputError

ID_NAMES = frozenset({"", "id", "index", "name", "node", "node_id", "nodeid"})
SOURCE_NAMES = frozenset({"source", "src", "from", "node1"})
TARGET_NAMES = frozenset({"target", "dst", "to", "node2"})
WEIGHT_NAMES = frozenset({"weight", "edge_weight"})
LABEL_NAMES = frozenset({"label", "labels", "class"})

_CHUNK = 1 << 24  # bytes of a file looked through at a time
_STARTS = np.isin(np.arange(256), np.frombuffer(b'\n\t ,;"-', np.uint8))  # characters before a number
_DIGITS = np.isin(np.arange(256), np.frombuffer(b"0123456789", np.uint8))

Ids = npt.NDArray[np.int64] | list[str]


@dataclass(frozen=True)
class Layout:
    """How a text table is laid out: delimiter (None: spaces), column names if any, first row of data."""

    path: Path
    delimiter: str | None
    header: list[str] | None
    first: list[str]

    def column(self, position: int) -> str:
        """Name of a column for messages: "column 2 ('age')"."""
        name = f" ({self.header[position]!r})" if self.header else ""
        return f"column {position + 1}{name}"


def sniff(path: Path) -> Layout:
    """Look at the first two lines that are neither blank nor comments (``#`` at the start of the line).

    The first one is a header if it begins with an empty cell, a name for ids (`ID_NAMES`) or for labels, or
    names a source and a target, or if none of its cells is a number while some cell of the second line is.

    Raises
    ------
    InputError
        If the file cannot be read, is not UTF-8 text, or holds no data.
    """
    lines = []
    for _, line in _content(path):
        lines.append(line)
        if len(lines) == 2:
            break
    if not lines:
        raise InputError(f"{path}: the file is empty")
    delimiter = _delimiter(path, lines[0])
    rows = [_cells(line, delimiter) for line in lines]
    names = not any(map(is_number, rows[0]))
    numbers_follow = len(rows) == 2 and any(map(is_number, rows[1]))
    known = {cell.lower() for cell in rows[0]}
    named = rows[0][0].lower() in ID_NAMES | LABEL_NAMES or bool(known & SOURCE_NAMES and known & TARGET_NAMES)
    if named or (names and numbers_follow):
        if len(rows) == 1:
            raise InputError(f"{path}: only a header, no data (zero nodes)")
        if len(rows[0]) != len(rows[1]):
            raise InputError(f"{path}: the header has {len(rows[0])} columns, the first row {len(rows[1])}")
        return Layout(path, delimiter, rows[0], rows[1])
    return Layout(path, delimiter, None, rows[0])


def load(layout: Layout, ids: list[int], numbers: list[int]) -> tuple[list[Ids], npt.NDArray[np.float64]]:
    """Read the columns `ids` (as int64 if all are whole numbers, else as text) and `numbers` (as float64).

    Raises
    ------
    InputError
        Naming line and column of the first row with too few or too many cells, or cell that is not a number.
    """
    whole = all(is_whole(layout.first[position]) for position in ids)
    kinds = ["i8", "O"] if whole and not _has_padded(layout.path) else ["O"]
    # NumPy reads a file by its name much faster than line by line, but it knows no comment lines.
    plain = not _has_comments(layout.path)
    attempts = [(kind, fast) for kind in (kinds if ids else ["i8"]) for fast in ([True, False] if plain else [False])]
    for kind, fast in attempts:
        fields = [f"c{position}" for position in range(len(layout.first))]
        # Columns not asked for are read as text: their cells are counted but not judged.
        types = dict.fromkeys(ids, kind) | dict.fromkeys(numbers, "f8")
        dtype = [(field, types.get(position, "O")) for position, field in enumerate(fields)]
        if not ids and len(numbers) == len(fields):
            dtype = [("all", "f8", (len(fields),))]  # type: ignore[list-item]
        try:
            with warnings.catch_warnings():
                # NumPy 1 reads a number beyond int64 by way of a float, and only warns of it.
                warnings.simplefilter("error", DeprecationWarning)
                table = np.loadtxt(
                    layout.path if fast else _rows(layout),
                    dtype=dtype,
                    delimiter=layout.delimiter,
                    comments=None,
                    quotechar='"',
                    ndmin=1,
                    encoding="utf-8-sig",
                    skiprows=next(_content(layout.path))[0] if fast and layout.header is not None else 0,
                )
        except (ValueError, OverflowError, DeprecationWarning):
            continue
        if "all" in (table.dtype.names or ()):
            return [], table["all"]
        columns = [_ids(table[fields[position]]) for position in ids]
        if any("" in column for column in columns if isinstance(column, list)):
            _explain(layout, ids, numbers)
        values = np.empty((len(table), len(numbers)))
        for position, number in enumerate(numbers):
            values[:, position] = table[fields[number]]
        return columns, values
    _explain(layout, ids, numbers)


def line_of(layout: Layout, row: int) -> int:
    """Number of the line, from 1, that holds row `row` of the data."""
    skip = row + (layout.header is not None)
    return next(number for position, (number, _) in enumerate(_content(layout.path)) if position == skip)


def is_number(cell: str) -> bool:
    """Whether a cell is a number as `float` reads it (nan and inf included)."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python's own 1_000


def is_whole(cell: str) -> bool:
    """Whether a cell is a whole number in its usual form."""
    return re.fullmatch(r"-?\d+", cell) is not None


def _content(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines that are neither blank nor comments."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line[0] != "#" and not line.isspace():
                    yield number, line
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file in UTF-8 ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _rows(layout: Layout) -> Iterator[str]:
    rows = (line for _, line in _content(layout.path))
    if layout.header is not None:
        next(rows)
    return rows


def _delimiter(path: Path, line: str) -> str | None:
    suffix = path.suffix.lower()
    if suffix == ".tsv":
        return "\t"
    if suffix == ".csv":
        return ";" if ";" in line and "," not in line else ","
    return next((mark for mark in "\t,;" if mark in line), None)


def _cells(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return line.split()
    return [cell.strip() for cell in next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter))]


def _ids(column: npt.NDArray[Any]) -> Ids:
    return column if column.dtype.kind == "i" else list(map(str.strip, column.tolist()))


def _has_comments(path: Path) -> bool:
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content[:4].removeprefix(b"\xef\xbb\xbf")[:1] == b"#" or content.find(b"\n#") >= 0


def _has_padded(path: Path) -> bool:
    """Whether the file holds numbers such as 007 or +5: as ids they are names, not 7 and 5."""
    tail = b"\n"
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            text = np.frombuffer(tail + chunk, np.uint8)
            start = _STARTS[text]
            if (start[:-2] & (text[1:-1] == ord("0")) & _DIGITS[text[2:]]).any():
                return True
            if (start[:-1] & (text[1:] == ord("+"))).any():
                return True
            tail = chunk[-2:]
    return False


def _explain(layout: Layout, ids: list[int], numbers: list[int]) -> NoReturn:
    """Find the first faulty cell; only ever called when the fast parser has refused the file."""
    expected = len(layout.first)
    for position, (line, text) in enumerate(_content(layout.path)):
        if position == 0 and layout.header is not None:
            continue
        cells = _cells(text, layout.delimiter)
        if len(cells) != expected:
            raise InputError(f"{layout.path}: line {line} has {len(cells)} columns, expected {expected}")
        for column in ids:
            if not cells[column]:
                raise InputError(f"{layout.path}: line {line}, {layout.column(column)}: empty cell")
        for column in numbers:
            if not is_number(cells[column]):
                found = repr(cells[column]) if cells[column] else "an empty cell"
                raise InputError(
                    f"{layout.path}: line {line}, {layout.column(column)}: found {found}, expected a number"
                )
    raise InputError(f"{layout.path}: cannot be read as a table of {expected} columns")
