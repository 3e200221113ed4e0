"""Whether the first row of a table is a header."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.cells import is_missing, is_number, is_whole

# Words in the names of columns.
ID_WORDS = frozenset(
    "id ids index key node nodes vertex user item source src from target dst to sender receiver head tail".split()
)
WORDS = ID_WORDS | frozenset(
    "name label labels class weight weights time timestamp unixtime date type kind value values count rating score "
    "year month day edge relation predicate subject object category group age gender sex title country city feature "
    "attribute attr distance timeset interval cluster community color colour size status note description text".split()
)
# First names of tables of ids and labels.
_FIRST = frozenset({"id", "index", "name", "node", "node_id", "nodeid", "label", "labels", "class"})

_IDENTIFIER = re.compile(r"[^\W\d][\w .:()/%#\[\]-]*")
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_NUMBERED = re.compile(r"(.*?)[ _.-]?([12ABab])")
_DATE = re.compile(r"\d{4}-\d\d-\d\d.*")
_DECIMAL = re.compile(r"[+-]?\d*,\d+")


def is_name(cell: str) -> bool:
    """Whether a cell is what columns are called: a word such as weight or from, or one with such a part."""
    return _IDENTIFIER.fullmatch(cell) is not None and any(part.lower() in WORDS for part in _PARTS.findall(cell))


def is_id_name(name: str) -> bool:
    """Whether a column of this name holds ids."""
    parts = [part.lower() for part in _PARTS.findall(name)]
    return bool(parts) and (parts[-1] in ID_WORDS or (len(parts) == 1 and parts[0] in {"label", "class", "type"}))


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
    first, below = rows[0], rows[1:]
    given = [name for names in options.columns.values() for name in names]
    named = [name for name in given if not is_whole(name)]
    if any(name in first for name in named):
        return True
    found = _decide(first, below)
    if found is None and given:
        # Names that no column has are refused, with the names that there are.
        return bool(named)
    return found


def _decide(first: list[str], below: list[list[str]]) -> bool | None:
    columns = [[row[i] for row in below if i < len(row) and not is_missing(row[i])] for i in range(len(first))]
    if any(is_number(cell) and not is_missing(cell) for cell in first):
        return _numbered(first, columns)
    if not below:
        return all(map(is_name, first))
    if all(map(is_missing, first)):
        return False
    differs = [_differs(cell, column) for cell, column in zip(first, columns, strict=True)]
    if any(differs):
        return True
    # Cells that occur below, in whichever column, are values; a column's own name does not.
    seen = {cell for row in below for cell in row}
    occurs = [cell for cell in first if cell in seen and not is_missing(cell)]
    if occurs:
        names = all(map(is_name, first))
        return None if names else False
    if _is_known(first):
        return True
    return True if _shapes_differ(first, columns) else None


def _numbered(first: list[str], columns: list[list[str]]) -> bool:
    """Whether a row with numbers in it numbers the columns."""
    named = not first[0] or first[0].lower() in _FIRST
    numbers = first[1:] if named else first
    if not all(map(is_whole, numbers)) or not columns[0]:
        return False
    if named and not first[0]:
        return True
    start = int(numbers[0])
    consecutive = start in (0, 1) and [*map(int, numbers)] == [*range(start, start + len(numbers))]
    if not consecutive or (named and first[0] in columns[0]):
        return False
    decimals = all(column and not all(map(is_whole, column)) and all(map(is_number, column)) for column in columns)
    return named or len(numbers) >= 8 or (len(numbers) >= 3 and decimals)


def _differs(cell: str, column: list[str]) -> bool:
    """Whether all cells below are of a kind, numbers or dates, that this one is not."""
    if not column or is_missing(cell):
        return False
    kinds: Sequence[Callable[[str], object]] = (is_number, _DECIMAL.fullmatch, _DATE.fullmatch)
    return any(all(map(kind, column)) and not kind(cell) for kind in kinds)


def _is_known(first: list[str]) -> bool:
    """Whether these are the names of columns by themselves."""
    if first[0].lower() in _FIRST or (not first[0] and len(first) > 1) or all(map(is_name, first)):
        return True
    if not all(_IDENTIFIER.fullmatch(cell) for cell in first):
        return False
    numbered = [match for match in map(_NUMBERED.fullmatch, first) if match and match[1]]
    stems = [match[1] for match in numbered]
    # drug1 and drug2, node_a and node_b
    if any(a[1] == b[1] and a[2] in "1Aa" and b[2] in "2Bb" for a in numbered for b in numbered) and stems:
        return True
    lower = [cell.lower() for cell in first]
    return any(cell.endswith("id") for cell in lower) and sum(map(is_name, first)) * 2 >= len(first)


def _shapes_differ(first: list[str], columns: list[list[str]]) -> bool:
    """Whether cells below have figures in the same places, as in user-017, and the first row has not."""
    shapes = [{_shape(cell) for cell in column} if len(column) > 4 else set() for column in columns]
    common = [next(iter(shape)) if len(shape) == 1 else "" for shape in shapes]
    compared = [(_shape(cell), shape) for cell, shape in zip(first, common, strict=True) if "9" in shape]
    return bool(compared) and all(a != b and "9" not in a for a, b in compared)


def _shape(cell: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", cell))
