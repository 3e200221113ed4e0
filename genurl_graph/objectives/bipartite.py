"""Divergences of edges from nodes to other points: to feature columns, and to where nodes were in an earlier map."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from genurl_graph.config.parameters import LossConfig
from genurl_graph.exceptions import wrong
from genurl_graph.losses.pairwise import SUM_LOSSES
from genurl_graph.losses.terms import LossTerms
from genurl_graph.objectives.base import divergence, log_q
from genurl_graph.objectives.pair_distances import (
    EdgePattern,
    block_distances,
    edge_distances,
    normalize,
    row_log_totals,
    spread,
)
from genurl_graph.objectives.pair_sampling import shared_negatives
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.random import randn

# Columns that every row is compared with at a step.
SAMPLED = 512


class ColumnGraph(nn.Module):
    r"""Divergence between P on the edges (node, column) and Q of embedded nodes and columns.

    ``q_iw = kappa(d(z_i, v_w) / temperature)`` with a trained vector v_w for each column. The loss is that of the edges
    among nodes. For GKL profiled by row it is ``sum_i sum_w p_iw log(p_iw / q_iw) + m_i log(sum_w q_iw / m_i)`` and a
    constant, ``m_i = sum_w p_iw``. Sums over columns are estimated from `SAMPLED` uniform ones, the same for all rows.
    GKL is that of arXiv 2110.14553; to embed columns beside nodes is ours.

    Parameters
    ----------
    p : Tensor, float32, CSR, shape [n, f]
        As from `column_similarities`.
    width : int
        Columns d of the embedding.
    loss : LossConfig
        Read as for edges among nodes, but for ``column_temperature`` in the place of ``temperature``.

    Attributes
    ----------
    mass : float
        Sum of p.

    Raises
    ------
    InputError
        The loss bce with a similarity above 1.
    """

    def __init__(self, p: Tensor, width: int, loss: LossConfig) -> None:
        super().__init__()
        n, self.num_columns = p.shape
        if loss.name == "bce" and (largest := float(p.values().max())) > 1:
            found = f"a largest similarity of {largest:g} between a node and a feature column"
            raise wrong("loss bce", found, "probabilities, at most 1 (lower merge.column_weight)")
        row = torch.repeat_interleave(torch.arange(n), p.crow_indices().diff())
        self.pattern = EdgePattern(torch.stack([row, p.col_indices()]), n, self.num_columns)
        self.p, self.mass = constant(p.values()), float(p.values().sum(dtype=torch.float64))
        self.loss = replace(loss, temperature=loss.column_temperature)
        self.vectors = nn.Parameter(randn((self.num_columns, width)) / width**0.5)

    def forward(self, z: Tensor) -> LossTerms:
        """Loss of one step; `z` [n, d] has rows of unit length where the metric is cosine."""
        loss = self.loss
        v = normalize(self.vectors, loss.metric)
        distance = edge_distances(self.pattern, z, v, loss.metric)
        drawn = v.index_select(0, shared_negatives(self.num_columns, SAMPLED, z.device))
        share = self.num_columns / len(drawn)
        if loss.name in SUM_LOSSES:
            totals = row_log_totals(z, drawn, loss.metric, loss.temperature, loss.nu)
            log_q_neg, weight = spread(totals, share), 1.0
        else:
            log_q_neg, weight = log_q(block_distances(z, drawn, loss.metric), loss), share
        row, log_q_pos = self.pattern.row, log_q(distance, loss)
        return divergence(loss, log_q_pos, self.p, log_q_neg, row, z.size(0), neg_weight=weight)


class IdentityEdges(nn.Module):
    r"""Pull of samples towards where they were in an earlier map: ``- w sum_i log kappa(d(z_i, y_i) / temperature)``.

    An edge of weight w joins a sample with itself in the earlier layer of a supra-graph, whose points y do not move.
    The kernel's heavy tail lets go of a sample that has strong reasons to leave.

    Parameters
    ----------
    points : Tensor, float32, shape [m, d]
        Earlier coordinates y.
    index : Tensor, int64, shape [m]
        Which nodes they are of.
    weight : float
        w, in the unit of P.
    loss : LossConfig

    Examples
    --------
    >>> pull = IdentityEdges(z[:50], torch.arange(50), 0.3, config.loss)
    >>> float(pull(z).loss)  # all are where they were
    0.0
    """

    def __init__(self, points: Tensor, index: Tensor, weight: float, loss: LossConfig) -> None:
        super().__init__()
        self.points, self.index = constant(normalize(points, loss.metric)), constant(index)
        self.weight, self.loss = weight, loss

    def forward(self, z: Tensor) -> LossTerms:
        """The pull of a step, all of it attraction; `z` [n, d] has rows of unit length where the metric is cosine."""
        distance = (z.index_select(0, self.index) - self.points).square().sum(1)
        distance = distance / 2 if self.loss.metric == "cosine" else distance
        pull = -self.weight * log_q(distance, self.loss).sum()
        return LossTerms(pull, pull, torch.zeros_like(pull))
