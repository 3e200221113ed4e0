"""Text tables of any layout, read whole: `read_table`."""

from __future__ import annotations

import csv
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
from genurl_graph.datasets.readers.text.lines import MARKS, is_blank, open_text, read_sample, split_line, split_lines
from genurl_graph.datasets.readers.text.rows import number_rows, scan
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.table import Table


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
    given = {name for names in options.columns.values() for name in names}
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
        raise wrong(path, "only a header", "rows of data below it (zero nodes)")
    width = len(rows[0])
    if names is None or (width == len(names) + 1 and not any(row[-1] for row in rows if len(row) == width)):
        return width
    return len(names)
