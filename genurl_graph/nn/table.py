"""The embedding table: a non-parametric encoder with one row of coordinates a sample."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from genurl_graph.graph.propagation import Propagation


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
