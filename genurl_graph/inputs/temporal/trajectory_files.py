"""Trajectories on disk: in the file of the embedding (``.npz``, ``.pt``) or in a second table beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.embeddings import (
    Columns,
    check_parquet,
    check_path_of_both,
    path_beside,
    read_embedding,
    shielded,
    unshielded,
    write_embedding,
)
from genurl_graph.inputs.safe_load import load_archive, load_tensors, readable
from genurl_graph.inputs.temporal.times import NUMBERS, PER_SECOND, unit_of
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.runtime.files import StrPath, atomic_write

# What .npz and .pt hold beside the embedding, and the columns of a table before those of the embedding.
KEYS = ("trajectory", "trajectory_node", "trajectory_window", "trajectory_events", "window_start")
UNIT = "time_unit"
BEFORE = ("node_id", "window", "window_start", "window_end", "events")


class Stored(NamedTuple):
    """What a file holds of an embedding.

    Attributes
    ----------
    columns : dict
        As of `genurl_graph.inputs.embeddings.read_embedding`.
    trajectory : Trajectory or None
    unit : str
        Of the times, as `genurl_graph.inputs.temporal.EventSet` has it.
    """

    columns: Columns
    trajectory: Trajectory | None = None
    unit: str = NUMBERS


def trajectory_path(path: StrPath) -> Path:
    """The file that a trajectory is written to: `path` itself, or the table beside it.

    Examples
    --------
    >>> trajectory_path("out/calls.csv").name, trajectory_path("out/calls.npz").name
    ('calls-trajectory.csv', 'calls.npz')
    """
    return path_beside(path, "trajectory")


def check_trajectory_path(path: StrPath) -> Path:
    """Check, before any long work, that an embedding and its trajectory can be written.

    Raises
    ------
    InputError
        As `genurl_graph.inputs.embeddings.check_embedding_path`; ``.npy``, which holds one matrix.
    """
    return check_path_of_both(path, "trajectory", "windows")


def write_trajectory(
    path: StrPath,
    embedding: Any,
    trajectory: Trajectory,
    node_id: Any = None,
    label: Any = None,
    unit: str = NUMBERS,
) -> None:
    """Write a time-invariant embedding, a row a node, and where the nodes are in each window.

    ``.npz`` and ``.pt`` hold, beside the keys of `genurl_graph.inputs.embeddings.write_embedding`: ``trajectory``
    float32 [R, d]; ``trajectory_node`` int64 [R], rows of ``embedding``; ``trajectory_window`` int64 [R];
    ``trajectory_events`` float32 [R]; ``window_start`` float64 [W + 1], whose last entry is the time of the last event;
    ``time_unit``, a word.
    ``.csv`` and ``.parquet`` get a second file, ``NAME-trajectory.csv``, with the columns ``node_id``, ``window``,
    ``window_start``, ``window_end``, ``events`` and ``e0`` to ``e{d-1}``. The time-varying part of a row is what it
    differs by from its node's row of the embedding.

    Raises
    ------
    InputError
        As `check_trajectory_path`; an embedding of other nodes.
    """
    target = check_trajectory_path(path)
    if len(embedding) != trajectory.num_nodes:
        raise wrong("embedding", f"{len(embedding):,} rows", f"{trajectory.num_nodes:,}, one for each node")
    beside = trajectory_path(target)
    if beside == target:
        parts = (trajectory.embedding, trajectory.node, trajectory.window, trajectory.events, trajectory.starts)
        more = {key: part.numpy() for key, part in zip(KEYS, parts, strict=True)} | {UNIT: np.array(unit)}
        write_embedding(target, embedding, node_id, label, more)
        return
    write_embedding(target, embedding, node_id, label)
    names = np.arange(trajectory.num_nodes) if node_id is None else np.asarray(node_id)
    with atomic_write(beside) as temporary:
        TABLES[target.suffix.lower()](temporary, names, trajectory)


def read_trajectory(path: StrPath) -> Stored:
    """Read what `write_trajectory` wrote; of any other file of an embedding None in place of the trajectory.

    A table has no rows of windows in which nothing happened: where several follow one another, their beginnings are
    taken to lie evenly. Its unit is told by the size of the times.

    Raises
    ------
    InputError
        A file that cannot be read, or whose parts do not fit together.
    """
    path = Path(path)
    columns, beside = read_embedding(path), trajectory_path(path)
    if beside == path:
        held = _load(path)
    elif not beside.is_file():
        held = None
    else:
        with readable(beside, "a trajectory"):
            held = _read_table(beside, columns)
    if held is None:
        return Stored(columns)
    unit = str(held[UNIT]) if UNIT in held else unit_of(held["window_start"])
    return Stored(columns, _checked(held, columns, beside), unit if unit in (*PER_SECOND, "snapshots") else NUMBERS)


def _load(path: Path) -> Columns | None:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        found = load_archive(path, (*KEYS, UNIT))
    elif suffix == ".pt":
        content: Any = load_tensors(path)
        content = content if isinstance(content, dict) else {}
        found = {key: np.asarray(content[key]) for key in (*KEYS, UNIT) if key in content}
    else:
        return None
    if not found:
        return None
    absent = [key for key in KEYS if key not in found]
    if absent:
        raise wrong(path, f"a trajectory without {', '.join(absent)}", "all of its parts")
    return found


def _checked(held: Columns, columns: Columns, path: Path) -> Trajectory:
    z, node, window, events, starts = (held[key] for key in KEYS)
    n, rows = len(columns["embedding"]), len(node)
    whole = all(part.dtype.kind in "iu" for part in (node, window))
    fit = whole and z.ndim == 2 and len(z) == len(window) == len(events) == rows and starts.ndim == 1
    if not fit or not rows or node.min() < 0 or node.max() >= n or window.min() < 0 or window.max() >= len(starts) - 1:
        raise wrong(path, "parts of a trajectory that do not fit together", "a file as embed writes it")
    order = np.lexsort((node, window))
    return Trajectory(
        torch.from_numpy(node[order].astype(np.int64)),
        torch.from_numpy(window[order].astype(np.int64)),
        torch.from_numpy(z[order].astype(np.float32)),
        torch.from_numpy(events[order].astype(np.float32)),
        torch.from_numpy(starts.astype(np.float64)),
        n,
    )


def _table(names: npt.NDArray[Any], trajectory: Trajectory) -> Any:
    import pandas as pd

    window, starts = trajectory.window.numpy(), trajectory.starts.numpy()
    named = (names[trajectory.node.numpy()], window, starts[window], starts[window + 1], trajectory.events.numpy())
    columns = dict(zip(BEFORE, named, strict=True))
    return pd.DataFrame(columns | {f"e{i}": column for i, column in enumerate(trajectory.embedding.numpy().T)})


def _write_csv(path: Path, names: npt.NDArray[Any], trajectory: Trajectory) -> None:
    if names.dtype.kind in "OUS":
        names = np.array([shielded(str(name)) for name in names], dtype=object)
    _table(names, trajectory).to_csv(path, index=False, encoding="utf-8", lineterminator="\r\n")


def _read_table(path: Path, columns: Columns) -> Columns:
    import pandas as pd

    if path.suffix.lower() == ".parquet":
        check_parquet(path)
        table = pd.read_parquet(path, engine="pyarrow")
    else:
        table = pd.read_csv(path, dtype={"node_id": str}, na_filter=False, encoding="utf-8")
    absent = [name for name in BEFORE if name not in table.columns]
    if absent:
        raise wrong(path, f"no column {', '.join(absent)}", f"{', '.join(BEFORE)} and those of the embedding")
    known = columns.get("node_id", np.arange(len(columns["embedding"])))
    given = table["node_id"].astype(str)
    given = given.map(unshielded) if path.suffix.lower() == ".csv" else given
    node = pd.Index(known.astype(str)).get_indexer(pd.Index(given))
    if (node < 0).any():
        raise wrong(path, f"the node {given[int((node < 0).argmax())]!r}", f"those of {path.name} without -trajectory")
    window = table["window"].to_numpy()
    if window.dtype.kind not in "iu" or not len(window) or window.min() < 0:
        raise wrong(f"{path}: window", "no whole numbers", "whole numbers from 0")
    starts = np.full(int(window.max()) + 2, np.nan)
    starts[window + 1] = table["window_end"]
    starts[window] = table["window_start"]
    known_places = np.flatnonzero(np.isfinite(starts))
    starts = np.interp(np.arange(len(starts)), known_places, starts[known_places])
    z = table.drop(columns=[*BEFORE]).to_numpy(np.float32)
    parts = (z, node.astype(np.int64), window, table["events"].to_numpy(np.float32), starts)
    return dict(zip(KEYS, parts, strict=True))


def _write_parquet(path: Path, names: npt.NDArray[Any], trajectory: Trajectory) -> None:
    _table(names, trajectory).to_parquet(path, engine="pyarrow", index=False)


TABLES: dict[str, Callable[[Path, npt.NDArray[Any], Trajectory], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
