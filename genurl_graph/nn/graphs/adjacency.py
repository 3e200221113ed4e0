"""Sums over neighbours and over the nodes of a graph, for batches of many small graphs.

One call of torch's bag of embeddings sums the rows of neighbours without a sparse matrix, five times faster than its
CSR product at these sizes. The backward passes are sums of the same kind, because every edge stands both ways.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.inputs.sparse import row_pointers


class Adjacency(NamedTuple):
    """Neighbours of every node of a batch of graphs, in one list; every edge stands there both ways.

    Attributes
    ----------
    neighbor : Tensor, int64, shape [E]
    start : Tensor, int64, shape [N + 1]
        Neighbours of node i are ``neighbor[start[i]:start[i + 1]]``.
    weight : Tensor, float, shape [E], or None
    reverse : Tensor, int64, shape [E], or None
        Place of the same edge in the other direction; None where neither weights nor attributes need it.
    """

    neighbor: Tensor
    start: Tensor
    weight: Tensor | None
    reverse: Tensor | None

    @classmethod
    def of(cls, batch: GraphCollection) -> Adjacency:
        """Of a batch whose edges stand both ways (`undirected`)."""
        start = row_pointers(batch.edge_index[0], batch.num_nodes)
        apart = batch.edge_attr is not None or batch.edge_weight is not None
        return cls(batch.edge_index[1], start, batch.edge_weight, reverse_edges(batch) if apart else None)


def reverse_edges(batch: GraphCollection) -> Tensor:
    """Place of each edge's other direction, int64 [E]; both are there."""
    target = batch.edge_index[1]
    # Sources ascend: a stable sort by target lists (target, source) as the edges list (source, target).
    order: Tensor = target.sort(stable=True).indices
    return order


def undirected(collection: GraphCollection) -> GraphCollection:
    """The collection with both directions of every edge; a missing one gets attributes and weight of the other."""
    n, (source, target) = collection.num_nodes, collection.edge_index
    key, back = source * n + target, target * n + source
    if torch.equal(back.sort().values, key):
        return collection
    missing = (~torch.isin(back, key)).nonzero().squeeze(1)
    order = torch.cat([key, back[missing]]).argsort()
    edges = torch.cat([collection.edge_index, collection.edge_index[:, missing].flip(0)], 1)[:, order]
    return with_edges(collection, edges, torch.cat([torch.arange(len(key), device=key.device), missing])[order])


def with_edges(collection: GraphCollection, edges: Tensor, taken: Tensor) -> GraphCollection:
    """The collection with other edges, sorted, int64 [2, E']; `taken` says whose attributes and weights they get."""
    attr, weight = collection.edge_attr, collection.edge_weight
    return collection._replace(
        edge_index=edges,
        edge_attr=None if attr is None else attr[taken],
        edge_weight=None if weight is None else weight[taken],
        edge_ptr=row_pointers(edges[0], collection.num_nodes)[collection.node_ptr],
    )


def bag_sum(rows: Tensor, h: Tensor, start: Tensor, weight: Tensor | None = None) -> Tensor:
    """Sums of the rows ``h[rows[start[i]:start[i + 1]]]``, times their weights; without gradients."""
    if len(rows) == 0:
        return h.new_zeros(len(start) - 1, h.size(1))
    return F.embedding_bag(rows, h, start, mode="sum", per_sample_weights=weight, include_last_offset=True)


class _NeighborSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, h: Tensor, graph: Adjacency) -> Tensor:
        ctx.graph = graph
        return bag_sum(graph.neighbor, h, graph.start, graph.weight)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, None]:
        neighbor, start, weight, reverse = ctx.graph
        back = None if weight is None or reverse is None else weight[reverse]
        return bag_sum(neighbor, grads[0].contiguous(), start, back), None


class _AtNeighbors(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, h: Tensor, graph: Adjacency) -> Tensor:
        ctx.graph = graph
        return h.index_select(0, graph.neighbor)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, None]:
        return bag_sum(ctx.graph.reverse, grads[0].contiguous(), ctx.graph.start), None


class _RunSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, h: Tensor, start: Tensor) -> Tensor:
        ctx.start = start
        return bag_sum(torch.arange(len(h), device=h.device), h, start)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, None]:
        return grads[0].repeat_interleave(ctx.start.diff(), 0), None


class _RunMax(torch.autograd.Function):
    """torch's own gradient of a reduction by index takes several times as long."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, start: Tensor) -> Tensor:
        run = torch.arange(len(start) - 1, device=h.device).repeat_interleave(start.diff())
        out = h.new_zeros(len(start) - 1, h.size(1))
        out.scatter_reduce_(0, run[:, None].expand_as(h), h, "amax", include_self=False)
        ctx.save_for_backward(h, out, start)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, None]:
        h, out, start = ctx.saved_tensors
        count = start.diff()
        # Rows that share the maximum share its gradient.
        largest = (h == out.repeat_interleave(count, 0)).to(h.dtype)
        shared = grads[0] / bag_sum(torch.arange(len(h), device=h.device), largest, start).clamp_min(1)
        return shared.repeat_interleave(count, 0).mul_(largest), None


def neighbor_sum(h: Tensor, graph: Adjacency) -> Tensor:
    """Weighted sum of the rows of each node's neighbours, [N, d]; with gradients for `h` [N, d]."""
    out: Tensor = _NeighborSum.apply(h, graph)  # type: ignore[no-untyped-call]
    return out


def at_neighbors(h: Tensor, graph: Adjacency) -> Tensor:
    """The neighbour's row of each edge, [E, d]; with gradients for `h` [N, d]."""
    out: Tensor = _AtNeighbors.apply(h, graph)  # type: ignore[no-untyped-call]
    return out


def run_sum(h: Tensor, start: Tensor) -> Tensor:
    """Sums of runs of rows, ``h[start[i]:start[i + 1]]``, [m, d]; with gradients for `h`."""
    out: Tensor = _RunSum.apply(h, start)  # type: ignore[no-untyped-call]
    return out


def run_max(h: Tensor, start: Tensor) -> Tensor:
    """Maxima of runs of rows, ``h[start[i]:start[i + 1]]``, 0 of none, [m, d]; with gradients for `h`."""
    out: Tensor = _RunMax.apply(h, start)  # type: ignore[no-untyped-call]
    return out
