"""GraphMixer: an MLP-mixer over the times and messages of a node's last events (arXiv 2302.11636)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn.models.graph_mixer import LinkEncoder

from genurl_graph.baselines.temporal.last_events import LastEvents
from genurl_graph.baselines.temporal.model import Scale, TemporalModel
from genurl_graph.evaluation.temporal_links.protocol import TemporalSplit
from genurl_graph.exceptions import unknown
from genurl_graph.inputs.temporal.events import TemporalEdges


class GraphMixer(TemporalModel):
    """PyG's link encoder of GraphMixer and, if wanted, its node encoder on learnt features.

    The node encoder (section 3.2 of the paper) adds to a node's features the mean of those of its last neighbours.
    Where nodes have no features, each may have some that are learnt: a linear map of its number as a one-hot row.

    Parameters
    ----------
    num_nodes, columns : int
        Nodes, and columns of the messages.
    settings : dict
        ``dim`` columns of times, hidden layers and rows; ``neighbors``, the last events K of a node; ``nodes``, "none"
        or "learnt"; ``drop``, of hidden entries; ``batch`` events of a step.
    scale : Scale
    """

    def __init__(self, num_nodes: int, columns: int, settings: dict[str, Any], scale: Scale) -> None:
        dim, nodes = settings["dim"], settings["nodes"]
        if nodes not in ("none", "learnt"):
            raise unknown("graphmixer: nodes", nodes, ("none", "learnt"))
        super().__init__(dim if nodes == "none" else 2 * dim, settings)
        self.num_nodes, self.scale, self.neighbors = num_nodes, scale, settings["neighbors"]
        # The last events come sorted: they are not looked for again.
        self.links = LinkEncoder(self.neighbors, columns, dim, dim, dim, is_sorted=True, dropout=settings["drop"])
        self.features = nn.Embedding(num_nodes, dim) if nodes == "learnt" else None

    def losses(self, split: TemporalSplit) -> Iterator[Tensor]:
        """Losses of an epoch."""
        self._read(split)
        for run in self.batches(split, 0, split.first_val):
            nodes, place = torch.unique(torch.cat(self.pairs(split, run)), return_inverse=True)
            yield self.loss(*self._embed(nodes, run.start)[place].chunk(3))

    def rows(self, split: TemporalSplit, window: int) -> Tensor:
        """Rows [n, dim] of all nodes by their last events before a window."""
        self._read(split)
        nodes = torch.arange(self.num_nodes, device=self.decoder.out.weight.device)
        before = int(split.windows.ptr[window])
        return torch.cat([self._embed(part, before) for part in torch.split(nodes, 3 * self.batch)])

    def _read(self, split: TemporalSplit) -> None:
        edges, device = split.edges, self.decoder.out.weight.device
        parts = edges.source, edges.target, self.scale.ticks(edges), self.scale.messages(edges)
        self.source, self.target, self.time, self.message = (part.to(device) for part in parts)
        self.last = LastEvents(edges, device)

    def _embed(self, nodes: Tensor, before: int) -> Tensor:
        """Rows [m, dim] of some nodes, by the first `before` events."""
        query, other, event = self.last(nodes, before, self.neighbors)
        now = self.time[before - 1] if before else self.time.new_zeros(())
        # Times up to now, as differences: float32 holds them exactly.
        elapsed, zero = (now - self.time[event]).float(), torch.zeros(len(nodes), device=nodes.device)
        z: Tensor = self.links(torch.stack([other, query]), self.message[event], -elapsed, zero)
        if self.features is None:
            return z
        count = torch.bincount(query, minlength=len(nodes)).clamp_min(1)
        own = self.features(nodes)
        mean = torch.zeros_like(own).index_add(0, query, self.features(other)) / count[:, None]
        return torch.cat([z, own + mean], 1)


def build(edges: TemporalEdges, settings: dict[str, Any], scale: Scale) -> GraphMixer:
    """The model for some events; see `genurl_graph.baselines.temporal.get_temporal_baseline`."""
    return GraphMixer(edges.num_nodes, len(scale.mean), settings, scale)
