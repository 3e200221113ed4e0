"""Activity profiles: what a node does in a window, in numbers that need no other node."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.graph.temporal.history import History
from genurl_graph.inputs.temporal.events import TemporalEdges

# Columns without those of weights and of features of events.
PROFILE = ("out", "in", "partners", "share of repeats", "before", "gap", "age", "new")


def active_nodes(events: TemporalEdges) -> Tensor:
    """Nodes that have an event, ascending, int64 [m]."""
    found: Tensor = torch.unique(torch.cat([events.source, events.target]))
    return found


def activity_profiles(events: TemporalEdges, nodes: Tensor, history: History) -> Tensor:
    """Profile of each active node of a window.

    Parameters
    ----------
    events : TemporalEdges
        Of the window.
    nodes : Tensor, int64, shape [m]
        `active_nodes` of it.
    history : History
        Before the window.

    Returns
    -------
    Tensor, float32, shape [m, 8 + 2 weights + attributes]
        Logarithms of the events that it sent and received, of its partners, of its decayed events before, of the
        windows since its last and its first event (0 for a new node); the share of events with partners that it had
        already met in the window; 1 for a new node. Where events have weights, the mean that it sent, and received;
        where they have features, their means over its events.
    """
    m = len(nodes)
    source, target = (torch.searchsorted(nodes, end) for end in (events.source, events.target))
    sent, received = (torch.bincount(end, minlength=m).float() for end in (source, target))
    low, high = torch.minimum(source, target), torch.maximum(source, target)
    pairs = torch.unique(low * m + high)
    met = torch.bincount(pairs // m, minlength=m) + torch.bincount(pairs % m, minlength=m)
    partners = met.float()
    ends = sent + received
    last, first = history.last[nodes], history.first[nodes]
    known = first >= 0
    gap, age = (torch.where(known, history.windows - when, 0).float() for when in (last, first))
    columns = [
        sent.log1p(),
        received.log1p(),
        partners.log1p(),
        1 - partners / ends,
        history.ends[nodes].log1p(),
        gap.log1p(),
        age.log1p(),
        (~known).float(),
    ]
    if events.weight is not None:
        columns += [_mean(events.weight, source, sent), _mean(events.weight, target, received)]
    found = torch.stack(columns, 1)
    if events.attr is None:
        return found
    total = torch.zeros(m, events.attr.size(1)).index_add_(0, source, events.attr).index_add_(0, target, events.attr)
    return torch.cat([found, total / ends[:, None]], 1)


def _mean(value: Tensor, place: Tensor, count: Tensor) -> Tensor:
    return torch.zeros(len(count)).index_add_(0, place, value) / count.clamp_min(1)
