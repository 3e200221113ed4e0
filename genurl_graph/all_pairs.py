"""GKL over all pairs, none of them sampled, for embeddings in one or two dimensions: the objective of pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph._attraction import UndirectedEdges, log_similarity
from genurl_graph._grid import Mesh
from genurl_graph.config import LossConfig, ViewConfig
from genurl_graph.exceptions import InputError
from genurl_graph.losses import LossTerms, gkl_of_sums
from genurl_graph.objective import PairwiseObjective

# What sums of P log Q and of Q determine.
LOSSES = ("gkl", "kl")


class AllPairsObjective(PairwiseObjective):
    """`PairwiseObjective` whose repulsion counts every ordered pair i != j, by particle mesh (`genurl_graph._grid`).

    Without sampling noise a few hundred large steps draw a picture; the cost of a step is O(E + n + G log G), G the
    points of the grid. Parameters are those of `PairwiseObjective`; `sampling` is ``negatives="all"``.

    Raises
    ------
    InputError
        As there, and for what a mesh cannot do: another loss than gkl and kl, sums by row, the cosine, two views.
    """

    negatives = ("all",)
    pattern: UndirectedEdges

    def _prepare(self) -> None:
        lacking = why_not(self.loss, self.views)
        if lacking:
            raise InputError(f"sampling.negatives: all pairs can be counted only with {lacking}")
        p = self.p / self.p.sum() if self.loss.name == "kl" else self.p
        self.pattern = UndirectedEdges(self.pattern.edge_index, p, self.num_nodes)
        self.total = p.sum().view(1)
        self.entropy = torch.xlogy(p, p).sum()
        self.mesh = Mesh(self.loss.temperature, self.loss.nu)

    def move(self, device: torch.device) -> AllPairsObjective:
        """Parameters and constants on `device`."""
        super().move(device)
        self.total, self.entropy = self.total.to(device), self.entropy.to(device)
        return self

    def _terms(self, a: Tensor, b: Tensor) -> LossTerms:
        if a.size(1) > 2:
            raise InputError(
                f"sampling.negatives: all pairs can be counted in 1 or 2 dimensions only; found encoder.dim {a.size(1)}"
            )
        divergence = self.entropy - log_similarity(a, self.pattern, self.loss.temperature, self.loss.nu)
        log_total = self.mesh.log_total(a).view(1)
        gamma, scale = (1.0, None) if self.loss.name == "kl" else (self.loss.gamma, number(self.loss.scale))
        return self.finished(gkl_of_sums(divergence, self.total, log_total, gamma=gamma, scale=scale))


def number(scale: float | str) -> float | None:
    """The scale of `gkl`; None if the loss chooses it."""
    return None if isinstance(scale, str) else float(scale)


def why_not(loss: LossConfig, views: ViewConfig) -> str | None:
    """What would have to be otherwise for all pairs to be counted; None if nothing."""
    if loss.name not in LOSSES:
        return f"loss.name gkl or kl; found {loss.name}"
    if loss.per != "global":
        return f"loss.per global; found {loss.per}"
    if loss.metric != "euclidean":
        return f"loss.metric euclidean; found {loss.metric}"
    return "one view (views.self_weight 0)" if views.self_weight > 0 else None
