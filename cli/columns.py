"""A user's own columns for the explorer: a CSV with one row a node, by id or in order."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.datasets.readers.tables import ID_NAMES, is_number
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from genurl_graph.plotting.explorer.colours import Column

DELIMITERS = {".csv": ",", ".tsv": "\t"}


def read_columns(path: Path, names: Sequence[str]) -> "list[Column]":
    """Columns of a table with a header, in the order of the nodes `names`.

    Rows are matched by the first column where that is called id, node, node_id, name, index or nothing; nodes without a
    row, and empty cells, are unknown. Else there is a row for each node, in order. A column whose cells are all
    numbers is one of numbers.

    Raises
    ------
    InputError
        An unreadable file, no header, rows of unequal length, ids that are unknown or repeated, other than n rows.
    """
    header, rows = _read(path)
    n = len(names)
    named = header[0].lower() in ID_NAMES
    if named:
        place = {name: i for i, name in enumerate(names)}
        ids = [row[0] for row in rows]
        strange = next((name for name in ids if name not in place), None)
        if strange is not None:
            raise InputError(f"--columns {path}: {header[0] or 'id'} {strange!r} is no node, e.g. {names[0]!r} is")
        if len(set(ids)) < len(ids):
            twice = next(name for i, name in enumerate(ids) if name in ids[:i])
            raise InputError(f"--columns {path}: {header[0] or 'id'} {twice!r} occurs more than once")
        positions = [place[name] for name in ids]
    else:
        if len(rows) != n:
            raise InputError(
                f"--columns {path}: {len(rows):,} rows for {n:,} nodes; a first column 'id' names those of fewer rows"
            )
        positions = list(range(n))
    found = []
    for number in range(1 if named else 0, len(header)):
        cells = [""] * n
        for position, row in zip(positions, rows, strict=True):
            cells[position] = row[number].strip()
        found.append(_column(path, header[number], cells))
    if not found:
        raise InputError(f"--columns {path}: no columns beside the ids")
    return found


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    if path.suffix.lower() not in DELIMITERS:
        raise InputError(f"--columns {path}: suffix {path.suffix!r}, expected one of {', '.join(DELIMITERS)}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = [row for row in csv.reader(stream, delimiter=DELIMITERS[path.suffix.lower()]) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"--columns {path}: cannot be read: {error}") from error
    if len(rows) < 2:
        raise InputError(f"--columns {path}: {len(rows)} rows, expected a header and a row for each node")
    header = [name.strip() for name in rows[0]]
    if any(is_number(name) for name in header):
        raise InputError(f"--columns {path}: the first row holds numbers, expected a header with the names of columns")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise InputError(f"--columns {path}: row {number} has {len(row)} cells, the header {len(header)}")
    return header, rows[1:]


def _column(path: Path, name: str, cells: list[str]) -> "Column":
    from genurl_graph.plotting.explorer.colours import column

    values: Any = cells
    if all(map(is_number, filter(None, cells))) and any(cells):
        values = [float(cell) if cell else float("nan") for cell in cells]
    return column(name, f"From {path.name}", values)
