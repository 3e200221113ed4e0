"""`GraphCollection`: many graphs in a few tensors, so that no step loops over graphs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from genurl_graph.inputs.hashing import mix
from genurl_graph.inputs.sparse import run_entries


class GraphCollection(NamedTuple):
    """G graphs of N nodes and E edges, one after another.

    Attributes
    ----------
    x : Tensor, float32, shape [N, f], or None
        Node features; None where no graph has any.
    edge_index : Tensor, int64, shape [2, E]
        Numbers over all nodes, both ends in one graph. Sorted by source, then target, and so by graph; every ordered
        pair once. An edge without a direction stands both ways.
    edge_attr : Tensor, float32, shape [E, a], or None
        One-hot kinds of edges, or numbers.
    edge_weight : Tensor, float32, shape [E], or None
        1 each if None.
    node_ptr : Tensor, int64, shape [G + 1]
        Nodes of graph g are ``node_ptr[g]`` to ``node_ptr[g + 1] - 1``; a graph may have none.
    edge_ptr : Tensor, int64, shape [G + 1]
        The same of its edges.

    Examples
    --------
    >>> ptr = torch.tensor([0, 2, 3])
    >>> pair = GraphCollection(None, torch.tensor([[0, 1], [1, 0]]), None, None, ptr, torch.tensor([0, 2, 2]))
    >>> pair.sizes().tolist(), pair.take(torch.tensor([1, 0])).edge_index.tolist()
    ([2, 1], [[1, 2], [2, 1]])
    """

    x: Tensor | None
    edge_index: Tensor
    edge_attr: Tensor | None
    edge_weight: Tensor | None
    node_ptr: Tensor
    edge_ptr: Tensor

    @property
    def num_graphs(self) -> int:
        """G."""
        return len(self.node_ptr) - 1

    @property
    def num_nodes(self) -> int:
        """N, of all graphs together."""
        return int(self.node_ptr[-1])

    @property
    def num_edges(self) -> int:
        """E, of all graphs together; an edge without a direction counts twice."""
        return int(self.edge_index.size(1))

    def sizes(self) -> Tensor:
        """Nodes of each graph, int64 [G]."""
        return self.node_ptr.diff()

    def graph_of_node(self) -> Tensor:
        """Which graph each node belongs to, int64 [N]; PyG calls it ``batch``."""
        return torch.arange(self.num_graphs, device=self.node_ptr.device).repeat_interleave(self.sizes())

    def degrees(self) -> Tensor:
        """Edges that leave each node, int64 [N], whatever their weights."""
        return torch.bincount(self.edge_index[0], minlength=self.num_nodes)

    def take(self, index: Tensor) -> GraphCollection:
        """The graphs `index`, int64 [B], in that order; one may stand there several times."""
        index = index.to(self.node_ptr.device)
        nodes, edges = self.sizes()[index], self.edge_ptr.diff()[index]
        node, edge = run_entries(self.node_ptr[index], nodes), run_entries(self.edge_ptr[index], edges)
        node_ptr, edge_ptr = (torch.cat([count.new_zeros(1), count.cumsum(0)]) for count in (nodes, edges))
        moved = (node_ptr[:-1] - self.node_ptr[index]).repeat_interleave(edges)
        return GraphCollection(
            None if self.x is None else self.x[node],
            self.edge_index[:, edge] + moved,
            None if self.edge_attr is None else self.edge_attr[edge],
            None if self.edge_weight is None else self.edge_weight[edge],
            node_ptr,
            edge_ptr,
        )

    def batches(self, max_nodes: int) -> list[Tensor]:
        """Runs of graphs in their order, int64, each of at most `max_nodes` nodes; a larger graph stands alone."""
        # Counting each graph once more bounds the number of empty graphs in a run.
        ends = self.sizes().clamp_min(1).cumsum(0).cpu()
        runs, first, before = [], 0, 0
        while first < self.num_graphs:
            after = max(int(torch.searchsorted(ends, before + max_nodes, right=True)), first + 1)
            runs.append(torch.arange(first, after))
            first, before = after, int(ends[after - 1])
        return runs

    def node_kinds(self) -> Tensor:
        """The category of each node, int64 >= 0 [N]: equal numbers mean equal features, in every collection.

        The column of a one-hot row; 63 mixed bits of any other row, so that kinds are not consecutive numbers. Without
        features, the degree (`degrees`).
        """
        if self.x is None:
            return self.degrees()
        # Adding 0 turns -0 into 0, whose bits differ.
        bits = np.ascontiguousarray((self.x.cpu() + 0.0).numpy()).view(np.uint32)
        found = np.zeros(len(bits), dtype=np.uint64)
        for column in range(bits.shape[1]):
            found = mix(found ^ bits[:, column])
        kind = torch.from_numpy((found >> np.uint64(1)).astype(np.int64)) | (1 << 62)
        one_hot = ((self.x != 0).sum(1) == 1) & ((self.x == 1).sum(1) == 1)
        return torch.where(one_hot, (self.x == 1).int().argmax(1), kind.to(self.x.device))
