"""DataFrames, and lists of pairs: a table of edges, one of edges and one of nodes, or vectors."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.assemble import read_tables
from genurl_graph.inputs.tables.names import is_id, is_label
from genurl_graph.inputs.tables.nodes import NodeTable
from genurl_graph.inputs.tables.roles import decide
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import as_ids

# Options of the command line in messages, and how a Python user says them.
_SPOKEN = (
    (re.compile(r"--column (\w+)=(\.\.\.|[\w.-]+)"), r'columns={"\1": "\2"}'),
    (re.compile(r"--column (\w+)"), r'columns["\1"]'),
    (re.compile(r"--as (\w+)"), r'as_="\1"'),
    (re.compile(r"--undirected"), "directed=False"),
    (re.compile(r"--directed"), "directed=True"),
)


def from_frames(frame: pd.DataFrame, nodes: Any, options: ReadOptions, *, fitted: bool = False) -> Any:
    """A PyG ``Data`` of a DataFrame: its edges, with a table of nodes or without, or its rows as vectors.

    Parameters
    ----------
    frame : DataFrame
        Edges, with a column for each end, or vectors, with a column for each feature
        (`genurl_graph.inputs.tables.roles.decide` tells which, or refuses).
    nodes : DataFrame or None
        A row a node: ids (a column, or the index), features, labels. With it, `frame` holds edges.
    options : ReadOptions
    fitted : bool
        Whether rows are new ones of a fitted model, which knows what becomes of every column.

    Raises
    ------
    InputError
        Where two readings are possible, a column does not exist, or a cell does not fit; options in the message are
        those of Python.
    """
    from torch_geometric.data import Data

    if fitted and options.reading == "vectors" and nodes is None:
        return Data(num_nodes=len(frame), feature_table=frame.reset_index(drop=True))
    table = as_table(frame, "DataFrame" if nodes is None else "edges")
    with in_python():
        features, labels = (None, None) if nodes is None else nodes_of(nodes, options)
        data = read_tables(table, features, labels, options)
    told = data.reading.record.get("vectors")
    if told is not None:
        return _as_vectors(data, frame, told, options)
    source = frame.iloc[:, [*map(str, frame.columns)].index(data.reading.record["edges"]["source"])]
    if "node_id" in data and _is_whole(source):
        # As the user's tables have them, so that they can be joined.
        data.node_id = [*map(int, data.node_id)]
    return data


def from_pairs(pairs: Any, options: ReadOptions) -> Any:
    """A PyG ``Data`` of a list of pairs or triples (source, target, weight).

    Pairs of whole numbers may be points: `genurl_graph.inputs.tables.roles.decide` tells, or refuses, and points come
    back as an array.
    """
    rows = [*pairs]
    widths = {*map(len, rows)}
    if len(widths) != 1 or not widths <= {2, 3}:
        found = " and ".join(map(str, sorted(widths)))
        raise wrong("list of edges", f"entries of {found} values", "pairs (source, target) or triples with a weight")
    frame, name = pd.DataFrame(rows), "list of edges"
    if options.reading == "edges" or not all(isinstance(end, int | np.integer) for end in rows[0][:2]):
        return from_columns(frame, options, name)
    table = Table(name, frame.set_axis([str(i + 1) for i in range(frame.shape[1])], axis=1), header=False)
    with in_python():
        if decide(table, options).reading == "vectors":
            return np.asarray(rows)
    return from_columns(frame, options, name)


def from_columns(frame: pd.DataFrame, options: ReadOptions, name: str) -> Any:
    """A PyG ``Data`` of edges whose columns, source, target and perhaps weight, have no names but "1", "2" and "3"."""
    titles = [str(i + 1) for i in range(frame.shape[1])]
    roles = dict(zip(("source", "target", "weight"), ((title,) for title in titles), strict=False))
    table = Table(name, frame.set_axis(titles, axis=1), header=False)
    with in_python():
        data = read_tables(table, options=replace(options, columns={**roles, **options.columns}))
    if "node_id" in data and all(_is_whole(frame.iloc[:, end]) for end in (0, 1)):
        data.node_id = [*map(int, data.node_id)]
    return data


def as_table(frame: pd.DataFrame, name: str) -> Table:
    """A DataFrame as a table: columns named by str, rows by their position."""
    names = [*map(str, frame.columns)]
    twice = next((each for i, each in enumerate(names) if each in names[:i]), None)
    if twice is not None:
        raise wrong(name, f"two columns named {twice!r}", "each name once")
    header = not all(isinstance(each, int) or str(each).isdigit() for each in frame.columns)
    return Table(name, frame.set_axis(names, axis=1).reset_index(drop=True), header)


@contextmanager
def in_python() -> Iterator[None]:
    """Messages of the readers of tables, with options as a Python user gives them."""
    try:
        yield
    except InputError as error:
        message = str(error)
        for pattern, spoken in _SPOKEN:
            message = pattern.sub(spoken, message)
        raise type(error)(message) from None


def _is_whole(cells: Any) -> bool:
    dtype = cells.cat.categories.dtype if isinstance(cells.dtype, pd.CategoricalDtype) else cells.dtype
    return bool(pd.api.types.is_integer_dtype(dtype))


def nodes_of(nodes: pd.DataFrame, options: ReadOptions) -> tuple[Any, Any]:
    """A table of nodes as one of features or of labels; one of ids alone says which nodes there are."""
    table = as_table(with_ids(nodes), "nodes")
    names = [*table.frame.columns]
    ids = [name for name in names if name in options.names("id") or is_id(name)]
    labels = [name for name in names if name in options.names("label") or is_label(name)]
    if {*names} - {*ids, *labels, *options.names("ignore")}:
        return table, None
    if labels or len(ids) != 1:
        return None, table
    found = as_ids(table, ids)[0]
    return NodeTable("nodes", len(found), found), None


def with_ids(nodes: pd.DataFrame) -> pd.DataFrame:
    """A table of nodes whose index, if it names them, is a column."""
    index = nodes.index
    if isinstance(index, pd.RangeIndex) and index.name is None and (index.start, index.step) == (0, 1):
        return nodes
    named = [name for name in nodes.columns if is_id(str(name))]
    if index.name is None and (named or not index.is_unique):
        return nodes
    name = "id" if index.name is None or index.name in nodes else index.name
    if name in nodes:
        return nodes
    return nodes.reset_index(names=name)


def _as_vectors(data: Any, frame: pd.DataFrame, told: Any, options: ReadOptions) -> Any:
    """The ``Data`` of a table of vectors; rows are named by the index, where it has names."""
    label = told.get("label")
    if label is not None and not options.names("label") and not options.names("feature"):
        warnings.warn(
            f"DataFrame: column {label!r} is taken for labels and left out of the features "
            f'(columns={{"label": "{label}"}} says so, columns={{"feature": [...]}} names the features)',
            UserWarning,
            stacklevel=2,
        )
    if "node_id" not in data and not isinstance(frame.index, pd.RangeIndex):
        data.node_id = frame.index.tolist()
    return data
