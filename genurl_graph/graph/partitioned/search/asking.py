"""Which rows of a group search which lists, and what of these has to be read for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from genurl_graph.graph.knn.centres import Centres
from genurl_graph.graph.knn.nearest import grouped
from genurl_graph.graph.knn.rows import Rows

# Rows whose lists are sorted at a time.
SORTED_ROWS = 1 << 12


class Asking:
    """Rows by the lists that they search: four bytes for each pair, and few more while these are sorted."""

    def __init__(self, count: int) -> None:
        self.count, self._sizes = count, torch.zeros(count, dtype=torch.int64)
        self._blocks: list[tuple[Tensor, list[int]]] = []

    def add(self, lists: Tensor, first: int) -> None:
        """The rows from `first` on search `lists`, int64 [m, p]."""
        if not lists.numel():
            return
        flat = lists.reshape(-1)
        sizes = torch.bincount(flat, minlength=self.count)
        order = grouped(flat).div_(lists.size(1), rounding_mode="floor").add_(first).int()
        self._blocks.append((order, [0, *sizes.cumsum(0).tolist()]))
        self._sizes += sizes

    def rows(self, at: int) -> Tensor:
        """Rows that search a list, int64."""
        return torch.cat([order[ends[at] : ends[at + 1]] for order, ends in self._blocks]).long()

    def wanted(self) -> list[int]:
        """Lists that rows search."""
        found: list[int] = self._sizes.nonzero().squeeze(1).tolist()
        return found


def nearest_and_others(rows: Rows, centres: Centres, count: int) -> tuple[Asking, Asking]:
    """Of the `count` nearest lists of each row: who searches the nearest one, and who the others."""
    nearest, others = Asking(centres.count), Asking(centres.count)
    for select in torch.split(torch.arange(rows.n), SORTED_ROWS):
        lists = centres.nearest(rows, select, count)
        nearest.add(lists[:, :1], int(select[0]))
        others.add(lists[:, 1:], int(select[0]))
    return nearest, others


class Reading(NamedTuple):
    """Positions that are read at once, and of which lists they are: list, first, end."""

    start: int
    stop: int
    lists: list[tuple[int, int, int]]


def readings(wanted: list[int], starts: Any, most: int) -> Iterator[Reading]:
    """Runs of lists that follow each other, `most` rows at a time; a longer list in several."""
    lists: list[tuple[int, int, int]] = []
    for at in wanted:
        first, end = int(starts[at]), int(starts[at + 1])
        if lists and (lists[-1][2] != first or end - lists[0][1] > most):
            yield Reading(lists[0][1], lists[-1][2], lists)
            lists = []
        while end - first > most:
            yield Reading(first, first + most, [(at, first, first + most)])
            first += most
        if first < end:
            lists.append((at, first, end))
    if lists:
        yield Reading(lists[0][1], lists[-1][2], lists)
