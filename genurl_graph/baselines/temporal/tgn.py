"""TGN: a memory for each node, moved by its events, and attention over its last neighbours (arXiv 2006.10637)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import TransformerConv
from torch_geometric.nn.models.tgn import (
    IdentityMessage,
    LastAggregator,
    LastNeighborLoader,
    TGNMemory,
    TimeEncoder,
)

from genurl_graph.baselines.temporal.model import Scale, TemporalModel
from genurl_graph.evaluation.temporal_links.protocol import TemporalSplit
from genurl_graph.inputs.temporal.events import TemporalEdges


class TGN(TemporalModel):
    """TGN-attn with the last message of a node, of the parts of PyG and as in its example.

    Attention looks at the time from a neighbour's event to now, as in equation 9 of the paper; PyG's example, which has
    no time of the question, takes that from the event back to the neighbour's last one. Frequencies of the time are
    those that the authors' code begins with (twitter-research/tgn), and stay: a step of Adam moves the phase of a long
    time by many turns, as GraphMixer's authors found (arXiv 2302.11636).

    Parameters
    ----------
    num_nodes, columns : int
        Nodes, and columns of the messages.
    settings : dict
        ``dim`` columns of memory, times and rows; ``neighbors`` of the attention; ``heads``; ``drop``, of attention;
        ``batch`` events of a step.
    scale : Scale
    """

    def __init__(self, num_nodes: int, columns: int, settings: dict[str, Any], scale: Scale) -> None:
        super().__init__(settings["dim"], settings)
        dim, heads = settings["dim"], settings["heads"]
        self.num_nodes, self.scale, self.neighbors = num_nodes, scale, settings["neighbors"]
        message = IdentityMessage(columns, dim, dim)
        self.memory = TGNMemory(num_nodes, columns, dim, dim, message, LastAggregator())
        time: TimeEncoder = self.memory.time_enc
        with torch.no_grad():
            time.lin.weight.copy_(10.0 ** -torch.linspace(0, 9, dim)[:, None])
            time.lin.bias.zero_()
        time.requires_grad_(False)
        self.attention = TransformerConv(
            dim, dim // heads, heads=heads, dropout=settings["drop"], edge_dim=columns + dim
        )
        self.out = nn.Linear(dim // heads * heads, dim)
        self.seen: tuple[TemporalEdges, Tensor] | None = None

    def losses(self, split: TemporalSplit) -> Iterator[Tensor]:
        """Losses of an epoch; the memory begins empty."""
        self._begin(split)
        for run in self.batches(split, 0, split.first_val):
            nodes, place = torch.unique(torch.cat(self.pairs(split, run)), return_inverse=True)
            loss = self.loss(*self._embed(nodes, run.start)[place].chunk(3))
            self._move(run)
            yield loss
            self.memory.detach()

    def rows(self, split: TemporalSplit, window: int) -> Tensor:
        """Rows [n, dim] of all nodes by the memory at the begin of a window, which goes on from an earlier one."""
        edges, ptr = split.windows.before(split.edges, window), split.windows.ptr[: window + 1]
        if self.seen is None or not _goes_on(*self.seen, edges, ptr):
            self._begin(split)
            first = 0
        else:
            first = len(self.seen[1]) - 1
            self._read(split)
        for run in self.batches(split, first, window):
            self._move(run)
        self.seen = edges, ptr
        return self._embed(torch.arange(self.num_nodes, device=self.device), len(edges))

    def forget(self) -> None:
        """Drop the memory: other parameters make another one."""
        self.seen = None

    @property
    def device(self) -> torch.device:
        return self.decoder.out.weight.device

    def _begin(self, split: TemporalSplit) -> None:
        """Empty memories."""
        self.seen = None
        training = self.training
        self.memory.train()
        self.memory.reset_state()
        if not training:
            # PyG updates all memories here once, as it does before a node's first event in training.
            self.memory.eval()
        self.last = LastNeighborLoader(self.num_nodes, self.neighbors, self.device)
        self._read(split)

    def _read(self, split: TemporalSplit) -> None:
        edges = split.edges
        parts = edges.source, edges.target, self.scale.ticks(edges), self.scale.messages(edges)
        self.source, self.target, self.time, self.message = (part.to(self.device) for part in parts)

    def _embed(self, nodes: Tensor, before: int) -> Tensor:
        """Rows [m, dim] of distinct nodes, by the first `before` events."""
        given, edge_index, event = self.last(nodes)
        place = torch.searchsorted(given, nodes)
        h, _ = self.memory(given)
        now = self.time[before - 1] if before else self.time.new_zeros(())
        elapsed = self.memory.time_enc((now - self.time[event]).float())
        h = self.attention(h, edge_index, torch.cat([elapsed, self.message[event]], 1))
        z: Tensor = self.out(h[place])
        return z

    def _move(self, run: slice) -> None:
        """Let the memories and the last neighbours see a run of events."""
        source, target = self.source[run], self.target[run]
        self.memory.update_state(source, target, self.time[run], self.message[run])
        self.last.insert(source, target)


def _goes_on(edges: TemporalEdges, ptr: Tensor, later: TemporalEdges, later_ptr: Tensor) -> bool:
    """Whether the later events begin with the earlier ones, in the same windows."""
    if len(ptr) > len(later_ptr) or not torch.equal(ptr, later_ptr[: len(ptr)]):
        return False
    pairs = zip(_parts(edges), _parts(later.between(0, len(edges))), strict=True)
    return all(a is b is None or (a is not None and b is not None and torch.equal(a, b)) for a, b in pairs)


def _parts(edges: TemporalEdges) -> tuple[Tensor | None, ...]:
    return edges.source, edges.target, edges.time, edges.weight, edges.attr


def build(edges: TemporalEdges, settings: dict[str, Any], scale: Scale) -> TGN:
    """The model for some events; see `genurl_graph.baselines.temporal.get_temporal_baseline`."""
    return TGN(edges.num_nodes, len(scale.mean), settings, scale)
