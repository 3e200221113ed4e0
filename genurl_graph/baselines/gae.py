"""Graph auto-encoders: inner products of the embedding tell edges from other pairs (arXiv 1611.07308)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from genurl_graph.baselines.common import BaselineObjective, Graph, fit, make_encoder, prepare
from genurl_graph.exceptions import wrong
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.gnn import GNN
from genurl_graph.nn.mlp import MLP
from genurl_graph.runtime.random import seeded_globally

# Bound of PyG's VGAE: a deviation of e^10 is past anything that trains.
MAX_LOG_DEVIATION = 10.0


class GraphAutoEncoder(BaselineObjective):
    r"""GAE and VGAE on our encoders, with the loss pieces of PyG's ``GAE`` and ``VGAE``.

    ``1/2 (mean over A + I of -log s(z_i z_j) + mean over other pairs of -log(1 - s(z_i z_j)))``: the paper's weighted
    cross-entropy over all n^2 pairs, in which edges and non-edges weigh the same in total. A step reads as many
    non-edges, drawn uniformly, as there are entries in A + I. VGAE adds ``KL / n`` (arXiv 1611.07308, eq. 3, as the
    authors' code weighs it) and samples z from its Gaussian.

    Parameters
    ----------
    encoder : GNN or MLP
        Its output is z, or mean and logarithmic deviation beside each other.
    graph : Graph
    variational : bool

    Raises
    ------
    InputError
        A complete graph, which has no other pairs.
    """

    def __init__(self, encoder: GNN | MLP, graph: Graph, *, variational: bool) -> None:
        super().__init__(encoder, graph)
        from torch_geometric.nn import VGAE

        self.variational = variational
        # Only its losses are used: our encoder is called with other arguments than PyG's models are.
        self.pieces = VGAE(nn.Identity())
        n, propagation = graph.num_nodes, graph.propagation
        linked = (propagation.weight > 0) | propagation.is_loop
        key = (propagation.row * n + propagation.col)[linked]
        if key.numel() >= n * n:
            raise wrong("vgae" if variational else "gae", "a complete graph", "some pairs without an edge")
        self.register_buffer("edges", torch.stack([key // n, key % n]), persistent=False)
        # How many non-edges come before each edge in the list of all pairs.
        self.register_buffer("before", key - torch.arange(key.numel()), persistent=False)
        self.edges: Tensor
        self.before: Tensor

    def non_edges(self) -> Tensor:
        """Pairs [2, E] drawn uniformly from those without edge, i != j, from torch's generator."""
        n, count = self.num_nodes, self.edges.size(1)
        rank = torch.randint(n * n - count, (count,), device=self.edges.device)
        # The pair of that rank among the non-edges: further by as many pairs as there are edges before it.
        key = rank + torch.searchsorted(self.before, rank, right=True)
        return torch.stack([key // n, key % n])

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one step: the reconstruction as attraction, the KL of a VGAE as repulsion."""
        z = self.view()
        divergence = z.new_zeros(())
        if self.variational:
            mean, log_deviation = z.chunk(2, dim=1)
            log_deviation = log_deviation.clamp(max=MAX_LOG_DEVIATION)
            z = mean + torch.randn_like(mean) * log_deviation.exp()
            divergence = self.pieces.kl_loss(mean, log_deviation) / self.num_nodes
        reconstruction = self.pieces.recon_loss(z, self.edges, self.non_edges()) / 2
        return LossTerms(reconstruction + divergence, reconstruction, divergence)

    @torch.no_grad()
    def embed(self) -> Tensor:
        """Embedding [n, d]: z, or the mean of the Gaussian."""
        z = super().embed()
        return z.chunk(2, dim=1)[0].contiguous() if self.variational else z


def embed(name: str, data: Any, seed: int, device: str | torch.device, settings: dict[str, Any]) -> Tensor:
    """Embedding [n, dim] by GAE or VGAE, as `name` says; see `genurl_graph.baselines.get_baseline`."""
    graph = prepare(name, data, settings["normalize"])
    variational = name == "vgae"
    with seeded_globally(seed):
        # One last layer of 2 dim columns is the paper's two layers of dim columns on a shared hidden one.
        width = settings["dim"] * (2 if variational else 1)
        encoder = make_encoder("gcn", graph.features.num_features, width, settings["hidden"], 2)
        return fit(GraphAutoEncoder(encoder, graph, variational=variational), settings, device)
