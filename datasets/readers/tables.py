"""Text tables of any layout, read whole: `read_table`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from genurl_graph.datasets.readers.compressed import plain_suffix
from genurl_graph.datasets.readers.text.frames import all_whole, id_columns, name_columns, read_frame
from genurl_graph.datasets.readers.text.headers import (
    check_marks,
    check_names,
    check_overlap,
    check_repeat,
    decide_header,
)
from genurl_graph.datasets.readers.text.layout import find_layout, is_remark
from genurl_graph.datasets.readers.text.lines import (
    MARKS,
    Text,
    is_blank,
    open_text,
    read_sample,
    split_line,
    split_lines,
    whole_rows,
)
from genurl_graph.datasets.readers.text.rows import number_rows, scan
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.table import NoRowsError, Table

# JODIE's name of all columns that are left (Kumar et al., KDD 2019).
FEATURE_LIST = "comma_separated_list_of_features"
# Bytes of text that are read together.
BLOCK = 1 << 24


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
    with open_text(path) as text:
        opened = _open(path, text, options)
        return _read(text, opened, opened.offset, opened.begin + 1, options)


def read_blocks(path: Path, options: ReadOptions = ReadOptions(), size: int = BLOCK) -> Iterator[Table]:  # noqa: B008
    """`read_table` in blocks of lines, each a table of its own: no more of the file than some of them is in memory.

    A column that holds whole numbers in one block may hold text in another.

    Parameters
    ----------
    path, options
        As of `read_table`.
    size : int
        Bytes of a block, about.

    Raises
    ------
    InputError
        As of `read_table`, when the block is read.
    """
    with open_text(path) as text:
        opened = _open(path, text, options)
        line = opened.begin + 1
        for number, block in enumerate(whole_rows(text, opened.offset, size)):
            if not block.strip():
                continue
            part = Text(path, io.BytesIO(block))
            # What is said of the file is said once.
            yield _read(part, opened if number == 0 else replace(opened, notes=()), 0, line, options)
            line += block.count(b"\n")


@dataclass(frozen=True)
class _Opened:
    """How a table is laid out: separator, lines and bytes before its rows, names, first rows, their width."""

    separator: str | None
    begin: int
    offset: int
    header: bool | None
    line: str
    names: list[str] | None
    rows: list[list[str]]
    first: list[str]
    width: int
    notes: tuple[str, ...]


def _open(path: Path, text: Text, options: ReadOptions) -> _Opened:
    lines = read_sample(text)
    layout = find_layout(path, plain_suffix(path), lines, options)
    separator, begin, comments, rows = layout.separator, layout.begin, layout.comments, layout.rows
    first = rows[0]
    below, between = _below(lines, begin, separator, len(first))
    rows_below = split_lines(lines[below:], separator) or []
    header = decide_header([first, *rows_below], options)
    names = first if header else None
    if names is not None and names[-1] == FEATURE_LIST and rows_below:
        width = len(rows_below[0])
        names = [*names[:-1], *(f"feature_{i + 1}" for i in range(width - len(names) + 1))]
    if names is not None:
        begin, rows, comments = below, rows_below, comments + between
    offset = text.base + len("".join(lines[:begin]).encode())
    notes = (f"{comments} line{'s' if comments > 1 else ''} of comments skipped",) if comments else ()
    line = lines[layout.begin] if header else ""
    return _Opened(separator, begin, offset, header, line, names, rows, first, _width(path, names, rows), notes)


def _read(text: Text, opened: _Opened, offset: int, line: int, options: ReadOptions) -> Table:
    """The rows of a text from a position on, whose first line has a number."""
    path, separator, names = text.path, opened.separator, opened.names
    whole = any(map(all_whole, zip(*opened.rows, strict=False)))
    counted = scan(text, offset, line, separator, opened.width, opened.line, whole)
    frame, notes = read_frame(
        text, offset, separator, opened.rows, counted, id_columns(names, opened.width, options), options
    )

    def where(row: int) -> str:
        # A file has been closed since; a block has not.
        with nullcontext(text) if isinstance(text.stream, io.BytesIO) and offset == 0 else open_text(path) as again:
            places = number_rows(again, offset, line, separator, counted.quoted)
            return f"line {next(islice((line for line, cells in places if cells), row, None))}"

    frame, more = name_columns(path, frame, names)
    table = Table(str(path), frame, names is not None, where, (*opened.notes, *more, *notes))
    if opened.header is None:
        check_overlap(table, opened.first)
    if counted.repeated:
        check_repeat(table)
    given = {name for held in options.columns.values() for name in held}
    if names is not None and not given.intersection(names):
        check_names(table)
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
        elif not is_blank(lines[line], separator):
            break
        line += 1
    return line, comments


def _width(path: Path, names: list[str] | None, rows: list[list[str]]) -> int:
    """Cells of each row; separators may end every row but the header."""
    if not rows:
        raise NoRowsError(str(wrong(path, "only a header", "rows of data below it (zero nodes)")))
    width = len(rows[0])
    if names is None or (width == len(names) + 1 and not any(row[-1] for row in rows if len(row) == width)):
        return width
    return len(names)
