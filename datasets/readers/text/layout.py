"""How a text table is laid out: what stands between its cells, and which lines are comments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from genurl_graph.datasets.readers.text.headers import is_name
from genurl_graph.datasets.readers.text.lines import MARKS, describe, is_blank, split_line, split_lines
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.cells import is_missing, is_number

# By suffix, None for spaces; any other suffix: all of them.
_BY_SUFFIX: dict[str, tuple[str | None, ...]] = {".tsv": ("\t",), ".csv": (",", ";", "\t", "|")}
_ANY = ("\t", ",", ";", "|", None)

_DECIMAL = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_WORDS = re.compile(r"[^\s\"]+(?:[ \t]+[^\s\"]+)+")


@dataclass(frozen=True)
class Layout:
    """How a text table is laid out.

    Attributes
    ----------
    separator : str or None
        Between cells; None: spaces and tabs, any number of them.
    begin : int
        Lines before the first row, which may be a header.
    comments : int
        Those of them that are comments.
    rows : list of list of str
        Rows of the sample, the first one included, as stripped cells.
    """

    separator: str | None
    begin: int
    comments: int
    rows: list[list[str]]


def find_layout(path: Path, suffix: str, lines: list[str], options: ReadOptions) -> Layout:
    """Lay out a table by a sample of its lines.

    Raises
    ------
    InputError
        If the file holds no rows, or where two separators fit, or a line may be a comment or a row.
    """
    content = [i for i, line in enumerate(lines) if not is_blank(line)]
    begin = next((i for i in content if not lines[i].startswith(MARKS)), len(lines))
    all_marked = begin == len(lines)
    if all_marked:
        begin = next((i for i in content if not is_remark(lines[i])), len(lines))
    if begin == len(lines):
        raise InputError(f"{path}: the file is empty" + (" beside comments" if content else ""))
    separator, rows = _find_separator(path, suffix, begin + 1, lines[begin:], options)
    if all_marked and len(rows[0]) == 1:
        found = f"nothing but lines that begin with {lines[begin][0]}, as comments do"
        raise wrong(path, found, "rows; put a cell that begins so in quotes")
    for i in content:
        if i >= begin:
            break
        if _is_row(path, i + 1, lines[i], separator, rows):
            separator, rows = separator, split_lines(lines[i:], separator) or rows
            begin = i
            break
    for i, line in enumerate(lines[:begin]):
        if separator == "\t" and is_blank(line) and not is_blank(line, "\t"):
            raise wrong(f"{path}: line {i + 1}", "a row of empty cells before all others", "a header or a row")
    comments = sum(i < begin for i in content)
    return Layout(separator, begin, comments, rows)


def _find_separator(
    path: Path, suffix: str, number: int, lines: list[str], options: ReadOptions
) -> tuple[str | None, list[list[str]]]:
    """The separator that gives all rows the same number of cells, more than one."""
    given = options.separator
    if given is not None:
        if not given.isascii() or given.isalnum() or given in "\"\r\n.-+_'":
            raise wrong("separator", repr(given), "a mark such as , ; | or a tab or space")
        if given == options.decimal:
            raise wrong("decimal", repr(given), "another mark than that of the separator")
        separator = None if given == " " else given
        rows = split_lines(lines, separator)
        return separator, rows or _refuse_quotes(path, number, lines, separator)
    candidates = [mark for mark in _BY_SUFFIX.get(suffix, _ANY) if mark is None or mark != options.decimal]
    # A line that begins as a comment may be one, between header and rows.
    plain = [line for line in lines if not line.startswith(MARKS)] or lines
    tables: dict[str | None, list[list[str]]] = {}
    for mark in candidates:
        rows = split_lines(plain, mark)
        if rows:
            tables[mark] = rows
    fits = [mark for mark, rows in tables.items() if _fits(rows)]
    if len(fits) > 1:
        fits = [_choose(path, fits, tables)]
    if fits:
        return fits[0], split_lines(lines, fits[0]) or tables[fits[0]]
    several = [mark for mark, rows in tables.items() if max(map(len, rows)) > 1]
    if several:
        # None fits: the one that comes nearest is refused, with the line, when the rows are counted.
        best = max(several, key=lambda mark: _agreement(tables[mark]))
        return best, tables[best]
    if None not in candidates and not options.columns:
        _refuse_words(path, plain)
    only = None if None in candidates and None not in tables else candidates[0]
    return only, tables.get(only) or _refuse_quotes(path, number, lines, only)


def _fits(rows: list[list[str]]) -> bool:
    widths = {len(row) for row in rows[1:]} or {len(rows[0])}
    if len(widths) > 1 or max(widths) < 2:
        return False
    width = max(widths)
    # Separators at the end of every row but the header.
    trailing = len(rows[0]) == width - 1 and all(not row[-1] for row in rows[1:])
    return len(rows[0]) == width or trailing


def _agreement(rows: list[list[str]]) -> tuple[float, int]:
    """Share of the rows that have the commonest number of cells above one, and how many these are."""
    widths = [len(row) for row in rows]
    commonest = max(set(widths) - {1}, key=widths.count)
    return widths.count(commonest) / len(widths), commonest


def _choose(path: Path, fits: list[str | None], tables: dict[str | None, list[list[str]]]) -> str | None:
    """The separator among several that fit, where the others are part of its cells beyond doubt."""
    left = list(fits)
    if None in left and len(left) > 1:
        # Spaces beside another mark, or the same tabs.
        padding = [mark for mark in left if mark is not None and not _has_spaces(tables[mark])]
        if padding:
            left.remove(None)
    if len(left) == 2 and "," in left:
        other = next(mark for mark in left if mark != ",")
        if _has_decimal_commas(tables[other]):
            left = [other]
    if len(left) > 1:
        first, second = (f"{describe(mark)} ({len(tables[mark][0])} columns)" for mark in left[:2])
        raise wrong(path, f"rows that can be cut by {first} and by {second}", "one of them: give --separator")
    return left[0]


def _has_spaces(rows: list[list[str]]) -> bool:
    return any(" " in cell or "\t" in cell for row in rows for cell in row)


def _has_decimal_commas(rows: list[list[str]]) -> bool:
    """Whether commas stand in numbers alone, and some columns, such as ids, have none."""
    columns = [*zip(*(rows[1:] or rows), strict=False)]
    with_commas = [column for column in columns if any("," in cell for cell in column)]
    numbers = all(
        _DECIMAL.fullmatch(cell) or is_missing(cell) or (is_number(cell) and "." not in cell)
        for column in with_commas
        for cell in column
    )
    return numbers and 0 < len(with_commas) < len(columns)


def _refuse_words(path: Path, lines: list[str]) -> None:
    """Refuse lines that may be cells between spaces where other separators are expected."""
    texts = [line.strip() for line in lines if line.strip()]
    widths = {len(text.split()) for text in texts}
    if len(widths) == 1 and max(widths) > 1 and all(_WORDS.fullmatch(text) for text in texts):
        found = f"{max(widths)} words a line and no other separator than spaces"
        raise wrong(path, found, "--separator ' ' if these are cells, else --separator ,")


def is_remark(line: str) -> bool:
    """Whether a marked line is written as a comment: with a space, or nothing, or the mark again behind the mark."""
    return line[1:2] in ("", " ", "\t", "\r", "\n", *MARKS)


def _is_row(path: Path, number: int, line: str, separator: str | None, rows: list[list[str]]) -> bool:
    """Whether a line before the others that begins with a mark is a row of the table, and no comment."""
    cells, width = split_line(line, separator), len(rows[0])
    if cells is None or len(cells) != width or (is_remark(line) and not any(c[:1] in MARKS for c in cells[1:])):
        return False
    below = rows[1:] or rows
    if all(is_number(row[0]) for row in below if row):
        return False
    seen = {cell for row in rows for cell in row}
    if any(cell[:1] in MARKS and cell for cell in [*cells[1:], *seen]) or any(cell in seen for cell in cells):
        return True
    if width > 1 and all(map(is_name, [cells[0][1:], *cells[1:]])):
        return False
    found = f"{cells[0]!r} at the start of as many cells as the rows have"
    expected = f"'{line[0]} ' with a space for a comment, or the cell in quotes for a row"
    raise wrong(f"{path}: line {number}", found, expected)


def _refuse_quotes(path: Path, number: int, lines: list[str], separator: str | None) -> NoReturn:
    """Refuse the first of `lines`, from the line `number` on, whose quotes are not those of a table."""
    place = next((i for i, line in enumerate(lines) if split_line(line, separator) is None), 0)
    expected = f"{describe(separator)} before and after a quoted cell, and quotes in it doubled"
    raise wrong(f"{path}: line {number + place}", "quotation marks that do not fit a table", expected)
