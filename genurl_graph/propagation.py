"""The graph an encoder propagates over: a fixed CSR structure whose values change from view to view."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from genurl_graph._csr import csr_tensor

Norm = Literal["sym", "row", "none", "edges"]


class Propagation:
    """Weighted undirected graph, with self loops, as the matrices that convolutions multiply by.

    Dropping edges sets values to zero and keeps the structure: no sorting in the training loop. The two
    directions of an edge are dropped together, so that every matrix stays symmetric in structure.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Symmetric, sorted by row, without self loops (as `genurl_graph.graph.merge_graphs` returns).
    edge_weight : Tensor, float32, shape [E]
    num_nodes : int
    """

    def __init__(self, edge_index: Tensor, edge_weight: Tensor, num_nodes: int) -> None:
        device = edge_index.device
        loop = torch.arange(num_nodes, device=device)
        row, col = torch.cat([edge_index, loop.expand(2, -1)], dim=1)
        weight = torch.cat([edge_weight, torch.ones(num_nodes, device=device)])
        order = (row * num_nodes + col).argsort()
        self.row, self.col, self.weight = row[order], col[order], weight[order]
        self.num_nodes = num_nodes
        self.is_loop = self.row == self.col
        self.crow = torch.zeros(num_nodes + 1, dtype=torch.long, device=device)
        self.crow[1:] = torch.bincount(self.row, minlength=num_nodes).cumsum(0)

    @cached_property
    def pair(self) -> Tensor:
        """Which undirected edge an entry belongs to: both directions draw the same random number."""
        low, high = torch.minimum(self.row, self.col), torch.maximum(self.row, self.col)
        pair: Tensor = torch.unique(low * self.num_nodes + high, return_inverse=True)[1]
        return pair

    @cached_property
    def num_pairs(self) -> int:
        """Number of undirected edges and loops."""
        return int(self.pair.max()) + 1 if self.pair.numel() else 0

    def to(self, device: torch.device) -> Propagation:
        """The same graph on another device."""
        moved = object.__new__(Propagation)
        for key, value in vars(self).items():
            setattr(moved, key, value.to(device) if isinstance(value, Tensor) else value)
        return moved

    def operator(self, norm: Norm = "sym", drop_edges: float = 0.0) -> Tensor:
        """Adjacency matrix [n, n] in CSR, with its transpose as the attribute ``transposed``, or the edges themselves.

        Parameters
        ----------
        norm : str
            "sym": ``D^-1/2 (A + I) D^-1/2``; "row": ``D^-1 A``; "none": A, without self loops;
            "edges": an edge_index [2, E'] without self loops and without the dropped edges.
        drop_edges : float
            Share of undirected edges left out, drawn anew at each call from torch's generator.
        """
        weight = self.weight
        if drop_edges > 0:
            kept = torch.rand(self.num_pairs, device=weight.device) >= drop_edges
            weight = weight * (kept[self.pair] | self.is_loop)
        if norm != "sym":
            weight = weight * ~self.is_loop
        if norm == "edges":
            left = weight > 0
            return torch.stack([self.row[left], self.col[left]])
        transposed = weight
        if norm != "none":
            degree = torch.zeros(self.num_nodes, device=weight.device).index_add_(0, self.row, weight)
            if norm == "sym":
                scale = degree.rsqrt()
                transposed = weight = weight * scale[self.row] * scale[self.col]
            else:
                share = 1 / degree.clamp_min(torch.finfo(degree.dtype).tiny)
                weight, transposed = weight * share[self.row], weight * share[self.col]
        matrix, other = (
            csr_tensor(self.crow, self.col, values, (self.num_nodes, self.num_nodes)) for values in (weight, transposed)
        )
        # An object of its own, though of the same memory: a tensor that refers to itself would outlive its epoch.
        matrix.transposed = other  # type: ignore[attr-defined]
        return matrix
