"""Inverted lists over partitions: centres from a sample, rows moved to where the rows of near centres are.

Lists are numbered along a path on which near centres follow each other, and cut into groups of about as many rows as a
partition has. The rows of a list stand together, those of neighbouring lists beside them, in one array over all groups.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from shutil import rmtree
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.graph.knn.centres import TRAINING, Centres, list_count
from genurl_graph.graph.partitioned.search.sample import draw_rows, drawn_rows
from genurl_graph.graph.partitioned.search.vectors import Vectors
from genurl_graph.runtime.partitions import Launcher, Store, run_stage
from genurl_graph.runtime.partitions.shuffle import gather, scatter

# Lists for each square root of the number of rows: more than in memory, since a row is compared with more of them. Of
# 200,000 rows of 64 noisy features 0.9 of the neighbours are in the lists nearest to a row that hold 23.5 % of all rows
# where there are as many lists as in memory, 16.4 % with four times as many. Shorter lists than these cost more for
# gathering the rows that search them than they save.
FINENESS, FEWEST = 4.0, 256
# A list of more rows than this share of a partition's is cut into pieces, which may stand in several groups.
PIECE = 4
# Centres that are no longer told apart on their path.
LEAF = 8
# Steps that find the direction in which some centres differ most.
POWER = 10


@dataclass(frozen=True)
class Lists:
    """Rows in lists.

    Attributes
    ----------
    vectors : Vectors
        In their new order; the partitions of its store are the groups, and the array "row" has the rows' numbers.
    starts : int64 [lists + 1]
        Position of the first row of each list.
    """

    vectors: Vectors
    starts: Any


def train_centres(launcher: Launcher, vectors: Vectors, inner: Store, seed: int, progress: bool = False) -> None:
    """Write the centres of the lists into `inner`, near ones beside each other; each row is at home with one.

    Arrays "home" int32 [m] and "sizes" int64 [lists] of each partition.
    """
    count = list_count(vectors.n, FINENESS, FEWEST)
    draw_rows(launcher, vectors, inner, "trained", TRAINING * count, seed, progress)
    if not inner.has(["centres"], 0):
        launcher.map("centres of lists", _train, [0], inner, vectors, count, seed, progress=progress)
    run_stage(launcher, inner, "lists of rows", _home, ["sizes", "home"], vectors, progress=progress)


def centres_of(inner: Store, vectors: Vectors) -> Centres:
    """Those that `train_centres` has written."""
    return Centres(torch.from_numpy(inner.load("centres", 0)), vectors.frame.metric)


def make_lists(launcher: Launcher, vectors: Vectors, inner: Store, progress: bool = False) -> Lists:
    """Move the rows to their lists: one shuffle."""
    sizes = sum(inner.parts("sizes"))
    most = max(1, vectors.n // (inner.count * PIECE))
    pieces = np.concatenate([[0], np.maximum(1, -(-sizes // most)).cumsum()])
    starts = np.concatenate([[0], sizes.cumsum()])
    # About where each piece begins, and so which group it belongs to.
    home = np.repeat(np.arange(len(sizes)), np.diff(pieces))
    share = (np.arange(len(home)) - pieces[home]) / np.diff(pieces)[home]
    groups = ((starts[home] + share * sizes[home]) * inner.count / vectors.n).astype(np.int64).clip(0, inner.count - 1)
    made = ["lists/row", "lists/x"]
    if not all(inner.has(made, part) for part in range(inner.count)):
        run_stage(launcher, inner, "rows to lists", _send, ["sent/starts"], vectors, pieces, groups, progress=progress)
        run_stage(launcher, inner, "rows in lists", _sort, made, progress=progress)
    rmtree(inner.path / "sent", ignore_errors=True)
    held = [inner.shape("lists/row", group)[0] for group in range(inner.count)]
    store = Store(inner.path / "lists", (0, *np.cumsum(held).tolist()))
    return Lists(replace(vectors, store=store, name="x"), starts)


def _train(part: int, inner: Store, vectors: Vectors, count: int, seed: int) -> None:
    rows = drawn_rows(inner, vectors, "trained")
    order = torch.randperm(rows.n, generator=torch.Generator().manual_seed(seed))
    table = Centres.train(rows, order, count).table
    inner.save("centres", part, table[near_together(table)].numpy())


def _home(part: int, inner: Store, vectors: Vectors) -> None:
    centres, rows = centres_of(inner, vectors), vectors.part(part)
    home = centres.nearest(rows, torch.arange(rows.n), 1).squeeze(1)
    inner.save("home", part, home.int().numpy())
    inner.save("sizes", part, torch.bincount(home, minlength=centres.count).numpy())


def _send(part: int, inner: Store, vectors: Vectors, pieces: Any, groups: Any) -> None:
    home, row = inner.load("home", part), np.arange(*vectors.store.span(part))
    # Rows are numbered at random, or at least not by their lists.
    piece = pieces[home] + row % np.diff(pieces)[home]
    x = vectors.store.load(vectors.name, part)
    scatter(inner, "sent", part, groups[piece], {"row": row, "piece": piece, "x": x})


def _sort(group: int, inner: Store) -> None:
    order = gather(inner, "sent", group, ["piece"])["piece"].argsort(kind="stable")
    for name in ("row", "x"):
        inner.save(f"lists/{name}", group, gather(inner, "sent", group, [name])[name][order])


def near_together(table: Tensor) -> Tensor:
    """An order of points [m, d], int64 [m], in which near ones tend to follow each other.

    Points are halved across the direction in which they differ most, and the halves again.
    """
    parts, done = [torch.arange(len(table))], []
    while parts:
        part = parts.pop()
        order = part[_along_principal_axis(table[part]).argsort(stable=True)]
        if len(order) <= LEAF:
            done.append(order)
        else:
            half = len(order) // 2
            # The last in is the first out.
            parts += [order[half:], order[:half]]
    return torch.cat(done)


def _along_principal_axis(points: Tensor) -> Tensor:
    centred = (points - points.mean(0)).double()
    axis = centred[centred.square().sum(1).argmax()]
    for _ in range(POWER):
        axis = torch.nn.functional.normalize(centred.T @ (centred @ axis), dim=0)
    return centred @ axis
