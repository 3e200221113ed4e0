"""A user's own columns in the explorer: a table beside the embedding, and that of the data's features."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.exceptions import InputError, wrong

if TYPE_CHECKING:
    import pandas as pd

    from genurl_graph.plotting.explorer.colours import Column

DELIMITERS = {".csv": ",", ".tsv": "\t"}
# Raw feature columns up to which a table of features is shown; a bag of words has more.
MOST_FEATURES = 40


def read_columns(path: Path, names: Sequence[str]) -> "list[Column]":
    """A user's own columns, of a table with a header, in the order of the nodes `names`.

    Rows are matched by the first column where that is called id, node, node_id, name, index or nothing; nodes without a
    row, and empty cells, are unknown. Else there is a row for each node, in order. `column_of_cells` says what a column
    is.

    Raises
    ------
    InputError
        An unreadable file, no header, rows of unequal length, ids that are unknown or repeated, other than n rows.
    """
    import pandas

    from genurl_graph.inputs.tables.cells import is_number

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
        table = table.set_index(0).reindex(names, fill_value="").reset_index(drop=True)
    elif len(table) != len(names):
        raise wrong(
            what, f"{len(table):,} rows for {len(names):,} nodes", "a row for each node, or a first column 'id'"
        )
    if not header:
        raise wrong(what, "ids alone", "columns beside them")
    about = f"From {path.name}"
    return [column_of_cells(name, about, table[key]) for name, key in zip(header, table.columns, strict=True)]


def column_of_cells(name: str, about: str, cells: "pd.Series[Any]") -> "Column":
    """A column of numbers where all cells are numbers, of dates where all are dates, else of text; NA is unknown.

    Dates are read as in a table of features (`genurl_graph.inputs.columns`); where the day cannot be told from the
    month, they stay text.

    Raises
    ------
    InputError
        Infinite numbers.
    """
    from genurl_graph.inputs.columns.cells import as_days, as_numbers, as_words, date_styles
    from genurl_graph.plotting.explorer.colours import Numbers, column

    words = cells if cells.dtype.kind in "iufbmM" else as_words(cells)
    numbers = None if words.dtype.kind in "bmM" else as_numbers(words)
    if numbers is not None and words.notna().any():
        return column(name, about, numbers)
    styles = date_styles(words)
    if len(styles) == 1:
        found = as_days(words, styles[0])
        assert found is not None
        return Numbers(name, about, found, dates=True)
    text = as_words(words)
    return column(name, about, text.where(text.notna(), "").to_numpy(dtype=str))


def feature_columns(data: Any, taken: Sequence[str] = ()) -> "list[Column]":
    """The raw columns of the table that the data's features were read from; none of a table of more than 40.

    Parameters
    ----------
    data
        What was read; `feature_table` is its DataFrame [n, f], where there is one.
    taken : sequence of str
        Names of columns that are there already.
    """
    table, plan = getattr(data, "feature_table", None), getattr(data, "feature_plan", None)
    if table is None or table.shape[1] > MOST_FEATURES or (plan is not None and not plan.named):
        return []
    found = []
    for place, name in enumerate(map(str, table.columns)):
        cells = table.iloc[:, place]
        if name in taken or not cells.notna().any():
            continue
        try:
            found.append(column_of_cells(name, "A feature, as it was read", cells))
        except TypeError:
            continue  # lists and dictionaries, which are no cells
    return found
