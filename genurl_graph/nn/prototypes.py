"""A picture by a network: an MLP that chooses among places of a finished table of coordinates.

Networks whose output is a point of the plane draw worse pictures than tables do: a table's clusters come in pieces, and
what lies between two pieces belongs to neither, yet a continuous map must pass through it. Here the network says which
of K places (anchors) are near a sample, and a sample is put among those around the likeliest. How it learns that:
`genurl_graph.anchor_batches`.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from genurl_graph.config.parameters import EncoderConfig
from genurl_graph.nn.features import Features
from genurl_graph.nn.mlp import MLP, RowEncoder

# Where as many samples, or more, are in the table.
ANCHORS = 1500
# A sample is placed among the anchors that are so many spacings from its likeliest one.
REACH = 3.0
# Distances of near points are not to be differences of large numbers.
EXACT = "donot_use_mm_for_euclid_dist"
# Rows of similarities, [rows, K], that are held at a time outside the training.
_ROWS = 1 << 12


class PrototypeMLP(RowEncoder):
    """MLP from features to one of K anchors, and to the coordinates around it.

    Parameters
    ----------
    config : EncoderConfig
        Of the MLP (`genurl_graph.nn.mlp.MLP`); ``anchors`` is K, ``dim`` the columns of the coordinates.
    in_dim : int
        Number of input columns.
    """

    anchors: Tensor
    spacing: Tensor

    def __init__(self, config: EncoderConfig, in_dim: int) -> None:
        super().__init__(config.dim)
        assert isinstance(config.anchors, int)
        self.network = MLP(replace(config, dim=config.anchors), in_dim)
        self.register_buffer("anchors", torch.zeros(config.anchors, config.dim))
        self.register_buffer("spacing", torch.ones(()))

    def place(self, anchors: Tensor) -> None:
        """Set the anchors, float32 [K, d]."""
        self.anchors.copy_(anchors)
        self.spacing.copy_(_spacing(anchors))

    def scores(self, features: Features, keep: Tensor | None = None) -> Tensor:
        """Logarithms of similarities to the anchors, up to a constant of each row, float32 [m, K]."""
        scores: Tensor = self.network(features, None, keep)
        return scores

    def forward(self, features: Features, graph: Any = None, keep: Tensor | None = None) -> Tensor:
        """Coordinates [m, d]."""
        rows = torch.split(torch.arange(features.num_nodes, device=self.anchors.device), _ROWS)
        return torch.cat([self._coordinates(self.scores(features.rows(part), keep)) for part in rows])

    def _coordinates(self, scores: Tensor) -> Tensor:
        best = self.anchors[scores.argmax(1)]
        far = torch.cdist(best, self.anchors, compute_mode=EXACT) > REACH * self.spacing
        return scores.masked_fill(far, -math.inf).softmax(1) @ self.anchors


def _spacing(anchors: Tensor) -> Tensor:
    """Median distance from an anchor to the next, > 0."""
    if len(anchors) < 2:
        return anchors.new_ones(())
    distance = torch.cdist(anchors, anchors, compute_mode=EXACT)
    nearest = distance.fill_diagonal_(math.inf).amin(1)
    # Duplicates have no distance: the others say how far places are apart.
    apart = nearest[nearest > 0]
    return apart.median() if apart.numel() else anchors.new_ones(())
