"""Tables of edges and nodes of any size, as prepared partitions: no more than a block or a partition is in memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from genurl_graph.inputs.embeddings import import_parquet
from genurl_graph.inputs.partitioned.adjacency import Edges, join_edges
from genurl_graph.inputs.partitioned.arcs import EdgeColumns, SentEdges, decide_edges, send_lines
from genurl_graph.inputs.partitioned.blocks import Blocks
from genurl_graph.inputs.partitioned.folder import new_folder
from genurl_graph.inputs.partitioned.manifest import Manifest
from genurl_graph.inputs.partitioned.node_columns import NodeColumns, decide_nodes
from genurl_graph.inputs.partitioned.nodes import SentNodes, check_count, place_nodes, send_nodes
from genurl_graph.inputs.partitioned.prepared import Prepared
from genurl_graph.inputs.partitioned.write import ROWS, partition_count
from genurl_graph.inputs.reading import NOTHING_SAID, ReadOptions
from genurl_graph.inputs.tables.assemble import check_columns
from genurl_graph.inputs.tables.edges import count
from genurl_graph.runtime.partitions import Launcher, OneProcess, Store

# Columns that a line names.
_MOST_NAMED = 8


def prepare_tables(
    edges: Blocks,
    nodes: Blocks,
    path: str | os.PathLike[str],
    options: ReadOptions = NOTHING_SAID,
    *,
    rows: int = ROWS,
    partitions: int | None = None,
    seed: int = 0,
    drop_unknown: bool = False,
    like: Manifest | None = None,
    launcher: Launcher | None = None,
    progress: bool = False,
) -> Prepared:
    """Write tables of edges and nodes as partitions of rows.

    What the columns are is decided by names and by the first rows, as for a single file
    (`genurl_graph.inputs.tables.assemble.read_tables`); then every file is read block by block, in any order of
    columns. Rows are numbered as in `genurl_graph.inputs.partitioned.write.write_prepared`.

    Parameters
    ----------
    edges, nodes : Blocks
        A line an edge; a row a node, with its id, its features and perhaps its label.
    path : path
        Folder, which may be one that was prepared before: it is replaced when the new one is complete.
    options : ReadOptions
        What the user says of columns and directions. Undirected edges are summed over repeats and both directions; of
        directed ones the larger of both sums counts.
    rows, partitions, seed
        As of `write_prepared`.
    drop_unknown : bool
        Leave out edges to nodes without a row.
    like : Manifest, optional
        Of partitions whose features these are to have, made in the same way: for a model that was fitted on them.
    launcher : Launcher, optional
        Who works on partitions; this process by default.
    progress : bool

    Returns
    -------
    Prepared

    Raises
    ------
    InputError
        Where two readings are possible, a block is not as the first was, an id repeats, an end has no row, or there is
        no room.
    """
    launcher = OneProcess() if launcher is None else launcher
    import_parquet(Path(path))
    check_columns(options, [edges.first(), nodes.first()])
    edge_columns = decide_edges(edges, options)
    columns = decide_nodes(nodes, options, like)
    with new_folder(path) as folder:
        sent = send_nodes(nodes, columns, Store(folder / "work", (0, 1)), seed)
        n = check_count(sent, nodes.name)
        store = Store.of(folder, n, partition_count(n, rows, partitions))
        work = store.beside("work")
        codes, classes = sent.classes.final()
        labelled = columns.label is not None and len(codes) > 0
        labels = codes if labelled else None
        parts = range(store.count)
        launcher.map("nodes", place_nodes, parts, store, work, sent, labels, nodes.name, progress=progress)
        _remove(sent.buckets)
        lines = send_lines(launcher, edges, edge_columns, options, store, work, seed, drop_unknown, progress)
        weighted = edge_columns.weight is not None
        joined = join_edges(launcher, store, work, store.count, weighted, edge_columns.directed, progress)
        said = [*_say_nodes(nodes, columns, sent, n), *_say_edges(edges, edge_columns, lines, joined)]
        said += _say_left_out(nodes, columns)
        Manifest(
            bounds=store.bounds,
            num_edges=joined.entries,
            features=columns.names,
            weighted=joined.weighted,
            labelled=labelled,
            classes=classes if labelled else None,
            seed=seed,
            plan=None if columns.plan is None else columns.plan.to_dict(),
            reading={"lines": said, **_record(edges, edge_columns, lines, joined, nodes, columns)},
        ).write(folder)
    return Prepared.open(path)


def _remove(store: Store) -> None:
    import shutil

    shutil.rmtree(store.path)


def _say_nodes(blocks: Blocks, columns: NodeColumns, sent: SentNodes, n: int) -> list[str]:
    told = [count(n, "row"), f"ids in {columns.id}"]
    if len(blocks.files) > 1:
        told.insert(0, count(len(blocks.files), "file"))
    if columns.label is not None:
        gaps = f", {count(sent.unlabelled, 'row')} without one" if sent.unlabelled else ""
        told.append(f"labels in {columns.label} ({len(sent.classes.codes):,} classes{gaps})")
    names = columns.features
    shown = ", ".join(names) if len(names) <= _MOST_NAMED else f"{len(names):,} columns, {names[0]} to {names[-1]}"
    features = f"features: {shown} (numbers as they are)" if columns.plan is None else columns.plan.summary()
    return [f"read {blocks.name} as nodes: {', '.join(told)}", features]


def _say_edges(blocks: Blocks, columns: EdgeColumns, lines: SentEdges, joined: Edges) -> list[str]:
    told = [count(lines.lines, "line"), count(joined.entries // 2, "distinct pair")]
    if len(blocks.files) > 1:
        told.insert(0, count(len(blocks.files), "file"))
    for there, what in (
        (joined.both, "each in both directions"),
        (joined.turned, f"{joined.turned:,} of them in both directions, which count as one"),
        (joined.repeats, "repeats summed"),
        (columns.directed, "directed"),
        (lines.loops, f"{count(lines.loops, 'self loop')} left out"),
        (lines.lost, f"{count(lines.lost, 'line')} to {count(lines.unknown, 'node')} without a row left out"),
    ):
        if there:
            told.append(what)
    source, target = (columns.roles.columns[end] for end in ("source", "target"))
    weight = "" if columns.weight is None else f", weight {columns.weight}"
    said = [f"read {blocks.name} as edges: {source} -> {target}{weight} ({', '.join(told)})"]
    if columns.roles.left_out:
        said.append(f"left out of {blocks.name}: {_listed(columns.roles.left_out)}")
    return [*said, *columns.roles.notes]


def _say_left_out(blocks: Blocks, columns: NodeColumns) -> list[str]:
    return [f"left out of {blocks.name}: {_listed(columns.left_out)}"] if columns.left_out else []


def _listed(left_out: Any) -> str:
    return ", ".join(name + (f" ({why})" if why else "") for name, why in left_out.items())


def _record(
    edges: Blocks, edge_columns: EdgeColumns, lines: SentEdges, joined: Edges, nodes: Blocks, columns: NodeColumns
) -> dict[str, Any]:
    """The same for a program."""
    facts = {**edge_columns.roles.columns, "directed": edge_columns.directed, **lines._asdict(), **joined._asdict()}
    of_nodes = {"id": columns.id, "label": columns.label, "left_out": columns.left_out}
    return {
        "edges": {"files": [file.name for file in edges.files], **facts},
        "features": {"files": [file.name for file in nodes.files], **of_nodes},
    }
