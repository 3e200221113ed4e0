"""A graph as an edge list, with the feature and label tables that belong to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from genurl_graph.datasets.readers.checks import check_graph
from genurl_graph.datasets.readers.node_tables import NodeIndex, NodeTable
from genurl_graph.datasets.readers.tables import (
    SOURCE_NAMES,
    TARGET_NAMES,
    WEIGHT_NAMES,
    Layout,
    is_number,
    is_whole,
    line_of,
    read_columns,
)
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.validation import check_weights

if TYPE_CHECKING:
    from torch_geometric.data import Data


def is_edge_list(layout: Layout) -> bool:
    """Whether a text table is an edge list and not a matrix.

    With a header: it names a source and a target. Without: two or three columns, of which the first two hold
    whole numbers or names.
    """
    if layout.header is not None:
        return _named_columns(layout) is not None
    plain = [not is_number(cell) or is_whole(cell) for cell in layout.first[:2]]
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
    ids, values = read_columns(layout, columns[:2], columns[2:])
    # Source and target of each line in turn.
    ends, found = pd.factorize(np.stack(ids, axis=1).ravel(), sort=ids[0].dtype != object)
    nodes = own = NodeIndex(pd.Index(found, dtype=ids[0].dtype), "the nodes of the edges")
    table = features or labels
    if table is not None:
        nodes = _nodes(table)
        ends = nodes.find(own.ids)[ends]
    ends = ends.reshape(-1, 2).T
    if (ends < 0).any():
        row = int((ends < 0).any(axis=0).argmax())
        side = 0 if ends[0, row] < 0 else 1
        edge = f"edge {ids[0][row]} -> {ids[1][row]}, whose node {str(ids[side][row])!r} is missing"
        raise wrong(f"{layout.path}: line {line_of(layout, row)}", edge, f"one of {nodes.where}")
    data = Data(edge_index=torch.from_numpy(np.ascontiguousarray(ends)), num_nodes=len(nodes))
    if columns[2:]:
        where = f"{layout.path}: {layout.column(columns[2])}"
        data.edge_weight = check_weights(values[:, 0], len(values), where, lambda row: f"line {line_of(layout, row)}")
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
    for table, key, what in ((features, "x", "feature"), (labels, "y", "label")):
        if table is not None:
            if data.get(key) is not None:
                raise InputError(f"{what}s: {table.path} given, but the graph's file already holds {what}s")
            data[key] = _in_order(table, nodes, what)
    if labels is not None and labels.label_names is not None:
        data.label_names = labels.label_names


def _in_order(table: NodeTable, nodes: NodeIndex, what: str) -> torch.Tensor:
    n_rows = table.values.size(0)
    if table.ids is None:
        if n_rows != len(nodes):
            raise wrong(table.path, f"{n_rows} {what} rows", f"{len(nodes)} ({nodes.where})")
        return table.values
    index = NodeIndex(table.ids, f"the ids of {table.path}")
    strange = nodes.find(index.ids) < 0
    if strange.any():
        raise wrong(table.path, f"{what} of node {str(index.ids[strange][0])!r}", f"one of {nodes.where}")
    rows = index.find(nodes.ids)
    if (rows < 0).any():
        raise wrong(table.path, f"no {what} of node {str(nodes.ids[rows < 0][0])!r}", f"one for each of {nodes.where}")
    return table.values[torch.from_numpy(rows)]


def _nodes(table: NodeTable) -> NodeIndex:
    """The nodes that a table defines, by its ids or rows."""
    if table.ids is not None:
        return NodeIndex(table.ids, f"the ids of {table.path}")
    n = table.values.size(0)
    return NodeIndex(pd.RangeIndex(n), f"the rows 0 to {n - 1} of {table.path}, which names no ids")


def _named_columns(layout: Layout) -> list[int] | None:
    """Positions of source, target and, if there, weight; None if the header names no source and target."""
    if layout.header is None:
        return None
    header = [name.lower() for name in layout.header]
    groups = (SOURCE_NAMES, TARGET_NAMES, WEIGHT_NAMES)
    found = [next((i for i, name in enumerate(header) if name in group), None) for group in groups]
    if found[0] is None or found[1] is None:
        return None
    positions = [position for position in found if position is not None]
    extra = [name for position, name in enumerate(layout.header) if position not in positions]
    if extra:
        raise wrong(layout.path, f"column {extra[0]!r}", "source, target and optionally weight")
    return positions


def _unnamed_columns(layout: Layout) -> list[int]:
    width = len(layout.first)
    if width not in (2, 3):
        raise wrong(layout.path, f"{width} columns", "an edge list: source, target[, weight]")
    return list(range(width))
