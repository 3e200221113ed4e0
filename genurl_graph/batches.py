"""Losses on mini-batches of nodes: what trains an encoder on more samples than it can read at every step."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from genurl_graph._grid import Mesh
from genurl_graph.all_pairs import number, why_not
from genurl_graph.config import LossConfig, SamplingConfig, ViewConfig
from genurl_graph.encoders import Features
from genurl_graph.exceptions import InputError
from genurl_graph.layers import RowEncoder
from genurl_graph.losses import LossTerms, barlow_terms, gkl_of_sums, log1m
from genurl_graph.objective import PairwiseObjective
from genurl_graph.pairs import block_distances, normalize
from genurl_graph.propagation import Propagation

LOSSES = ("gkl", "bce", "barlow")

# Steps of an epoch at least: few samples make few batches.
LEAST_STEPS = 20


class BatchObjective(PairwiseObjective):
    r"""GKL, cross-entropy or Barlow Twins' loss of batches: B nodes i, without replacement, and a neighbour j of each.

    A neighbour is drawn with probability ``p_ij / m_i``, ``m_i = sum_j p_ij``, and stands for ``m_i n / B``; the pairs
    of the B nodes among themselves stand for all pairs. Both sums of GKL (`genurl_graph.losses.gkl`) are then
    estimated without bias (log Q, where the loss chooses the scale, has a bias of O(1 / B)). One or two dimensions
    count the pairs of a batch by particle mesh. Barlow Twins' loss correlates the two ends of the drawn pairs, through
    a projector that is trained along and dropped afterwards: TLDR (arXiv 2110.09455).

    Parameters are those of `PairwiseObjective`; `sampling` is ``negatives="batch"``.

    Attributes
    ----------
    steps : int
        Batches of an epoch: as many as the nodes fill, but at least `LEAST_STEPS`.

    Raises
    ------
    InputError
        As there, and for another loss than gkl and barlow, two views, no features, or a batch of fewer than two nodes.
    """

    negatives = ("batch",)
    losses = LOSSES

    def __init__(
        self,
        encoder: nn.Module,
        features: Features | None,
        propagation: Propagation | None,
        edge_index: Tensor,
        p: Tensor,
        num_nodes: int,
        loss: LossConfig,
        sampling: SamplingConfig,
        views: ViewConfig,
    ) -> None:
        super().__init__(encoder, features, propagation, edge_index, p, num_nodes, loss, sampling, views)
        if features is None or not isinstance(encoder, RowEncoder):
            raise InputError(
                "sampling.negatives: batches need an encoder that reads each row alone (mlp, linear or cnn)"
            )
        if views.self_weight > 0:
            raise InputError("sampling.negatives: batches look at one view only (views.self_weight 0)")
        if sampling.batch_size < 2:
            raise InputError(f"sampling.batch_size: found {sampling.batch_size}; expected at least 2")
        if loss.name == "bce" and loss.scale not in ("auto", 1.0):
            raise InputError(f"loss.scale: found {loss.scale!r}; expected auto or 1 for the loss bce")
        if loss.projector < 0:
            raise InputError(f"loss.projector: found {loss.projector}; expected a width, or 0 for no projector")
        self.size = min(sampling.batch_size, num_nodes)
        self.steps = max(math.ceil(num_nodes / self.size), LEAST_STEPS)
        # In float64: millions of edges are told apart by their place in the running sum.
        total = torch.cat([p.new_zeros(1, dtype=torch.float64), p.double().cumsum(0)])
        self.cumulative, self.crow = total[1:].contiguous(), self.pattern.crow
        self.start = total[self.crow]
        self.node_mass = self.start.diff()
        self.mesh = Mesh(loss.temperature, loss.nu) if why_not(loss, views) is None else None
        self.projector = None
        if loss.name == "barlow" and loss.projector:
            width = encoder.width
            # TLDR's shape: hidden layers and output of one width, batch normalisation, ReLU.
            self.projector = nn.Sequential(
                nn.Linear(width, loss.projector, bias=False),
                nn.BatchNorm1d(loss.projector),
                nn.ReLU(),
                nn.Linear(loss.projector, loss.projector, bias=False),
            )

    def move(self, device: torch.device) -> BatchObjective:
        """Parameters and constants on `device`."""
        super().move(device)
        for name in ("cumulative", "crow", "start", "node_mass"):
            setattr(self, name, getattr(self, name).to(device))
        return self

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch, drawn anew; it does not depend on `progress`."""
        # Nodes without neighbours in P only repel.
        anchors = torch.randperm(self.num_nodes, device=self.p.device)[: self.size]
        edges = self.draw(anchors)
        assert self.features is not None
        z = self.encoder(self.features.rows(torch.cat([anchors, self.pattern.col[edges]])), None)
        if self.loss.name == "barlow":
            h = z if self.projector is None else self.projector(z)
            return barlow_terms(h[: self.size], h[self.size :], self.loss.offdiagonal)
        z = normalize(z, self.loss.metric)
        return self.divergences(z[: self.size], z[self.size :], anchors, edges)

    def draw(self, anchors: Tensor) -> Tensor:
        """An edge [B] of P out of each of the nodes `anchors` [B], with probability proportional to its p.

        A node without edges gets one of another node, which `divergences` gives the weight 0.
        """
        shares = torch.rand(len(anchors), dtype=torch.float64, device=anchors.device)
        found = torch.searchsorted(self.cumulative, self.start[anchors] + shares * self.node_mass[anchors], right=True)
        low, high = self.crow[anchors], self.crow[anchors + 1] - 1
        # Rounding may lead beyond a row.
        return torch.minimum(torch.maximum(found, low), high.clamp_min(0)).clamp_max(len(self.p) - 1)

    def divergences(self, a: Tensor, b: Tensor, anchors: Tensor, edges: Tensor) -> LossTerms:
        """GKL as estimated from a batch: `a` [B, d] embeds the anchors, `b` [B, d] the other ends of `edges` [B]."""
        n, size, loss = self.num_nodes, self.size, self.loss
        share = n / size
        distance = (a - b).square().sum(1)
        log_q = self._log_q(distance / 2 if loss.metric == "cosine" else distance)
        mass = (self.node_mass[anchors] * share).to(a.dtype)
        divergence = (mass * (self.p[edges].log() - log_q)).sum()
        # Each pair of the batch stands for this many.
        weight = math.log(share * (n - 1) / (size - 1))
        if self.mesh is not None and a.size(1) <= 2:
            log_total = self.mesh.log_total(a).view(1) + weight
        else:
            itself = torch.eye(size, dtype=torch.bool, device=a.device)
            block = self._log_q(block_distances(a, a, loss.metric)).masked_fill(itself, -math.inf)
            if loss.name == "bce":
                # As UMAP samples it: a pair of the batch repels, whether it is an edge or not.
                repulsion = -loss.gamma * math.exp(weight) * log1m(block).sum()
                return self.finished(LossTerms(divergence + repulsion, divergence, repulsion))
            log_total = block.logsumexp(1) + weight
            if loss.per == "global":
                log_total = log_total.logsumexp(0, keepdim=True)
        mass = mass if loss.per == "row" else mass.sum().view(1)
        return self.finished(gkl_of_sums(divergence, mass, log_total, gamma=loss.gamma, scale=number(loss.scale)))
