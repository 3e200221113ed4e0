"""What a worker holds in memory: the features of its rows, and their edges in P, read from the partitions on disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from genurl_graph.nn.features import Features
from genurl_graph.objectives.pair_sampling import RowEdges
from genurl_graph.objectives.partitioned.encoder import side_by_side
from genurl_graph.objectives.partitioned.exchange import fetch_rows
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.partitions import Store
from genurl_graph.runtime.processes import rank, world_size


class Share(NamedTuple):
    """Which rows each worker holds: worker w those from ``cuts[w]`` to ``cuts[w + 1]``, about as many as the others."""

    cuts: tuple[int, ...]
    rank: int

    @classmethod
    def of(cls, num_rows: int) -> Share:
        """The share of this process."""
        workers = world_size()
        return cls(tuple(num_rows * worker // workers for worker in range(workers + 1)), rank())

    @property
    def span(self) -> tuple[int, int]:
        """First row of this worker, and the first beyond them."""
        return self.cuts[self.rank], self.cuts[self.rank + 1]


class HeldRows(Features):
    """Features of a worker's own rows, and of such rows of others as `fetch` has brought last.

    Parameters
    ----------
    x : Tensor, float32, shape [m, f]
        Of the own rows.
    share : Share
    parts, stays
        As of `Features`.
    """

    def __init__(self, x: Tensor, share: Share, parts: int = 1, stays: bool = False) -> None:
        super().__init__(x, parts, stays)
        self.share, self.cuts = share, constant(torch.tensor(share.cuts))
        self.fetched: Tensor | None = None

    def fetch(self, nodes: Tensor) -> Tensor:
        """Bring rows of any nodes, int64 [m], here; `rows` takes the positions, int64 [m], that are returned.

        All workers call it together. What was fetched before goes.
        """
        start, stop = self.share.span
        positions = nodes - start
        if len(self.share.cuts) == 2:
            return positions
        others = ((nodes < start) | (nodes >= stop)).nonzero().squeeze(1)
        wanted, place = torch.unique(nodes[others], return_inverse=True)
        self.fetched = None
        self.fetched = fetch_rows(wanted, self.cuts, lambda asked: super(HeldRows, self).rows(asked - start).x)
        positions[others] = self.num_nodes + place
        return positions

    def rows(self, index: Tensor) -> Features:
        """Features by position: the own rows are the first, those of `fetch` follow."""
        found = super().rows(index.clamp_max(self.num_nodes - 1))
        if self.fetched is not None:
            others = (index >= self.num_nodes).nonzero().squeeze(1)
            found.x[others] = self.fetched[index[others] - self.num_nodes]
        return found


def held_rows(work: Store, names: Sequence[str], share: Share) -> HeldRows:
    """A worker's rows of arrays float32 [n, f], side by side."""
    return HeldRows(side_by_side(work, names, list(_pieces(work, *share.span))), share, len(names))


def held_similarities(work: Store, share: Share) -> tuple[RowEdges, Tensor]:
    """A worker's rows of P, from the arrays ``p_crow``, ``p_col`` and ``p``: edges [E], similarities float32 [E]."""
    pieces = list(_pieces(work, *share.span))
    pointers = [work.load("p_crow", part, first, last + 1) for part, first, last in pieces]
    counts = np.concatenate([np.zeros(1, np.int64), *(np.diff(each) for each in pointers)])
    crow = torch.from_numpy(counts.cumsum())
    col: Tensor | None = None
    p = torch.empty(int(crow[-1]))
    at = 0
    for (part, _, _), each in zip(pieces, pointers, strict=True):
        low, high = int(each[0]), int(each[-1])
        found = torch.from_numpy(work.load("p_col", part, low, high))
        col = found.new_empty(len(p)) if col is None else col
        col[at : at + high - low] = found
        p[at : at + high - low] = torch.from_numpy(work.load("p", part, low, high))
        at += high - low
    assert col is not None
    return RowEdges(crow, col, share.span[0]), p


def _pieces(store: Store, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """The partitions that the rows ``start <= i < stop`` lie in, and from which to which row of theirs."""
    for part in range(store.count):
        low, high = store.span(part)
        if low < stop and start < high:
            yield part, max(start - low, 0), min(stop, high) - low
