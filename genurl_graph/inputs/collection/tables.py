"""One table of the edges of many graphs, and the tables of nodes and of labels that belong to them."""

from __future__ import annotations

import dataclasses
from pathlib import PurePath
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.collection.graph_set import GraphFacts, GraphSet, as_collection_of, describe_graphs
from genurl_graph.inputs.columns.make import AS_THEY_ARE, read_features
from genurl_graph.inputs.objects.frames import as_table, in_python
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.tables import names
from genurl_graph.inputs.tables.assemble import check_columns
from genurl_graph.inputs.tables.edges import EdgeTable, place_edges, read_edges
from genurl_graph.inputs.tables.features import as_columns, make_x
from genurl_graph.inputs.tables.node_index import NodeIndex, as_names
from genurl_graph.inputs.tables.nodes import SURE_IDS, NodeTable, order_rows, read_nodes
from genurl_graph.inputs.tables.roles import Roles, decide
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import as_ids, kind_of

Codes = npt.NDArray[np.int64]


class _Nodes(NamedTuple):
    """Nodes of all graphs, one graph after another.

    Attributes
    ----------
    graphs : Index [G]
        Names of the graphs.
    graph : int64 array [n]
        Which graph each node belongs to, ascending.
    ids : Index [n]
        ``graph/node``, which no two nodes share.
    names : Index [n]
        The same without the graph.
    """

    graphs: pd.Index
    graph: Codes
    ids: pd.Index
    names: pd.Index

    def sizes(self) -> Tensor:
        return torch.from_numpy(np.bincount(self.graph, minlength=len(self.graphs)))


def read_graph_tables(
    table: Table, features: Table | None, labels: Table | NodeTable | None, options: ReadOptions
) -> GraphSet:
    """Graphs of a table of edges, one column of which names the graph of each edge.

    A node is named by its graph and its id: node 1 of one graph is not node 1 of another.

    Parameters
    ----------
    table : Table
        Edges; ``options.names("graph")`` is the column of the graphs.
    features : Table, optional
        A row a node, with the same column of graphs unless no two graphs share an id. It defines the nodes: one may
        have no edge, and a graph none.
    labels : Table or NodeTable, optional
        A row a graph.
    options : ReadOptions
        Columns of the edges that are named as features become those of the edges.

    Returns
    -------
    GraphSet
        Graphs in the order of their numbers or, where they have names, of their appearance.

    Raises
    ------
    InputError
        As of `genurl_graph.inputs.tables.assemble.read_tables`; or labels of a graph that is not there.

    Examples
    --------
    >>> frame = pd.DataFrame({"molecule": ["water", "water", "salt"], "source": [0, 0, 0], "target": [1, 2, 1]})
    >>> found = read_graph_tables(Table("bonds", frame), None, None, ReadOptions.of(columns={"graph": "molecule"}))
    >>> found.node_id, found.collection.sizes().tolist()
    (['water', 'salt'], [3, 2])
    """
    if options.reading in ("vectors", "adjacency"):
        raise wrong("--column graph", f"--as {options.reading}", "--as edges, or nothing")
    check_columns(options, [each for each in (table, features, labels) if isinstance(each, Table)])
    column = options.names("graph")[0]
    if column not in table.frame:
        raise wrong(f"--column graph={column}", "a column of another file", f"one of {table.name}")
    roles = decide(table, dataclasses.replace(options, reading="edges"))
    attributes = [name for name in options.names("feature") if name in table.frame]
    left_out = {name: why for name, why in roles.left_out.items() if name not in (column, *attributes)}
    edges = read_edges(table, dataclasses.replace(roles, left_out=left_out), options)
    of_nodes = None if features is None else _graph_column(features, column)
    given = [as_ids(table, [column])[0]]
    if features is not None and of_nodes is not None:
        given += as_ids(features, [of_nodes])
    graphs, codes = _codes(given)
    edges, nodes = _name_nodes(edges, graphs, codes[0])
    found, reading = None, Reading()
    if features is not None:
        found, nodes = _read_rows(features, of_nodes, codes[-1], roles, nodes, options)
    index = NodeIndex(nodes.ids, "the nodes of the edges" if features is None else f"the nodes of {features.name}")
    edge_index, weight, reading = place_edges(edges, index)
    attr, of_edges = None, None
    if attributes:
        lines = first_lines(index.find(edges.ids)[edges.ends], edge_index, edges.directed)
        of_edges = as_columns(table, attributes).iloc[lines].reset_index(drop=True)
        attr, told = edge_features(of_edges, table.name)
        reading += told
    x, facts = None, GraphFacts(NodeIndex(graphs, "").names(), edge_table=of_edges)
    if found is not None and found.frame is not None:
        x, plan, told = make_x(found.frame, found.name, True, found.header, _of_nodes(options, attributes))
        reading += found.reading + told
        x = x if x.size(1) else None
        facts = dataclasses.replace(facts, table=None if plan is None else found.frame, plan=plan)
    made = GraphSet.of(as_collection_of(edge_index, nodes.sizes(), x, weight, attr), facts)
    record = {"file": PurePath(table.name).name, "as": "graphs", "graph": column, "graphs": len(made)}
    reading += Reading((f"{describe_graphs(made)}, named in {table.called(column)}",), {"graphs": record})
    return attach_labels(made.told(reading), labels, options, table.name)


def graphs_of_frames(X: Any, options: ReadOptions) -> GraphSet:
    """`read_graph_tables` of a DataFrame of edges, or of (edges, nodes); messages name the arguments of Python.

    Raises
    ------
    InputError
        As there; or a column of graphs is named for something else.
    """
    parts = X if isinstance(X, tuple | list) and len(X) == 2 else (X, None)
    if not isinstance(parts[0], pd.DataFrame) or not isinstance(parts[1], pd.DataFrame | None):
        raise wrong("columns graph", type(X).__name__, "a DataFrame of edges, or (edges, nodes)")
    nodes = None if parts[1] is None else as_table(parts[1], "nodes")
    with in_python():
        return read_graph_tables(as_table(parts[0], "edges"), nodes, None, options)


def attach_labels(graphs: GraphSet, labels: Table | NodeTable | None, options: ReadOptions, where: str) -> GraphSet:
    """`graphs` with the labels of a table, a row a graph.

    Raises
    ------
    InputError
        A label of a graph that is not there, or a graph without a row.
    """
    if labels is None:
        return graphs
    ids = graphs.node_id
    index = NodeIndex(
        pd.RangeIndex(len(graphs)) if ids is None else pd.Index(ids, dtype=object),
        f"the {len(graphs):,} graphs of {where}",
    )
    if isinstance(labels, Table):
        column = next((name for name in options.names("graph") if name in labels.frame), None)
        columns = {role: said for role, said in options.columns.items() if role not in ("id", "graph")}
        said = dataclasses.replace(options, columns=columns | ({"id": (column,)} if column else {}))
        labels = read_nodes(labels, said, "labels", index)
    rows = order_rows(labels, index, "label", "graph")
    assert labels.y is not None
    y = labels.y if rows is None else labels.y[torch.from_numpy(rows)]
    reading = (
        labels.reading if graphs.y is None else labels.reading + Reading(("the classes of the files are left out",))
    )
    return graphs.told(reading, y=y, label_names=labels.label_names)


def edge_features(frame: pd.DataFrame, what: str) -> tuple[Tensor | None, Reading]:
    """Features of edges, float32 [E, a], of their raw columns: numbers as they are, a column for each word."""
    attr, plan = read_features(frame, AS_THEY_ARE, what=what, graph=True)
    shown = f"{', '.join(frame)} (numbers as they are)" if plan is None else plan.summary().removeprefix("features: ")
    return None if attr is None else attr.to_dense(), Reading((f"features of the edges: {shown}",))


def first_lines(ends: Codes, edge_index: Tensor, directed: bool) -> Codes:
    """The line of the ends [m, 2] that each edge [2, E] comes from, the first of its repeats: int64 [E]."""
    pairs = [ends, edge_index.numpy().T]
    if not directed:
        pairs = [np.sort(each, axis=1) for each in pairs]
    n = int(ends.max(initial=0)) + 1
    lines, wanted = (each[:, 0] * n + each[:, 1] for each in pairs)
    distinct, first = np.unique(lines, return_index=True)
    found: Codes = first[np.searchsorted(distinct, wanted)]
    return found


def _of_nodes(options: ReadOptions, attributes: list[str]) -> ReadOptions:
    """What is said of features, but those of the edges."""
    asked = tuple(name for name in options.names("feature") if name not in attributes)
    return dataclasses.replace(options, columns={**options.columns, "feature": asked})


def _codes(given: list[pd.Index]) -> tuple[pd.Index, list[Codes]]:
    """Distinct names, numbers ascending and words in order of appearance, and the position of each entry in them."""
    if len({each.dtype for each in given}) > 1:
        given = [*map(as_names, given)]
    together = np.concatenate([each.to_numpy() for each in given])
    codes, distinct = pd.factorize(together, sort=together.dtype != object)
    return pd.Index(distinct), np.split(codes, np.cumsum([*map(len, given)])[:-1])


def _name_nodes(edges: EdgeTable, graphs: pd.Index, graph: Codes) -> tuple[EdgeTable, _Nodes]:
    """The edges between nodes of their graphs, and these nodes."""
    keys, ends = np.unique(graph[:, None] * len(edges.ids) + edges.ends, return_inverse=True)
    graph_of_node, place = np.divmod(keys, len(edges.ids))
    ids = _joined(graphs, graph_of_node, edges.ids[place])
    found = dataclasses.replace(edges, ids=ids, ends=ends.reshape(-1, 2).astype(np.int64))
    return found, _Nodes(graphs, graph_of_node, ids, edges.ids[place])


def _joined(graphs: pd.Index, graph: Codes, ids: pd.Index) -> pd.Index:
    pairs = zip(as_names(graphs)[graph], as_names(ids), strict=True)
    return pd.Index([f"{one}/{other}" for one, other in pairs], dtype=object)


def _graph_column(features: Table, column: str) -> str | None:
    """The column of the graphs in a table of nodes: the one that the user names, or that is so called."""
    if column in features.frame:
        return column
    return next((str(name) for name in features.frame if features.header and names.is_graph(str(name))), None)


def _read_rows(
    features: Table, column: str | None, graph: Codes, roles: Roles, known: _Nodes, options: ReadOptions
) -> tuple[NodeTable, _Nodes]:
    """The rows of a table of nodes in the order of the graphs, and the nodes that they are."""
    fits = []
    for name in _perhaps_ids(features, column, roles, options):
        cells = as_ids(features, [name])[0]
        of_row = graph if column is not None else _only_graph(features, name, cells, known)
        ids = _joined(known.graphs, of_row, cells)
        fits.append((ids.is_unique and bool(known.ids.isin(ids).all()), ids, of_row, name))
        if fits[-1][0]:
            break
    if not fits:
        raise wrong(features.name, "no column of ids of nodes", "--column id=NAME")
    # Of several that do not fit the first is the one that its fault is named of.
    _, ids, of_row, name = max(fits, key=lambda fit: fit[0])
    said = {role: kept for role, kept in options.columns.items() if role not in ("id", "graph", "label")}
    said |= {"id": (name,)} | ({} if column is None else {"graph": (column,)})
    table = dataclasses.replace(features, frame=features.frame.assign(**{name: [*ids]}))
    found = read_nodes(table, dataclasses.replace(options, columns=said), "features", taken=[])
    order = np.argsort(of_row, kind="stable")
    frame = None if found.frame is None else found.frame.iloc[order].reset_index(drop=True)
    rows = _Nodes(known.graphs, of_row[order], ids[order], ids[order])
    return dataclasses.replace(found, ids=ids[order], frame=frame), rows


def _perhaps_ids(features: Table, column: str | None, roles: Roles, options: ReadOptions) -> list[str]:
    """Columns that can hold the ids of the nodes, the likeliest first."""
    free = [str(name) for name in features.frame if name != column]
    said = [name for name in options.names("id") if name in free]
    if said:
        return said
    free = [name for name in free if name not in (*options.names("feature"), *options.names("ignore"))]
    free = [name for name in free if kind_of(features.frame[name]) in ("whole", "text")]
    sure = [name for name in free if features.header and name.strip().lower() in SURE_IDS]
    same = [name for name in free if name in roles.columns.values()]
    named = [name for name in free if features.header and names.is_id(name)]
    return [*dict.fromkeys([*sure, *same, *named, *free[:1]])]


def _only_graph(features: Table, name: str, cells: pd.Index, known: _Nodes) -> Codes:
    """The graph of each row of a table without a column of graphs: that of the edges of its node."""
    if not known.names.is_unique:
        twice = known.names[known.names.duplicated()][0]
        raise wrong(
            features.name,
            f"no column of graphs, but node {str(twice)!r} is in several of them",
            "the same column of graphs as the edges have",
        )
    own = (known.names, cells) if known.names.dtype == cells.dtype else (as_names(known.names), as_names(cells))
    place = own[0].get_indexer(own[1])
    if (place < 0).any():
        found = f"no column of graphs, but node {str(cells[place < 0][0])!r}, which has no edge that tells its graph"
        raise wrong(f"{features.name}: {features.title(name)}", found, "the same column of graphs as the edges have")
    found_graph: Codes = known.graph[place]
    return found_graph
