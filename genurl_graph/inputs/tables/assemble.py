"""Tables as one PyG `Data`: edges or vectors, with the tables of features and labels that belong to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

import pandas as pd
import torch

from genurl_graph.exceptions import InputError, unknown, wrong
from genurl_graph.inputs.objects.edge_attributes import EdgeLines
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.tables.edge_columns import SAID
from genurl_graph.inputs.tables.edges import place_edges, read_edges
from genurl_graph.inputs.tables.features import as_columns, make_x
from genurl_graph.inputs.tables.label_columns import same_as_labels
from genurl_graph.inputs.tables.node_index import NodeIndex
from genurl_graph.inputs.tables.nodes import NodeTable, index_of, order_rows, read_nodes
from genurl_graph.inputs.tables.roles import Roles, decide
from genurl_graph.inputs.tables.table import Table

if TYPE_CHECKING:
    from torch_geometric.data import Data

# Cells of a table whose raw columns are kept beside an x that is just their numbers.
MOST_KEPT = 2_000_000
TableLike = Table | NodeTable
# Roles of columns that only edges have.
OF_EDGES = ("source", "target", "weight", "type", "key")


def read_tables(
    table: Table,
    features: TableLike | None = None,
    labels: TableLike | None = None,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - never changed
) -> Data:
    """Make a PyG `Data` of a table of edges or vectors and the tables beside it.

    Parameters
    ----------
    table : Table
        Edges or vectors: `genurl_graph.inputs.tables.roles.decide` tells which; with `features` always edges.
    features, labels : Table or NodeTable, optional
        A row a node. They define the nodes if they are given, the features before the labels; else the edges do.
    options : ReadOptions

    Returns
    -------
    Data
        x, edge_index (sorted; of an undirected list both directions), edge_weight, y (-1: no label), label_names,
        node_id, feature_table with the raw columns, feature_plan where a plan made x of them, edge_lines with the
        columns of the edges that the user names as features, and `reading`.

    Raises
    ------
    InputError
        Where two readings are possible, a column is missing, or an edge leads to a node that no row describes.

    Examples
    --------
    >>> edges = Table("edges", pd.DataFrame({"source": ["a", "b"], "target": ["b", "c"]}))
    >>> read_tables(edges).edge_index.tolist()
    [[0, 1, 1, 2], [1, 0, 2, 1]]
    """
    check_columns(options, [each for each in (table, features, labels) if isinstance(each, Table)])
    roles = _roles(table, features, labels, options)
    if roles.reading == "vectors":
        if features is not None:
            raise InputError(f"features: {features.name} given, but {table.name} is itself a table of vectors")
        return read_vectors(table, labels, options)
    return _read_graph(table, roles, features, labels, options)


def read_vectors(table: Table, labels: TableLike | None, options: ReadOptions) -> Data:
    """A table of one row a sample, and its labels."""
    from torch_geometric.data import Data

    if options.directed is not None:
        raise wrong("--directed", f"{table.name}, a table of vectors", "a list of edges (--as edges)")
    found = read_nodes(table, options, "vectors")
    nodes = index_of(found)
    labels = _as_nodes(labels, "labels", nodes, options)
    if labels is not None:
        found = read_nodes(table, options, "vectors", taken=_taken(labels))
    data = Data(num_nodes=len(nodes))
    names = nodes.names()
    if names is not None:
        data.node_id = names
    attach(data, nodes, found, labels, options, graph=False)
    del data.num_nodes
    return data


def _read_graph(
    table: Table,
    roles: Roles,
    features: TableLike | None,
    labels: TableLike | None,
    options: ReadOptions,
) -> Data:
    from torch_geometric.data import Data

    attributes = [name for name in options.names("feature") if roles.left_out.get(name) == SAID["feature"]]
    roles = replace(roles, left_out={name: why for name, why in roles.left_out.items() if name not in attributes})
    edges = read_edges(table, roles, options)
    own = NodeIndex(edges.ids, "the nodes of the edges")
    labels = _as_nodes(labels, "labels", own, options)
    features = _as_nodes(features, "features", own, options, _taken(labels))
    table_of_nodes = features or labels
    nodes = own if table_of_nodes is None else index_of(table_of_nodes, own)
    edge_index, weight, reading = place_edges(edges, nodes)
    data = Data(edge_index=edge_index, num_nodes=len(nodes))
    if weight is not None:
        data.edge_weight = weight
    if attributes:
        lines = None if edges.weight is None else torch.tensor(edges.weight, dtype=torch.float32)
        ends = torch.from_numpy(nodes.find(edges.ids)[edges.ends].T.copy())
        data.edge_lines = EdgeLines(as_columns(table, attributes), ends, lines)
    names = nodes.names()
    if names is not None:
        data.node_id = names
    if table_of_nodes is not None and table_of_nodes.ids is None and nodes.ids[0] == 1:
        reading += Reading((f"row 1 of {PurePath(table_of_nodes.name).name} is node 1: the ids count from 1",))
    data.reading = reading
    attach(data, nodes, features, labels, options)
    return data


def attach(
    data: Data,
    nodes: NodeIndex,
    features: TableLike | None,
    labels: TableLike | None,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - never changed
    *,
    graph: bool = True,
) -> None:
    """Put the rows of the tables into the order of `nodes` and store them as x, y and label_names.

    Parameters
    ----------
    data : Data
        Gets x, y, label_names, feature_table, feature_plan; `reading` grows.
    nodes : NodeIndex
    features, labels : Table or NodeTable, optional
    options : ReadOptions
    graph : bool
        Whether there are edges as well.

    Raises
    ------
    InputError
        If a table has too many or too few rows, or ids that are not those of the nodes, or if `data` already
        has what it would bring.
    """
    labels = _as_nodes(labels, "labels", nodes, options)
    features = _as_nodes(features, "features", nodes, options, [] if data.get("y") is not None else _taken(labels))
    for table, key, what in ((features, "x", "feature"), (labels, "y", "label")):
        if table is not None and data.get(key) is not None:
            raise InputError(f"{what}s: {table.name} given, but the graph's file already holds {what}s")
    reading = data.get("reading") or Reading()
    for each in (labels, features):
        if each is not None and each.y is not None:
            _attach_labels(data, nodes, each)
    if features is not None:
        reading = _attach_features(data, nodes, features, reading, graph, options)
    data.reading = reading if labels is None else reading + labels.reading


def _attach_features(
    data: Data, nodes: NodeIndex, features: NodeTable, reading: Reading, graph: bool, options: ReadOptions
) -> Reading:
    rows = order_rows(features, nodes, "feature")
    reading = reading + features.reading
    if features.matrix is not None:
        data.x = features.matrix
    elif features.frame is not None:
        frame = features.frame if rows is None else features.frame.iloc[rows].reset_index(drop=True)
        frame, told = _without_labels(data, frame, features.name, options)
        reading += told
        x, plan, told = make_x(frame, features.name, graph, features.header, options)
        reading += told
        if x.size(1):
            data.x = x
        if plan is not None:
            data.feature_table, data.feature_plan = frame, plan
        elif features.header and frame.size <= MOST_KEPT:
            data.feature_table = frame  # a model that was fitted on other rows finds its columns by name
    return reading


def _without_labels(data: Data, frame: pd.DataFrame, name: str, options: ReadOptions) -> tuple[pd.DataFrame, Reading]:
    """The columns that do not tell the labels in other words."""
    same = [] if data.get("y") is None else same_as_labels(frame, data.y)
    same = [column for column in same if column not in options.names("feature")]
    if not same or len(same) == frame.shape[1]:
        return frame, Reading()
    told = f"left out of {PurePath(name).name}: {', '.join(same)} (tells the labels in other words)"
    return frame.drop(columns=same), Reading((told,))


def _attach_labels(data: Data, nodes: NodeIndex, labels: NodeTable) -> None:
    rows = order_rows(labels, nodes, "label")
    if labels.y is not None:
        data.y = labels.y if rows is None else labels.y[torch.from_numpy(rows)]
        if labels.label_names is not None:
            data.label_names = labels.label_names


def _as_nodes(
    table: TableLike | None, what: str, nodes: NodeIndex, options: ReadOptions, taken: Sequence[str] | None = None
) -> NodeTable | None:
    return read_nodes(table, options, what, nodes, taken) if isinstance(table, Table) else table


def _taken(labels: NodeTable | None) -> list[str] | None:
    """Names of the columns that give the labels, where a table of labels does."""
    return None if labels is None else [labels.label] if labels.label is not None else []


def _roles(table: Table, features: TableLike | None, labels: TableLike | None, options: ReadOptions) -> Roles:
    if features is not None:
        if options.reading == "vectors":
            raise InputError(f"features: {features.name} given, but --as vectors makes {table.name} the features")
        return decide(table, ReadOptions("edges", options.columns))
    known = None
    if isinstance(labels, NodeTable):
        known = pd.RangeIndex(labels.rows) if labels.ids is None else labels.ids
    elif labels is not None:
        found = read_nodes(labels, options, "labels")
        known = pd.RangeIndex(found.rows) if found.ids is None else found.ids
    return decide(table, options, known)


def check_columns(options: ReadOptions, tables: Sequence[Table]) -> None:
    """Refuse a role that names a column which no table has, with the nearest name."""
    everywhere = list(dict.fromkeys(str(name) for table in tables for name in table.frame.columns))
    for role, names in options.columns.items():
        mine = [str(name) for name in tables[0].frame.columns] if role in OF_EDGES and tables else everywhere
        for name in names:
            if name not in mine:
                if name in everywhere:
                    found = f"column {name!r} in another file alone"
                    raise wrong(f"--column {role}={name}", found, f"one of {', '.join(mine)} of {tables[0].name}")
                raise unknown(f"--column {role}", name, mine)
