"""GraphCL: tell two views of a graph from the views of other graphs (arXiv 2010.13902)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from genurl_graph.baselines.common import fit
from genurl_graph.baselines.graphs.common import SumPooledBatches, draw_uniformly, prepare
from genurl_graph.config.views import GraphViewConfig
from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.losses.terms import LossTerms
from genurl_graph.objectives.graphs.views import random_views
from genurl_graph.runtime.random import seeded_globally


def nt_xent(u: Tensor, v: Tensor, temperature: float) -> LossTerms:
    """``mean_n -log(e(u_n, v_n) / sum_{m != n} e(u_n, v_m))``, ``e(a, b) = exp(cos(a, b) / temperature)``.

    Equation 3 of arXiv 2010.13902: negatives are the second views of the other graphs of a batch, and the positive is
    not in the sum.

    Parameters
    ----------
    u, v : Tensor, float, shape [B, d]
        Projected rows of two views of B >= 2 graphs.
    temperature : float

    Returns
    -------
    LossTerms
        The similarity of the positives as attraction, the logarithm of the sums as repulsion.
    """
    similarity = normalize(u) @ normalize(v).T / temperature
    attraction = -similarity.diagonal().mean()
    own = torch.eye(len(u), dtype=torch.bool, device=u.device)
    repulsion = similarity.masked_fill(own, -torch.inf).logsumexp(1).mean()
    return LossTerms(attraction + repulsion, attraction, repulsion)


class GraphCL(SumPooledBatches):
    """GraphCL on a GIN with jumping knowledge.

    Both views of every graph have one of the four augmentations of the paper, drawn for each: some nodes left out,
    edges replaced, attributes hidden, or a connected part kept.

    Parameters
    ----------
    collection : GraphCollection
    settings : dict
        ``hidden`` columns of each of ``layers`` layers; ``drop``, the share that an augmentation leaves out, replaces
        or hides; ``temperature``; ``batch`` graphs of a step.
    """

    def __init__(self, collection: GraphCollection, settings: dict[str, Any]) -> None:
        super().__init__(collection, settings)
        dim = self.width
        self.head = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim))
        self.temperature = settings["temperature"]
        self.views = GraphViewConfig(kinds="nodes,edges,attributes,subgraph", share=settings["drop"])
        self.apply(draw_uniformly)

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch."""
        graphs = self.draw()
        u, v = (self.head(self.encode(random_views(graphs, self.views))) for _ in range(2))
        return nt_xent(u, v, self.temperature)


def embed(
    name: str, collection: GraphCollection, seed: int, device: str | torch.device, settings: dict[str, Any]
) -> Tensor:
    """Embedding [G, layers x hidden] of the encoder, without the head; see
    `genurl_graph.baselines.graphs.get_graph_baseline`.
    """
    given = prepare(name, collection, settings["features"], device)
    with seeded_globally(seed):
        return fit(GraphCL(given, settings), settings, device)
