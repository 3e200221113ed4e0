"""Whether the first row of a table is a header, and whether others are rows after all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

import numpy as np
import pandas as pd

from genurl_graph.datasets.readers.text.lines import MARKS
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables import names
from genurl_graph.inputs.tables.cells import is_missing, is_number, is_whole
from genurl_graph.inputs.tables.table import Table

_WORDS = {word for pair in names.SIDES for word in pair if len(word) > 1} | names.GENERIC | names.KINDS
_WORDS |= {
    *names.WEIGHT,
    *names.LABELS,
    "weights",
    "rel",
    "relation",
    "predicate",
    "timeset",
    "interval",
    "description",
}
_WORDS |= names.GRAPHS | names.STRENGTH | names.TIMES | names.DISTANCES | names.MEASURES | names.PERHAPS_LABELS

_IDENTIFIER = re.compile(r"[^\W\d][\w .:()/%#\[\]-]*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d.*")
_DECIMAL = re.compile(r"[+-]?\d*,\d+")


def is_name(cell: str) -> bool:
    """Whether a cell is what columns are called: a word such as weight or from, or one with such a part."""
    return _IDENTIFIER.fullmatch(cell) is not None and any(
        word in _WORDS for word in names.words(cell) if len(word) > 1
    )


def is_id_name(name: str) -> bool:
    """Whether a column of this name holds ids or labels."""
    if not name:
        return False
    sides = {word for pair in names.SIDES for word in pair}
    known = names.is_id(name) or names.is_label(name) or names.is_graph(name)
    return known or name.strip().lower() in sides


def decide_header(rows: list[list[str]], options: ReadOptions) -> bool | None:
    """Whether the first row of a sample holds the names of the columns.

    Parameters
    ----------
    rows : list of list of str
        Stripped cells.
    options : ReadOptions
        Roles of columns by their names, or by their numbers where there is no header.

    Returns
    -------
    bool or None
        None: it may be either; a row if its cells occur below, where the sample does not reach.
    """
    # A separator at the end of every line makes no column.
    filled = max((i for row in rows for i, cell in enumerate(row, start=1) if cell), default=1)
    rows = [row[:filled] for row in rows]
    first, below = rows[0], rows[1:]
    given = [name for names in options.columns.values() for name in names]
    if any(name in first for name in given if not is_whole(name)):
        return True
    found = _decide(first, below)
    # Names that are not here are those of another table.
    return False if found is None and any(map(is_whole, given)) else found


def check_overlap(table: Table, first: list[str]) -> None:
    """Refuse a first row that may be a header: none of its cells occurs below, nor are its names those of columns."""
    below = table.frame.iloc[1:]
    texts = [column for column in below if below[column].dtype == object]
    differs = any(_differs(cell, below[column]) for column, cell in zip(below, first, strict=False) if column in texts)
    for cell in first if not differs and not all(map(is_name, first)) else []:
        if not is_missing(cell) and any((below[column] == cell).any() for column in texts):
            return
    _refuse_first(table, first, table.where(0))


def _refuse_first(table: Table, first: list[str], where: str) -> NoReturn:
    row = ", ".join(first[:4]) + (", ..." if len(first) > 4 else "")
    roles = ("source", "target") if len(first) > 1 else ("label",)
    named = " ".join(f"--column {role}={cell}" for role, cell in zip(roles, first, strict=False))
    numbered = " ".join(f"--column {role}={number}" for number, role in enumerate(roles, start=1))
    expected = f"{named} for names, {numbered} for a row"
    raise wrong(f"{table.name}: {where}", f"{row}: names of columns, or a row", expected)


def check_names(table: Table) -> None:
    """Refuse a header if the name of a column of text occurs below."""
    texts = table.frame.select_dtypes(object)
    for name in map(str, texts.columns):
        # The ends of edges are in two columns; of many columns only the column itself is looked at.
        for column in texts if texts.shape[1] < 5 else [name]:
            if name and (texts[column] == name).any():
                _refuse_first(table, [*map(str, table.frame.columns)], "the header")


def check_repeat(table: Table) -> None:
    """Refuse a header that stands below again, as in files that were put together."""
    frame = table.frame
    same = np.ones(len(frame), bool)
    for column in frame:
        if frame[column].dtype != object or not same.any():
            return
        same &= (frame[column] == column).to_numpy()
    if same.any():
        raise wrong(f"{table.name}: {table.where(int(same.argmax()))}", "the header again", "one header, or none")


def check_marks(table: Table, separator: str | None) -> None:
    """Refuse rows that begin with # or % where they are comments by all appearances."""
    cells = table.frame.iloc[:, 0]
    if cells.dtype != object:
        return
    _, distinct = pd.factorize(cells)
    marked = [cell for cell in distinct if cell.startswith(MARKS)]
    others = [cell for cell in distinct if cell and not cell.startswith(MARKS)]
    alone = [cell for cell in marked if len(cell) == 1] if separator is None else []
    odd = alone or (marked if others and all(map(is_number, others)) else [])
    if odd:
        line = table.where(int((cells == odd[0]).to_numpy().argmax()))
        raise wrong(f"{table.name}: {line}", f"{odd[0]!r} at its start", "comments only before the first row")


def _decide(first: list[str], below: list[list[str]]) -> bool | None:
    columns = [[row[i] for row in below if i < len(row) and not is_missing(row[i])] for i in range(len(first))]
    if any(_is_figure(cell) and not is_missing(cell) for cell in first):
        return _numbered(first, columns)
    if not below:
        return all(map(is_name, first))
    if all(map(is_missing, first)) or (first[0].startswith(MARKS) and any(row[0][:1] == first[0][:1] for row in below)):
        return False
    differs = [_differs(cell, column) for cell, column in zip(first, columns, strict=True)]
    # Cells that occur below, in whichever column, are values; the name of a column of text does not.
    seen = {cell for row in below for cell in row}
    if any(cell in seen and not is_missing(cell) and not other for cell, other in zip(first, differs, strict=True)):
        return None if any(differs) or all(map(is_name, first)) else False
    if any(differs):
        return True
    if _is_known(first):
        return True
    return True if _shapes_differ(first, columns) else None


def _numbered(first: list[str], columns: list[list[str]]) -> bool | None:
    """Whether a row with numbers in it numbers the columns."""
    named = names.is_id(first[0]) or names.is_label(first[0])
    numbers = first[1:] if named else first
    if not numbers or not all(map(is_whole, numbers)) or not columns[0]:
        return False
    consecutive = _consecutive(numbers, (0, 1))
    if not first[0]:
        # pandas writes an index without a name; a cell may be empty as well.
        index = _consecutive(columns[0], (0,)) and len(columns[0]) > 1
        return True if consecutive and (index or len(numbers) > 2) else None
    if not consecutive or (named and first[0] in columns[0]):
        # id,2019,2020
        return None if named and _differs(first[0], columns[0]) else False
    decimals = all(column and not all(map(is_whole, column)) and all(map(is_number, column)) for column in columns)
    return named or len(numbers) >= 8 or (len(numbers) >= 3 and decimals)


def _consecutive(cells: Sequence[str], starts: Sequence[int]) -> bool:
    return any([*cells] == [*map(str, range(start, start + len(cells)))] for start in starts)


def _differs(cell: str, column: Iterable[str]) -> bool:
    """Whether all cells below are of a kind, numbers or dates, that this one is not."""
    if not re.match(r"[^\W\d]", cell) or is_missing(cell):
        return False
    column = [each for each in column if not is_missing(each)]
    kinds: Sequence[Callable[[str], object]] = (_is_figure, _DATE.fullmatch)
    return bool(column) and any(all(map(kind, column)) and not kind(cell) for kind in kinds)


def _is_figure(cell: str) -> bool:
    return is_number(cell) or _DECIMAL.fullmatch(cell) is not None


def _is_known(first: list[str]) -> bool:
    """Whether these are the names of columns by themselves."""
    if all(map(is_name, first)) or (not first[0] and len(first) > 1 and all(map(is_name, first[1:]))):
        return True
    if not all(map(_IDENTIFIER.fullmatch, first)):
        return False
    # Nodes may be called a, b, u and v.
    pair = names.find_pair(first)
    if pair is not None and min(len(pair.source), len(pair.target)) > 1:
        return True
    return len(first[0]) > 1 and (names.is_id(first[0]) or names.is_label(first[0]))


def _shapes_differ(first: list[str], columns: list[list[str]]) -> bool:
    """Whether cells below have figures at the same positions, as in user-017, and the first row has not."""
    shapes = [{_shape(cell) for cell in column} if len({*column}) > 4 else set() for column in columns]
    common = [next(iter(shape)) if len(shape) == 1 else "" for shape in shapes]
    compared = [(_shape(cell), shape) for cell, shape in zip(first, common, strict=True) if "9" in shape]
    return bool(compared) and all(a != b and "9" not in a for a, b in compared)


def _shape(cell: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", cell))
