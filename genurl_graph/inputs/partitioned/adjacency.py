"""The rows of an adjacency matrix by partition, of edges in any order: each edge goes to the owners of both its ends.

Between two nodes i and j there are edges from i to j and from j to i. Both owners see all of them, so that both come to
the same weight: of directed edges the larger of the two sums, as `genurl_graph.graph.edge_lists.add_inverses` has it;
of undirected edges the sum of both, or the larger where the list says every edge both ways.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from genurl_graph.exceptions import wrong
from genurl_graph.runtime.partitions import Launcher, Store, run_stage
from genurl_graph.runtime.partitions.shuffle import gather, scatter

# Edges that are sent together.
CHUNK = 1 << 22
# Weights of the two directions may differ by rounding where a list says every edge both ways.
_CLOSE = 1e-6
_ARCS, _SUMS = "arcs", "sums"

Int64 = npt.NDArray[np.int64]


class Edges(NamedTuple):
    """What became of the edges of all partitions.

    Attributes
    ----------
    entries : int
        Of the matrix: each edge in both directions.
    weighted : bool
        Whether there are weights other than 1.
    both : bool
        Whether the list says every edge both ways.
    repeats : bool
        Whether an edge is there twice in one direction, or an undirected one in both.
    turned : int
        Undirected edges that are there in both directions, where not all are.
    """

    entries: int
    weighted: bool
    both: bool
    repeats: bool
    turned: int


def send_edges(store: Store, source: int, row: Int64, col: Int64, weight: Any = None) -> int:
    """Send a chunk of edges to the partitions of their ends, without self loops.

    Parameters
    ----------
    store : Store
        For what lies between two steps.
    source : int
        Number of the chunk, from 0.
    row, col : array, int64, shape [m]
    weight : array, float, shape [m], optional

    Returns
    -------
    int
        How many were self loops.
    """
    between = row != col
    ends, others = row[between], col[between]
    sent = {"row": np.concatenate([ends, others]), "col": np.concatenate([others, ends])}
    sent["back"] = np.repeat(np.array([False, True]), len(ends))
    if weight is not None:
        sent["weight"] = np.tile(np.asarray(weight)[between], 2)
    scatter(store, _ARCS, source, store.owner(sent["row"]), sent)
    return int((~between).sum())


def join_edges(
    launcher: Launcher,
    store: Store,
    work: Store,
    chunks: int,
    weighted: bool,
    directed: bool,
    progress: bool = False,
) -> Edges:
    """Make ``crow``, ``col`` and, where there are weights, ``weight`` of all edges that `send_edges` has sent.

    Parameters
    ----------
    launcher : Launcher
    store, work : Store
        Where the result goes; where the edges were sent.
    chunks : int
        How many of them were sent.
    weighted : bool
        Whether they came with weights.
    directed : bool
        What the list says of the two directions.
    """
    run_stage(launcher, store, "edges", _join, ["crow", "col"], work, chunks, weighted, progress=progress)
    counts: Iterable[Any] = (work.load("counts", part) for part in range(work.count))
    entries, twice, oneway, repeats = np.sum([*counts], axis=0).tolist()
    both = not directed and entries > 0 and oneway == 0
    turned = 0 if directed or both else twice // 2
    summed = repeats > 0 or turned > 0
    if weighted or summed:
        run_stage(launcher, store, "weights", _weigh, ["weight"], work, directed or both, progress=progress)
    return Edges(entries, weighted or summed, both, summed, turned)


def _join(part: int, store: Store, work: Store, chunks: int, weighted: bool) -> None:
    names = ["row", "col", "back", *(["weight"] if weighted else [])]
    found = gather(work, _ARCS, part, names, chunks)
    low, n = store.bounds[part], store.num_rows
    key = (found["row"] - low) * n + found["col"]
    # The smallest weights are added first, so that sums do not depend on the order of lines.
    order = found["weight"].argsort(kind="stable") if weighted else np.arange(len(key))
    order = order[key[order].argsort(kind="stable")]
    key, back = key[order], found["back"][order]
    weight = found["weight"][order].astype(np.float64) if weighted else np.ones(len(key))
    del found, order
    first = np.ones(len(key), dtype=bool)
    first[1:] = key[1:] != key[:-1]
    place = first.cumsum() - 1
    entry = key[first]
    count, total = (
        np.stack([np.bincount(place[side], values[side], len(entry)) for side in (~back, back)], axis=1)
        for values in (np.ones(len(key)), weight)
    )
    here = np.bincount(entry // n, minlength=store.size(part))
    store.save("crow", part, np.concatenate([[0], here.cumsum()]).astype(np.int64))
    work.save(_SUMS, part, total)
    said = count > 0
    same = said.all(axis=1) & np.isclose(total[:, 0], total[:, 1], rtol=_CLOSE, atol=0)
    counts = [len(entry), said.all(axis=1).sum(), (~same).sum(), (count > 1).any(axis=1).sum()]
    work.save("counts", part, np.array(counts, dtype=np.int64))
    # Last: where it is, all of the partition's arrays are.
    store.save("col", part, (entry % n).astype(np.int32 if n < 2**31 else np.int64))


def _weigh(part: int, store: Store, work: Store, larger: bool) -> None:
    sums = work.load(_SUMS, part)
    found = sums.max(axis=1) if larger else sums.sum(axis=1)
    with np.errstate(over="ignore"):
        weight = found.astype(np.float32)
    if not np.isfinite(weight).all():
        raise wrong("summed weights", f"{found.max():g}", "numbers that float32 can hold")
    store.save("weight", part, weight)
