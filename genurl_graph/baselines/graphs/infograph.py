"""InfoGraph: mutual information between each node and its graph (arXiv 1908.01000)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from genurl_graph.baselines.common import fit
from genurl_graph.baselines.graphs.common import SumPooledBatches, draw_uniformly, prepare
from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.losses.terms import LossTerms
from genurl_graph.runtime.random import seeded_globally


def jensen_shannon_loss(local: Tensor, whole: Tensor, graph: Tensor) -> LossTerms:
    r"""Mean of ``sp(-T)`` over pairs of a node and its graph, plus that of ``sp(T)`` over all pairs of others.

    ``T(i, g) = <local_i, whole_g>``, ``sp`` is softplus: minus the Jensen-Shannon estimator of the mutual information,
    eq. 4 of arXiv 1908.01000, over all node-graph pairs of a batch.

    Parameters
    ----------
    local : Tensor, float, shape [N, d]
        Rows of nodes.
    whole : Tensor, float, shape [B, d]
        Rows of graphs, at least 2.
    graph : Tensor, int64, shape [N]
        The graph of each node.

    Returns
    -------
    LossTerms
        The own pairs as attraction, the others as repulsion. Memory is O(N B).
    """
    pairs = local @ whole.T
    own = pairs.gather(1, graph[:, None])
    others = pairs.scatter(1, graph[:, None], -torch.inf)  # softplus(-inf) is 0, and so is its gradient
    attraction = softplus(-own).mean()
    repulsion = softplus(others).sum() / (len(local) * (len(whole) - 1))
    return LossTerms(attraction + repulsion, attraction, repulsion)


class FeedForward(nn.Module):
    """Three layers with ReLU and a linear shortcut: the heads of InfoGraph's discriminator."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        layers = [module for _ in range(3) for module in (nn.Linear(dim, dim), nn.ReLU())]
        self.layers, self.shortcut = nn.Sequential(*layers), nn.Linear(dim, dim)

    def forward(self, h: Tensor) -> Tensor:
        """Rows [m, dim] to rows [m, dim]."""
        out: Tensor = self.layers(h) + self.shortcut(h)
        return out


class InfoGraph(SumPooledBatches):
    """InfoGraph on a GIN with jumping knowledge.

    Parameters
    ----------
    collection : GraphCollection
    settings : dict
        ``hidden`` columns of each of ``layers`` layers; ``batch`` graphs of a step.
    """

    def __init__(self, collection: GraphCollection, settings: dict[str, Any]) -> None:
        super().__init__(collection, settings)
        self.local_head, self.whole_head = FeedForward(self.width), FeedForward(self.width)
        self.apply(draw_uniformly)

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch."""
        graphs = self.draw()
        nodes, whole = self.encoder(graphs)
        return jensen_shannon_loss(self.local_head(nodes), self.whole_head(whole), graphs.graph_of_node())


def embed(
    name: str, collection: GraphCollection, seed: int, device: str | torch.device, settings: dict[str, Any]
) -> Tensor:
    """Embedding [G, layers x hidden] by InfoGraph; see `genurl_graph.baselines.graphs.get_graph_baseline`."""
    given = prepare(name, collection, settings["features"], device)
    with seeded_globally(seed):
        return fit(InfoGraph(given, settings), settings, device)
