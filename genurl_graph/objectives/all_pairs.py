"""GKL over all pairs, none of them sampled, for embeddings in one or two dimensions: the objective of 2-d maps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from genurl_graph.config.parameters import LossConfig, ViewConfig
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.losses.pairwise import gkl_of_sums
from genurl_graph.losses.terms import LossTerms
from genurl_graph.objectives.fft_repulsion import Mesh
from genurl_graph.objectives.full_batch import PairwiseObjective
from genurl_graph.objectives.pair_distances import EdgePattern
from genurl_graph.runtime.devices import constant

# What sums of P log Q and of Q determine.
LOSSES = ("gkl", "kl")


class AllPairsObjective(PairwiseObjective):
    """`PairwiseObjective` whose repulsion counts every ordered pair i != j, by particle mesh
    (`genurl_graph.objectives.fft_repulsion`).

    Without sampling noise a few hundred large steps draw a 2-d map. A step costs O(E + n + G log G), G the points of
    the grid. Parameters are those of `PairwiseObjective`; `sampling` is ``negatives="all"``.

    Raises
    ------
    InputError
        As there, and for what a mesh cannot do: another loss than gkl and kl, sums by row, the cosine, two views.
    """

    negatives = ("all",)
    pattern: UndirectedEdges

    def _keep(self, edge_index: Tensor, p: Tensor) -> None:
        lacking = why_not(self.loss, self.views)
        if lacking:
            raise InputError(f"sampling.negatives: all pairs can be counted only with {lacking}")
        p = p / p.sum() if self.loss.name == "kl" else p
        self.pattern = UndirectedEdges(edge_index, p, self.num_nodes)
        self.total, self.entropy = constant(p.sum().view(1)), constant(torch.xlogy(p, p).sum())
        self.mesh = Mesh(self.loss.temperature, self.loss.nu)

    def _terms(self, a: Tensor, b: Tensor) -> LossTerms:
        if a.size(1) > 2:
            raise wrong("sampling.negatives", f"all pairs with encoder.dim {a.size(1)}", "1 or 2 dimensions for them")
        divergence = self.entropy - log_similarity(a, self.pattern, self.loss.temperature, self.loss.nu)
        log_total = self.mesh.log_total(a).view(1)
        gamma, scale = (1.0, None) if self.loss.name == "kl" else (self.loss.gamma, number(self.loss.scale))
        return self.finished(gkl_of_sums(divergence, self.total, log_total, gamma=gamma, scale=scale))


def number(scale: float | str) -> float | None:
    """The scale of `gkl`; None if the loss chooses it."""
    return None if isinstance(scale, str) else float(scale)


def why_not(loss: LossConfig, views: ViewConfig) -> str | None:
    """What has to change before all pairs can be counted; None if nothing."""
    if loss.name not in LOSSES:
        return f"loss.name gkl or kl; found {loss.name}"
    if loss.per != "global":
        return f"loss.per global; found {loss.per}"
    if loss.metric != "euclidean":
        return f"loss.metric euclidean; found {loss.metric}"
    return "one view (views.self_weight 0)" if views.self_weight > 0 else None


class UndirectedEdges(EdgePattern):
    """The pattern of a symmetric P, and beside it each undirected edge once.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Both directions of every edge, sorted by row, each once.
    p : Tensor, float, shape [E]
        The same for both directions.
    num_nodes : int

    Raises
    ------
    InputError
        P is not symmetric.
    """

    def __init__(self, edge_index: Tensor, p: Tensor, num_nodes: int) -> None:
        super().__init__(edge_index, num_nodes)
        row, col = edge_index
        upper = row < col
        self.low, self.high, self.p = (constant(part[upper]) for part in (row, col, p))
        # Sorted by row and column, the undirected edges are found by their smaller and larger end.
        key = torch.minimum(row, col) * num_nodes + torch.maximum(row, col)
        known = self.low * num_nodes + self.high
        self.undirected = constant(torch.searchsorted(known, key).clamp_max(max(len(known) - 1, 0)))
        # Both directions exist if every edge finds its undirected one, and that has two of them.
        paired = len(known) * 2 == len(key) and torch.equal(known[self.undirected], key)
        if not paired or not torch.equal(self.p[self.undirected], p):
            raise wrong("similarities P", "p_ij unlike p_ji", "a symmetric P")


class _LogSimilarity(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, edges: UndirectedEdges, squared_width: float, nu: float) -> Tensor:
        d = z.size(1)
        base = z.new_ones(edges.p.numel())
        for column in z.unbind(1):
            coordinate = column.contiguous()
            gap = coordinate.index_select(0, edges.low).sub_(coordinate.index_select(0, edges.high))
            base.addcmul_(gap, gap, value=1 / squared_width)
        pull = (edges.p / base).index_select(0, edges.undirected)
        laplacian = edges.matrix(pull) @ torch.cat([z, z.new_ones(len(z), 1)], 1)
        gradient = laplacian[:, d:] * z - laplacian[:, :d]
        ctx.save_for_backward(gradient.mul_(-4 * (nu + 1) / squared_width))
        return torch.dot(edges.p, base.log_()).mul_(-2 * (nu + 1))

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, None, None, None]:
        return grads[0] * ctx.saved_tensors[0], None, None, None


def log_similarity(z: Tensor, edges: UndirectedEdges, temperature: float, nu: float) -> Tensor:
    """``sum_ij p_ij log kappa(|z_i - z_j|^2 / temperature; nu)`` over both directions of all edges.

    Parameters
    ----------
    z : Tensor, float, shape [n, d]
    edges : UndirectedEdges
    temperature, nu : float
        Both > 0; the kernel is `genurl_graph.graph.affinity.log_kernel`, normalised.

    Returns
    -------
    Tensor, float, scalar
        Differentiable once.
    """
    total: Tensor = _LogSimilarity.apply(z, edges, temperature * nu, nu)  # type: ignore[no-untyped-call]
    return total
