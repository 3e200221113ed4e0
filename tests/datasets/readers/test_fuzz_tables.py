"""Text tables at random: read exactly as pandas and networkx read them, or refused.

``GENURL_FUZZ_MINUTES=10 pytest tests/datasets/readers/test_fuzz_tables.py`` looks for ten minutes instead of seconds.
"""

import bz2
import csv
import gzip
import io
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from genurl_graph.datasets.readers.compressed import plain_suffix
from genurl_graph.datasets.readers.tables import read_table
from genurl_graph.datasets.readers.text.layout import find_layout
from genurl_graph.datasets.readers.text.lines import open_text, read_sample
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.table import Table

MINUTES = float(os.environ.get("GENURL_FUZZ_MINUTES", "0"))
pytestmark = pytest.mark.timeout(300 + 90 * MINUTES)


def search(strategy: st.SearchStrategy, check: Callable, examples: int = 120) -> None:
    """Try `check` on a fixed set of examples, or on others for half of the minutes that are asked for."""
    options = settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=[*HealthCheck], print_blob=False
    )
    end, round_ = time.monotonic() + 30 * MINUTES, 0
    while round_ == 0 or time.monotonic() < end:
        seed(round_)(options(given(strategy)(check)))()
        round_ += 1


# ---- tables whose rows are known ------------------------------------------------------------------------

HEADERS = [
    "source",
    "target",
    "weight",
    "id",
    "drug1",
    "drug2",
    "user_id",
    "name",
    "label",
    "qux",
    "id_1",
    "Zuf",
    "when",
]
SEPARATORS = [",", ";", "\t", "|", None]
PEOPLE = ["ann", "bob", "cyd", "#ml", "%q", "d'or", "Zoë", "ann lee", "O'Neil", "x.y", "東京", "e5", "1a", "-", "#1"]
ODD = ["a,b", "a;b", 'say "hi"', "two\nlines", "tab\there", "pipe|d", "# no", "\r", '"', ",", " inner  space "]


@dataclass(frozen=True)
class Written:
    """A table as it was written: its true cells, and how."""

    header: list[str] | None
    rows: list[list[str]]
    content: bytes
    name: str
    separator: str | None
    plain: bool
    decimal_comma: bool
    repeat: int
    options: ReadOptions


def cells(draw: Callable, kind: str, n: int) -> list[str]:
    """Cells of a column of one kind."""
    several = {
        "whole": st.integers(-3, 40).map(str),
        "large": st.sampled_from(["9007199254740993", "9223372036854775807", "18446744073709551615", "1"]),
        "padded": st.sampled_from(["007", "7", "+5", "08", "-0", "1_0", "12"]),
        "decimal": st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: f"{value:.4g}"),
        "mixed": st.sampled_from(["1", "2.50", "0.1", "1e5", "-3.25E-2", ".5", "5."]),
        "comma": st.sampled_from(["0,5", "1,25", "-2,75", "3", "1000,5"]),
        "thousands": st.sampled_from(["1,234", "12,345", "7"]),
        "gaps": st.sampled_from(["1", "", "NA", "2.5", "nan", "?"]),
        "date": st.sampled_from(["2024-05-07", "1999-12-31", "2001-02-03"]),
        "flag": st.sampled_from(["True", "False"]),
        "name": st.sampled_from(PEOPLE),
        "odd": st.sampled_from(PEOPLE + ODD),
        "empty": st.just(""),
    }[kind]
    return [draw(several) for _ in range(n)]


KINDS = ["whole", "large", "padded", "decimal", "mixed", "comma", "thousands", "gaps", "date", "flag", "odd", "empty"]
KINDS += ["name", "name", "whole"]


@st.composite
def written(draw: Callable) -> Written:
    width, n = draw(st.integers(1, 4)), draw(st.integers(1, 7))
    # In one column, "0,5" without quotes would be two cells.
    separator = draw(st.sampled_from(SEPARATORS)) if width > 1 else ","
    kinds = [draw(st.sampled_from(KINDS)) for _ in range(width)]
    if draw(st.booleans()):
        kinds[:2] = [draw(st.sampled_from(["name", "whole"]))] * len(kinds[:2])
    columns = [cells(draw, kind, n) for kind in kinds]
    rows = [[*row] for row in zip(*columns, strict=True)]
    repeat = draw(st.sampled_from([1] * 9 + [400]))
    header = draw(st.none() | st.lists(st.sampled_from(HEADERS), min_size=width, max_size=width, unique=True))
    quoting = draw(st.sampled_from(["minimal", "minimal", "all"]))
    end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    padding = draw(st.sampled_from(["", "", " ", "  "]))
    trailing = separator is not None and draw(st.integers(0, 5)) == 0
    lines = []
    for row in [*([header] if header else []), *rows]:
        texts = [_quote(cell, separator, quoting, width) for cell in row]
        if separator is None:
            lines.append(padding + draw(st.sampled_from([" ", "  ", "\t"])).join(texts) + padding)
        else:
            lines.append((separator + padding).join(texts) + (separator if trailing else ""))
        if draw(st.integers(0, 12)) == 0 and width > 1:
            lines.append(draw(st.sampled_from(["", "  "])))
    remarks = draw(st.lists(st.sampled_from(["# made by hand", "% asym", "", "# a, b", "#", "## x"]), max_size=3))
    lines = lines[: bool(header)] + lines[bool(header) :] * repeat
    text = end.join([*remarks, *lines]) + draw(st.sampled_from([end, end, ""]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16"]))
    suffixes = {",": [".csv", ".txt"], ";": [".csv", ".txt"], "\t": [".tsv", ".csv", ".txt"], "|": [".csv", ".txt"]}
    name = "t" + draw(st.sampled_from(suffixes.get(separator or "", [".txt", ".edges"])))
    content = text.encode(encoding)
    packer = draw(st.sampled_from([None, None, None, (".gz", gzip.compress), (".bz2", bz2.compress)]))
    if packer:
        name, content = name + packer[0], packer[1](content)
    say = draw(st.booleans())
    roles = draw(st.sampled_from([{}, {}, {}, {"label": header[0] if header else "1"}]))
    return Written(
        header,
        [[cell.strip() for cell in row] for row in rows],
        content,
        name,
        separator,
        quoting == "minimal" and not padding and not trailing and not any(kind == "odd" for kind in kinds),
        any(kind in ("comma", "thousands") for kind in kinds),
        repeat,
        ReadOptions.of(columns=roles, separator=(separator or " ") if say else None),
    )


def _quote(cell: str, separator: str | None, quoting: str, width: int) -> str:
    # An empty line would be no row of one column, and another separator one of more.
    special = set('"\r\n' + (separator or " \t") + (" ,;|\t" if width == 1 else ""))
    empty = not cell and (separator is None or width == 1)
    must = special & set(cell) or empty or cell[:1] in ("#", "%") or cell != cell.strip()
    return '"' + cell.replace('"', '""') + '"' if quoting == "all" or must else cell


def check_written(table: Written, tmp_path: Path) -> None:
    path = tmp_path / table.name
    path.write_bytes(table.content)
    try:
        read = read_table(path, table.options)
    except InputError:
        return
    finally:
        path.unlink()
    assert read.header == (table.header is not None), (read.header, table)
    truth = [[*row] for row in table.rows] * table.repeat
    names = table.header or [str(i + 1) for i in range(len(truth[0]))]
    while len(names) > read.frame.shape[1] and not any(row[-1] for row in truth):
        # Columns without a name and without cells at the end are left out.
        assert table.header is None
        truth, names = [row[:-1] for row in truth], names[:-1]
    assert [*read.frame.columns] == names
    same_cells(read, truth)


def same_cells(read: Table, truth: list[list[str]]) -> None:
    """Each cell is the one that was written; a number says what its text said."""
    assert len(read.frame) == len(truth)
    commas = any("decimal comma" in note for note in read.notes)
    for i, name in enumerate(read.frame.columns):
        column, expected = read.frame[name], [row[i] for row in truth]
        if column.dtype == np.int64:
            assert [*map(str, column)] == expected
        elif column.dtype == np.float64:
            plain = [cell.replace(",", ".") if commas else cell for cell in expected]
            np.testing.assert_allclose(column, [*map(float, plain)], rtol=1e-15)
            assert not any(cell.lstrip("-").startswith(("00", "+")) for cell in expected)
        else:
            assert column.dtype == object
            points = [cell.replace(",", ".") for cell in expected]
            assert column.tolist() == expected or (commas and column.tolist() == points)


def test_every_row_and_cell_that_was_written(tmp_path: Path):
    search(written(), lambda table: check_written(table, tmp_path))


# ---- any text -------------------------------------------------------------------------------------------

PIECES = [
    "a",
    "b",
    "1",
    "2",
    "0.5",
    "0,5",
    "07",
    "#",
    "%",
    '"',
    '""',
    ",",
    ",",
    ";",
    "\t",
    "|",
    " ",
    "\n",
    "\n",
    "\r\n",
    "\r",
]
PIECES += [
    "source",
    "target",
    "id",
    ".",
    "-",
    "é",
    "\x0b",
    "\xa0",
    "\ufeff",
    "# x\n",
    "1,2\n",
    "1 2\n",
    "a;b\n",
    "NA",
    "'",
]
CONTENT = st.lists(st.sampled_from(PIECES), min_size=1, max_size=30).map("".join)
LINES = st.tuples(st.sampled_from([",", ";", " ", "\t"]), st.data())


@st.composite
def any_text(draw: Callable) -> tuple[str, str, str | None]:
    """A table with a few faults, or no table at all."""
    suffix, separator = (
        draw(st.sampled_from([".csv", ".tsv", ".txt"])),
        draw(st.sampled_from([None, None, ",", ";", " "])),
    )
    if draw(st.booleans()):
        return draw(CONTENT), suffix, separator
    mark = draw(st.sampled_from([",", ";", " ", "\t"]))
    cell = st.sampled_from(
        ["a", "b", "1", "2", "0.5", "0,5", '"a"', '"b""c"', '"a\nb"', "#a", "", "%", "id", "to", '"', "x y"]
    )
    width = draw(st.integers(1, 3))
    lines = [mark.join(draw(cell) for _ in range(width)) for _ in range(draw(st.integers(1, 6)))]
    text = draw(st.sampled_from(["\n", "\r\n", "\r"])).join(lines)
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.sampled_from(PIECES)) + text[place:]
    return text, suffix, separator


def check_any(text: str, suffix: str, separator: str | None, tmp_path: Path) -> None:
    path = tmp_path / f"t{suffix}"
    path.write_bytes(text.encode())
    options = ReadOptions.of(separator=separator)
    try:
        read = read_table(path, options)
    except InputError:
        return
    with open_text(path) as opened:
        mark = find_layout(path, plain_suffix(path), read_sample(opened), options).separator
    lines = [*io.StringIO(text.removeprefix("\ufeff"), newline="")]
    begin = int(read.where(0).removeprefix("line ")) - 1
    check_skipped(read, lines[:begin], mark)
    body = "".join(lines[begin:])
    own = pandas_rows(body, mark)
    assert own == python_rows(body, mark)
    width = read.frame.shape[1]
    assert not any(cell for row in own for cell in row[width:])
    same_cells(read, [row[:width] for row in own])
    for i in {0, len(own) // 2, len(own) - 1}:
        line = int(read.where(i).removeprefix("line ")) - 1
        assert own[i][0] in lines[line] or '"' in lines[line]
    if width in (2, 3) and '"' not in body and len(own[0]) == width:
        check_networkx(read, body, mark)


def check_skipped(read: Table, lines: list[str], mark: str | None) -> None:
    """What stands before the first row is blank, a comment that is counted, or the header."""
    content = [line for line in lines if line.strip()]
    counted = next((int(note.split()[0]) for note in read.notes if "comments skipped" in note), 0)
    comments = [line for line in content if line.startswith(("#", "%"))]
    header = [line for line in content if line not in comments]
    if read.header:
        # Its cells may hold line breaks; it may begin with a mark itself.
        alone = bool(header) and len(pandas_rows("".join(header), mark)) == 1
        assert alone or len(comments) == counted + 1
    else:
        assert not header
        assert len(comments) == counted


def pandas_rows(text: str, mark: str | None) -> list[list[str]]:
    if '"' not in text:  # pandas counts a row more where spaces or a blank line follow \\r alone
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    frame = pd.read_csv(
        io.StringIO(text, newline=""),
        sep=mark or r"\s+",
        header=None,
        dtype=str,
        keep_default_na=False,
        skipinitialspace=True,
    )
    return [[cell.strip() for cell in row] for row in frame.to_numpy(object).tolist()]


def python_rows(text: str, mark: str | None) -> list[list[str]]:
    if mark is None and '"' in text:
        return pandas_rows(text, mark)
    if mark is None:
        return [row for line in io.StringIO(text, newline="") if (row := line.split())]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True, strict=True)
    return [[cell.strip() for cell in row] for row in rows if len(row) > 1 or "".join(row).strip(" \t")]


def check_networkx(read: Table, text: str, mark: str | None) -> None:
    """The same edges in the same order, where every line is one edge for networkx too."""
    lines = [line for line in io.StringIO(text, newline="") if line.strip(" \r\n" if mark == "\t" else " \t\r\n")]
    graph = nx.parse_edgelist(
        [line.rstrip("\r\n") for line in lines], comments=None, delimiter=mark, create_using=nx.MultiDiGraph, data=False
    )
    edges = sorted((u.strip(), v.strip()) for u, v in graph.edges())
    rows = [line.rstrip("\r\n").split(mark)[:2] for line in lines]
    assert edges == sorted((u.strip(), v.strip()) for u, v in rows)
    assert len(read.frame) == len(edges)


def test_any_text_as_pandas_and_networkx_read_it(tmp_path: Path):
    search(any_text(), lambda drawn: check_any(*drawn, tmp_path), 250)
