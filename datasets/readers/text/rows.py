"""The rows of a text table, counted: each has the same number of cells."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genurl_graph.datasets.readers.text.lines import (
    MARKS,
    SPACED,
    Text,
    describe,
    is_blank,
    is_cells,
    no_text,
    read_chunks,
)
from genurl_graph.exceptions import wrong

# What Python takes for a space and pandas does not.
_ODD_SPACES = (*(chr(code) for code in (0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x1F)), "\x85", "\xa0", "\u2003", "\u3000")
# Bytes that stand before a cell.
_BEFORE = np.isin(np.arange(256), [*b' \t\r\n,;|:"'])
_DIGIT = np.isin(np.arange(256), [*b"0123456789"])


@dataclass(frozen=True)
class Scan:
    """What stands in the rows of a table.

    Attributes
    ----------
    rows : int
        How many there are.
    quoted, unusual, marked, repeated, returns : bool
        Whether there are quotes, perhaps whole numbers such as 007 or +5, lines that begin as comments, lines that
        begin as the header does, and lines that end with \\r alone.
    """

    rows: int
    quoted: bool = False
    unusual: bool = False
    marked: bool = False
    repeated: bool = False
    returns: bool = False


def number_rows(text: Text, offset: int, first: int, separator: str | None, quoted: bool) -> Iterator[tuple[int, int]]:
    """Line and number of cells of each row, from the line `first` at `offset`; blank lines have none.

    Raises
    ------
    InputError
        For quotes that are not those of a table.
    """
    with text.lines(offset) as lines:
        if separator is None or not quoted:
            for number, line in enumerate(lines, start=first):
                if separator is not None:
                    yield number, 0 if is_blank(line, separator) else line.count(separator) + 1
                elif is_cells(line):
                    yield number, len(SPACED.findall(line))
                else:
                    found = "a quotation mark that opens no cell, or closes none"
                    raise wrong(f"{text.path}: line {number}", found, "spaces before and after a quoted cell")
            return
        reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)
        number = 0
        try:
            for row in reader:
                begin, number = first + number, reader.line_num
                yield begin, len(row) if len(row) > 1 or not is_blank("".join(row)) else 0
        except csv.Error as error:
            where = f"{text.path}: line {first + number}"
            found = f"quotation marks that do not fit a table ({error})"
            expected = f"{separator!r} before and after a quoted cell, and quotes in it doubled"
            raise wrong(where, found, expected) from error


def scan(
    text: Text, offset: int, first: int, separator: str | None, width: int, header: str = "", whole: bool = True
) -> Scan:
    """Count the rows from a position on, each of `width` cells.

    Parameters
    ----------
    text, offset
        The file, and the byte where the first row begins.
    first : int
        Number of that line.
    separator : str or None
        Between cells; None: spaces and tabs, any number of them.
    width : int
        Cells of each row.
    header : str
        The line of the header, if there is one.
    whole : bool
        Whether to look for whole numbers of unusual form.

    Raises
    ------
    InputError
        With the line, for bytes that are no UTF-8, NUL bytes, rows of another width, or wrong quotes.
    """
    counter = _Counter(text.path, separator, width, first, bool(header))
    decoder = codecs.getincrementaldecoder("utf-8")()
    quoted = unusual = marked = repeated = False
    again = b"\n" + header.strip().encode()
    line = first
    for chunk in read_chunks(text, offset):
        try:
            decoded = decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise no_text(text.path, line + chunk[: error.start].count(b"\n")) from error
        if (position := chunk.find(b"\0")) >= 0:
            raise wrong(text.path, f"a NUL byte in line {line + chunk[:position].count(bytes([10]))}", "text")
        if (position := chunk.find(codecs.BOM_UTF8)) >= 0:
            number = line + chunk[:position].count(b"\n")
            raise wrong(f"{text.path}: line {number}", "a byte order mark", "one at the start of the file alone")
        if separator is None:
            for mark in _ODD_SPACES:
                if (ord(mark) < 0x80 or not decoded.isascii()) and (place := decoded.find(mark)) >= 0:
                    where = f"{text.path}: line {line + decoded[:place].count(chr(10))}"
                    raise wrong(where, f"the character {mark!r}", "spaces or tabs between cells; or give --separator")
        quoted = quoted or b'"' in chunk
        unusual = unusual or (whole and _has_unusual(chunk, separator))
        marked = marked or any(mark.encode() in chunk for mark in MARKS)
        repeated = repeated or (bool(header) and (again in chunk or chunk.startswith(again[1:]) or b"\r" in chunk))
        if not quoted:
            counter.add(chunk)
        line += chunk.count(b"\n")
    rows = _count_quoted(text, offset, separator, width) if quoted else counter.rows
    if rows is None:
        counter = _Counter(text.path, separator, width, first, bool(header))
        for number, cells in number_rows(text, offset, first, separator, quoted):
            counter.add_row(number, cells)
        rows = counter.rows
    return Scan(rows, quoted, unusual, marked, repeated, counter.returns)


def _count_quoted(text: Text, offset: int, separator: str | None, width: int) -> int | None:
    """Rows of a table with quotes; None where one of them has to be looked at."""
    if separator is None or width == 1:
        return None
    rows = 0
    with text.lines(offset) as lines:
        try:
            for row in csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True):
                if len(row) != width:
                    return None
                rows += 1
        except csv.Error:
            return None
    return rows


def _has_unusual(chunk: bytes, separator: str | None) -> bool:
    """Whether there may be a whole number such as 007, -007, +5 or -0."""
    codes = np.frombuffer(b"\n" + chunk + b"\n", np.uint8)
    begins = _BEFORE[codes[:-2]] | (codes[:-2] == ord(separator or " "))
    if b"-" in chunk:
        signs = begins & (codes[1:-1] == 45)
        begins[1:] |= signs[:-1]
        # -0 that is not the beginning of -0.5
        zeros = signs[:-1] & (codes[2:-1] == 48)
        if (zeros & ~_DIGIT[codes[3:]] & (codes[3:] != 46)).any():
            return True
    padded = begins & ((codes[1:-1] == 48) | (codes[1:-1] == 43))
    places = np.flatnonzero(padded)
    return bool(_DIGIT[codes[places + 2]].any())


class _Counter:
    """Counts rows and refuses the first one of another width."""

    def __init__(self, path: Path, separator: str | None, width: int, first: int, header: bool) -> None:
        self.path, self.separator, self.width, self.header = path, separator, width, header
        self.first = self.line = first
        self.rows = 0
        self.returns = False
        # Of the last row, and of a blank line since.
        self.last, self.blank = first - 1, 0

    def add(self, chunk: bytes) -> None:
        """Whole lines."""
        marks = np.frombuffer(chunk, np.uint8)
        ends = marks == 10
        spaces = ends | (marks == 32)
        if b"\r" in chunk:
            returns = marks == 13
            spaces |= returns
            returns[:-1] &= marks[1:] != 10
            self.returns = self.returns or bool(returns[:-1].any())
            ends |= returns if chunk[-1:] != b"\n" else returns & (np.arange(len(marks)) < len(marks) - 1)
        if self.separator != "\t":
            spaces |= marks == 9
        places = np.flatnonzero(ends)
        starts = np.concatenate([[0], places[places < len(marks) - 1] + 1])
        if self.separator is None:
            begins = ~spaces
            begins[1:] &= spaces[:-1]
            cells = np.add.reduceat(begins, starts, dtype=np.int64)
        else:
            cells = np.add.reduceat(marks == ord(self.separator), starts, dtype=np.int64) + 1
            if (cells == 1).any():  # else no line is blank
                cells[~np.logical_or.reduceat(~spaces, starts) & (cells == 1)] = 0
        rows = np.flatnonzero(cells)
        if len(rows):
            odd = rows[cells[rows] != self.width]
            if len(odd):
                self._refuse(self.line + int(odd[0]), int(cells[odd[0]]), chunk[starts[odd[0]] :][:1].decode("latin-1"))
            if self.width == 1:
                lines = np.concatenate([[self.last], self.line + rows])
                gaps = np.flatnonzero(np.diff(lines) > 1)
                if len(gaps):
                    self._refuse_blank(int(lines[gaps[0]]) + 1)
            self.rows += len(rows)
            self.last = self.line + int(rows[-1])
        self.line += len(starts)

    def add_row(self, line: int, cells: int) -> None:
        """One row, or a blank line, which has no cells."""
        if cells and cells != self.width:
            self._refuse(line, cells, "")
        if cells and self.width == 1 and self.blank:
            self._refuse_blank(self.blank)
        self.rows += cells > 0
        self.blank = 0 if cells else line

    def _refuse(self, line: int, cells: int, start: str) -> None:
        if self.header and line == self.first:
            raise wrong(self.path, f"{cells} columns in the first row", f"{self.width}, as in the header")
        if start in MARKS and start:
            hint = f"; {start} begins a comment only before the first row"
        else:
            hint = f" (or give --separator; here it is {describe(self.separator)})"
        raise wrong(f"{self.path}: line {line}", f"{cells} columns", f"{self.width}{hint}")

    def _refuse_blank(self, line: int) -> None:
        raise wrong(f"{self.path}: line {line}", "a blank line in a table of one column", "a value")
