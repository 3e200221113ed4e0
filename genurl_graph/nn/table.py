"""Coordinates of nodes in a table: an embedding table, or positions that nothing trains."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from genurl_graph.graph.merge import MergedGraph
from genurl_graph.graph.propagation import Propagation
from genurl_graph.graph.spectral import REGULARIZER, walk_positions
from genurl_graph.nn.features import Features


class EmbeddingTable(nn.Module):
    """A trained vector for every node: no network, fastest, knows no other nodes.

    Parameters
    ----------
    start : Tensor, float32, shape [n, d]
        Initial coordinates.
    """

    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.table = nn.Parameter(start.clone().contiguous())

    def forward(self, features: Any = None, graph: Any = None, keep: Tensor | None = None) -> Tensor:
        """The table [n, d]."""
        return self.table

    def operator(self, propagation: Propagation | None, drop_edges: float = 0.0) -> None:
        """A table propagates over nothing."""
        return


class PositionTable(nn.Module):
    """Positions of the fitted nodes (`genurl_graph.graph.spectral.walk_positions`); new nodes stand between them.

    A node that was not fitted gets the mean of its neighbours' positions, and what has none of these the mean of theirs
    in turn, for `STEPS` steps; with the length that all rows have.

    Parameters
    ----------
    num_nodes : int
        Of the fitted graph.
    width : int
        Columns.
    deviation : float
        Root mean square of an entry, where that of a trained column is 1.
    """

    STEPS = 3
    table: Tensor

    def __init__(self, num_nodes: int, width: int, deviation: float = 1.0) -> None:
        super().__init__()
        self.width, self.length = width, deviation * width**0.5
        self.register_buffer("table", torch.zeros(num_nodes, width))

    @torch.no_grad()
    def fit(self, graph: MergedGraph, regularizer: float = REGULARIZER) -> None:
        """Find the positions of the nodes of `graph`; `regularizer` as in `walk_positions`."""
        n, width = self.table.shape
        self.table.copy_(walk_positions(graph.edge_index, graph.edge_weight, n, width, regularizer) * self.length)

    def forward(self, features: Features, graph: Tensor, keep: Tensor | None = None) -> Tensor:
        """Positions [m, width] of nodes whose one-hot rows are `features`, empty ones of new nodes."""
        h: Tensor = features.matmul(self.table)
        for _ in range(self.STEPS):
            new = h.square().sum(1, keepdim=True) == 0
            h = torch.where(new, graph @ h, h)
        found: Tensor = torch.nn.functional.normalize(h) * self.length
        return found

    def operator(self, propagation: Propagation | None, drop_edges: float = 0.0) -> Tensor:
        """Means over the neighbours, a CSR matrix [m, m]."""
        assert propagation is not None
        means: Tensor = propagation.operator("row")
        return means
