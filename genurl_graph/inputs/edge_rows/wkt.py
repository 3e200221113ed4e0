"""Lines of a column of cells: text as ``LINESTRING (15.5 58.4, 15.6 58.4)``, or objects of shapely."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.edge_rows.geometry import Lines

_START = re.compile(r"\s*(?:SRID=\d+;\s*)?(MULTI)?LINESTRING\b", re.IGNORECASE)
# What stands between the outermost brackets of one line. Several lines of one edge (MULTILINESTRING) are no line.
_TEXT = r"(?i)^\s*(?:SRID=\d+;\s*)?LINESTRING\s*(?:ZM|Z|M)?\s*\(([^()]*)\)\s*$"
NAMES = ("geometry", "wkt", "geom", "the_geom", "wkt_geom", "linestring")


def find_geometry(frame: pd.DataFrame) -> str | None:
    """The column that holds lines: the first of `NAMES`, or the only other one whose first cell is a line."""
    for name in sorted(map(str, frame.columns), key=lambda each: each.lower() not in NAMES):
        some = frame[name].dropna()
        if len(some) and _is_line(some.iloc[0]):
            return name
    return None


def read_lines(cells: pd.Series, where: str) -> Lines:
    """Lines of m cells; a cell that is missing, or that holds no single line, gives a line without points.

    Parameters
    ----------
    cells : Series
        Text (WKT) or objects of shapely. A third coordinate is left out.
    where : str
        What they come from, for messages.

    Raises
    ------
    InputError
        Coordinates that are no numbers.

    Examples
    --------
    >>> read_lines(pd.Series(["LINESTRING (0 0, 1 2, 3 4)", None]), "roads").ptr.tolist()
    [0, 3, 3]
    """
    some = cells.dropna()
    if len(some) and not isinstance(some.iloc[0], str):
        return _of_shapely(cells)
    text = cells.astype(object).where(cells.notna(), "").astype(str).str.extract(_TEXT)[0].fillna("").str.strip()
    count = np.where(text == "", 0, text.str.count(",") + 1).astype(np.int64)
    words = " ".join(text).replace(",", " ").split()
    try:
        values = np.array(words, dtype=np.float64)
    except ValueError as error:
        raise wrong(where, str(error), "lines of numbers such as LINESTRING (15.5 58.4, 15.6 58.4)") from error
    # Each line has its own number of coordinates a point: 2, or 3 with heights, or 4.
    width = np.where(count > 0, _words_of(text) // np.maximum(count, 1), 0)
    if (width * count).sum() != len(values) or ((count > 0) & (width < 2)).any():
        raise wrong(where, "points that have not all the same number of coordinates", "x and y of each point")
    each = np.repeat(width, count)
    first = np.cumsum(each) - each
    points = values[first[:, None] + np.arange(2)]
    return Lines(torch.from_numpy(points), torch.from_numpy(np.append(0, np.cumsum(count))))


def _words_of(text: pd.Series) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = text.str.replace(",", " ").str.split().str.len().to_numpy(np.int64)
    return found


def _is_line(cell: object) -> bool:
    if isinstance(cell, str):
        return _START.match(cell) is not None
    return getattr(cell, "geom_type", None) in ("LineString", "MultiLineString", "LinearRing")


def _of_shapely(cells: pd.Series) -> Lines:
    import shapely  # whoever has its objects has it

    held = cells.to_numpy(object, na_value=None)
    single = np.isin(shapely.get_type_id(held), [1, 2])  # LineString, LinearRing
    points, line = shapely.get_coordinates(np.where(single, held, None), return_index=True)
    count = np.bincount(line, minlength=len(held)).astype(np.int64)
    return Lines(torch.from_numpy(points.astype(np.float64)), torch.from_numpy(np.append(0, np.cumsum(count))))
