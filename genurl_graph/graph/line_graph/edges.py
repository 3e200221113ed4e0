"""The line graph of an edge list: edges in, weighted edges among them out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.graph.line_graph.hubs import sample_cycles, sample_rounds
from genurl_graph.graph.line_graph.incidences import Incidences, incidences_at, incidences_at_both
from genurl_graph.inputs.sparse import run_entries
from genurl_graph.inputs.validation import check_edges

# Most other edges at an end that an edge has as neighbours there, all of them; more are sampled.
HUB = 32
# Beyond it, weights of edges that lead back would be lost in rounding: exp(-20) is 2e-9.
MOST_STRAIGHT = 10
# Entries of the line graph that are made at a time.
_BLOCK = 1 << 22
# Weights are multiples of this, which float64 adds up exactly: those of (i, j) and (j, i) are the same to the bit.
_UNIT = 2.0**-50


class LineEdges(NamedTuple):
    """Edges of a line graph, sorted, each once.

    Attributes
    ----------
    edge_index : Tensor, int64, shape [2, L]
        Between columns of the edge list; where it is undirected, in both directions.
    edge_weight : Tensor, float32, shape [L]
    """

    edge_index: Tensor
    edge_weight: Tensor


def line_edges(
    ends: Tensor,
    num_nodes: int,
    *,
    directed: bool = False,
    hub: int = HUB,
    bearings: Tensor | None = None,
    straight: float = 0.0,
    seed: int = 0,
) -> LineEdges:
    """Edges of the line graph of m edges, whose weights are the steps of a walk along edges.

    Undirected, two edges are neighbours where they share an end. At an end of d edges each of the d - 1 others has the
    weight 1 / (d - 1) (Evans & Lambiotte, Phys. Rev. E 80, 2009, their graph D), so that no hub outweighs the
    rest: weights at an end sum to 1, and those of an edge to the number of its ends that it shares. Parallel edges
    share both ends, and their weights add up. A self loop is one of the d edges of its node, once.

    Directed, an edge is followed by those that begin where it ends, each of the d with the weight 1 / d; weights of an
    edge sum to 1, or to 0 where none follows. A self loop follows itself, as in ``networkx.line_graph``.

    At an end of more than `hub` others a sample of `hub` of them stands for all (`genurl_graph.graph.line_graph.hubs`):
    sums stay as they are, the expected weight of every pair is that of the whole, and m edges have at most 2 `hub` m
    entries, a star as well.

    Parameters
    ----------
    ends : Tensor, int64, shape [2, m]
        Nodes that the edges join, or lead from and to. Pairs may repeat: they are parallel edges.
    num_nodes : int
    directed : bool
        Whether edges lead from their first end to their second only.
    hub : int
        Even, at least 2.
    bearings : Tensor, float, shape [2, m], optional
        Direction, in radians, in which an edge leaves its first end, and in which it leaves its second; NaN: unknown.
    straight : float
        From 0 to 10, how much more the walk goes straight on: the weight of another edge at an end is in proportion to
        ``exp(-straight cos(b))``, b the angle between the two there (pi: straight on), and still sums to 1. These
        weights are not symmetric: a side street leads into the main road, which passes it by. cos(b) counts as 0
        where a bearing is unknown, and of self loops. 0: all the same. With a sample the sum is over the sample.
    seed : int
        Of the samples. They depend on the numbers of the nodes, and on the order of parallel edges, not on that of
        other edges.

    Returns
    -------
    LineEdges
        On the device of `ends`. Numbers of the edges are columns of `ends`.

    Raises
    ------
    InputError
        Ends that are no nodes, an odd or small `hub`, bearings of another shape, or `straight` without them.

    Examples
    --------
    A path of three edges, and an edge beside its last:

    >>> found = line_edges(torch.tensor([[0, 1, 2, 2], [1, 2, 3, 4]]), 5)
    >>> found.edge_index.tolist(), found.edge_weight.tolist()
    ([[0, 1, 1, 1, 2, 2, 3, 3], [1, 0, 2, 3, 1, 3, 1, 2]], [1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    """
    ends, _ = check_edges(ends, num_nodes, "ends")
    bearings = _check(ends, hub, bearings, straight)
    generator = torch.Generator().manual_seed(seed)
    if directed:
        arriving, leaving = (incidences_at(ends, num_nodes, bearings, side) for side in (1, 0))
        is_hub = leaving.size > hub
        near, row = sample_rounds(arriving, leaving, is_hub, hub, generator)
    else:
        arriving = leaving = incidences_at_both(ends, num_nodes, bearings)
        is_hub = leaving.size - 1 > hub
        near, row = sample_cycles(leaving, is_hub, hub, generator)
    walk = _Walk(arriving, leaving, is_hub, near, row, straight, directed)
    # Columns are kept as int32 and rows as counts until all are known: a quarter of the result is there twice.
    columns, weights, counts = [], [], []
    for incidence in _blocks(walk, ends.size(1)):
        column, weight, count = _step(walk, incidence, ends.size(1))
        columns.append(column.int() if ends.size(1) < 2**31 else column)
        weights.append(weight)
        counts.append(count)
    return _joined(columns, weights, counts, ends)


class _Walk(NamedTuple):
    """What a step of the walk needs: from `arriving` incidences to `leaving` ones, or to those of `near` at hubs."""

    arriving: Incidences
    leaving: Incidences
    is_hub: Tensor
    near: Tensor
    row: Tensor
    straight: float
    directed: bool

    def counts(self, incidence: Tensor) -> Tensor:
        """Entries that arriving incidences [p] make, int64 [p]: undirected, each itself is one, but not at hubs."""
        node = self.arriving.node[incidence]
        size = self.leaving.start[node + 1] - self.leaving.start[node]
        return torch.where(self.is_hub[node], self.near.size(1), size)


def _blocks(walk: _Walk, num_edges: int) -> Iterator[Tensor]:
    """Arriving incidences of consecutive edges, sorted by edge, so many that they make about `_BLOCK` entries."""
    edge = walk.arriving.edge
    order = edge.sort(stable=True).indices
    made = walk.counts(order).cumsum(0)
    if not len(order):
        return
    marks = torch.arange(_BLOCK, max(int(made[-1]), _BLOCK), _BLOCK, device=made.device)
    cut = torch.searchsorted(made, marks)
    # Both incidences of an edge are in one block: it ends before the first incidence of the edge at which it is full.
    first = torch.searchsorted(edge[order], edge[order[cut]])
    bounds = torch.unique(torch.cat([first.new_zeros(1), first, first.new_tensor([len(order)])])).tolist()
    for low, high in pairwise(bounds):
        yield order[low:high]


def _step(walk: _Walk, incidence: Tensor, num_edges: int) -> tuple[Tensor, Tensor, Tensor]:
    """Columns and weights of the rows of arriving incidences [p], sorted and summed, and how many each edge has."""
    node, own = walk.arriving.node[incidence], walk.arriving.edge[incidence]
    count = walk.counts(incidence)
    to = run_entries(walk.leaving.start[node], count)
    at = torch.arange(len(incidence), device=incidence.device).repeat_interleave(count)
    hub = walk.is_hub[node]
    if bool(hub.any()):
        to[hub[at]] = walk.near[walk.row[incidence[hub]]].reshape(-1).long()
    if not walk.directed:
        # Incidences of one node are of different edges: the incidence itself is the one to leave out.
        kept = (to != incidence[at]).nonzero().view(-1)
        to, at = to[kept], at[kept]
    value = _weights(walk, incidence[at], to, at, len(incidence))
    low = int(own[0])
    key, order = ((own[at] - low) * num_edges + walk.leaving.edge[to]).sort()
    pair, group = torch.unique_consecutive(key, return_inverse=True)
    weight = value.new_zeros(len(pair)).index_add_(0, group, value[order])
    rows = torch.bincount(pair // num_edges, minlength=int(own[-1]) + 1 - low)
    return pair % num_edges, weight.float(), rows


def _weights(walk: _Walk, incidence: Tensor, to: Tensor, at: Tensor, arrivals: int) -> Tensor:
    """Weights of steps from `incidence` [k] to `to` [k], which sum to 1 in each of the arrivals `at` [k], float64."""
    share = torch.ones(len(to), dtype=torch.float64, device=to.device)
    if walk.straight and walk.arriving.bearing is not None and walk.leaving.bearing is not None:
        angle = walk.arriving.bearing[incidence].double() - walk.leaving.bearing[to]
        share = (-walk.straight * angle.cos().nan_to_num(0.0)).exp()
    total = share.new_zeros(arrivals).index_add_(0, at, share)
    return (share / total[at] / _UNIT).round() * _UNIT


def _joined(columns: list[Tensor], weights: list[Tensor], counts: list[Tensor], ends: Tensor) -> LineEdges:
    """All blocks as one edge list; the lists are emptied as it grows."""
    sizes = [len(column) for column in columns]
    edges = ends.new_empty(2, sum(sizes))
    weight = torch.empty(sum(sizes), device=ends.device)
    done = row = 0
    while columns:
        column, value, count = columns.pop(0), weights.pop(0), counts.pop(0)
        part = slice(done, done + len(column))
        edges[0, part] = torch.arange(row, row + len(count), device=ends.device).repeat_interleave(count)
        edges[1, part], weight[part] = column, value
        done, row = part.stop, row + len(count)
    return LineEdges(edges, weight)


def _check(ends: Tensor, hub: int, bearings: Tensor | None, straight: float) -> Tensor | None:
    if hub < 2 or hub % 2:
        raise wrong("hub", hub, "an even number of at least 2")
    if not 0 <= straight <= MOST_STRAIGHT:
        raise wrong("straight", straight, f"a number from 0 to {MOST_STRAIGHT}")
    if bearings is None:
        if straight:
            raise wrong("straight", f"{straight:g} without bearings", "bearings of the edges, or 0")
        return None
    if bearings.shape != ends.shape:
        raise wrong("bearings", f"shape {list(bearings.shape)}", f"shape {list(ends.shape)}, two of each edge")
    return bearings.to(ends.device)
