"""`History`: what the windows so far leave behind, as far as the next one is read by it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.sparse import csr_tensor, row_pointers
from genurl_graph.inputs.temporal.events import TemporalEdges

# A pair of nodes is one number; nodes may be added without changing it.
BASE = 1 << 31
# Pairs whose decayed weight, in events, falls below this are forgotten: what is kept of a stream stays in proportion to
# its last windows.
LEAST = 2.0**-4


class History(NamedTuple):
    """Decayed graph of the events so far, and when each node was seen.

    Attributes
    ----------
    key : Tensor, int64, shape [m]
        Unordered pairs of different nodes, ``low * BASE + high``, ascending.
    weight : Tensor, float32, shape [m]
        Of each pair the sum over its events of ``2 ** (-age / half_life)``, ages in windows.
    first, last : Tensor, int64, shape [n]
        The first and the last window in which each node had an event; -1 if none.
    ends : Tensor, float32, shape [n]
        Ends of events of each node, decayed in the same way.
    windows : int
        How many there were.
    """

    key: Tensor
    weight: Tensor
    first: Tensor
    last: Tensor
    ends: Tensor
    windows: int

    @classmethod
    def empty(cls, num_nodes: int) -> History:
        """Before the first window."""
        never = torch.full((num_nodes,), -1)
        return cls(torch.empty(0, dtype=torch.int64), torch.empty(0), never, never, torch.zeros(num_nodes), 0)

    @property
    def num_nodes(self) -> int:
        """Nodes n that there is room for."""
        return len(self.first)

    def grown(self, num_nodes: int) -> History:
        """The same with room for more nodes.

        Raises
        ------
        InputError
            2^31 nodes or more.
        """
        if num_nodes >= BASE:
            raise wrong("data", f"{num_nodes:,} nodes", f"fewer than {BASE:,}")
        more = num_nodes - self.num_nodes
        if more <= 0:
            return self
        never = torch.full((more,), -1)
        first, last = (torch.cat([part, never]) for part in (self.first, self.last))
        return self._replace(first=first, last=last, ends=torch.cat([self.ends, torch.zeros(more)]))

    def after(self, events: TemporalEdges, weight: Tensor, half_life: float) -> History:
        """The history once a window is over.

        Parameters
        ----------
        events : TemporalEdges
            Of the window; there may be none.
        weight : Tensor, float32, shape [M]
            What each event counts, >= 0.
        half_life : float
            Windows after which an event counts half.
        """
        decay = 2 ** (-1 / half_life)
        key, pairs = pair_sums(events, weight)
        kept = self.weight * decay >= LEAST
        total = _added(self.key[kept], self.weight[kept] * decay, key, pairs)
        ends = (self.ends * decay).index_add(0, events.source, weight).index_add_(0, events.target, weight)
        seen = torch.unique(torch.cat([events.source, events.target]))
        first, last = self.first.clone(), self.last.clone()
        last[seen] = self.windows
        first[seen[first[seen] < 0]] = self.windows
        return History(*total, first, last, ends, self.windows + 1)

    def with_pairs(self, other: History) -> History:
        """This one with the decayed pairs of another beside its own."""
        key, weight = _added(self.key, self.weight, other.key, other.weight)
        return self._replace(key=key, weight=weight)

    def adjacency(self) -> Tensor:
        """Averages over neighbours, ``D^-1 A`` in CSR [n, n]: rows sum to 1, or to 0 where there are none.

        A holds ``log(1 + weight)``: a pair that talks all the time does not drown the others.
        """
        return averages(self.key, self.weight, self.num_nodes)


def pair_sums(events: TemporalEdges, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Unordered pairs of different nodes as `History.key` has them, and the weight of their events together."""
    low, high = torch.minimum(events.source, events.target), torch.maximum(events.source, events.target)
    other = low != high
    key, place = torch.unique(low[other] * BASE + high[other], return_inverse=True)
    return key, torch.zeros(len(key)).index_add_(0, place, weight[other])


def _added(key: Tensor, weight: Tensor, other: Tensor, more: Tensor) -> tuple[Tensor, Tensor]:
    """The union of two lists of pairs, and their weights together."""
    together, place = torch.unique(torch.cat([key, other]), return_inverse=True)
    return together, torch.zeros(len(together)).index_add_(0, place, torch.cat([weight, more]))


def both_ways(key: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Rows, columns and the pair of each entry of a symmetric matrix, by row and column ascending, int64 [2 m]."""
    low, high = key // BASE, key % BASE
    row, col = torch.cat([low, high]), torch.cat([high, low])
    order = (row * BASE + col).argsort()
    return row[order], col[order], order % max(len(key), 1)


def averages(key: Tensor, weight: Tensor, num_nodes: int) -> Tensor:
    """``D^-1 A`` of unordered pairs, as `History.adjacency` makes it."""
    row, col, pair = both_ways(key)
    value = weight.log1p()[pair]
    degree = torch.zeros(num_nodes).index_add_(0, row, value)
    # Nodes all of whose events weigh 0 have no neighbours.
    value = value / degree.clamp_min(torch.finfo(degree.dtype).tiny)[row]
    return csr_tensor(row_pointers(row, num_nodes), col, value, (num_nodes, num_nodes))
