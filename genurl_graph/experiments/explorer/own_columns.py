"""A user's own columns to colour the explorer by."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.exceptions import InputError, wrong

if TYPE_CHECKING:
    from genurl_graph.plotting.explorer.colours import Column

DELIMITERS = {".csv": ",", ".tsv": "\t"}


def read_columns(path: Path, names: Sequence[str]) -> "list[Column]":
    """A user's own columns, of a table with a header, in the order of the nodes `names`.

    Rows are matched by the first column where that is called id, node, node_id, name, index or nothing; nodes without a
    row, and empty cells, are unknown. Else there is a row for each node, in order. A column whose cells are all
    numbers is one of numbers.

    Raises
    ------
    InputError
        An unreadable file, no header, rows of unequal length, ids that are unknown or repeated, other than n rows.
    """
    import pandas

    from genurl_graph.inputs.tables.cells import is_number
    from genurl_graph.plotting.explorer.colours import column

    what, delimiter = f"--columns {path}", DELIMITERS.get(path.suffix.lower())
    if delimiter is None:
        raise wrong(what, f"suffix {path.suffix!r}", f"one of {', '.join(DELIMITERS)}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            first, *rows = [row for row in csv.reader(stream, delimiter=delimiter) if row] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{what}: cannot be read: {error}") from error
    if not rows:
        raise wrong(what, "no rows", "a header and a row for each node")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(first):
            raise wrong(what, f"row {number} with {len(row)} cells", f"{len(first)}, as in the header")
    header, table = [name.strip() for name in first], pandas.DataFrame(rows)
    if any(is_number(name) for name in header):
        raise wrong(what, "numbers in the first row", "a header with the names of the columns")
    if header[0].lower() in ("", "id", "index", "name", "node", "node_id", "nodeid"):
        ids, header = table[0], header[1:]
        for problem, where in (("an id of no node", ~ids.isin(names)), ("an id in two rows", ids.duplicated())):
            if where.any():
                raise wrong(
                    what, f"{ids[where].iloc[0]!r}, {problem}", f"ids of nodes, such as {names[0]!r}, each once"
                )
        table = table.set_index(0).reindex(names, fill_value="")
    elif len(table) != len(names):
        raise wrong(
            what, f"{len(table):,} rows for {len(names):,} nodes", "a row for each node, or a first column 'id'"
        )
    if not header:
        raise wrong(what, "ids alone", "columns beside them")
    columns = []
    for name, cells in zip(header, table.to_numpy().T, strict=True):
        values: Any = [cell.strip() for cell in cells]
        if any(values) and all(map(is_number, filter(None, values))):
            values = [float(cell) if cell else float("nan") for cell in values]
        columns.append(column(name, f"From {path.name}", values))
    return columns
