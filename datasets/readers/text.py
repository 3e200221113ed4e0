"""The lines of a text file: what encodes them, where rows begin, and how many cells each has."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from genurl_graph.datasets.readers.compressed import check_name, unpacked
from genurl_graph.exceptions import InputError, wrong

# Lines and characters of a sample.
SAMPLE_LINES, SAMPLE_SIZE = 300, 1 << 20
MARKS = ("#", "%")

_CHUNK = 1 << 23
# What Python takes for a space and pandas does not.
_ODD_SPACES = (*(chr(code) for code in (0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x1F)), "\x85", "\xa0", "\u2003", "\u3000")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# A cell between spaces: text, or anything in quotes.
_SPACED = re.compile(r'"(?:[^"\r\n]|"")*"(?=[ \t\r\n]|$)|[^ \t\r\n"][^ \t\r\n]*')
# Bytes that stand before a cell.
_BEFORE = np.isin(np.arange(256), [*b' \t\r\n,;|:"'])
_DIGIT = np.isin(np.arange(256), [*b"0123456789"])


@dataclass(frozen=True)
class Text:
    """An open text file in UTF-8; `base` is where its text begins."""

    path: Path
    stream: IO[bytes]
    base: int = 0

    @contextmanager
    def lines(self, offset: int) -> Iterator[io.TextIOWrapper]:
        """Lines with their ends, from a position in bytes."""
        self.stream.seek(offset)
        wrapper = io.TextIOWrapper(self.stream, encoding="utf-8", newline="")
        try:
            yield wrapper
        finally:
            if not self.stream.closed:
                wrapper.detach()


@dataclass(frozen=True)
class Scan:
    """What stands in the rows of a table.

    Attributes
    ----------
    rows : int
        How many there are.
    quoted, unusual, marked, repeated : bool
        Whether there are quotes, perhaps whole numbers such as 007 or +5, lines that begin as comments, and lines that
        begin as the header does.
    """

    rows: int
    quoted: bool = False
    unusual: bool = False
    marked: bool = False
    repeated: bool = False


@contextmanager
def open_text(path: Path) -> Iterator[Text]:
    """A text file in UTF-8 or, with a byte order mark, UTF-16, compressed or not.

    Raises
    ------
    InputError
        If it cannot be read, or begins with the bytes of a compressed file.
    """
    with unpacked(path) as stream:
        head = stream.read(8)
        if not path.suffix.lower().endswith((".gz", ".bz2", ".xz", ".zip")):
            check_name(path, head)
        if head.startswith(_UTF16):
            stream.seek(0)
            try:
                content = stream.read().decode("utf-16").encode()
            except UnicodeError as error:
                raise _no_text(path, 1) from error
            yield Text(path, io.BytesIO(content))
        else:
            yield Text(path, stream, 3 if head.startswith(codecs.BOM_UTF8) else 0)


def read_sample(text: Text) -> list[str]:
    """The first lines of a file, those before the first row besides: comments and blank lines."""
    lines: list[str] = []
    rows = size = 0
    try:
        with text.lines(text.base) as found:
            for line in found:
                lines.append(line)
                rows += bool(line.strip()) and not line.startswith(MARKS)
                size += len(line)
                if rows >= SAMPLE_LINES or (size > SAMPLE_SIZE and rows > 2):
                    break
    except UnicodeDecodeError as error:
        raise _no_text(text.path, _bad_line(text)) from error
    for number, line in enumerate(lines, start=1):
        if "\0" in line:
            raise wrong(text.path, f"a NUL byte in line {number}", "text")
    return lines


def split_line(line: str, separator: str | None) -> list[str] | None:
    """The cells of one line without spaces around them; None if its quotes are not those of a table."""
    if separator is None:
        return [_unquoted(cell) for cell in _SPACED.findall(line)] if _whole(line) else None
    try:
        row = next(csv.reader([line.rstrip("\r\n")], delimiter=separator, strict=True, skipinitialspace=True), [])
    except csv.Error:
        return None
    return [cell.strip() for cell in row]


def split_lines(lines: list[str], separator: str | None) -> list[list[str]] | None:
    """The rows of a sample, blank lines left out; None if its quotes are not those of a table.

    A cell may hold line breaks. The sample may end in the middle of one: what is left open there does not count.
    """
    if separator is None:
        rows = [split_line(line, None) for line in lines]
        return None if any(row is None for row in rows) else [row for row in rows if row]
    reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)
    found: list[list[str]] = []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if len(cells) > 1 or "".join(cells):
                found.append(cells)
    except csv.Error as error:
        if "unexpected end of data" not in str(error) or len(found) < 2:
            return None
    return found


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
                    blank = not line.strip(" \r\n" if separator == "\t" else " \t\r\n")
                    yield number, 0 if blank else line.count(separator) + 1
                elif _whole(line):
                    yield number, len(_SPACED.findall(line))
                else:
                    found = "a quotation mark that opens no cell, or closes none"
                    raise wrong(f"{text.path}: line {number}", found, "spaces before and after a quoted cell")
            return
        reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)
        number = 0
        try:
            for row in reader:
                begin, number = first + number, reader.line_num
                yield begin, len(row) if len(row) > 1 or "".join(row).strip() else 0
        except csv.Error as error:
            where = f"{text.path}: line {first + number}"
            found = f"quotation marks that are none of a table ({error})"
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
    for chunk in _chunks(text, offset):
        try:
            decoded = decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise _no_text(text.path, line + chunk[: error.start].count(b"\n")) from error
        if (position := chunk.find(b"\0")) >= 0:
            raise wrong(text.path, f"a NUL byte in line {line + chunk[:position].count(bytes([10]))}", "text")
        if separator is None:
            for mark in _ODD_SPACES:
                if (ord(mark) < 0x80 or not decoded.isascii()) and (place := decoded.find(mark)) >= 0:
                    where = f"{text.path}: line {line + decoded[:place].count(chr(10))}"
                    raise wrong(where, f"the character {mark!r}", "spaces or tabs between cells; or give --separator")
        quoted = quoted or b'"' in chunk
        unusual = unusual or (whole and _has_unusual(chunk))
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
    return Scan(rows, quoted, unusual, marked, repeated)


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


def _has_unusual(chunk: bytes) -> bool:
    """Whether there may be a whole number such as 007, -007, +5 or -0."""
    codes = np.frombuffer(b"\n" + chunk + b"\n", np.uint8)
    begins = _BEFORE[codes[:-2]]
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
            cells[~np.logical_or.reduceat(~spaces, starts)] = 0
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


def describe(separator: str | None) -> str:
    """A separator in words."""
    return "spaces" if separator is None else {"\t": "tab", ",": "','", ";": "';'"}.get(separator, repr(separator))


def _chunks(text: Text, offset: int) -> Iterator[bytes]:
    """Bytes of whole lines."""
    text.stream.seek(offset)
    parts: list[bytes] = []
    while step := text.stream.read(_CHUNK):
        # A line may end with \r alone; at the end of a step a \n may be still to come.
        cut = (step.rfind(b"\n") if b"\n" in step else step.rfind(b"\r", 0, len(step) - 1)) + 1
        if cut:
            yield b"".join([*parts, step[:cut]])
            parts, step = [], step[cut:]
        parts.append(step)
    if rest := b"".join(parts):
        yield rest


def _bad_line(text: Text) -> int:
    """The first line that is no UTF-8."""
    decoder, line = codecs.getincrementaldecoder("utf-8")(), 1
    for chunk in _chunks(text, text.base):
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            return line + chunk[: error.start].count(b"\n")
        line += chunk.count(b"\n")
    return line


def _whole(line: str) -> bool:
    """Whether a line is nothing but cells between spaces."""
    return '"' not in line or not _SPACED.sub("", line).strip(" \t\r\n")


def _unquoted(cell: str) -> str:
    return cell[1:-1].replace('""', '"').strip() if cell[:1] == '"' else cell


def _no_text(path: Path, line: int) -> InputError:
    return wrong(path, f"bytes that are no text in UTF-8 in line {line}", "a text file in UTF-8")
