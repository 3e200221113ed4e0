"""What the first layer reads of nodes and edges, decided once for a collection and kept for later graphs."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genurl_graph.inputs.collection import GraphCollection

# Degrees from this one on share a column.
LARGEST = 64


class Columns(nn.Module):
    """Columns of features: kinds (0 or 1) as they are, numbers standardised.

    Parameters
    ----------
    width : int
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """Read mean and deviation off `x`, float32 [n, f]."""
        if len(x) == 0:
            return
        # In float64: squares of numbers far from 0 need it.
        spread, mean = torch.std_mean(x.double(), 0, correction=0)
        kinds = ((x == 0) | (x == 1)).all(0)
        varied = spread > 1e-6 * mean.abs()
        self.mean.copy_(torch.where(kinds, 0.0, mean))
        self.scale.copy_(torch.where(kinds, 1.0, torch.where(varied, 1 / spread, 0.0)))

    def forward(self, x: Tensor) -> Tensor:
        """The columns of any rows, float32 [n, f], row by row."""
        return (x - self.mean.to(x.device)) * self.scale.to(x.device)


class NodeInput(nn.Module):
    """Features of nodes, or their degrees where there are none.

    Degrees are one-hot, each with a column up to the largest one of the fitted collection, or to `LARGEST`; the last
    column takes all above.

    Parameters
    ----------
    features, degrees : int
        Columns of features, or of degrees where there are none.
    """

    def __init__(self, features: int, degrees: int) -> None:
        super().__init__()
        self.columns = Columns(features)
        self.width = features or degrees

    @classmethod
    def of(cls, collection: GraphCollection) -> NodeInput:
        """What suits a collection."""
        if collection.x is not None and collection.x.size(1):
            found = cls(collection.x.size(1), 0)
            found.columns.fit(collection.x)
            return found
        largest = int(collection.degrees().max()) if collection.num_nodes else 0
        return cls(0, min(largest, LARGEST) + 1)

    def rows(self, collection: GraphCollection) -> Tensor:
        """Input of all nodes of a collection, the fitted one or another, float32 [N, width]."""
        if self.columns.mean.numel():
            assert collection.x is not None
            found: Tensor = self.columns(collection.x)
            return found
        return F.one_hot(collection.degrees().clamp_max(self.width - 1), self.width).float()
