"""A table with a line for each edge, and the tables of nodes and of labels beside it."""

from __future__ import annotations

import dataclasses
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.edge_rows.assemble import Source, assemble
from genurl_graph.inputs.edge_rows.attributes import IDS, check_features, without_ends
from genurl_graph.inputs.edge_rows.edge_set import EdgeEnds, EdgeSet
from genurl_graph.inputs.edge_rows.place import MADE, Space, coordinates_of, find_coordinates, is_degrees
from genurl_graph.inputs.edge_rows.row_labels import labels_of_edges
from genurl_graph.inputs.edge_rows.wkt import find_geometry, read_lines
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables import names
from genurl_graph.inputs.tables.assemble import TableLike, check_columns
from genurl_graph.inputs.tables.node_index import NodeIndex
from genurl_graph.inputs.tables.nodes import NodeTable, find_ids
from genurl_graph.inputs.tables.roles import find_ends
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import as_ids


def read_edge_row_tables(
    table: Table,
    nodes: TableLike | None = None,
    labels: TableLike | None = None,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - never changed
    *,
    crs: Any = None,
    lenient: bool = False,
) -> EdgeSet:
    """Edges of a table that has a line for each.

    Parameters
    ----------
    table : Table
        Two columns are the ends; ``options.names("key")``, or a column of this name, tells parallel edges apart. A
        column of lines (WKT) tells where they lie. All others are attributes.
    nodes : Table, optional
        A row a node: an id and coordinates, x and y or lon and lat. It defines the nodes, so that one may have no edge.
    labels : Table or NodeTable, optional
        Labels of the edges: a row each, in the same order, or with columns of the ends.
    options : ReadOptions
        ``directed=True``: an edge leads from its first end to its second.
    crs : object, optional
        Reference system of all coordinates, as text or as an object of pyproj.
    lenient : bool
        As `genurl_graph.inputs.edge_rows.attributes.tidy` has it.

    Raises
    ------
    InputError
        Where nothing tells which columns the ends are, an end is missing or is none of the nodes, or as of `assemble`.

    Examples
    --------
    >>> frame = pd.DataFrame({"u": [1, 1, 2], "v": [2, 2, 3], "key": [0, 1, 0], "lanes": [2, 1, 2]})
    >>> found = read_edge_row_tables(Table("roads", frame))
    >>> found.edges.ends.tolist(), found.edges.key, found.x.shape
    ([[0, 0, 1], [1, 1, 2]], [0, 1, 0], torch.Size([3, 1]))
    """
    if options.reading in ("vectors", "adjacency", "graph"):
        raise wrong("--task edges", f"--as {options.reading}", "--as edges, or nothing")
    if options.names("graph"):
        raise wrong("--task edges", "--column graph as well", "edges of one graph")
    if isinstance(nodes, NodeTable):
        raise wrong(f"nodes: {nodes.name}", "a matrix without names", "a table with a column of ids")
    check_columns(_of_files(options), [each for each in (table, nodes, labels) if isinstance(each, Table)])
    line = find_geometry(table.frame)
    bare = table if line is None else _without(table, [line])
    pair = find_ends(bare, options)
    for role in ("key", "feature", "label"):
        clash = next((name for name in options.names(role) if name in (pair.source, pair.target)), None)
        if clash is not None:
            raise wrong(f"{table.name}: --column {role}={clash}", "an end of the edges", "another column")
    ids = as_ids(table, [pair.source, pair.target])
    own, ends = _numbered(ids)
    key = _find_key(bare, options)
    columns = {"source": pair.source, "target": pair.target} | ({} if key is None else {"key": key})
    rest = _without(bare, [*columns.values()])
    index, place, left, degrees, by = _nodes_of(nodes, own, options, [*map(str, rest.frame.columns)])
    position = index.find(own.ids)
    if (position < 0).any():
        row = int((position[ends] < 0).any(0).argmax())
        found = f"the node {str(own.ids[ends[:, row]][position[ends[:, row]] < 0][0])!r}"
        raise wrong(f"{table.name}: {table.where(row)}", found, f"one of {index.where}")
    edges = EdgeEnds(
        torch.from_numpy(position[ends]),
        len(index),
        bool(options.directed),
        node_id=_plain(index.ids),
        key=None if key is None else _plain_column(table.frame[key]),
    )
    lines = None
    if line is not None and line not in options.names("ignore"):
        lines = read_lines(table.frame[line], f"{table.name}: {table.title(line)}")
        by = f"{table.called(line)}{f' and {by}' if by else ''}"
    known = is_degrees(crs)
    space = Space(lines, place, degrees if known is None else known, by)
    of_edges = labels_of_edges(labels, table, options, columns)
    said = _say(table, columns, options)
    record: dict[str, object] = {"file": PurePath(table.name).name, "as": "edge rows", **columns, "edges": len(edges)}
    record |= {"nodes": len(index), "directed": edges.directed, "geometry": line}
    source = Source(edges, rest, space, said, record, left, lenient)
    return assemble(source, without_ends(options, columns | {"geometry": line}), of_edges)


def _of_files(options: ReadOptions) -> ReadOptions:
    """What is said of columns that the tables have themselves."""
    return without_ends(options, {name: name for name in MADE})


def _numbered(ids: list[pd.Index]) -> tuple[NodeIndex, Any]:
    """The distinct nodes, numbers ascending and names in order of appearance, and the ends as positions [2, m]."""
    together = np.stack([each.to_numpy() for each in ids], axis=1).ravel()
    codes, distinct = pd.factorize(together, sort=together.dtype != object)
    return NodeIndex(pd.Index(distinct), "the nodes of the edges"), codes.reshape(-1, 2).T.astype(np.int64)


def _find_key(table: Table, options: ReadOptions) -> str | None:
    given = [name for name in options.names("key") if name in table.frame]
    if given:
        return given[0]
    said = {name for held in options.columns.values() for name in held}
    found = [str(n) for n in table.frame if table.header and names.words(str(n)) in (("key",), ("edge", "key"))]
    return next((name for name in found if name not in said), None)


def _nodes_of(
    nodes: Table | None, own: NodeIndex, options: ReadOptions, attributes: list[str]
) -> tuple[NodeIndex, Tensor | None, dict[str, str], bool | None, str]:
    """The nodes, their coordinates, what is left out of their table, whether they are degrees, and where from."""
    check_features(options, [*attributes, *MADE], "--column feature")
    if nodes is None:
        return own, None, {}, None, ""
    columns = [*map(str, nodes.frame.columns)]
    said = [name for name in options.names("id") if name in columns]
    pair = find_coordinates(nodes.frame)
    points = find_geometry(nodes.frame)
    beside = {*([] if pair is None else pair[:2]), *([] if points is None else [points])}
    free = [name for name in columns if name not in beside]
    sure = [name for name in free if name.strip().lower() in IDS]
    column = said[0] if said else sure[0] if sure else find_ids(nodes, free, "features", own)
    if column is None:
        raise wrong(nodes.name, "no column of the ids of nodes", "--column id=NAME")
    index = NodeIndex(as_ids(nodes, [column])[0], f"the ids of {nodes.name}")
    left = {f"{PurePath(nodes.name).name}: {name}": "attribute of a node" for name in free if name != column}
    if pair is None:
        return index, None, left, None, ""
    by = f"{pair[0]}, {pair[1]} of {PurePath(nodes.name).name}"
    return index, coordinates_of(nodes.frame, pair), left, pair[2], by


def _without(table: Table, columns: list[str]) -> Table:
    return dataclasses.replace(table, frame=table.frame.drop(columns=columns))


def _plain(ids: pd.Index) -> list[Any] | None:
    """Names of nodes as the user's table has them; None where they are 0 to n - 1."""
    return None if ids.dtype != object and ids.equals(pd.RangeIndex(len(ids))) else ids.tolist()


def _plain_column(cells: pd.Series) -> list[Any]:
    if cells.isna().any():
        raise InputError(f"key: row {int(cells.isna().to_numpy().argmax())}: found an empty cell; expected a key")
    return [*cells.tolist()]


def _say(table: Table, columns: dict[str, str], options: ReadOptions) -> str:
    name = PurePath(table.name).name or table.name
    source, target = (table.called(columns[end]) for end in ("source", "target"))
    facts = [f"key {table.called(columns['key'])}"] if "key" in columns else []
    facts += [*table.notes]
    if options.directed is None:
        facts.append("taken for undirected")
    return f"read {name} as edges that are rows: {source} -> {target}" + (f" ({', '.join(facts)})" if facts else "")
