"""A graph as its file holds it: nodes, edges, and the attributes of either."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

# Names of attributes of edges that hold weights, without case, spaces and underscores.
WEIGHT_NAMES = ("weight", "edgeweight", "weights")


@dataclass
class FileGraph:
    """Nodes and edges of a file, before anybody decides what their attributes are.

    Attributes
    ----------
    kind : str
        The format, for the user's eyes: "GraphML".
    source, target : int64 arrays [m]
        Positions of the nodes, one entry a line or element of the file; an undirected edge stands there once.
    directed : bool
    ids : list of str, n
        Of the nodes, as the file has them.
    nodes, edges : DataFrame, n and m rows
        Their attributes. Columns of numbers where all values are numbers, else object; None where there is none.
    weight_names : tuple of str
        Names of the attribute that holds the weights, without case, spaces and underscores.
    name_names : tuple of str
        Names of attributes that may hold the names of nodes; those of GML never hold classes.
    notes : list of str
        What else the user should know.
    layout : list of str
        Attributes that say how the graph was drawn, of those that the reader has already left out.
    own : dict
        Attributes of the graph itself.
    key : list of str, or None
        Of each edge, where the file tells parallel edges apart.
    """

    kind: str
    source: npt.NDArray[np.int64]
    target: npt.NDArray[np.int64]
    directed: bool
    ids: list[str]
    nodes: pd.DataFrame
    edges: pd.DataFrame
    weight_names: tuple[str, ...] = WEIGHT_NAMES
    names_only: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    layout: list[str] = field(default_factory=list)
    own: dict[str, Any] = field(default_factory=dict)
    key: list[str] | None = None


def attribute_frame(rows: Sequence[dict[str, Any]], defaults: dict[str, Any] | None = None) -> pd.DataFrame:
    """Attributes of nodes or edges, one dictionary each, as columns in the order of their first appearance."""
    keys: dict[str, None] = {}
    for row in rows:
        keys.update(dict.fromkeys(row))
    filled = defaults or {}
    columns = {key: [row.get(key, filled.get(key)) for row in rows] for key in keys}
    return frame_of({str(key): as_column(values) for key, values in columns.items()}, len(rows))


def frame_of(columns: dict[str, npt.NDArray[Any]], n: int) -> pd.DataFrame:
    """Columns of n rows as they are: text stays a column of objects."""
    series = {key: pd.Series(values, dtype=values.dtype, index=range(n)) for key, values in columns.items()}
    return pd.DataFrame(series, index=range(n))


def as_column(values: Sequence[Any]) -> npt.NDArray[Any]:
    """Values as int64 or float64 where all are numbers (None: NaN), else as objects."""
    kinds = {type(value) for value in values}
    if kinds <= {bool, int} and kinds:
        try:
            return np.array(values, dtype=np.int64)
        except OverflowError:
            return np.array(values, dtype=np.float64)
    if kinds <= {bool, int, float, type(None)} and kinds != {type(None)}:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    column = np.empty(len(values), dtype=object)
    column[:] = [str(value) if isinstance(value, (list, tuple, dict)) else value for value in values]
    return column


def plain_name(name: str) -> str:
    """A name without case, spaces and underscores: "Edge Weight" and "edge_weight" are one."""
    return re.sub(r"[\s_-]", "", name).lower()


def as_numbers(values: npt.NDArray[Any]) -> npt.NDArray[np.float64] | None:
    """Values as float64, also those of text ("" and None: NaN); None if some are no numbers."""
    if values.dtype.kind in "biuf":
        return values.astype(np.float64)
    blank = np.array([value is None or value == "" for value in values])
    try:
        return np.where(blank, "nan", values).astype(np.float64)
    except (ValueError, TypeError):
        return None
