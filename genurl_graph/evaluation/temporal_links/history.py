"""What the events before a window say of pairs of nodes, without any training: the rows beside every temporal result.

Pairs have no direction here: an answer follows a message. Each scorer is called with two int64 tensors of one shape and
returns float64 of that shape; a larger score means that an event is likelier.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from genurl_graph.inputs.temporal.events import TemporalEdges

Scorer = Callable[[Tensor, Tensor], Tensor]


class PairTimes:
    """The last time at which the nodes of a pair had an event.

    Parameters
    ----------
    edges : TemporalEdges
        Events before the window.
    """

    def __init__(self, edges: TemporalEdges) -> None:
        self.num_nodes = edges.num_nodes
        key = self._key(edges.source, edges.target)
        # Events are in the order of time: the largest number of one is its last.
        self.keys, place = torch.unique(key, return_inverse=True)
        last = torch.zeros(len(self.keys), dtype=torch.int64)
        last.scatter_reduce_(0, place, torch.arange(len(key)), "amax", include_self=False)
        # Equal times are one, and 0 is left for pairs that were never seen.
        self.rank = torch.unique_consecutive(edges.time, return_inverse=True)[1][last] + 1

    def __call__(self, source: Tensor, target: Tensor) -> Tensor:
        """1 for the first time in the history, 2 for the next, ...; 0 for pairs that had no event."""
        if not len(self.keys):
            return torch.zeros(source.shape, dtype=torch.float64)
        key = self._key(source, target)
        place = torch.searchsorted(self.keys, key).clamp_max(len(self.keys) - 1)
        return torch.where(self.keys[place] == key, self.rank[place], 0).double()

    def _key(self, source: Tensor, target: Tensor) -> Tensor:
        return torch.minimum(source, target) * self.num_nodes + torch.maximum(source, target)


def degrees(edges: TemporalEdges) -> Tensor:
    """Events of each node, whichever end it was, float64 [n]."""
    return torch.bincount(torch.cat([edges.source, edges.target]), minlength=edges.num_nodes).double()


def edge_bank(edges: TemporalEdges) -> Scorer:
    """1 for pairs that had an event, 0 for others (Poursafaei et al., NeurIPS 2022, arXiv 2207.10128)."""
    times = PairTimes(edges)
    return lambda source, target: (times(source, target) > 0).double()


def degree_product(edges: TemporalEdges) -> Scorer:
    """Product of both nodes' numbers of events (preferential attachment)."""
    degree = degrees(edges)
    return lambda source, target: degree[source] * degree[target]


def adamic_adar(edges: TemporalEdges) -> Scorer:
    """Sum of 1 / log(degree) over common neighbours (Adamic & Adar, Social Networks 25, 2003)."""
    n, pairs = edges.num_nodes, edges.pairs().numpy()
    a = sp.csr_array((np.ones(pairs.shape[1]), (pairs[0], pairs[1])), shape=(n, n))
    a = ((a + a.T) > 0).astype(np.float64).tocsr()
    degree = a.sum(0)
    share = np.where(degree > 1, 1 / np.log(np.maximum(degree, 2)), 0.0)
    left, right = (a * share[None, :]).tocsr(), a

    def score(source: Tensor, target: Tensor) -> Tensor:
        ends, row = torch.unique(source.reshape(-1), return_inverse=True)
        others, column = torch.unique(target.reshape(-1), return_inverse=True)
        found = sp.coo_array(left[ends.numpy()] @ right[others.numpy()].T)
        # One more entry, which no pair has, stands for all that are 0.
        keys = torch.from_numpy(found.row.astype(np.int64) * len(others) + found.col)
        keys, order = torch.cat([keys, torch.tensor([-1])]).sort()
        values = torch.cat([torch.from_numpy(found.data), torch.zeros(1, dtype=torch.float64)])[order]
        key = row * len(others) + column
        place = torch.searchsorted(keys, key).clamp_max(len(keys) - 1)
        return torch.where(keys[place] == key, values[place], 0.0).view(source.shape)

    return score


def recency_then_degree(edges: TemporalEdges, recent: TemporalEdges) -> Scorer:
    """Pairs by the last time that they were seen; among equals, by the degrees of both ends in the `recent` events."""
    times, degree = PairTimes(edges), degrees(recent).log1p()
    share = degree / (2 * degree.max() + 1)
    return lambda source, target: times(source, target) + share[source] + share[target]
