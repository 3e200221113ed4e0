"""The user's own files: `read` looks at the suffix and hands the file to its reader."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from genurl_graph.datasets.readers.checks import as_features, check_graph, check_isolated
from genurl_graph.datasets.readers.edge_list import attach, is_edge_list, read_edge_list
from genurl_graph.datasets.readers.formats import GRAPH_SUFFIXES, find_format, read_graph_file
from genurl_graph.datasets.readers.images import is_idx, read_image_folder, read_images
from genurl_graph.datasets.readers.node_tables import (
    TEXT_SUFFIXES,
    NodeIndex,
    NodeTable,
    check_suffix,
    features_from_text,
    read_features,
    read_labels,
)
from genurl_graph.datasets.readers.tables import sniff
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.safe_load import load_array

if TYPE_CHECKING:
    from torch_geometric.data import Data


StrPath = str | os.PathLike[str]
SUFFIXES = (".npz", *TEXT_SUFFIXES, *(suffix for suffix in GRAPH_SUFFIXES if suffix != ".npz"), ".npy")


def read(
    path: StrPath,
    features: StrPath | None = None,
    labels: StrPath | None = None,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - never changed
) -> Data:
    """Read a graph or a matrix from the user's files.

    Parameters
    ----------
    path
        ``.csv``, ``.tsv``, ``.txt``: an edge list, columns source, target and optionally weight, or a matrix
        with one row a sample (`genurl_graph.datasets.readers.edge_list.is_edge_list` tells which; with `features` it
        is always an edge list). Lines that begin with ``#`` are comments.
        Graph and matrix files: GraphML, GML, GEXF, Pajek, METIS, Matrix Market, ``.mat``, ``.npz``, PyG's ``.pt`` and
        others (`genurl_graph.datasets.readers.formats`). ``.npy``: a matrix. ``-idx3-ubyte``,
        ``-idx3-ubyte.gz``: images as MNIST has them. A folder: images, one sub-folder a class
        (`genurl_graph.datasets.readers.images`).
    features
        Feature table: ``.csv``, ``.tsv``, ``.txt`` or ``.parquet``, whose first column may hold the node ids;
        ``.npy``; ``.npz`` (key `x`, or CSR parts).
    labels
        Label table: ``.csv``, ``.tsv`` or ``.txt`` with one column (label) or two (id, label); ``.npy`` [n];
        ``-idx1-ubyte``, ``-idx1-ubyte.gz``.

    Returns
    -------
    Data
        x float32 [n, f], dense or `torch.sparse_csr`; edge_index int64 [2, E], directed as the file gives it;
        edge_weight float32 [E]; y int64 [n] and label_names; masks; node_id, a list of n strings, where the
        file names the nodes other than 0 .. n-1. Parts that the files do not hold are absent.

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
    graph_format = find_format(path) if path.exists() else None
    if path.is_dir() and graph_format is None and path.suffix.lower() not in SUFFIXES:
        if features is not None or labels is not None:
            raise InputError(f"{path}: a folder of images has its own features and classes; leave out the tables")
        return read_image_folder(path)
    idx = is_idx(path)
    suffix = "" if idx or graph_format else check_suffix(path, SUFFIXES, "input")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        feature_table = read_features(Path(features)) if features is not None else None
        label_table = read_labels(Path(labels)) if labels is not None else None
        if suffix in TEXT_SUFFIXES:
            layout = sniff(path)
            if features is not None or is_edge_list(layout):
                return read_edge_list(layout, feature_table, label_table)
            data = _matrix(features_from_text(layout))
        elif idx or suffix == ".npy":
            if feature_table is not None:
                raise InputError(f"features: {features} given, but {path} is itself a feature matrix")
            matrix = read_images(path) if idx else load_array(path)
            data = _matrix(NodeTable(path, as_features(matrix, str(path))))
        else:
            data = read_graph_file(path, options, graph_format)
            if hasattr(data, "node_types"):
                if feature_table or label_table:
                    raise InputError(
                        f"{path}: a graph of several node types has its own features; leave out the tables"
                    )
                return data
        check_isolated(data, str(path))
        names = data.get("node_id")
        ids = pd.RangeIndex(data.num_nodes or 0) if names is None else pd.Index(names, dtype=object)
        attach(data, NodeIndex(ids, f"the {data.num_nodes} nodes of {path}"), feature_table, label_table)
        return check_graph(data, str(path))


def _matrix(table: NodeTable) -> Data:
    from torch_geometric.data import Data

    data = Data(x=table.values)
    names = None if table.ids is None else NodeIndex(table.ids, f"the ids of {table.path}").names()
    if names is not None:
        data.node_id = names
    return data
