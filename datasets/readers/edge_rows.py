"""Files of edges that are rows: tables, graph files such as OSMnx's GraphML, PyG's ``.pt``, and maps."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genurl_graph.datasets.readers.columnar import COLUMNAR_SUFFIXES
from genurl_graph.datasets.readers.compressed import plain_suffix
from genurl_graph.datasets.readers.formats import NETWORK_SUFFIXES, find_format, holds_table, read_file_graph
from genurl_graph.datasets.readers.formats.pyg import read_pt
from genurl_graph.datasets.readers.node_tables import TEXT_SUFFIXES, check_suffix, read_any_table, read_labels
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.edge_rows.edge_set import EdgeSet
from genurl_graph.inputs.edge_rows.frames import edges_of_frames
from genurl_graph.inputs.edge_rows.networks import edges_of_parts
from genurl_graph.inputs.edge_rows.pyg import from_data
from genurl_graph.inputs.edge_rows.tables import read_edge_row_tables
from genurl_graph.inputs.reading import NOTHING_SAID, ReadOptions
from genurl_graph.inputs.tables.assemble import TableLike
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import as_ids

TABLES = (*TEXT_SUFFIXES, *COLUMNAR_SUFFIXES)
# Files that geopandas reads. A GeoPackage of OSMnx has a layer of nodes and one of edges.
MAPS = (".gpkg", ".geojson", ".shp", ".fgb")
LAYERS = ("edges", "roads", "lines")


def read_edge_row_file(
    path: Path,
    features: Path | None = None,
    labels: Path | None = None,
    options: ReadOptions = NOTHING_SAID,
) -> EdgeSet:
    """Edges of a file of any format that can hold them, a row each.

    Parameters
    ----------
    path
        A table with a line an edge; a graph file (GraphML, GEXF, GML, ...), whose attributes of edges are their
        features; PyG's ``.pt`` with a ``Data``; a map (`MAPS`, which need geopandas).
    features
        A table of nodes: ids and coordinates.
    labels
        Labels of the edges, a row each in their order, or with columns of the ends.
    options
        Columns by role; ``directed``.

    Raises
    ------
    InputError
        For a file that cannot be read in full, or holds no edges.
    """
    kind = find_format(path) if path.exists() else None
    of_labels = None if labels is None else read_labels(labels, options)
    if kind in NETWORK_SUFFIXES:
        _refuse(features, path)
        return _of_network(path, kind, of_labels, options)
    if kind == ".pt" or path.suffix.lower() in MAPS:
        _refuse(features, path)
        _refuse(labels, path)
        return _of_pt(path, options) if kind == ".pt" else _of_map(path, options)
    if not (path.is_file() and plain_suffix(path) not in TABLES and kind is None and holds_table(path)):
        check_suffix(path, (*TABLES, ".pt", *NETWORK_SUFFIXES, *MAPS), "edges that are rows")
    nodes = None if features is None else read_any_table(features, options)
    table = read_any_table(path, options, main=True)
    return read_edge_row_tables(table, nodes, of_labels, replace(options, reading=None))


def _refuse(file: Path | None, path: Path) -> None:
    if file is not None:
        raise InputError(f"{path}: has its own nodes and labels; leave out {file}")


def _of_network(path: Path, kind: str, labels: TableLike | None, options: ReadOptions) -> EdgeSet:
    graph = read_file_graph(path, kind)
    return edges_of_parts(
        path.name,
        np.stack([graph.source, graph.target]),
        _numbers(graph.ids),
        graph.edges,
        graph.nodes,
        options,
        key=None if graph.key is None else _numbers(graph.key),
        directed=graph.directed,
        crs=graph.own.get("crs"),
        notes=(graph.kind, *graph.notes),
        labels=labels,
    )


def _numbers(names: list[str]) -> list[Any]:
    """Whole numbers where all names are such."""
    return as_ids(Table("", pd.DataFrame({"id": names})), ["id"])[0].tolist() if names else []


def _of_pt(path: Path, options: ReadOptions) -> EdgeSet:
    data = read_pt(path, NOTHING_SAID)
    if isinstance(data, list) or hasattr(data, "node_types") or not hasattr(data, "num_node_features"):
        raise wrong(path, f"PyG {type(data).__name__}", "one Data, whose edges are rows")
    return from_data(data, options)


def _of_map(path: Path, options: ReadOptions) -> EdgeSet:
    try:
        import geopandas
    except ImportError as error:
        raise wrong(path, "no geopandas", "pip install 'genurl-graph[geo]'") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            layers = geopandas.list_layers(path)
            lines = layers[layers["geometry_type"].astype(str).str.contains("LineString|Unknown|Collection")]
            named = [*lines["name"]]
            layer = next((name for name in LAYERS if name in named), named[0] if len(named) == 1 else None)
            frame = None if layer is None else geopandas.read_file(path, layer=layer)
    except Exception as error:  # its drivers raise anything on a damaged file
        raise InputError(f"{path}: cannot be read as a map: {type(error).__name__}: {error}") from error
    if frame is None:
        listed = ", ".join(map(str, layers["name"])) or "none"
        raise wrong(path, f"the layers {listed}", f"one of lines, or one that is called {' or '.join(LAYERS)}")
    return edges_of_frames(frame, options, path.name)
