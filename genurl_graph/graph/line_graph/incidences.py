"""Which edges meet at which node: the incidences of edges at their ends, sorted by node."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.inputs.sparse import row_pointers


class Incidences(NamedTuple):
    """Edges at the nodes where they end: incidence p is the end of one edge at one node.

    Attributes
    ----------
    edge : Tensor, int64, shape [P]
        Whose end it is. Sorted by node, then by the node at the other end: the order of the edges counts among
        parallel ones alone.
    node : Tensor, int64, shape [P]
        Where it is.
    start : Tensor, int64, shape [n + 1]
        Incidences ``start[v]`` to ``start[v + 1] - 1`` are at node v.
    bearing : Tensor, float32, shape [P], or None
        Direction in which the edge leaves the node, in radians; NaN: unknown.
    """

    edge: Tensor
    node: Tensor
    start: Tensor
    bearing: Tensor | None

    @property
    def size(self) -> Tensor:
        """Incidences at each node, int64 [n]."""
        return self.start.diff()


def incidences_at(ends: Tensor, num_nodes: int, bearings: Tensor | None, side: int) -> Incidences:
    """The incidences of all edges at their first (`side` 0) or second (`side` 1) end."""
    return _sorted(
        ends[side],
        ends[1 - side],
        torch.arange(ends.size(1), device=ends.device),
        None if bearings is None else bearings[side],
        num_nodes,
    )


def incidences_at_both(ends: Tensor, num_nodes: int, bearings: Tensor | None) -> Incidences:
    """The incidences of all edges at both ends. A self loop has one, which leads in no direction."""
    edge = torch.arange(ends.size(1), device=ends.device).repeat(2)
    loop = ends[0] == ends[1]
    kept = torch.cat([torch.ones_like(loop), ~loop])
    bearing = None if bearings is None else bearings.masked_fill(loop, torch.nan).reshape(-1)[kept]
    return _sorted(ends.reshape(-1)[kept], ends.flip(0).reshape(-1)[kept], edge[kept], bearing, num_nodes)


def _sorted(node: Tensor, other: Tensor, edge: Tensor, bearing: Tensor | None, num_nodes: int) -> Incidences:
    order = (node * num_nodes + other).sort(stable=True).indices
    node = node[order]
    return Incidences(
        edge[order], node, row_pointers(node, num_nodes), None if bearing is None else bearing.float()[order]
    )
