"""`Trajectory`: where nodes are in each window of time, and what of that does not change."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# Rows that are weighed at a time.
_ROWS = 1 << 18


class Trajectory(NamedTuple):
    """One row for each node and each window in which it has an event, R in all.

    Attributes
    ----------
    node, window : Tensor, int64, shape [R]
        Sorted by window, then by node.
    embedding : Tensor, float32, shape [R, d]
    events : Tensor, float32, shape [R]
        Ends of events that the node has in the window.
    starts : Tensor, float64, shape [W + 1]
        When each window begins, and the time of the last event (`genurl_graph.inputs.temporal.Windows`).
    num_nodes : int

    Examples
    --------
    >>> model.trajectory_.varying()[model.trajectory_.node == 3]  # how node 3 moves about its own mean
    """

    node: Tensor
    window: Tensor
    embedding: Tensor
    events: Tensor
    starts: Tensor
    num_nodes: int

    def __repr__(self) -> str:
        rows, columns = self.embedding.shape
        return f"Trajectory({self.num_nodes:,} nodes, {self.num_windows:,} windows, {rows:,} rows of {columns} columns)"

    @property
    def num_windows(self) -> int:
        """Windows W, those without events included."""
        return len(self.starts) - 1

    def rows(self, window: int) -> slice:
        """The rows of one window."""
        first, last = torch.searchsorted(self.window, torch.tensor([window, window + 1])).tolist()
        return slice(first, last)

    def invariant(self) -> Tensor:
        """Time-invariant part of each node: the mean over its windows, weighted by its events, [n, d]; 0 without any.

        The split into this and `varying` is that of DyTed (Zhang et al., KDD 2023, arXiv 2210.10592).
        """
        total = torch.zeros(self.num_nodes, dtype=torch.float64).index_add_(0, self.node, self.events.double())
        share = (self.events.double() / total[self.node]).float()
        mean = torch.zeros(self.num_nodes, self.embedding.size(1))
        # Not of all rows at once: the products of a long stream would take as much memory as the trajectory.
        for node, part, z in zip(*(torch.split(t, _ROWS) for t in (self.node, share, self.embedding)), strict=True):
            mean.index_add_(0, node, z * part[:, None])
        return mean

    def varying(self) -> Tensor:
        """Time-varying part of each row: what the node differs by from its time-invariant part, [R, d]."""
        return self.embedding - self.invariant()[self.node]

    def before(self, window: int) -> tuple[Tensor, Tensor]:
        """Where each node was last seen in an earlier window, [n, d], 0 if never; and whether it was seen, bool [n]."""
        last = torch.full((self.num_nodes,), -1)
        end = self.rows(window).start
        # Rows are in the order of time: the largest number of a node is its last.
        last.scatter_reduce_(0, self.node[:end], torch.arange(end), "amax")
        seen = last >= 0
        return torch.where(seen[:, None], self.embedding[last.clamp_min(0)], 0.0), seen

    def joined(self, later: Trajectory) -> Trajectory:
        """This one, and after it the windows of a later one of the same nodes and, perhaps, more of them."""
        parts = (self.node, later.node), (self.window, later.window + self.num_windows)
        node, window = (torch.cat(part) for part in parts)
        z, events = torch.cat([self.embedding, later.embedding]), torch.cat([self.events, later.events])
        starts = torch.cat([self.starts[:-1], later.starts])
        return Trajectory(node, window, z, events, starts, max(self.num_nodes, later.num_nodes))
