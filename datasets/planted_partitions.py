"""A planted graph of any size as files, written part by part: for trials of what no memory holds."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from genurl_graph.datasets.synthetic import COHESION, TAIL
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.embeddings import import_parquet
from genurl_graph.inputs.hashing import mix
from genurl_graph.runtime.files import atomic_write, check_folder

# Groups of a class, edges within a class, and noise of a feature, as `planted_graph` has them by default.
GROUPS, HOMOPHILY, NOISE = 4, 0.65, 2.0
# Edges drawn at a time, and nodes whose features are.
_DRAWN, _ROWS = 1 << 20, 1 << 16
# Share of each group's nodes, those with the most edges, among which draws are uniform: about 200 times the mean.
_FLAT = 6e-5
# Rounds after which a part that is nearly full is given up.
_ROUNDS = 40

Int64 = npt.NDArray[np.int64]


class PlantedFiles(NamedTuple):
    """The files of a planted graph.

    Attributes
    ----------
    edges : list of Path
        Parquet, columns source and target, int64: each edge once, in one direction.
    nodes : list of Path
        Parquet, columns id int64, x0, x1, ... float32, label int64.
    """

    edges: list[Path]
    nodes: list[Path]


def write_planted(
    path: str | os.PathLike[str],
    num_nodes: int,
    edges_a_node: float,
    num_features: int = 64,
    classes: int = 40,
    seed: int = 0,
    partitions: int = 16,
    noise: float = NOISE,
) -> PlantedFiles:
    """Write a graph like that of `genurl_graph.datasets.synthetic.planted_graph`, holding one part of it at a time.

    Nodes of a group are a range of ids, those with the most edges first, so that a weighted draw is a power of a
    uniform number, and nothing is held of all nodes. Each file of nodes has nodes of all groups. An edge belongs to the
    part of one of its ends, by a hash of both, so that no two parts draw the same.

    Parameters
    ----------
    path : path
        Folder; the files are in its folders ``edges`` and ``nodes``.
    num_nodes : int
    edges_a_node : float
        Undirected edges over nodes, half the mean degree.
    num_features, classes : int
    seed : int
    partitions : int
        Files of edges, and of nodes.
    noise : float
        Deviation of a feature from its centre, in deviations of the centres.

    Returns
    -------
    PlantedFiles

    Raises
    ------
    InputError
        A number out of range, no pyarrow, or a path that cannot be written.

    Examples
    --------
    >>> files = write_planted(folder, 10_000, 5, num_features=8, classes=4, partitions=3)
    >>> [file.name for file in files.nodes]
    ['00000.parquet', '00001.parquet', '00002.parquet']
    """
    edges = round(num_nodes * edges_a_node)
    for name, value, good, expected in (
        ("num_nodes", num_nodes, num_nodes >= 2, "at least 2"),
        ("edges_a_node", edges_a_node, 1 <= edges <= num_nodes * (num_nodes - 1) // 8, "few beside all pairs, and one"),
        ("num_features", num_features, num_features >= 1, "at least 1"),
        (
            "classes",
            classes,
            1 <= classes * GROUPS <= num_nodes,
            f"1 to {num_nodes // GROUPS:,}, a node for each group",
        ),
        ("partitions", partitions, 1 <= partitions <= num_nodes, f"1 to {num_nodes:,}"),
        ("noise", noise, 0 <= noise < math.inf, "a finite number >= 0"),
    ):
        if not good:
            raise wrong(name, value, expected)
    folder = check_folder(path)
    import_parquet(folder)
    folders = [folder / name for name in ("edges", "nodes")]
    for each in folders:
        each.mkdir(parents=True, exist_ok=True)
    first = _first_of_groups(num_nodes, classes)
    centres = np.random.default_rng(seed).standard_normal((classes, GROUPS, num_features), dtype=np.float32)
    centres = (centres - centres.mean(1, keepdims=True)).reshape(-1, num_features)
    files = PlantedFiles(*([each / f"{part:05d}.parquet" for part in range(partitions)] for each in folders))
    for part in range(partitions):
        count = edges * (part + 1) // partitions - edges * part // partitions
        own = np.random.default_rng((seed, part))
        _write_edges(files.edges[part], part, partitions, count, first, own)
        _write_nodes(files.nodes[part], np.arange(part, num_nodes, partitions), first, centres, noise, own)
    return files


def _first_of_groups(num_nodes: int, classes: int) -> Int64:
    """First node of each group, and the one after the last: classes of unequal size, groups of equal ones."""
    share = np.repeat(1 / np.sqrt(np.arange(1, classes + 1)) / GROUPS, GROUPS)
    # A node for each group, and the others by share.
    rest = (num_nodes - len(share)) * np.concatenate([[0.0], share.cumsum()]) / share.sum()
    found: Int64 = np.round(rest).astype(np.int64) + np.arange(len(share) + 1)
    return found


def _group_of(node: Int64, first: Int64) -> Int64:
    found: Int64 = np.searchsorted(first, node, side="right") - 1
    return found


def _write_edges(
    file: Path, part: int, partitions: int, count: int, first: Int64, generator: np.random.Generator
) -> None:
    import pyarrow

    n = int(first[-1])
    keys = np.empty(0, dtype=np.int64)
    for _ in range(_ROUNDS):
        found = [keys]
        # Half of the draws belong to the other end.
        for _ in range(-(-2 * (count - len(keys)) // _DRAWN)):
            size = min(_DRAWN, 2 * (count - len(keys)) + 16)
            # Of one group after the other, in proportion to their nodes; then the node of it that this part holds.
            source = _draw(_group_of(generator.integers(n, size=size), first), first, generator)
            source = np.minimum(source - source % partitions + part, part + (n - 1 - part) // partitions * partitions)
            fate, own = generator.random(size), _group_of(source, first)
            # A random node of the class, or of all, tells the group of the target: groups count by their nodes.
            inside = own // GROUPS
            low, high = first[inside * GROUPS], first[(inside + 1) * GROUPS]
            low, high = np.where(fate < HOMOPHILY, low, 0), np.where(fate < HOMOPHILY, high, n)
            group = _group_of(generator.integers(low, high), first)
            target = _draw(np.where(fate < HOMOPHILY * COHESION, own, group), first, generator)
            found.append((source * n + target)[(source != target) & _owns(source, target)])
        keys = np.unique(np.concatenate(found))
        if len(keys) >= count:
            break
    # What is too much is left out at random: sorted keys begin with some nodes.
    keys = keys[np.sort(generator.permutation(len(keys))[:count])]
    with atomic_write(file) as temporary:
        table = pyarrow.table({"source": keys // n, "target": keys % n})
        import_parquet(file).write_table(table, temporary, row_group_size=_DRAWN)


def _draw(group: Int64, first: Int64, generator: np.random.Generator) -> Int64:
    """A node of each group: the node at the share u of a group is drawn in proportion to u^(-1 / TAIL)."""
    share = generator.random(len(group)) ** (1 / (1 - 1 / TAIL))
    share = np.where(share < _FLAT, generator.random(len(group)) * _FLAT, share)
    low, high = first[group], first[group + 1]
    found: Int64 = np.minimum(low + (share * (high - low)).astype(np.int64), high - 1)
    return found


def _owns(source: Int64, target: Int64) -> npt.NDArray[np.bool_]:
    """Whether an edge belongs to its source, and not to its target: either, by a hash of both."""
    low, high = (end(source, target).astype(np.uint64) for end in (np.minimum, np.maximum))
    found: npt.NDArray[np.bool_] = ((mix(mix(low) ^ high) & np.uint64(1)) == 0) == (source < target)
    return found


def _write_nodes(
    file: Path, node: Int64, first: Int64, centres: npt.NDArray[Any], noise: float, generator: np.random.Generator
) -> None:
    import pyarrow

    width = centres.shape[1]
    fields = [
        ("id", pyarrow.int64()),
        *((f"x{i}", pyarrow.float32()) for i in range(width)),
        ("label", pyarrow.int64()),
    ]
    schema = pyarrow.schema(fields)
    with atomic_write(file) as temporary, import_parquet(file).ParquetWriter(temporary, schema) as writer:
        for start in range(0, len(node), _ROWS):
            here = node[start : start + _ROWS]
            group = _group_of(here, first)
            x = generator.standard_normal((len(here), width), dtype=np.float32) * np.float32(noise) + centres[group]
            arrays = [here, *np.ascontiguousarray(x.T), group // GROUPS]
            writer.write_table(pyarrow.Table.from_arrays([*map(pyarrow.array, arrays)], schema=schema))
