"""A 2-d map by a network: an MLP that chooses among the prototypes of a finished embedding table.

Networks whose output is a point draw worse 2-d maps than embedding tables do: a table's clusters come in pieces, and
the gap between two pieces belongs to neither, yet a continuous map must pass through it. Here the network says which of
K prototypes are near a sample. The sample is put among those around the likeliest. The training is that of
`genurl_graph.objectives.prototypes`.
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

# Prototypes, where the table has as many samples.
ANCHORS = 1500
# A sample lies among the prototypes that are at most so many spacings from its likeliest one.
REACH = 3.0
# Distances of near points are not to be differences of large numbers.
EXACT = "donot_use_mm_for_euclid_dist"
# Rows of similarities, [rows, K], that are held at a time outside the training.
_ROWS = 1 << 12


class PrototypeMLP(RowEncoder):
    """MLP from features to one of K prototypes, and to the coordinates around it.

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
        """Set the prototypes, float32 [K, d]."""
        self.anchors.copy_(anchors)
        self.spacing.copy_(_spacing(anchors))

    def scores(self, features: Features, keep: Tensor | None = None) -> Tensor:
        """Logarithms of similarities to the prototypes, up to a constant of each row, float32 [m, K]."""
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
    """Median distance from a prototype to the nearest other, > 0."""
    if len(anchors) < 2:
        return anchors.new_ones(())
    distance = torch.cdist(anchors, anchors, compute_mode=EXACT)
    nearest = distance.fill_diagonal_(math.inf).amin(1)
    # Duplicates have no distance: the others say how far prototypes are apart.
    apart = nearest[nearest > 0]
    return apart.median() if apart.numel() else anchors.new_ones(())
