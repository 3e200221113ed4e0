"""Samples of the edges that meet at a hub: each keeps as many neighbours, and each pair is as likely."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.graph.line_graph.incidences import Incidences


def sample_cycles(
    incidences: Incidences, is_hub: Tensor, hub: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Neighbours at hubs, undirected: the union of ``hub / 2`` random Hamiltonian cycles through the edges of each.

    In a random cycle of d edges a pair is adjacent with probability 2 / (d - 1). With 1 / `hub` for each time that two
    edges are adjacent, every pair has the expected weight 1 / (d - 1), that of the whole clique; every edge has `hub`
    neighbours, counted as often as they occur, of total weight 1; and the weights are symmetric. A union of cycles
    holds all edges of the hub together.

    Parameters
    ----------
    incidences : Incidences
        Of both ends.
    is_hub : Tensor, bool, shape [n]
        Nodes of at least three edges.
    hub : int
        Even.
    generator : torch.Generator
        On the CPU, so that all devices draw the same.

    Returns
    -------
    near : Tensor, int32 or int64, shape [H, hub]
        Incidences that are neighbours of each incidence at a hub.
    row : Tensor, int64, shape [P]
        Which row of `near` an incidence has; 0 where it is at no hub.
    """
    incidence, group, row = _at_hubs(incidences, is_hub)
    near = _table(incidences, len(incidence), hub)
    if not len(incidence):
        return near, row
    # The first and the last of each hub's incidences, in whatever order they are within it.
    changes = group.diff() != 0
    first = torch.cat([changes.new_ones(1), changes]).nonzero().view(-1)
    last = torch.cat([changes, changes.new_ones(1)]).nonzero().view(-1)
    for column in range(0, hub, 2):
        order = _shuffled(group, generator)
        after = order.roll(-1)
        after[last] = order[first]
        near[order, column] = incidence[after].to(near.dtype)
        near[after, column + 1] = incidence[order].to(near.dtype)
    return near, row


def sample_rounds(
    arriving: Incidences, leaving: Incidences, is_hub: Tensor, hub: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Successors at hubs, directed: `hub` rounds, in each of which all that arrive are dealt out to all that leave.

    In a round each edge that arrives gets one of the d that leave, each with probability 1 / d, and those that leave
    get as many, up to one. With 1 / `hub` a round, every pair has the expected weight 1 / d.

    Parameters
    ----------
    arriving, leaving : Incidences
        Of second and of first ends.
    is_hub, hub, generator
        As in `sample_cycles`.

    Returns
    -------
    near : Tensor, int32 or int64, shape [H, hub]
        Incidences of `leaving` that follow each incidence of `arriving` at a hub.
    row : Tensor, int64, shape [P]
        Which row of `near` an incidence of `arriving` has; 0 where it is at no hub.
    """
    incidence, group, row = _at_hubs(arriving, is_hub)
    out_place, out_group, _ = _at_hubs(leaving, is_hub)
    near = _table(leaving, len(incidence), hub)
    size = leaving.size[is_hub]
    begin, before = size.cumsum(0) - size, arriving.size[is_hub]
    rank = torch.arange(len(incidence), device=incidence.device) - (before.cumsum(0) - before)[group]
    dealt = begin[group] + rank % size[group]
    for column in range(hub):
        near[_shuffled(group, generator), column] = out_place[_shuffled(out_group, generator)][dealt].to(near.dtype)
    return near, row


def _at_hubs(incidences: Incidences, is_hub: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Incidences at hubs, the number of each one's hub, and the row of each incidence among them (0: none)."""
    chosen = is_hub[incidences.node]
    incidence = chosen.nonzero().view(-1)
    number = is_hub.cumsum(0) - 1
    return incidence, number[incidences.node[incidence]], (chosen.cumsum(0) - 1).clamp_min(0)


def _table(incidences: Incidences, rows: int, hub: int) -> Tensor:
    small = torch.int32 if len(incidences.edge) < 2**31 else torch.int64
    return torch.empty(rows, hub, dtype=small, device=incidences.edge.device)


def _shuffled(group: Tensor, generator: torch.Generator) -> Tensor:
    """A random order within each group, int64 [H]; `group` [H] is sorted."""
    draw = torch.rand(len(group), dtype=torch.float64, generator=generator).to(group.device)
    return (group + draw).argsort()
