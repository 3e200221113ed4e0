"""Small node-link drawings of many graphs: where the nodes of each lie, computed for all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from genurl_graph.inputs.collection.collection import GraphCollection
from genurl_graph.inputs.sparse import run_entries

# Nodes of a graph that are drawn, nodes of all drawings of a page, and kinds of nodes with a colour of their own.
MOST_NODES, MOST_DRAWN, MOST_KINDS = 60, 400_000, 20
# Steps of the layout, and entries of the matrices of distances that are held at once.
STEPS, ENTRIES = 60, 2_000_000
BUCKETS = (4, 8, 16, 24, 32, 48, MOST_NODES)


class Drawings(NamedTuple):
    """A drawing of each graph.

    Attributes
    ----------
    node_ptr, edge_ptr : Tensor, int64, shape [G + 1]
        Where the drawn nodes, and edges, of each graph begin.
    points : Tensor, float32, shape [n, 2]
        In the unit square.
    kind : Tensor, int64, shape [n]
        Place of each node's kind in `kinds`.
    ends : Tensor, int64, shape [m, 2]
        Nodes within the graph, the smaller first; each edge stands once.
    sizes : Tensor, int64, shape [G]
        Nodes of each graph, drawn or not.
    kinds : sequence of str
        The commonest first; at most `MOST_KINDS`, and "other".
    about : str
        One line on what is drawn.
    """

    node_ptr: Tensor
    edge_ptr: Tensor
    points: Tensor
    kind: Tensor
    ends: Tensor
    sizes: Tensor
    kinds: Sequence[str]
    about: str


def drawings(graphs: GraphCollection, names: Sequence[str] | None = None) -> Drawings:
    """Draw every graph: its nodes coloured by kind, of large graphs those around the one with the most neighbours.

    Parameters
    ----------
    graphs : GraphCollection
    names : sequence of str, optional
        Of the columns of one-hot features.

    Examples
    --------
    >>> pointers = torch.tensor([0, 2]), torch.tensor([0, 2])
    >>> found = drawings(GraphCollection(None, torch.tensor([[0, 1], [1, 0]]), None, None, *pointers))
    >>> found.ends.tolist(), found.kinds
    ([[0, 1]], ['1 neighbour'])
    """
    kind, kinds = _kinds(graphs, names)
    kept = _kept_nodes(graphs)
    owner = graphs.graph_of_node()[kept]
    node_ptr = _pointers(torch.bincount(owner, minlength=graphs.num_graphs))
    place = torch.full((graphs.num_nodes,), -1)
    place[kept] = torch.arange(len(kept)) - node_ptr[owner]
    edges = graphs.edge_index
    ends = place[edges]
    drawn = (ends >= 0).all(0) & (ends[0] != ends[1])
    graph_of_edge = graphs.graph_of_node()[edges[0]][drawn]
    low, high = ends[:, drawn].sort(0).values
    keys = torch.unique((graph_of_edge * MOST_NODES + low) * MOST_NODES + high)
    low, high = keys // MOST_NODES % MOST_NODES, keys % MOST_NODES
    edge_ptr = _pointers(torch.bincount(keys // MOST_NODES**2, minlength=graphs.num_graphs))
    pairs = torch.stack([low, high], dim=1)
    points = _layout(node_ptr, edge_ptr, pairs)
    count = int((node_ptr.diff() > 0).sum())
    about = f"Drawn by stress majorisation of the distances along edges, up to {MOST_NODES} nodes a graph"
    if count < int((graphs.sizes() > 0).sum()):
        about += f"; the first {count:,} graphs have a drawing"
    return Drawings(node_ptr, edge_ptr, points, kind[kept], pairs, graphs.sizes(), kinds, about)


def _kinds(graphs: GraphCollection, names: Sequence[str] | None) -> tuple[Tensor, list[str]]:
    """The kind of each node, int64 [N], and what the kinds are called, the commonest first."""
    found, code, count = torch.unique(graphs.node_kinds(), return_inverse=True, return_counts=True)
    order = torch.argsort(count, descending=True, stable=True)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order))
    width = 0 if graphs.x is None else graphs.x.size(1)
    called = []
    for value in found[order][:MOST_KINDS].tolist():
        if graphs.x is None:
            called.append(f"{value:,} neighbour{'' if value == 1 else 's'}")
        elif value >= width:
            called.append(f"features {len(called) + 1}")
        else:
            called.append(f"kind {value}" if names is None else names[value])
    return rank[code].clamp_max(MOST_KINDS), [*called, *(["other"] if len(found) > MOST_KINDS else [])]


def _kept_nodes(graphs: GraphCollection) -> Tensor:
    """Nodes that are drawn, ascending: of large graphs those nearest to the hub, of many graphs the first."""
    owner, sizes = graphs.graph_of_node(), graphs.sizes()
    drawn = sizes.clamp_max(MOST_NODES).cumsum(0) <= MOST_DRAWN
    order = torch.argsort(graphs.degrees(), descending=True, stable=True)
    order = order[torch.argsort(_steps_from_hub(graphs, order)[order], stable=True)]
    order = order[torch.argsort(owner[order], stable=True)]
    rank = torch.arange(graphs.num_nodes) - graphs.node_ptr[owner]
    return order[(rank < MOST_NODES) & drawn[owner]].sort().values


def _steps_from_hub(graphs: GraphCollection, order: Tensor) -> Tensor:
    """Edges between each node and the first of `order` of its graph, int64 [N], as far as nodes are drawn."""
    owner, n = graphs.graph_of_node(), graphs.num_nodes
    steps = torch.full((n,), n + 1)
    first = torch.full((graphs.num_graphs,), n).scatter_reduce(0, owner[order], torch.arange(n), "amin")
    steps[order[first[first < n]]] = 0
    source, target = torch.cat([graphs.edge_index, graphs.edge_index.flip(0)], dim=1)
    for step in range(1, MOST_NODES):
        reached = torch.bincount(owner[steps <= n], minlength=graphs.num_graphs)
        near = target[(steps[source] == step - 1) & (steps[target] > n) & (reached < MOST_NODES)[owner[source]]]
        if not len(near):
            break
        steps[near] = step
    # Then one component after another.
    links = coo_array((torch.ones(len(source)).numpy(), (source.numpy(), target.numpy())), shape=(n, n))
    component = torch.from_numpy(connected_components(links, directed=False)[1]).long()
    return torch.where(steps > n, n + 1 + component, steps)


def _pointers(count: Tensor) -> Tensor:
    return torch.cat([count.new_zeros(1), count.cumsum(0)])


def _layout(node_ptr: Tensor, edge_ptr: Tensor, ends: Tensor) -> Tensor:
    """Points of all graphs in the unit square, float32 [n, 2], graphs of about one size at a time."""
    points = torch.full((int(node_ptr[-1]), 2), 0.5)
    sizes = node_ptr.diff()
    before = 1
    for width in BUCKETS:
        graphs = ((sizes > before) & (sizes <= width)).nonzero().flatten()
        before = width
        for part in torch.split(graphs, max(ENTRIES // width**2, 1)):
            edge = run_entries(edge_ptr[part], edge_ptr.diff()[part])
            row = torch.arange(len(part)).repeat_interleave(edge_ptr.diff()[part])
            adjacent = torch.zeros(len(part), width, width)
            adjacent[row, ends[edge, 0], ends[edge, 1]] = 1
            found = stress_layout(adjacent + adjacent.transpose(1, 2), sizes[part])
            there = torch.arange(width) < sizes[part][:, None]
            points[run_entries(node_ptr[part], sizes[part])] = found[there]
    return points


def stress_layout(adjacent: Tensor, sizes: Tensor) -> Tensor:
    """Points of b graphs whose distances are like those along edges.

    Gansner, Koren and North, Graph Drawing by Stress Majorization (2005), with weights 1 / distance^2 and their
    localised step, from the two leading axes of classical scaling.

    Parameters
    ----------
    adjacent : Tensor, float32, shape [b, m, m]
        Symmetric, 1 where there is an edge; rows beyond a graph's size are 0.
    sizes : Tensor, int64, shape [b]
        Nodes of each graph, 2 or more.

    Returns
    -------
    Tensor, float32, shape [b, m, 2]
        In the unit square.
    """
    width = adjacent.size(1)
    there = torch.arange(width) < sizes[:, None]
    both = there[:, :, None] & there[:, None, :]
    distance = _distances(adjacent, both)
    weight = torch.where(both & (distance > 0), 1 / distance.clamp_min(1) ** 2, 0.0)
    # Classical scaling: eigenvectors of the centred squares.
    square = torch.where(both, distance**2, 0.0)
    share = there.float() / sizes[:, None]
    mean = (square * share[:, None, :]).sum(2, keepdim=True)
    centred = square - mean - mean.transpose(1, 2) + (mean * share[:, :, None]).sum(1, keepdim=True)
    value, vector = torch.linalg.eigh(torch.where(both, -centred / 2, 0.0))
    at = vector[:, :, -2:] * value[:, None, -2:].clamp_min(1e-3).sqrt()
    # Nodes that scaling puts upon each other must part.
    turn = 2.4 * torch.arange(width)
    at = at + 0.1 * torch.stack([turn.cos(), turn.sin()], dim=1)
    total = weight.sum(2, keepdim=True).clamp_min(1e-9)
    for _ in range(STEPS):
        # The mean of where each other node would have this one: x_j + d (x_i - x_j) / |x_i - x_j|.
        push = weight * distance / torch.cdist(at, at).clamp_min(1e-6)
        at = ((weight - push) @ at + push.sum(2, keepdim=True) * at) / total
    least = torch.where(there[..., None], at, torch.inf).amin(1, keepdim=True)
    most = torch.where(there[..., None], at, -torch.inf).amax(1, keepdim=True)
    extent = (most - least).amax(2, keepdim=True).clamp_min(1e-6)
    found: Tensor = 0.5 + (at - (most + least) / 2) / extent
    return found


def _distances(adjacent: Tensor, both: Tensor) -> Tensor:
    """Numbers of edges between nodes [b, m, m]; 1 more than the largest where there is no path."""
    seen = torch.eye(adjacent.size(1)).expand_as(adjacent).clone()
    distance, front, steps = torch.zeros_like(adjacent), seen, 0
    while steps < adjacent.size(1):
        front = ((front @ adjacent) > 0) & (seen == 0)
        if not bool(front.any()):
            break
        steps += 1
        distance[front] = steps
        seen = seen + front
        front = front.float()
    lost = (seen == 0) & both
    return torch.where(lost, distance.amax((1, 2), keepdim=True) + 1, distance)
