"""Random rows of all partitions, and their true neighbours: what an approximate search is tuned and judged by."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genurl_graph.graph.knn.exact import exact_search
from genurl_graph.graph.knn.nearest import encode
from genurl_graph.graph.knn.rows import Rows
from genurl_graph.graph.partitioned.search.vectors import Vectors
from genurl_graph.runtime.partitions import Launcher, Store, run_stage


def draw_rows(
    launcher: Launcher, vectors: Vectors, inner: Store, name: str, count: int, seed: int, progress: bool = False
) -> Any:
    """Write `count` random rows by their partitions as an array `name`; their numbers, ascending, int64."""
    count = min(count, vectors.n)
    drawn = np.sort(np.random.default_rng(seed).choice(vectors.n, count, replace=False, shuffle=False))
    run_stage(launcher, inner, "sample of rows", _draw, [name], vectors, name, drawn, progress=progress)
    return drawn


def drawn_rows(inner: Store, vectors: Vectors, name: str) -> Rows:
    """The rows that `draw_rows` has written."""
    return vectors.framed(np.concatenate(list(inner.parts(name))))


class Truth(NamedTuple):
    """The k nearest rows of each of s rows."""

    homes: Tensor
    """The lists in which they stand, int64 ``[s, k]``."""
    distances: Tensor
    """float32 ``[s, k]``, ascending, in the units of the frame."""


def true_neighbors(
    launcher: Launcher,
    vectors: Vectors,
    inner: Store,
    name: str,
    numbers: Any,
    k: int,
    budget: int,
    progress: bool = False,
) -> Truth:
    """The k nearest of all rows to those drawn as `name`, of these `numbers`: a partition at a time, then the best."""
    outputs = ["near", "near_distance", "near_home"]
    run_stage(launcher, inner, "true neighbours", _near, outputs, vectors, name, numbers, k, budget, progress=progress)
    index = torch.empty((len(numbers), 0), dtype=torch.int64)
    distance, home = index.float(), index.int()
    for part in range(inner.count):
        more = (torch.from_numpy(inner.load(output, part)) for output in outputs)
        joined = [torch.cat(pair, 1) for pair in zip((index, distance, home), more, strict=True)]
        order = encode(joined[1], joined[0]).argsort(1)[:, :k]
        index, distance, home = (each.gather(1, order) for each in joined)
    return Truth(home.long(), distance)


def _draw(part: int, inner: Store, vectors: Vectors, name: str, drawn: Any) -> None:
    low, high = vectors.store.span(part)
    mine = drawn[(drawn >= low) & (drawn < high)] - low
    inner.save(name, part, vectors.store.load(vectors.name, part)[mine])


def _near(part: int, inner: Store, vectors: Vectors, name: str, numbers: Any, k: int, budget: int) -> None:
    rows, asked = vectors.part(part), drawn_rows(inner, vectors, name)
    # One more: a row is found among those of its own partition.
    index, distance = exact_search(rows, asked, torch.arange(asked.n), min(k + 1, rows.n), budget)
    home = inner.load("home", part)[index.numpy()]
    index += vectors.store.bounds[part]
    distance[index == torch.from_numpy(numbers)[:, None]] = torch.inf
    inner.save("near", part, index.numpy())
    inner.save("near_distance", part, distance.numpy())
    inner.save("near_home", part, home)
