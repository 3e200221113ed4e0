"""node2vec: embeddings of random walks (arXiv 1607.00653), by PyG's sampler, where that is installed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from genurl_graph.baselines.common import fit, prepare
from genurl_graph.exceptions import InputError
from genurl_graph.losses.terms import LossTerms
from genurl_graph.runtime.random import seeded_globally


def require(name: str) -> None:
    """InputError that says how to get PyG's random walks, where they are absent."""
    from torch_geometric.nn import Node2Vec

    try:
        Node2Vec(torch.tensor([[0, 1], [1, 0]]), 1, 1, 1)
    except ImportError as error:
        raise InputError(
            f"{name}: PyG's random walks are not installed ({error}); no extra can bring them, since they have to fit "
            "the installed torch: see PyG's installation page"
        ) from error


class Walks(nn.Module):
    """Node2Vec as an objective: each step reads the walks from one batch of nodes, in a new order every epoch."""

    def __init__(self, model: Any, num_nodes: int, batch: int) -> None:
        super().__init__()
        self.model, self.num_nodes, self.batch = model, num_nodes, batch
        self.steps = -(-num_nodes // batch)
        self.batches: list[Tensor] = []

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch."""
        if not self.batches:
            self.batches = list(torch.split(torch.randperm(self.num_nodes), self.batch))
        nodes = self.batches.pop(0)
        device = self.model.embedding.weight.device
        near, far = self.model.pos_sample(nodes).to(device), self.model.neg_sample(nodes).to(device)
        loss = self.model.loss(near, far)
        return LossTerms(loss, loss, loss * 0)

    def embed(self) -> Tensor:
        """Embedding [n, d] of all nodes."""
        weight: Tensor = self.model.embedding.weight
        return weight.detach()


def embed(name: str, data: Any, seed: int, device: str | torch.device, settings: dict[str, Any]) -> Tensor:
    """Embedding [n, dim] by node2vec; features are not read. See `genurl_graph.baselines.get_baseline`.

    PyG's model on our loop, with dense Adam where PyG's example has SparseAdam. The walks come from the sampler's
    generator, which may ignore `seed`.
    """
    require(name)
    from torch_geometric.nn import Node2Vec

    propagation = prepare(name, data, "none").propagation
    with seeded_globally(seed):
        model = Node2Vec(
            propagation.operator("edges"),
            settings["dim"],
            settings["walk_length"],
            settings["context"],
            walks_per_node=settings["walks"],
            p=settings["p"],
            q=settings["q"],
            num_negative_samples=settings["negatives"],
            num_nodes=propagation.num_nodes,
        )
        return fit(Walks(model, propagation.num_nodes, settings["batch"]), settings, device)
