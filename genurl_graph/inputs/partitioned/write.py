"""An input that is in memory, as prepared partitions."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.embeddings import import_parquet
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.partitioned.adjacency import CHUNK, join_edges, send_edges
from genurl_graph.inputs.partitioned.folder import new_folder
from genurl_graph.inputs.partitioned.manifest import Manifest
from genurl_graph.inputs.partitioned.numbering import as_numbers, as_plain_ids, check_keys, id_keys
from genurl_graph.inputs.partitioned.prepared import Prepared, write_ids
from genurl_graph.inputs.sparse import to_scipy_or_numpy
from genurl_graph.runtime.partitions import OneProcess, Store

# Rows of a partition: 16 MB of 64 features.
ROWS = 1 << 16


def write_prepared(
    data: Input,
    path: str | os.PathLike[str],
    *,
    rows: int = ROWS,
    partitions: int | None = None,
    seed: int = 0,
    labels: Any = None,
    classes: Sequence[str] | None = None,
) -> Prepared:
    """Write an input as partitions of rows.

    Rows are numbered anew, by the hash of the nodes' names (`genurl_graph.inputs.partitioned.numbering`): the same
    nodes get the same numbers whatever the partitions. Edges come out in both directions, of which the larger weight
    counts, without self loops, as in the similarities of a run in memory.

    Parameters
    ----------
    data : Input
        Nodes with features, edges or both.
    path : path
        Folder, which may be one that was prepared before: it is replaced when the new one is complete.
    rows : int
        Of a partition, at most.
    partitions : int, optional
        Their number, instead.
    seed : int
        >= 0; of the order of the rows.
    labels : Tensor or array, int, shape [n], optional
        -1: none. For evaluations alone.
    classes : sequence of str, optional
        Names of the labels.

    Returns
    -------
    Prepared

    Raises
    ------
    InputError
        Anything but one graph or vectors, labels that do not match, or no room.

    Examples
    --------
    >>> data = as_input(np.random.rand(1000, 8))
    >>> write_prepared(data, folder / "prepared", partitions=3).store.bounds
    (0, 333, 666, 1000)
    """
    _check(data)
    import_parquet(Path(path))
    n = data.num_nodes
    names = np.arange(n) if data.names is None else as_numbers(as_plain_ids(data.names))
    keys = id_keys(names, seed)
    order = keys.argsort(kind="stable")
    check_keys("nodes", keys[order], names[order])
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    y = None if labels is None else _labels(labels, n)[order]
    x = None if data.x is None else to_scipy_or_numpy(data.x)
    with new_folder(path) as folder:
        store = Store.of(folder, n, partition_count(n, rows, partitions))
        work = store.beside("work")
        for part in range(store.count):
            here = order[slice(*store.span(part))]
            write_ids(folder, part, names[here])
            if x is not None:
                store.save("x", part, _dense(x[here]))
            if y is not None:
                store.save("y", part, y[slice(*store.span(part))])
        chunks = _send(data, place, work)
        edges = join_edges(OneProcess(), store, work, chunks, data.edge_weight is not None, directed=True)
        width = 0 if x is None else x.shape[1]
        manifest = Manifest(
            bounds=store.bounds,
            num_edges=edges.entries,
            features=feature_names(data.plan, width),
            weighted=edges.weighted,
            labelled=y is not None,
            classes=None if classes is None else tuple(map(str, classes)),
            seed=seed,
            plan=None if data.plan is None else data.plan.to_dict(),
            reading={"lines": list(data.reading.lines), **data.reading.record},
        )
        manifest.write(folder)
    return Prepared.open(path)


def partition_count(n: int, rows: int, partitions: int | None) -> int:
    """Number of partitions of n rows; InputError where what is asked for is none."""
    if partitions is not None:
        if not 1 <= partitions <= n:
            raise wrong("partitions", partitions, f"a number from 1 to {n:,}, that of the nodes")
        return partitions
    if rows < 1:
        raise wrong("rows of a partition", rows, "at least 1")
    return -(-n // rows)


def feature_names(plan: Any, width: int) -> tuple[str, ...]:
    """Names of the columns of x: those that a plan has given them, else numbers from 1."""
    return tuple(map(str, plan.names if plan is not None else range(1, width + 1)))


def _send(data: Input, place: Any, work: Store) -> int:
    """Send the edges in chunks, and return how many chunks there are: at least one."""
    edges = torch.empty(2, 0, dtype=torch.long) if data.edge_index is None else data.edge_index
    starts = range(0, max(1, edges.size(1)), CHUNK)
    for chunk, start in enumerate(starts):
        part = slice(start, start + CHUNK)
        row, col = (place[ends.numpy()] for ends in edges[:, part])
        send_edges(work, chunk, row, col, None if data.edge_weight is None else data.edge_weight[part].numpy())
    return len(starts)


def _dense(rows: Any) -> Any:
    return rows.toarray() if hasattr(rows, "toarray") else rows


def _labels(labels: Any, n: int) -> Any:
    found = np.asarray(labels)
    if found.shape != (n,) or found.dtype.kind not in "iub":
        raise wrong("labels", f"{found.dtype} of shape {list(found.shape)}", f"a whole number for each of {n:,} nodes")
    return found.astype(np.int64)


def _check(data: Input) -> None:
    others = {
        "many graphs": data.graphs,
        "events with a time": data.events,
        "edges that are rows": data.ends,
        "typed edges": data.triples,
        "several types of nodes": data.types,
        "distances": data.distances,
    }
    for what, there in others.items():
        if there is not None:
            raise wrong("partitions", what, "one graph, or vectors")
