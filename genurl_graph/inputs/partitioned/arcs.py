"""Lines of edges on their way to partitions: by two shuffles the ids of both ends become rows, where they are known."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.partitioned.adjacency import CHUNK, send_edges
from genurl_graph.inputs.partitioned.blocks import Blocks, check_columns_of
from genurl_graph.inputs.partitioned.numbering import id_keys
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.edges import direction_of, read_weights
from genurl_graph.inputs.tables.roles import Roles, decide
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import as_ids
from genurl_graph.runtime.partitions import Launcher, Store, Worked
from genurl_graph.runtime.partitions.shuffle import gather, scatter

_BY_SOURCE, _BY_TARGET = "by_source", "by_target"

Keys = npt.NDArray[np.uint64]


class EdgeColumns(NamedTuple):
    """The columns of all tables of edges, as the first one decided.

    Attributes
    ----------
    first : str
        Name of that file.
    roles : Roles
    directed : bool
    """

    first: str
    roles: Roles
    directed: bool

    @property
    def weight(self) -> str | None:
        """The column of weights."""
        return self.roles.columns.get("weight")


class SentEdges(NamedTuple):
    """What was sent: lines, those between a node and itself, those that lead to no node, and what these nodes are."""

    lines: int
    loops: int
    lost: int
    unknown: int


def decide_edges(blocks: Blocks, options: ReadOptions) -> EdgeColumns:
    """Decide what the columns of all tables of edges are; InputError where two readings are possible."""
    first = blocks.first()
    roles = decide(first, ReadOptions("edges", options.columns))
    found = EdgeColumns(first.name, roles, direction_of(first, roles, options))
    source, target = as_ids(first, [roles.columns["source"], roles.columns["target"]])
    if roles.two_kinds and bool(source.isin(target).any()):
        ends = " and ".join(roles.columns[end] for end in ("source", "target"))
        raise wrong(
            blocks.name, f"{ends}, two kinds of nodes that share ids", "another id for each node of either kind"
        )
    return found


def send_lines(
    launcher: Launcher,
    blocks: Blocks,
    columns: EdgeColumns,
    options: ReadOptions,
    store: Store,
    work: Store,
    seed: int,
    drop_unknown: bool,
    progress: bool = False,
) -> SentEdges:
    """Send all lines to the partitions of both their ends (`genurl_graph.inputs.partitioned.adjacency.send_edges`).

    Parameters
    ----------
    store, work : Store
        Partitions, and what lies between two steps: the hashes of the ids of each partition are there, sorted.
    drop_unknown : bool
        Whether edges to nodes without a row are left out.

    Returns
    -------
    SentEdges
        There are as many chunks as partitions.

    Raises
    ------
    InputError
        For a node without a row, with the line of the first, unless `drop_unknown`.
    """
    # What is below the first hash of a partition belongs to the one before it.
    splits = np.array([work.load("keys", part, 0, 1)[0] for part in range(1, work.count)], dtype=np.uint64)
    chunks = lines = 0
    for chunks, (source, target, weight) in enumerate(_chunks(blocks, columns, options, seed), start=1):
        _scatter(work, _BY_SOURCE, chunks - 1, splits, source, {"source": source, "target": target}, weight)
        lines += len(source)
    weighted = columns.weight is not None
    parts = range(store.count)
    launcher.map("ends of edges", _find_sources, parts, work, splits, chunks, weighted, progress=progress)
    shutil.rmtree(work.path / _BY_SOURCE)
    done = launcher.map("other ends", _find_targets, parts, work, weighted, progress=progress)
    shutil.rmtree(work.path / _BY_TARGET)
    found = SentEdges(lines, *(_total(done, place) for place in range(3)))
    if found.unknown and not drop_unknown:
        absent = next(work.load("unknown", part)[0] for part in parts if work.shape("unknown", part)[0])
        place, name = _find(blocks, columns, absent, seed)
        nodes = f"{found.unknown:,} node{'' if found.unknown == 1 else 's'} without a row of features"
        raise wrong(place, f"{nodes}, such as {name!r}", "a row for each; or --drop-unknown leaves their edges out")
    return found


def _total(done: list[Worked], place: int) -> int:
    return sum(work.value[place] for work in done)


def _chunks(blocks: Blocks, columns: EdgeColumns, options: ReadOptions, seed: int) -> Iterator[tuple[Keys, Keys, Any]]:
    """Hashes of both ends and weights of about `CHUNK` lines at a time; there is at least one chunk."""
    held: list[tuple[Keys, Keys, Any]] = []
    size = 0
    for block in blocks:
        held.append(_read(block, columns, options, seed))
        size += len(held[-1][0])
        if size >= CHUNK:
            yield _joined(held)
            held, size = [], 0
    if held:
        yield _joined(held)


def _joined(held: list[tuple[Keys, Keys, Any]]) -> tuple[Keys, Keys, Any]:
    source, target, weight = zip(*held, strict=True)
    return np.concatenate(source), np.concatenate(target), None if weight[0] is None else np.concatenate(weight)


def _read(block: Table, columns: EdgeColumns, options: ReadOptions, seed: int) -> tuple[Keys, Keys, Any]:
    roles = columns.roles
    check_columns_of(block, [*roles.columns.values()], columns.first)
    if direction_of(block, roles, options) != columns.directed:
        found = "directed and undirected edges"
        raise wrong(block.name, found, "--directed or --undirected for all of them")
    ends = as_ids(block, [roles.columns["source"], roles.columns["target"]])
    weight = None if columns.weight is None else read_weights(block, columns.weight)
    source, target = (id_keys(np.asarray(end), seed) for end in ends)
    return source, target, weight


def _scatter(work: Store, name: str, chunk: int, splits: Keys, key: Keys, sent: dict[str, Any], weight: Any) -> None:
    if weight is not None:
        sent = sent | {"weight": weight}
    scatter(work, name, chunk, np.searchsorted(splits, key, side="right"), sent)


def _rows(work: Store, part: int, wanted: Keys) -> npt.NDArray[np.int64]:
    """The row of each hash, -1 where no node of the partition has it."""
    keys = work.load("keys", part)
    place = np.searchsorted(keys, wanted)
    place[place == len(keys)] = 0
    return np.where(keys[place] == wanted, place + work.bounds[part], -1)


def _find_sources(part: int, work: Store, splits: Keys, chunks: int, weighted: bool) -> None:
    weights = ["weight"] if weighted else []
    found = gather(work, _BY_SOURCE, part, ["source", "target", *weights], chunks)
    row = _rows(work, part, found["source"])
    work.save("unknown", part, np.unique(found["source"][row < 0]))
    weight = found["weight"] if weighted else None
    _scatter(work, _BY_TARGET, part, splits, found["target"], {"row": row, "target": found["target"]}, weight)


def _find_targets(part: int, work: Store, weighted: bool) -> tuple[int, int, int]:
    weights = ["weight"] if weighted else []
    found = gather(work, _BY_TARGET, part, ["row", "target", *weights])
    col = _rows(work, part, found["target"])
    # A node belongs to one partition, as a source and as a target: what is unknown is counted once.
    unknown = np.union1d(work.load("unknown", part), found["target"][col < 0])
    work.save("unknown", part, unknown)
    known = (found["row"] >= 0) & (col >= 0)
    weight = found["weight"][known] if weighted else None
    loops = send_edges(work, part, found["row"][known], col[known], weight)
    return loops, int((~known).sum()), len(unknown)


def _find(blocks: Blocks, columns: EdgeColumns, key: np.uint64, seed: int) -> tuple[str, str]:
    """Where an id of this hash stands, and the id: only its hash was kept."""
    for block in blocks:
        for end in ("source", "target"):
            ids = np.asarray(as_ids(block, [columns.roles.columns[end]])[0])
            here = np.flatnonzero(id_keys(ids, seed) == key)
            if len(here):
                row = int(here[0])
                return f"{block.name}: {block.where(row)}", str(ids[row])
    raise AssertionError("the files have changed since they were read")
