"""The user's own files: `read` looks at the suffix and hands the file to its reader."""

from __future__ import annotations

import copy
import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from genurl_graph.datasets.readers.checks import as_features, check_graph, check_isolated
from genurl_graph.datasets.readers.columnar import COLUMNAR_SUFFIXES
from genurl_graph.datasets.readers.compressed import plain_suffix
from genurl_graph.datasets.readers.edge_rows import read_edge_row_file
from genurl_graph.datasets.readers.events import first_block, holds_events, is_large, read_event_file, read_large
from genurl_graph.datasets.readers.formats import GRAPH_SUFFIXES, find_format, holds_table, read_graph_file
from genurl_graph.datasets.readers.graph_folder import ONE_A_FILE, GraphFiles, find_graphs, read_graph_folder
from genurl_graph.datasets.readers.graph_lists import as_graph_set
from genurl_graph.datasets.readers.images import is_idx, read_image_folder, read_images
from genurl_graph.datasets.readers.node_tables import (
    EDGE_SUFFIXES,
    TEXT_SUFFIXES,
    check_suffix,
    read_any_table,
    read_features,
    read_labels,
)
from genurl_graph.datasets.readers.square import as_edge_table, read_array, read_square
from genurl_graph.datasets.readers.triples import holds_split, read_triple_data, refuse_split, say_of_triples
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.collection.graph_set import GraphSet
from genurl_graph.inputs.collection.tables import attach_labels, read_graph_tables
from genurl_graph.inputs.edge_rows.edge_set import EdgeSet
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.safe_load import load_array
from genurl_graph.inputs.tables.assemble import TableLike, attach, read_tables
from genurl_graph.inputs.tables.node_index import NodeIndex
from genurl_graph.inputs.tables.nodes import NodeTable
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.temporal.event_set import EventSet
from genurl_graph.inputs.temporal.tables import read_event_tables
from genurl_graph.inputs.triples import TripleSet

if TYPE_CHECKING:
    from torch_geometric.data import Data


StrPath = str | os.PathLike[str]
TABLE_SUFFIXES = (*TEXT_SUFFIXES, *COLUMNAR_SUFFIXES)
SUFFIXES = (
    ".npz",
    *TABLE_SUFFIXES,
    *(suffix for suffix in GRAPH_SUFFIXES if suffix not in (".npz", *TABLE_SUFFIXES)),
    ".npy",
)


def read(
    path: StrPath,
    features: StrPath | None = None,
    labels: StrPath | None = None,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - never changed
) -> Any:
    """Read a graph, many graphs or a matrix from the user's files.

    Parameters
    ----------
    path
        A file or a folder (`genurl_graph.datasets.readers.formats` has all formats).

        * Tables (``.csv``, ``.tsv``, ``.txt``, ``.parquet``, ``.arrow``, ``.feather``; text also compressed,
          ``.csv.gz``): a list of edges, or one row for each sample. `genurl_graph.inputs.tables.roles.decide` finds out
          which, or refuses. With `features`, it is always a list of edges, as are ``.edges``, ``.edgelist``, ``.ncol``.
        * Graph and matrix files: GraphML, GML, GEXF, Pajek, METIS, Matrix Market, ``.mat``, ``.npz``, PyG's ``.pt`` and
          others. ``.npy``: a matrix. ``-idx3-ubyte``, ``-idx3-ubyte.gz``: images in MNIST's format.
        * Folders: images, with one sub-folder for each class (`genurl_graph.datasets.readers.images`), or graphs, one
          in each file (`genurl_graph.datasets.readers.graph_folder`).
    features
        Table of features: ``.csv``, ``.tsv``, ``.txt`` or ``.parquet``, which may also have columns of node ids and
        labels (`genurl_graph.inputs.tables.nodes.read_nodes`); ``.npy``; ``.npz`` (key `x`, or CSR parts).
    labels
        Table of labels: ``.csv``, ``.tsv``, ``.txt``, ``.parquet``; ``.npy`` [n]; ``-idx1-ubyte``, ``-idx1-ubyte.gz``.
    options
        What the user says about the files. A column of graphs makes many graphs of a table of edges
        (`genurl_graph.inputs.collection.tables`); labels then have one row for each graph. A column of times makes
        events of its lines (`genurl_graph.inputs.temporal.tables`). ``as_="triples"`` reads triples
        (`genurl_graph.datasets.readers.triples`), and so does a folder with ``train.txt``. ``as_="edge-rows"``
        makes each edge a row (`genurl_graph.datasets.readers.edge_rows`).

    Returns
    -------
    Data, GraphSet, EventSet, EdgeSet or TripleSet
        Many graphs are a `genurl_graph.inputs.collection.graph_set.GraphSet`, edges with a time an
        `genurl_graph.inputs.temporal.EventSet`. One graph is a `Data`, with those of these parts that the files have:
        x float32 [n, f], dense or `torch.sparse_csr`; edge_index int64 [2, E], with both directions of an undirected
        list; edge_weight float32 [E]; y int64 [n] (-1: no label) and label_names; masks; node_id, a list of n strings,
        if nodes have names other than 0 .. n-1; feature_table and feature_plan, if x was made from raw columns;
        reading, a `Reading`.

    Raises
    ------
    InputError
        For any file that cannot be read in full, with the file and the place of the first fault.

    Examples
    --------
    >>> data = read("edges.csv", features="people.csv", labels="clubs.csv")  # doctest: +SKIP
    >>> data.node_id[:2]  # doctest: +SKIP
    ['alice', 'bob']
    """
    path = Path(path)
    if options.reading == "edge-rows":
        return read_edge_rows(path, features, labels, options)
    if options.reading == "triples" or (options.reading is None and path.is_dir() and holds_split(path)):
        return read_triples(path, features, labels, options)
    graph_format = find_format(path) if path.exists() else None
    if path.is_dir() and graph_format is None and path.suffix.lower() not in SUFFIXES:
        found = find_graphs(path, None if labels is None else Path(labels))
        if found is not None:
            return _read_folder(path, found, features, labels, options)
        refuse_split(path)
        if features is not None or labels is not None:
            raise InputError(f"{path}: a folder of images has its own features and classes; leave out the tables")
        return _say_images(read_image_folder(path), path)
    idx = is_idx(path)
    # A table may have any name: its content tells.
    unknown = not idx and graph_format is None and plain_suffix(path) not in SUFFIXES and holds_table(path)
    suffix = ".txt" if unknown else "" if idx or graph_format else check_suffix(path, SUFFIXES, "input")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        feature_table = read_features(Path(features), options) if features is not None else None
        label_table = read_labels(Path(labels), options) if labels is not None else None
        if suffix in TABLE_SUFFIXES:
            if suffix in EDGE_SUFFIXES and options.reading is None:
                options = replace(options, reading="edges")
            large = bool(options.names("time")) and is_large(path)
            # Of many lines the first ones tell, before all are read.
            if large and holds_events(first_block(path, options), feature_table, options):
                return read_large(path, feature_table, label_table, options)
            table = read_any_table(path, options, main=True)
            if options.names("graph"):
                return _read_graph_table(table, feature_table, label_table, options)
            if holds_events(table, feature_table, options):
                return read_event_tables(table, feature_table, label_table, options)
            square = read_square(table, path, options) if feature_table is None else None
            if square is None:
                data = check_graph(read_tables(table, feature_table, label_table, options), str(path))
                return say_of_triples(data, table, options)
            data = square
        elif suffix == ".npy":
            array = load_array(path)
            edges = as_edge_table(array, path, options)
            if edges is not None:
                return check_graph(read_tables(edges, feature_table, label_table, options), str(path))
            _refuse_features(feature_table, path, options)
            data = read_array(array, path, options)
        elif idx:
            _refuse_features(feature_table, path, options)
            data = _read_images(path)
        else:
            data = read_graph_file(path, _of_the_graph(options, feature_table, label_table), graph_format)
            if isinstance(data, list):
                _refuse_features(feature_table, path, options, "holds graphs with features of their own")
                return attach_labels(as_graph_set(data, None, path), label_table, options, str(path))
            if hasattr(data, "node_types"):
                if feature_table or label_table:
                    raise InputError(
                        f"{path}: a graph of several node types has its own features; leave out the tables"
                    )
                return data
        check_isolated(data, str(path))
        return check_graph(_attach_tables(data, path, feature_table, label_table, options), str(path))


def read_graphs(
    path: StrPath,
    features: StrPath | None = None,
    labels: StrPath | None = None,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - never changed
) -> GraphSet:
    """`read` of whole graphs, of which a file with a single one holds one.

    Raises
    ------
    InputError
        As of `read`; or a file that holds no set of graphs.
    """
    path = Path(path)
    kind = find_format(path) if path.is_file() else None
    if kind not in ONE_A_FILE:
        found = read(path, features, labels, options)
        if not isinstance(found, GraphSet):
            expected = "many graphs: a folder of them, or a table of edges with --column graph=NAME"
            raise wrong(path, "one graph, or vectors", expected)
        return found
    table = None if labels is None else read_labels(Path(labels), options)
    read_as = _of_the_graph(options, table)
    one = read_graph_folder(path.parent, GraphFiles([path], str(kind), [], []), read_as)
    return attach_labels(one, table, options, str(path))


def read_events(
    path: StrPath,
    features: StrPath | None = None,
    labels: StrPath | None = None,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - never changed
) -> EventSet:
    """Read events with a time, whose column need not be named where only one can be it.

    Parameters
    ----------
    path
        As of `genurl_graph.datasets.readers.events.read_event_file`.
    features, labels, options
        As of `read`.

    Raises
    ------
    InputError
        As of `read`; or a file without times.
    """
    of_nodes = None if features is None else read_features(Path(features), options)
    of_labels = None if labels is None else read_labels(Path(labels), options)
    return read_event_file(Path(path), of_nodes, of_labels, options)


def read_edge_rows(
    path: StrPath,
    features: StrPath | None = None,
    labels: StrPath | None = None,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - never changed
) -> EdgeSet:
    """Read edges that are rows; arguments and errors as of `genurl_graph.datasets.readers.edge_rows`."""
    of_nodes, of_labels = (None if each is None else Path(each) for each in (features, labels))
    return read_edge_row_file(Path(path), of_nodes, of_labels, options)


def read_triples(
    path: StrPath,
    features: StrPath | None = None,
    labels: StrPath | None = None,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - never changed
) -> TripleSet:
    """Read triples: a table of them, or a folder of a split.

    Parameters
    ----------
    path, features, labels, options
        As of `genurl_graph.datasets.readers.triples.read_triple_data`.

    Raises
    ------
    InputError
        As there.
    """
    of_entities, of_labels = (None if each is None else Path(each) for each in (features, labels))
    return read_triple_data(Path(path), of_entities, of_labels, options)


def _read_folder(
    path: Path, found: GraphFiles, features: StrPath | None, labels: StrPath | None, options: ReadOptions
) -> GraphSet:
    if features is not None:
        raise InputError(f"{path}: graphs in files have their own features; leave out {features}")
    table = None if labels is None else read_labels(Path(labels), options)
    return attach_labels(read_graph_folder(path, found, _of_the_graph(options, table)), table, options, str(path))


def _read_graph_table(
    table: Table, features: TableLike | None, labels: TableLike | None, options: ReadOptions
) -> GraphSet:
    if isinstance(features, NodeTable):
        raise wrong(f"features: {features.name}", "rows without names", "a table with columns of the graph and the id")
    return read_graph_tables(table, features, labels, options)


def _attach_tables(
    data: Data, path: Path, features: TableLike | None, labels: TableLike | None, options: ReadOptions
) -> Data:
    """`data` with what stands in the tables, which may go by the names of nodes or by their ids in the graph's file."""
    faults = []
    for key in ("node_id", "node_key"):
        if key == "node_key" and key not in data:
            continue
        names = data.get(key)
        ids = pd.RangeIndex(data.num_nodes or 0) if names is None else pd.Index(names, dtype=object)
        nodes = NodeIndex(ids, f"the {data.num_nodes} nodes of {path}")
        found = copy.copy(data)
        try:
            attach(found, nodes, features, labels, options, graph=data.edge_index is not None)
        except InputError as error:
            faults.append(error)
        else:
            return found
    raise faults[0]


def _refuse_features(
    table: TableLike | None, path: Path, options: ReadOptions, what: str = "is itself a feature matrix"
) -> None:
    if table is not None and options.reading != "adjacency":
        raise InputError(f"features: {table.name} given, but {path} {what}")


def _of_the_graph(options: ReadOptions, *tables: TableLike | None) -> ReadOptions:
    """What is said of a graph file: columns of the tables beside it are theirs, as are separators."""
    named = {str(name) for table in tables if isinstance(table, Table) for name in table.frame.columns}
    if not named:
        return options
    columns = {
        role: rest
        for role, names in options.columns.items()
        if (rest := tuple(name for name in names if name not in named))
    }
    return ReadOptions(options.reading, columns, directed=options.directed)


def _read_images(path: Path) -> Data:
    from torch_geometric.data import Data

    return _say_images(Data(x=as_features(read_images(path), str(path))), path)


def _say_images(data: Data, path: Path) -> Data:
    n, pixels = data.x.shape
    shape = data.get("image_shape")
    size = f"{shape[0]} x {shape[1]} pixels, {shape[2]} channels" if shape else f"{pixels:,} pixels each"
    labels = "" if data.get("y") is None else f", {len(data.y.unique()):,} classes"
    record = {"file": path.name, "as": "images", "rows": n, "pixels": pixels}
    data.reading = Reading((f"read {path.name} as images: {n:,} of {size}{labels}",), {"input": record})
    return data
