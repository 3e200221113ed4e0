"""Strokes: edges that go straight on through their ends, end to end, such as the segments of one road."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genurl_graph.graph.line_graph.incidences import incidences_at_both
from genurl_graph.inputs.sparse import to_scipy_or_numpy

# By so many radians two edges may turn off each other and be one stroke all the same.
MOST_TURN = math.pi / 4
# Columns of a stroke itself, and attributes beyond which no means are taken.
OWN, WIDEST = 3, 256
# Bearings that differ by less are those of one street, which is stored once for each direction.
_SAME = 0.01


def strokes(ends: Tensor, num_nodes: int, bearings: Tensor) -> Tensor:
    """Divide edges into strokes: at a node, the two that go most nearly straight on into each other are joined.

    By every best fit, each being the other's (Jiang, Zhao & Yin, International Journal of Geographical Information
    Science 22, 2008), up to a turn of 45 degrees. Edges of one street in both directions are in one stroke.

    Parameters
    ----------
    ends : Tensor, int64, shape [2, m]
    num_nodes : int
    bearings : Tensor, float32, shape [2, m]
        As in `genurl_graph.graph.line_graph.line_edges`; NaN where unknown: such an edge is a stroke by itself.

    Returns
    -------
    Tensor, int64, shape [m]
        Number of the stroke of each edge, from 0. Time O(m log m).

    Examples
    --------
    A street of two segments, and one that turns off at a right angle:

    >>> ends = torch.tensor([[0, 1, 1], [1, 2, 3]])
    >>> bearings = torch.tensor([[0.0, 0.0, 1.57], [3.14, 3.14, -1.57]])
    >>> strokes(ends, 4, bearings).tolist()
    [0, 0, 1]
    """
    import scipy.sparse as sp
    from scipy.sparse.csgraph import connected_components

    segment, first = _segments(ends, bearings)
    at = incidences_at_both(ends[:, first], num_nodes, bearings[:, first])
    assert at.bearing is not None
    known = at.bearing.isfinite()
    edge, node, angle = at.edge[known], at.node[known], at.bearing[known].double() % (2 * math.pi)
    partner, turn = _most_opposite(node, angle, num_nodes)
    own = torch.arange(len(edge))
    joined = (partner[partner] == own) & (turn < MOST_TURN)
    pairs = torch.stack([edge[joined], edge[partner[joined]]]).numpy()
    count = len(first)
    graph = sp.coo_array((torch.ones(pairs.shape[1]).numpy(), pairs), shape=(count, count))
    return torch.from_numpy(connected_components(graph, directed=False)[1]).long()[segment]


def stroke_features(ends: Tensor, num_nodes: int, bearings: Tensor, x: Tensor | None) -> Tensor:
    """What the stroke of each edge is like.

    Parameters
    ----------
    ends, num_nodes, bearings
        As in `strokes`.
    x : Tensor, float32, shape [m, f], or None
        Attributes of the edges, strided or CSR.

    Returns
    -------
    Tensor, float32, shape [m, `stroke_width`]
        Logarithms of the number of its edges, of the nodes that it passes and of other edges there for each of its own;
        then the mean of each attribute over it, where there are at most `WIDEST`.
    """
    import scipy.sparse as sp

    stroke, m = strokes(ends, num_nodes, bearings), ends.size(1)
    count = torch.bincount(stroke)
    passed = torch.unique(torch.stack([stroke.repeat(2), ends.reshape(-1)]), dim=1)
    nodes = torch.bincount(passed[0], minlength=len(count))
    degree = torch.bincount(ends.reshape(-1), minlength=num_nodes)
    others = torch.bincount(passed[0], degree[passed[1]].double(), minlength=len(count)) - 2 * count
    own = torch.stack([count.double().log(), nodes.double().log(), (others.clamp_min(0) / count).log1p()], 1)
    found = own[stroke].float()
    if x is None or x.size(1) > WIDEST:
        return found
    mean_of = sp.csr_array(((1 / count.double())[stroke].numpy(), (stroke.numpy(), range(m))), shape=(len(count), m))
    mean = mean_of @ to_scipy_or_numpy(x)
    mean = torch.from_numpy(mean.toarray() if sp.issparse(mean) else mean).float()
    return torch.cat([found, mean[stroke]], 1)


def stroke_width(num_features: int) -> int:
    """Columns of `stroke_features`."""
    return OWN + (num_features if num_features <= WIDEST else 0)


def _segments(ends: Tensor, bearings: Tensor) -> tuple[Tensor, Tensor]:
    """The segment of each edge, edges of one street in both directions being one, and the first edge of each."""
    turned = ends[0] > ends[1]
    low, high = ends.sort(0).values
    way = torch.where(turned, bearings.flip(0), bearings).double() / _SAME
    turn = 2 * math.pi / _SAME
    way = torch.where(way.isfinite(), (way % turn).round() % int(turn), -1.0)
    way = torch.where(low == high, way.sort(0).values, way)
    # An edge of which no bearing is known is nobody's.
    lone = (way < 0).all(0) * torch.arange(1, ends.size(1) + 1)
    key = torch.stack([low, high, *way.long(), lone], 1)
    _, segment = torch.unique(key, dim=0, return_inverse=True)
    first = torch.full((int(segment.max()) + 1,), ends.size(1))
    return segment, first.scatter_reduce_(0, segment, torch.arange(ends.size(1)), "amin")


def _most_opposite(node: Tensor, angle: Tensor, num_nodes: int) -> tuple[Tensor, Tensor]:
    """For each incidence the one at its node that lies most nearly opposite, and the turn between the two."""
    # Nodes lie further apart on this line than angles do.
    key = node.double() * 8 + angle
    order = key.argsort(stable=True)
    key, rank = key[order], order.argsort()
    size = torch.bincount(node, minlength=num_nodes)
    start = (size.cumsum(0) - size)[node]
    opposite = (angle + math.pi) % (2 * math.pi)
    after = torch.searchsorted(key, node.double() * 8 + opposite)
    best, least = rank.clone(), torch.full_like(angle, math.inf)
    for place in (after, after - 1):
        near = order[start + (place - start) % size[node]]
        turn = (angle[near] - opposite + math.pi) % (2 * math.pi) - math.pi
        closer = turn.abs() < least
        best, least = torch.where(closer, near, best), torch.where(closer, turn.abs(), least)
    return best, least
