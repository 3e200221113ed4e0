"""Text tables: comma, semicolon, tab or space separated, with or without header, read by pandas.

A table is read in two steps. `sniff` looks at its head and says how it is laid out; a reader decides by that what each
column is, and `read_columns` reads them as node ids or as numbers.
"""

from __future__ import annotations

import csv
import mmap
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd

from genurl_graph.datasets.readers.compressed import plain_suffix
from genurl_graph.datasets.readers.text.frames import all_whole, id_columns, name_columns, read_frame
from genurl_graph.datasets.readers.text.headers import check_marks, check_overlap, check_repeat, decide_header
from genurl_graph.datasets.readers.text.layout import find_layout, is_remark
from genurl_graph.datasets.readers.text.lines import MARKS, open_text, read_sample, split_line, split_lines
from genurl_graph.datasets.readers.text.rows import number_rows, scan
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.cells import is_number as is_number
from genurl_graph.inputs.tables.cells import is_whole as is_whole
from genurl_graph.inputs.tables.table import Table

ID_NAMES = frozenset({"", "id", "index", "name", "node", "node_id", "nodeid"})
SOURCE_NAMES = frozenset({"source", "src", "from", "node1"})
TARGET_NAMES = frozenset({"target", "dst", "to", "node2"})
WEIGHT_NAMES = frozenset({"weight", "edge_weight"})
LABEL_NAMES = frozenset({"label", "labels", "class"})

# A number such as 007 or +5: as an id it is a name, not 7 and 5.
_PADDED = re.compile(rb'[\n\t ,;"-](?:0[0-9]|\+)')
# A line that may be a comment or blank; and what is no text.
_ODD_LINES = (re.compile(rb"\n[#\s]"), re.compile(rb"\0"))


def read_table(path: Path, options: ReadOptions = ReadOptions()) -> Table:  # noqa: B008 - never changed
    """Read a text table, compressed or not: every row of it, every cell as it stands.

    The separator is the one that cuts all rows of a sample into the same number of cells (`find_layout`), the first row
    a header if its names or the rows below say so (`decide_header`); then every row is counted, and pandas reads them.

    Parameters
    ----------
    path : Path
    options : ReadOptions
        Its separator, decimal mark and names of columns decide where two readings are possible.

    Returns
    -------
    Table
        With notes on comments, decimal commas and what else is not plain.

    Raises
    ------
    InputError
        With the line of the first fault, or the option that decides.

    Examples
    --------
    >>> table = read_table(Path("edges.csv"))  # doctest: +SKIP
    >>> table.frame.columns.tolist(), table.where(0)  # doctest: +SKIP
    (['source', 'target'], 'line 2')
    """
    suffix = plain_suffix(path)
    with open_text(path) as text:
        lines = read_sample(text)
        layout = find_layout(path, suffix, lines, options)
        separator, begin, comments, rows = layout.separator, layout.begin, layout.comments, layout.rows
        below, between = _below(lines, begin, separator, len(rows[0]))
        rows_below = split_lines(lines[below:], separator) or []
        header = decide_header([rows[0], *rows_below], options)
        names = rows[0] if header else None
        if names is not None:
            begin, rows, comments = below, rows_below, comments + between
        width = _width(path, names, rows)
        offset = text.base + len("".join(lines[:begin]).encode())
        whole = any(map(all_whole, zip(*rows, strict=False)))
        counted = scan(text, offset, begin + 1, separator, width, lines[layout.begin] if header else "", whole)
        ids = id_columns(names, width, options)
        frame, notes = read_frame(text, offset, separator, rows, counted, ids, options)

    def where(row: int) -> str:
        with open_text(path) as again:
            places = number_rows(again, offset, begin + 1, separator, counted.quoted)
            return f"line {next(islice((line for line, cells in places if cells), row, None))}"

    frame, more = name_columns(path, frame, names)
    if comments:
        more = [f"{comments} line{'s' if comments > 1 else ''} of comments skipped", *more]
    table = Table(str(path), frame, names is not None, where, (*more, *notes))
    if header is None:
        check_overlap(table, rows[0])
    if counted.repeated:
        check_repeat(table)
    if counted.marked:
        check_marks(table, separator)
    return table


def _below(lines: list[str], begin: int, separator: str | None, width: int) -> tuple[int, int]:
    """The line below the first row, if that is a header, and the comments between."""
    line = begin + 1
    if separator is not None:
        reader = csv.reader(lines[begin:], delimiter=separator, skipinitialspace=True)
        next(reader)
        line = begin + reader.line_num
    comments = 0
    while line < len(lines):
        if lines[line].startswith(MARKS):
            cells = split_line(lines[line], separator)
            if cells is not None and len(cells) == width and not is_remark(lines[line]):
                break
            comments += 1
        elif lines[line].strip():
            break
        line += 1
    return line, comments


def _width(path: Path, names: list[str] | None, rows: list[list[str]]) -> int:
    """Cells of each row; separators may end every row but the header."""
    if not rows:
        raise wrong(path, "only a header", "rows of data below it (zero nodes)")
    width = len(rows[0])
    if names is None or (width == len(names) + 1 and not any(row[-1] for row in rows if len(row) == width)):
        return width
    return len(names)


@dataclass(frozen=True)
class Layout:
    """How a text table is laid out.

    Attributes
    ----------
    path
        The file.
    delimiter
        Between cells; None: spaces.
    header
        Names of the columns, if there are any.
    first
        Cells of the first row of data.
    start
        Lines before that row.
    """

    path: Path
    delimiter: str | None
    header: list[str] | None
    first: list[str]
    start: int

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
    lines = list(islice((found for found in _lines(path) if _is_content(found[1])), 2))
    if not lines:
        raise InputError(f"{path}: the file is empty")
    delimiter = _delimiter(path, lines[0][1])
    rows = [_cells(path, line, delimiter) for _, line in lines]
    first = rows[0]
    names = not any(map(is_number, first))
    numbers_follow = len(rows) == 2 and any(map(is_number, rows[1]))
    known = {cell.lower() for cell in first}
    named = first[0].lower() in ID_NAMES | LABEL_NAMES or bool(known & SOURCE_NAMES and known & TARGET_NAMES)
    if not named and not (names and numbers_follow):
        return Layout(path, delimiter, None, first, lines[0][0] - 1)
    if len(rows) == 1:
        raise wrong(path, "only a header", "rows of data below it (zero nodes)")
    if len(first) != len(rows[1]):
        raise wrong(path, f"{len(rows[1])} columns in the first row", f"{len(first)}, as in the header")
    return Layout(path, delimiter, first, rows[1], lines[1][0] - 1)


def read_columns(
    layout: Layout, ids: Sequence[int], numbers: Sequence[int]
) -> tuple[list[pd.Index], npt.NDArray[np.float32]]:
    """Read the columns at some positions; others are left alone.

    Parameters
    ----------
    layout
        Of the table, by `sniff`.
    ids
        Columns of node ids or labels: int64 if all of them hold whole numbers in their usual form, else text.
    numbers
        Columns of finite numbers.

    Returns
    -------
    ids : list of Index, each [rows]
    numbers : float32 array [rows, len(numbers)]

    Raises
    ------
    InputError
        With line and column of the first cell that is empty or no finite number, or line that is too long or short.
    """
    width = len(layout.first)
    kinds: list[Any] = [object]
    if all(is_whole(layout.first[position]) for position in ids) and not (ids and _holds(layout.path, _PADDED)):
        kinds = ["int64", object]
    for kind in kinds:
        types = dict.fromkeys(range(width), object) | dict.fromkeys(ids, kind) | dict.fromkeys(numbers, np.float32)
        all_numbers = len(numbers) == width
        try:
            with np.errstate(over="ignore"):  # infinite in float32: found below
                frame = pd.read_csv(
                    layout.path,
                    sep=layout.delimiter or r"\s+",
                    header=None,
                    names=range(width),
                    skiprows=_skipped(layout),
                    dtype=np.float32 if all_numbers else types,
                    low_memory=width < 1000,  # in blocks of rows; of many columns each block takes long
                    na_filter=False,
                    encoding="utf-8-sig",
                )
        except (ValueError, OverflowError):
            continue
        columns = [frame[position].to_numpy() for position in ids]
        if kind is object:
            columns = list(map(_stripped, columns))
        values = np.empty((len(frame), len(numbers)), np.float32)
        for place, position in enumerate(numbers):
            values[:, place] = frame[position]
        if np.isfinite(values).all() and (kind == "int64" or not any("" in column for column in columns)):
            return [pd.Index(column, dtype=kind) for column in columns], values
        break
    _explain(layout, ids, numbers)


def _stripped(cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Text without spaces around it; equal cells become one object."""
    codes, distinct = pd.factorize(cells)
    found: npt.NDArray[Any] = np.array([cell.strip() for cell in distinct], dtype=object)[codes]
    return found


def line_of(layout: Layout, row: int) -> int:
    """Number of the line, from 1, that holds row `row` of the data."""
    return next(number for position, (number, _) in enumerate(_rows(layout)) if position == row)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines, from 1."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if "\0" in line:
                    raise wrong(path, f"a NUL byte in line {number}", "text")
                yield number, line
    except UnicodeDecodeError as error:
        raise wrong(path, f"bytes that are no text in UTF-8 ({error})", "a text file in UTF-8") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _is_content(line: str) -> bool:
    """Whether a line is neither blank nor a comment."""
    return line[0] != "#" and not line.isspace()


def _rows(layout: Layout) -> Iterator[tuple[int, str]]:
    """Numbered lines of data."""
    return ((number, line) for number, line in _lines(layout.path) if number > layout.start and _is_content(line))


def _skipped(layout: Layout) -> int | list[int]:
    """Lines that pandas has to skip: those before the data, and comments and blank lines among them."""
    if not any(_holds(layout.path, pattern) for pattern in _ODD_LINES):
        return layout.start
    return [number - 1 for number, line in _lines(layout.path) if number <= layout.start or not _is_content(line)]


def _holds(path: Path, pattern: re.Pattern[bytes]) -> bool:
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return pattern.search(content) is not None


def _delimiter(path: Path, line: str) -> str | None:
    suffix = path.suffix.lower()
    if suffix == ".tsv":
        return "\t"
    if suffix == ".csv":
        return ";" if ";" in line and "," not in line else ","
    return next((mark for mark in "\t,;" if mark in line), None)


def _cells(path: Path, line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return line.split()
    try:
        return [cell.strip() for cell in next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter))]
    except csv.Error as error:
        raise wrong(path, f"a line that is none of a table ({error})", f"cells between {delimiter!r}") from error


def _explain(layout: Layout, ids: Sequence[int], numbers: Sequence[int]) -> NoReturn:
    """Raise an `InputError` for the first faulty cell of a table that could not be read."""
    expected = len(layout.first)
    for line, text in _rows(layout):
        where, cells = f"{layout.path}: line {line}", _cells(layout.path, text, layout.delimiter)
        if len(cells) != expected:
            raise wrong(where, f"{len(cells)} columns", expected)
        for column in [*ids, *numbers]:
            cell = cells[column]
            number = column not in ids
            with np.errstate(over="ignore"):
                good = bool(np.isfinite(np.float32(cell))) if number and is_number(cell) else bool(cell) and not number
            if not good:
                found = repr(cell) if cell else "an empty cell"
                raise wrong(f"{where}, {layout.column(column)}", found, "a finite number" if number else "a value")
    raise wrong(layout.path, "cells that cannot be told apart", f"a table of {expected} columns")
