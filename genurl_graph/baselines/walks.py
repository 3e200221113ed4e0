"""Biased random walks of node2vec, all at once (arXiv 1607.00653, section 3.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genurl_graph.inputs.sparse import run_entries
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.random import rand

# Neighbours of walkers that are weighed at a time.
_ENTRIES = 1 << 22


class RandomWalks(nn.Module):
    """Walks of second order over a weighted graph.

    From node v, reached from t, a walk goes on to a neighbour x with a probability proportional to its edge's weight
    times ``1 / p`` if x is t, 1 if t and x are neighbours, ``1 / q`` otherwise. The draws are exact: no rejection, no
    tables of pairs. With p = q = 1, where the past means nothing, a step is one binary search a walker.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Symmetric, sorted by row and, within rows, by column; no edge twice.
    edge_weight : Tensor, float, shape [E]
        > 0.
    num_nodes : int
    p, q : float
        > 0.
    """

    def __init__(self, edge_index: Tensor, edge_weight: Tensor, num_nodes: int, p: float = 1.0, q: float = 1.0) -> None:
        super().__init__()
        self.num_nodes, self.back, self.away = num_nodes, 1 / p, 1 / q
        row, col = edge_index
        self.col, self.key = constant(col), constant(row * num_nodes + col)
        self.degree = constant(torch.bincount(row, minlength=num_nodes))
        self.first = constant(self.degree.cumsum(0) - self.degree)
        # Double: a difference of two sums over all edges is to be right for the last node as for the first.
        self.weight = constant(edge_weight.double())
        self.sums = constant(torch.cat([self.weight.new_zeros(1), self.weight.cumsum(0)]))

    def forward(self, start: Tensor, length: int) -> Tensor:
        """Walk from the nodes `start`, int64 [m], `length` steps each; int64 [m, length + 1].

        A walk stays at a node without edges. Random numbers are those of the run.
        """
        nodes = [start]
        for step in range(length):
            if step == 0 or self.back == self.away == 1:
                nodes.append(self._freely(nodes[-1]))
            else:
                nodes.append(self._biased(nodes[-2], nodes[-1]))
        return torch.stack(nodes, 1)

    def _freely(self, node: Tensor) -> Tensor:
        """A neighbour of each node, by the weights of edges alone."""
        low, count = self.first[node], self.degree[node]
        below, above = self.sums[low], self.sums[low + count]
        drawn = below + self._uniform(node) * (above - below)
        entry = torch.searchsorted(self.sums, drawn, right=True) - 1
        return self._at(node, entry, low, count)

    def _biased(self, before: Tensor, node: Tensor) -> Tensor:
        """As `_freely`, of walkers that came from `before`, so many at a time that memory is bounded."""
        part = self.degree[node].cumsum(0) // _ENTRIES
        sizes = torch.unique_consecutive(part, return_counts=True)[1].tolist()
        walkers = zip(torch.split(before, sizes), torch.split(node, sizes), strict=True)
        return torch.cat([self._biased_part(*pair) for pair in walkers])

    def _biased_part(self, before: Tensor, node: Tensor) -> Tensor:
        low, count = self.first[node], self.degree[node]
        ends = count.cumsum(0)
        entry = run_entries(low, count)
        ahead, past = self.col[entry], before.repeat_interleave(count)
        key = past * self.num_nodes + ahead
        place = torch.searchsorted(self.key, key).clamp_max(self.key.numel() - 1)
        bias = torch.where(self.key[place] == key, 1.0, self.away)
        bias = torch.where(ahead == past, self.back, bias)
        sums = torch.cat([self.sums.new_zeros(1), (self.weight[entry] * bias).cumsum(0)])
        below, above = sums[ends - count], sums[ends]
        drawn = below + self._uniform(node) * (above - below)
        chosen = torch.searchsorted(sums, drawn, right=True) - 1 + low - (ends - count)
        return self._at(node, chosen, low, count)

    def _at(self, node: Tensor, entry: Tensor, low: Tensor, count: Tensor) -> Tensor:
        """Neighbours by entry, kept among the node's own where a sum was rounded; the node itself where it has none."""
        inside = torch.minimum(torch.maximum(entry, low), low + count - 1).clamp_min(0)
        return torch.where(count > 0, self.col[inside], node)

    def _uniform(self, node: Tensor) -> Tensor:
        return rand(node.numel(), node.device, torch.float64)
