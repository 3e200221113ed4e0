"""A graph as an edge list, with the feature and label tables that belong to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from genurl_graph.datasets.readers import tables as text
from genurl_graph.datasets.readers.checks import check_graph, edge_weights
from genurl_graph.datasets.readers.node_tables import NodeIndex, NodeTable
from genurl_graph.datasets.readers.tables import Ids, Layout
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch_geometric.data import Data


def is_edge_list(layout: Layout) -> bool:
    """Whether a text table is an edge list and not a matrix.

    With a header: it names a source and a target. Without: two or three columns, of which the first two hold
    whole numbers or names.
    """
    if layout.header is not None:
        return _named_columns(layout) is not None
    plain = [not text.is_number(cell) or text.is_whole(cell) for cell in layout.first[:2]]
    return len(layout.first) in (2, 3) and all(plain)


def read_edge_list(layout: Layout, features: NodeTable | None, labels: NodeTable | None) -> Data:
    """Read an edge list: columns source, target and, if there, weight; each line one directed edge, as given.

    The nodes are, in this order of preference: the ids of the feature table; the rows of the feature table
    (ids 0 .. n-1); the ids of the label table; its rows; the ids that occur in the edges (numbers ascending,
    names in order of appearance).

    Raises
    ------
    InputError
        For an edge to a missing node, a negative or non-finite weight, or a malformed line.
    """
    from torch_geometric.data import Data

    columns = _named_columns(layout) or _unnamed_columns(layout)
    ids, values = text.load(layout, columns[:2], columns[2:])
    nodes = _nodes(ids, features, labels)
    ends = [nodes.find(column) for column in ids]
    missing = (ends[0] < 0) | (ends[1] < 0)
    if missing.any():
        row = int(missing.argmax())
        side = 0 if ends[0][row] < 0 else 1
        raise InputError(
            f"{layout.path}: line {text.line_of(layout, row)}: edge {ids[0][row]} -> {ids[1][row]}: "
            f"node {str(ids[side][row])!r} is not among {nodes.where}"
        )
    data = Data(edge_index=torch.from_numpy(np.stack(ends)), num_nodes=len(nodes))
    if columns[2:]:
        data.edge_weight = edge_weights(
            values[:, 0], str(layout.path), lambda row: f"line {text.line_of(layout, row)}:"
        )
    names = nodes.names()
    if names is not None:
        data.node_id = names
    attach(data, nodes, features, labels)
    return check_graph(data, str(layout.path))


def attach(data: Data, nodes: NodeIndex, features: NodeTable | None, labels: NodeTable | None) -> None:
    """Put the rows of the tables into the order of `nodes` and store them as x, y and label_names.

    Raises
    ------
    InputError
        If a table has too many or too few rows, or ids that are not those of the nodes, or if `data` already
        has what it would bring.
    """
    if features is not None:
        if data.x is not None:
            raise InputError(f"features: {features.path} given, but the graph's file already holds features")
        data.x = _in_order(features, nodes, "feature")
    if labels is not None:
        if data.y is not None:
            raise InputError(f"labels: {labels.path} given, but the graph's file already holds labels")
        data.y = _in_order(labels, nodes, "label")
        if labels.label_names is not None:
            data.label_names = labels.label_names


def _in_order(table: NodeTable, nodes: NodeIndex, what: str) -> torch.Tensor:
    n_rows = table.values.size(0)
    if table.ids is not None:
        index = NodeIndex(table.ids, f"the ids of {table.path}")
        unknown = nodes.find(index.ids) < 0
        if unknown.any():
            name = index.ids[int(unknown.argmax())]
            raise InputError(f"{table.path}: {what} of node {str(name)!r}, which is not among {nodes.where}")
        rows = index.find(nodes.ids)
        if (rows < 0).any():
            name = nodes.ids[int((rows < 0).argmax())]
            raise InputError(f"{table.path}: no {what} of node {str(name)!r}, one of {nodes.where}")
        return table.values[torch.from_numpy(rows)]
    if n_rows != len(nodes):
        raise InputError(f"{table.path}: {n_rows} {what} rows for {len(nodes)} nodes ({nodes.where})")
    return table.values


def _nodes(ids: list[Ids], features: NodeTable | None, labels: NodeTable | None) -> NodeIndex:
    for table in (features, labels):
        if table is not None and table.ids is not None:
            return NodeIndex(table.ids, f"the ids of {table.path}")
        if table is not None:
            n = table.values.size(0)
            return NodeIndex(np.arange(n), f"the rows 0 to {n - 1} of {table.path}, which names no ids")
    where = "the nodes of the edges"
    if all(isinstance(column, np.ndarray) for column in ids):
        return NodeIndex(np.unique(np.concatenate(ids)), where)
    ends = [""] * (2 * len(ids[0]))  # source and target of each line in turn
    ends[::2], ends[1::2] = (list(map(str, column)) for column in ids)
    return NodeIndex(list(dict.fromkeys(ends)), where)


def _named_columns(layout: Layout) -> list[int] | None:
    """Positions of source, target and, if there, weight; None if the header names no source and target."""
    if layout.header is None:
        return None
    header = [name.lower() for name in layout.header]
    groups = (text.SOURCE_NAMES, text.TARGET_NAMES, text.WEIGHT_NAMES)
    found = [next((i for i, name in enumerate(header) if name in group), None) for group in groups]
    if found[0] is None or found[1] is None:
        return None
    positions = [position for position in found if position is not None]
    extra = [name for position, name in enumerate(layout.header) if position not in positions]
    if extra:
        raise InputError(f"{layout.path}: column {extra[0]!r}, expected source, target and optionally weight")
    return positions


def _unnamed_columns(layout: Layout) -> list[int]:
    width = len(layout.first)
    if width not in (2, 3):
        raise InputError(f"{layout.path}: {width} columns, expected an edge list: source, target[, weight]")
    return list(range(width))
