"""A table as it was read, before anybody decides what its columns are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from genurl_graph.exceptions import InputError, unknown


class NoRowsError(InputError):
    """A table that has a header alone: one of many files may."""


def _row(row: int) -> str:
    return f"row {row}"


@dataclass(frozen=True)
class Table:
    """Columns of a text file, a Parquet file or a DataFrame.

    Attributes
    ----------
    name : str
        Of the file or argument, for messages.
    frame : DataFrame
        Its columns are named by str, each name once; those of a file without a header by their number, from 1. A column
        of a text file whose cells are all numbers in their usual form is int64 or float64; every other one is object:
        the cells as text, without spaces around them, "" where a cell is empty. Nothing is taken for missing yet.
        Columns of a Parquet file or DataFrame keep their dtypes.
    header : bool
        Whether the names are the user's.
    where : callable
        Says where row i (from 0) stands: "line 7" of a file, "row 5" of a DataFrame.
    notes : tuple of str
        How it was read, where the user may want to know: "2 lines of comments skipped", "decimal comma in column 3".
    """

    name: str
    frame: pd.DataFrame
    header: bool = True
    where: Callable[[int], str] = _row
    notes: tuple[str, ...] = ()

    def title(self, column: str) -> str:
        """Name of a column for messages: "column 2 ('age')"."""
        position = self.frame.columns.get_loc(column) + 1
        return f"column {position} ({column!r})" if self.header else f"column {position}"

    def called(self, column: str) -> str:
        """Name of a column in what is read: "age", or "column 2" without a header."""
        return column if self.header else f"column {column}"

    def find(self, column: str) -> str:
        """The column of this name; InputError with the nearest name if there is none."""
        names = [*map(str, self.frame.columns)]
        if column not in names:
            raise unknown(f"{self.name}: column", column, names)
        return column
