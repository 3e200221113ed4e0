"""Files of events: a table with a line an event, or what graph libraries keep of edges with a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor

from genurl_graph.datasets.readers.columnar import ARROW_SUFFIXES, COLUMNAR_SUFFIXES, read_parquet_blocks
from genurl_graph.datasets.readers.compressed import COMPRESSED, plain_suffix
from genurl_graph.datasets.readers.formats import NETWORK_SUFFIXES, find_format, holds_table, read_file_graph
from genurl_graph.datasets.readers.formats.pyg import load_pt
from genurl_graph.datasets.readers.node_tables import (
    EDGE_SUFFIXES,
    TEXT_SUFFIXES,
    check_suffix,
    read_any_table,
)
from genurl_graph.datasets.readers.square import as_edge_table
from genurl_graph.datasets.readers.tables import read_blocks
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.embeddings import check_parquet, import_parquet
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.safe_load import check_extent, load_array
from genurl_graph.inputs.tables.assemble import TableLike
from genurl_graph.inputs.tables.roles import decide
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.temporal.event_set import EventSet
from genurl_graph.inputs.temporal.objects import (
    from_data,
    from_snapshots,
    from_temporal_data,
    is_snapshots,
    is_temporal_data,
)
from genurl_graph.inputs.temporal.tables import read_event_tables

# Tables above are read in blocks. What is packed holds more.
LARGE_BYTES, LARGE_ROWS, PACKED = 1 << 26, 1_000_000, 4
TABLES = (*TEXT_SUFFIXES, *COLUMNAR_SUFFIXES)


def holds_events(table: Table, features: TableLike | None, options: ReadOptions) -> bool:
    """Whether a table whose column of times is named holds events; else it has rows with a time each.

    Raises
    ------
    InputError
        Where it may be either.
    """
    named = options.names("time")
    if not named or options.names("graph") or options.reading in ("vectors", "adjacency"):
        return False
    # Unknown columns are refused by the readers, with the nearest name; features are those of the events.
    columns = {role: names for role, names in options.columns.items() if role != "feature"}
    return named[0] in table.frame and (
        features is not None or decide(table, replace(options, columns=columns)).reading == "edges"
    )


def read_event_file(path: Path, features: TableLike | None, labels: TableLike | None, options: ReadOptions) -> EventSet:
    """Events of a file of any format that can hold them.

    Parameters
    ----------
    path
        A table (``.csv``, ``.parquet`` and so on, ``.npy`` [M, 3] or more), PyG's ``.pt`` with a ``TemporalData`` or a
        list of snapshots, or a graph file whose edges have an attribute that is a time: GraphML, GEXF, KONECT's.
    features, labels
        Tables with a row a node.
    options
        Without a column of times, the only one that can be it is taken.

    Raises
    ------
    InputError
        For a file that cannot be read in full, or holds no times.
    """
    kind = find_format(path) if path.exists() else None
    if kind == ".pt":
        return _of_pt(path, features, labels, options)
    if kind in NETWORK_SUFFIXES:
        return _of_network(path, kind, features, labels, options)
    if path.suffix.lower() == ".npy":
        table = as_edge_table(load_array(path), path, replace(options, reading="edges"))
        if table is None:
            raise wrong(path, "no list of edges", "columns of source, target and time")
        return read_event_tables(table, features, labels, options)
    if not (path.is_file() and plain_suffix(path) not in TABLES and kind is None and holds_table(path)):
        check_suffix(path, (*TABLES, ".npy", ".pt", *NETWORK_SUFFIXES), "events")
    if plain_suffix(path) in EDGE_SUFFIXES and options.reading is None:
        options = replace(options, reading="edges")
    if is_large(path):
        return read_large(path, features, labels, options)
    return read_event_tables(read_any_table(path, options, main=True), features, labels, options)


def is_large(path: Path) -> bool:
    """Whether a table is read in blocks: text and Parquet of many lines."""
    suffix = plain_suffix(path)
    if suffix in ARROW_SUFFIXES or not path.is_file():
        return False
    if suffix == ".parquet":
        check_parquet(path)
        return bool(import_parquet(path).read_metadata(path).num_rows > LARGE_ROWS)
    return path.stat().st_size > LARGE_BYTES // (PACKED if path.suffix.lower() in COMPRESSED else 1)


def first_block(path: Path, options: ReadOptions) -> Table:
    """The first lines of a table that `is_large`."""
    return next(read_parquet_blocks(path) if plain_suffix(path) == ".parquet" else read_blocks(path, options))


def read_large(path: Path, features: TableLike | None, labels: TableLike | None, options: ReadOptions) -> EventSet:
    """Events of a table that is never in memory as a whole: what its columns are is decided by its first block."""
    if plain_suffix(path) == ".parquet":
        first = next(read_parquet_blocks(path))

        def rest(columns: list[str]) -> Iterator[Table]:
            return islice(read_parquet_blocks(path, columns), 1, None)

        return read_event_tables(first, features, labels, options, rest)
    blocks = read_blocks(path, options)
    return read_event_tables(next(blocks), features, labels, options, lambda _: blocks)


def _of_pt(path: Path, features: TableLike | None, labels: TableLike | None, options: ReadOptions) -> EventSet:
    for table in (features, labels):
        if table is not None:
            raise InputError(f"{path}: PyG's events have their own nodes; leave out {table.name}")
    content = load_pt(path)
    for data in content if isinstance(content, list | tuple) else [content]:
        for key, value in data.to_dict().items() if hasattr(data, "to_dict") else ():
            if isinstance(value, Tensor):
                check_extent(value, path, key)
    if is_temporal_data(content):
        return from_temporal_data(content, options)
    if is_snapshots(content):
        return from_snapshots(content, options)
    if hasattr(content, "num_node_features") and not hasattr(content, "node_types"):
        return from_data(content, options)
    raise wrong(path, f"PyG {type(content).__name__}", "a TemporalData, a Data, or a list of these, one a snapshot")


def _of_network(
    path: Path, kind: str, features: TableLike | None, labels: TableLike | None, options: ReadOptions
) -> EventSet:
    graph = read_file_graph(path, kind)
    names = np.array(graph.ids, dtype=object)
    ends = pd.DataFrame({"source": names[graph.source], "target": names[graph.target]})
    attributes = graph.edges.drop(columns=[name for name in ends if name in graph.edges])
    notes = [graph.kind, *graph.notes]
    if len(graph.nodes.columns):
        notes.append(f"attributes of the nodes left out: {', '.join(map(str, graph.nodes.columns))}")
    table = Table(str(path), pd.concat([ends, attributes], axis=1), notes=tuple(notes))
    said = {"source": ("source",), "target": ("target",), **options.columns}
    directed = graph.directed if options.directed is None else options.directed
    return read_event_tables(table, features, labels, replace(options, columns=said, directed=directed))
