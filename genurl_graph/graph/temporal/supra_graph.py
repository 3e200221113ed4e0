"""The supra-graph: interaction edges inside windows, and identity edges between the windows of a node."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class SupraGraph(NamedTuple):
    """Edges between rows, a row for each (node, window), each edge once and in one direction.

    Attributes
    ----------
    interaction, identity : Tensor, int64, shape [2, E] and [2, I]
        Of an identity edge the earlier row comes first.
    weight : Tensor, float32, shape [E]
        ``log2(1 + weight)`` of the events of the pair in the window: 1 for one event.
    decay : Tensor, float32, shape [I]
        ``2 ** (-(gap - 1) / half_life)``, gaps in windows: 1 from one window to the next.
    """

    interaction: Tensor
    weight: Tensor
    identity: Tensor
    decay: Tensor


def identity_edges(node: Tensor, window: Tensor, half_life: float) -> tuple[Tensor, Tensor]:
    """Edges from each row of a node to its next one, int64 [2, I], and their decay, float32 [I].

    Parameters
    ----------
    node, window : Tensor, int64, shape [R]
        Sorted by window, then by node.
    half_life : float
        Windows after which a node is bound half as much to where it was.

    Examples
    --------
    >>> edges, decay = identity_edges(torch.tensor([4, 7, 4]), torch.tensor([0, 0, 2]), 1.0)
    >>> edges.tolist(), decay.tolist()
    ([[0], [2]], [0.5])
    """
    order = node.argsort(stable=True)
    same = (node[order[1:]] == node[order[:-1]]).nonzero().squeeze(1)
    edges = torch.stack([order[same], order[same + 1]])
    gap = window[edges[1]] - window[edges[0]]
    return edges, torch.pow(2.0, -(gap - 1).float() / half_life)


def supra_graph(parts: list[tuple[Tensor, Tensor]], node: Tensor, window: Tensor, half_life: float) -> SupraGraph:
    """The supra-graph of windows.

    Parameters
    ----------
    parts : list of (edges, weight)
        Of each window that has rows, the distinct pairs among these, int64 [2, e], counted from 0, and their weights
        in events.
    node, window : Tensor, int64, shape [R]
        Of all rows, sorted by window, then by node.
    half_life : float
        As in `identity_edges`.
    """
    sizes = torch.unique_consecutive(window, return_counts=True)[1]
    first = (sizes.cumsum(0) - sizes).tolist()
    edges = [pairs + start for (pairs, _), start in zip(parts, first, strict=True)]
    weight = torch.cat([value for _, value in parts])
    return SupraGraph(torch.cat(edges, 1), torch.log2(1 + weight), *identity_edges(node, window, half_life))
