"""The last events of nodes before given events, by two searches in one sorted list."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.inputs.temporal.events import TemporalEdges


class LastEvents:
    """Events of each node in the order of time, whichever end it was.

    Parameters
    ----------
    edges : TemporalEdges
    device : torch.device
        Where the lists lie.
    """

    def __init__(self, edges: TemporalEdges, device: torch.device) -> None:
        self.count = len(edges)
        node, other = torch.cat([edges.source, edges.target]), torch.cat([edges.target, edges.source])
        event = torch.arange(self.count).repeat(2)
        # An event that leads from a node to itself stands there twice.
        self.keys, order = (node * self.count + event).sort(stable=True)
        self.keys, self.other, self.event = (part.to(device) for part in (self.keys, other[order], event[order]))

    def __call__(self, nodes: Tensor, before: int, k: int) -> tuple[Tensor, Tensor, Tensor]:
        """At most `k` last ones of the first `before` events that each node has.

        Parameters
        ----------
        nodes : Tensor, int64, shape [q]
        before, k : int

        Returns
        -------
        query, other, event : Tensor, int64, shape [r]
            Number of the entry of `nodes`, ascending; the node at the other end; the number of the event. The latest
            event of a node comes first.
        """
        begin, end = (torch.searchsorted(self.keys, nodes * self.count + at) for at in (0, before))
        count = (end - begin).clamp_max(k)
        query = torch.arange(len(nodes), device=nodes.device).repeat_interleave(count)
        place = torch.arange(len(query), device=nodes.device) - (count.cumsum(0) - count)[query]
        entry = end[query] - 1 - place
        return query, self.other[entry], self.event[entry]
