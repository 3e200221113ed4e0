"""node2vec: a skip-gram model of biased random walks (arXiv 1607.00653)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from genurl_graph.baselines.common import fit, prepare
from genurl_graph.baselines.walks import RandomWalks
from genurl_graph.losses.terms import LossTerms
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.random import randint, randperm, seeded_globally


def skip_gram_loss(walk: Tensor, noise: Tensor, context: int) -> LossTerms:
    """``-mean log s(u_i u_j) - mean log s(-u_i v_j)`` over the pairs of a walk that are less than `context` apart.

    Skip-gram with negative samples (arXiv 1310.4546, eq. 4), one table for nodes and contexts, positives and negatives
    with equal say.

    Parameters
    ----------
    walk : Tensor, float, shape [m, l, d]
        Rows u of the nodes of m walks.
    noise : Tensor, float, shape [k, m, l, d]
        Rows v of random nodes, k in the place of every context.
    context : int
        Nodes in a window, 2 to l.

    Returns
    -------
    LossTerms
        Pairs of walks as attraction, random pairs as repulsion.
    """
    place = torch.arange(walk.size(1), device=walk.device)
    apart = place - place[:, None]
    i, j = ((apart > 0) & (apart < context)).nonzero(as_tuple=True)
    # All products of a walk at once: each row is read once, not once for every window that it lies in.
    near, far = walk @ walk.mT, walk @ noise.mT
    attraction, repulsion = -logsigmoid(near[:, i, j]).mean(), -logsigmoid(-far[..., i, j]).mean()
    return LossTerms(attraction + repulsion, attraction, repulsion)


class Node2Vec(nn.Module):
    """Skip-gram as an objective: each step reads the walks from one batch of nodes, in a new order every epoch.

    Parameters
    ----------
    walks : RandomWalks
        No walk starts at a node without edges; its row is only ever a negative sample.
    settings : dict
        ``dim``; ``walks`` of ``walk_length`` nodes from each of ``batch`` nodes; ``context``, ``negatives``.
    """

    def __init__(self, walks: RandomWalks, settings: dict[str, Any]) -> None:
        super().__init__()
        self.graph, self.settings = walks, settings
        self.table = nn.Embedding(walks.num_nodes, settings["dim"])
        self.starts = constant(walks.degree.nonzero()[:, 0])
        self.steps = -(-len(self.starts) // settings["batch"])
        self.batches: list[Tensor] = []

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch."""
        device, settings = self.starts.device, self.settings
        if not self.batches:
            order = self.starts[randperm(len(self.starts), device)]
            self.batches = list(torch.split(order, settings["batch"]))
        start = self.batches.pop(0).repeat(settings["walks"])
        walk = self.graph(start, settings["walk_length"] - 1)
        noise = randint(self.graph.num_nodes, (settings["negatives"], *walk.shape), device)
        return skip_gram_loss(self.table(walk), self.table(noise), min(settings["context"], walk.size(1)))

    def embed(self) -> Tensor:
        """Embedding [n, d] of all nodes."""
        return self.table.weight.detach()


def embed(name: str, data: Any, seed: int, device: str | torch.device, settings: dict[str, Any]) -> Tensor:
    """Embedding [n, dim] by node2vec; features are not read. See `genurl_graph.baselines.get_baseline`.

    Dense Adam, where PyG's example has SparseAdam.
    """
    propagation = prepare(name, data, "none").propagation
    linked = ~propagation.is_loop & (propagation.weight > 0)
    edges = torch.stack([propagation.row, propagation.col])[:, linked]
    with seeded_globally(seed):
        walks = RandomWalks(edges, propagation.weight[linked], propagation.num_nodes, settings["p"], settings["q"])
        return fit(Node2Vec(walks, settings), settings, device)
