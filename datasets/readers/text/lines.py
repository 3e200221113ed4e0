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
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# A cell between spaces: text, or anything in quotes.
SPACED = re.compile(r'"(?:[^"\r\n]|"")*"(?=[ \t\r\n]|$)|[^ \t\r\n"][^ \t\r\n]*')


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
                raise no_text(path, 1) from error
            yield Text(path, io.BytesIO(content))
        else:
            yield Text(path, stream, 3 if head.startswith(codecs.BOM_UTF8) else 0)


def is_blank(line: str, separator: str | None = None) -> bool:
    """Whether a line has no cells; tabs may stand between empty ones."""
    return not line.strip(" \r\n" if separator == "\t" else " \t\r\n")


def read_sample(text: Text) -> list[str]:
    """The first lines of a file, those before the first row besides: comments and blank lines."""
    lines: list[str] = []
    rows = size = 0
    try:
        with text.lines(text.base) as found:
            for line in found:
                lines.append(line)
                rows += not is_blank(line) and not line.startswith(MARKS)
                size += len(line)
                if rows >= SAMPLE_LINES or (size > SAMPLE_SIZE and rows > 2):
                    break
    except UnicodeDecodeError as error:
        raise no_text(text.path, _bad_line(text)) from error
    for number, line in enumerate(lines, start=1):
        if "\0" in line:
            raise wrong(text.path, f"a NUL byte in line {number}", "text")
        if "\ufeff" in line:
            raise wrong(f"{text.path}: line {number}", "a byte order mark", "one at the start of the file alone")
    return lines


def split_line(line: str, separator: str | None) -> list[str] | None:
    """The cells of one line without spaces around them; None if its quotes are not those of a table."""
    if separator is None:
        return [_unquoted(cell) for cell in SPACED.findall(line)] if is_cells(line) else None
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


def describe(separator: str | None) -> str:
    """A separator in words."""
    return "spaces" if separator is None else {"\t": "tab", ",": "','", ";": "';'"}.get(separator, repr(separator))


def read_chunks(text: Text, offset: int) -> Iterator[bytes]:
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


def whole_rows(text: Text, offset: int, size: int) -> Iterator[bytes]:
    """Bytes of about `size` that end where a row does: behind a line break that is in no quotes."""
    text.stream.seek(offset)
    rest = b""
    while step := text.stream.read(size):
        rest += step
        codes = np.frombuffer(rest, np.uint8)
        ends = np.flatnonzero(codes == 10)
        if b'"' in rest and len(ends):
            # Quotes in quotes are doubled.
            ends = ends[np.cumsum(codes == 34, dtype=np.int64)[ends] % 2 == 0]
        if len(ends):
            cut = int(ends[-1]) + 1
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest


def _bad_line(text: Text) -> int:
    """The first line that is no UTF-8."""
    decoder, line = codecs.getincrementaldecoder("utf-8")(), 1
    for chunk in read_chunks(text, text.base):
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            return line + chunk[: error.start].count(b"\n")
        line += chunk.count(b"\n")
    return line


def is_cells(line: str) -> bool:
    """Whether a line is nothing but cells between spaces."""
    return '"' not in line or not SPACED.sub("", line).strip(" \t\r\n")


def _unquoted(cell: str) -> str:
    return cell[1:-1].replace('""', '"').strip() if cell[:1] == '"' else cell


def no_text(path: Path, line: int) -> InputError:
    return wrong(path, f"bytes that are no text in UTF-8 in line {line}", "a text file in UTF-8")
