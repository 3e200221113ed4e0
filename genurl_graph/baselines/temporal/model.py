"""What the baselines of dynamic graphs share: times and messages of events, the decoder of pairs, and batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from genurl_graph.evaluation.temporal_links.history import Scorer
from genurl_graph.evaluation.temporal_links.protocol import TemporalSplit
from genurl_graph.exceptions import unknown
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.runtime.random import randint, randperm

CLOCKS, PREDICT = ("time", "events"), ("batch", "window")
# Ticks in the time of training: what the frequencies of both papers resolve, whatever the unit of the times is.
_TICKS = 1e7
# Pairs that are decoded at a time.
_PAIRS = 1 << 14


class Scale(NamedTuple):
    """Unit of times and of messages, of the events of training alone.

    Attributes
    ----------
    clock : str
        "time", or "events": the time of an event is how many there were before it, which does not drift where events
        come ever more seldom.
    begin, tick : float
        Time 0, and the length of a tick.
    mean, deviation : Tensor, float32, shape [a]
        Of each column of the messages.
    """

    clock: str
    begin: float
    tick: float
    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, edges: TemporalEdges, clock: str = "time") -> Scale:
        """The scale of some events."""
        if clock not in CLOCKS:
            raise unknown("baseline of dynamic graphs: clock", clock, CLOCKS)
        time = _moments(edges, clock)
        begin, span = float(time[0]), float(time[-1] - time[0])
        columns = _columns(edges)
        deviation = columns.std(0, correction=0)
        tick = span / _TICKS if span > 0 else 1.0
        return cls(clock, begin, tick, columns.mean(0), torch.where(deviation > 0, deviation, 1))

    def ticks(self, edges: TemporalEdges) -> Tensor:
        """Times as whole numbers, int64 [M]; PyG's memory knows no others."""
        return ((_moments(edges, self.clock) - self.begin) / self.tick).round().long()

    def messages(self, edges: TemporalEdges) -> Tensor:
        """Weights and attributes of the events, standardised, float32 [M, a]; a column of 0 where there are none."""
        return (_columns(edges) - self.mean) / self.deviation


def _moments(edges: TemporalEdges, clock: str) -> Tensor:
    """When events were, float64 [M]; by the clock of events those of one time are at once."""
    return edges.time if clock == "time" else torch.searchsorted(edges.time, edges.time).double()


def _columns(edges: TemporalEdges) -> Tensor:
    found = [] if edges.weight is None else [edges.weight[:, None]]
    found += [] if edges.attr is None else [edges.attr]
    return torch.cat(found, 1) if found else torch.zeros(len(edges), 1)


class PairDecoder(nn.Module):
    """``w . relu(A z_source + B z_target)``: two layers, of which the first is applied once to each node.

    Parameters
    ----------
    dim : int
        Columns of the rows, and of the hidden layer.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.source, self.target, self.out = nn.Linear(dim, dim), nn.Linear(dim, dim), nn.Linear(dim, 1)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Logits [m] of pairs of rows [m, dim]."""
        logits: Tensor = self.out((self.source(source) + self.target(target)).relu()).squeeze(1)
        return logits

    @torch.no_grad()
    def scorer(self, z: Tensor) -> Scorer:
        """Logits of pairs of nodes whose rows are `z` [n, dim]; they stay what they are when this module changes."""
        left, right = self.source(z), self.target(z)
        weight, bias = (part.detach().clone() for part in (self.out.weight[0], self.out.bias))

        def score(source: Tensor, target: Tensor) -> Tensor:
            ends = zip(*(torch.split(end.reshape(-1), _PAIRS) for end in (source, target)), strict=True)
            found = [(left[s.to(z.device)] + right[t.to(z.device)]).relu() @ weight + bias for s, t in ends]
            return torch.cat(found).double().cpu().view(source.shape)

        return score


class TemporalModel(nn.Module):
    """A model of events; subclasses add ``losses`` and ``rows``.

    Parameters
    ----------
    dim : int
        Columns of a node's row.
    settings : dict
        ``batch`` events of a step; ``predict``: "batch", all of which are predicted from the events before the first
        one, or "window", as many distinct pairs of the next events, of which there are as many as in a window.
    """

    def __init__(self, dim: int, settings: dict[str, Any]) -> None:
        super().__init__()
        if settings["predict"] not in PREDICT:
            raise unknown("baseline of dynamic graphs: predict", settings["predict"], PREDICT)
        self.decoder, self.batch, self.predict = PairDecoder(dim), settings["batch"], settings["predict"]

    def batches(self, split: TemporalSplit, first: int, last: int) -> Iterator[slice]:
        """Runs of at most `batch` events in some windows; none has events of two windows."""
        ptr = split.windows.ptr.tolist()
        for window in range(first, last):
            for begin in range(ptr[window], ptr[window + 1], self.batch):
                yield slice(begin, min(begin + self.batch, ptr[window + 1]))

    def pairs(self, split: TemporalSplit, run: slice) -> tuple[Tensor, Tensor, Tensor]:
        """Sources and targets that a step predicts, and as many other targets, int64 [m] each."""
        edges, device = split.edges, self.decoder.out.weight.device
        found = torch.stack([edges.source[run], edges.target[run]])
        if self.predict == "window":
            last = int(split.windows.ptr[split.first_val])
            coming = edges.between(run.start, min(run.start + last // split.first_val, last)).pairs()
            coming = coming[:, coming[0] != coming[1]]
            found = coming[:, randperm(coming.size(1))[: self.batch]]
        return *found.to(device), randint(edges.num_nodes, found.shape[1:]).to(device)

    def losses(self, split: TemporalSplit) -> Iterator[Tensor]:
        """Losses of an epoch over the windows of training; the caller takes a step after each."""
        raise NotImplementedError

    def rows(self, split: TemporalSplit, window: int) -> Tensor:
        """Rows [n, dim] of all nodes by the events before a window."""
        raise NotImplementedError

    def forget(self) -> None:
        """Drop what was computed with earlier parameters."""

    def loss(self, source: Tensor, target: Tensor, negative: Tensor) -> Tensor:
        """Cross-entropy of the rows of events [m, dim], and of as many with another target."""
        found, other = self.decoder(source, target), self.decoder(source, negative)
        one, zero = torch.ones_like(found), torch.zeros_like(other)
        loss = binary_cross_entropy_with_logits(found, one) + binary_cross_entropy_with_logits(other, zero)
        return loss
