"""DataFrames of edges, and GeoDataFrames: of OSMnx, of momepy, or of lines without names of their ends."""

from __future__ import annotations

from typing import Any

import pandas as pd

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.edge_rows.edge_set import EdgeSet
from genurl_graph.inputs.edge_rows.networks import edges_of_parts
from genurl_graph.inputs.edge_rows.place import nodes_of_tips
from genurl_graph.inputs.edge_rows.tables import read_edge_row_tables
from genurl_graph.inputs.edge_rows.wkt import find_geometry, read_lines
from genurl_graph.inputs.objects.frames import as_table, in_python, with_ids
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables import names

# What the levels of an index of edges are called, where they have no names of their own.
LEVELS = ("source", "target", "key")


def edges_of_frames(X: Any, options: ReadOptions, name: str = "edges") -> EdgeSet:
    """Edges of a DataFrame, or of (edges, nodes), in either order where only one of the two has columns of ends.

    An index of two or three levels holds the ends and the key, as OSMnx has it. A GeoDataFrame of lines without columns
    of ends: lines meet where their tips are at one point.

    Raises
    ------
    InputError
        As of `genurl_graph.inputs.edge_rows.tables.read_edge_row_tables`; messages name the arguments of Python.
    """
    frame, nodes = X if isinstance(X, tuple | list) else (X, None)
    if nodes is not None and not _has_ends(frame) and _has_ends(nodes):
        frame, nodes = nodes, frame  # as osmnx.graph_to_gdfs has them
    crs, geographic = _crs(frame), _is_geographic_frame(frame)
    frame = _without_index(pd.DataFrame(frame))
    said = any(name in map(str, frame.columns) for role in ("source", "target") for name in options.names(role))
    if nodes is None and not said and not _has_ends(frame) and find_geometry(frame) is not None:
        return _of_lines(frame, options, crs, name)
    if nodes is not None:
        crs = crs or _crs(nodes)
        nodes = _with_points(with_ids(nodes))
    with in_python():
        table = as_table(frame, name)
        of_nodes = None if nodes is None else as_table(nodes, "nodes")
        return read_edge_row_tables(table, of_nodes, None, options, crs=crs, lenient=geographic)


def _has_ends(frame: pd.DataFrame) -> bool:
    if isinstance(frame.index, pd.MultiIndex) and frame.index.nlevels in (2, 3):
        return True
    return names.find_pair([str(name) for name in frame.columns]) is not None


def _without_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Ends that are levels of the index as columns."""
    index = frame.index
    if not isinstance(index, pd.MultiIndex) or index.nlevels not in (2, 3):
        return frame
    called = [name if name is not None else LEVELS[place] for place, name in enumerate(index.names)]
    clash = next((name for name in called if name in frame.columns), None)
    if clash is not None:
        raise wrong("edges", f"{clash!r} as a level of the index and as a column", "each name once")
    return frame.reset_index(names=called)


def _with_points(nodes: pd.DataFrame) -> pd.DataFrame:
    """Nodes of a GeoDataFrame with their points as columns x and y, where they have none."""
    named = {str(name).lower() for name in nodes.columns}
    column = next((name for name in nodes.columns if str(nodes[name].dtype) == "geometry"), None)
    if column is None:
        return nodes
    rest = pd.DataFrame(nodes.drop(columns=column))
    if {"x", "y"} <= named:
        return rest
    points = nodes[column].centroid if not nodes[column].geom_type.eq("Point").all() else nodes[column]
    return rest.assign(x=points.x.to_numpy(), y=points.y.to_numpy())


def _of_lines(frame: pd.DataFrame, options: ReadOptions, crs: Any, name: str) -> EdgeSet:
    column = find_geometry(frame)
    assert column is not None
    with in_python():
        lines = read_lines(frame[column], f"{name}: {column}")
    ends, place = nodes_of_tips(lines)
    nodes = pd.DataFrame({"x": place[:, 0].numpy(), "y": place[:, 1].numpy()})
    frame = frame.reset_index(drop=True)
    notes = (f"no columns of ends: lines meet where their tips in {column} are at one point",)
    return edges_of_parts(
        name, ends.numpy(), range(len(nodes)), frame, nodes, options, key=None, directed=False, crs=crs, notes=notes
    )


def _crs(frame: Any) -> Any:
    try:
        return getattr(frame, "crs", None)
    except AttributeError:  # a GeoDataFrame without an active geometry
        return None


def _is_geographic_frame(frame: Any) -> bool:
    return hasattr(frame, "geom_type") or hasattr(type(frame), "set_crs")
