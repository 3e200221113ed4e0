"""BGRL: predict the EMA encoder's embedding of one view from the other, without negatives (arXiv 2102.06514)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from genurl_graph.baselines.common import BaselineObjective, Graph, fit, make_encoder, prepare
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.ema import EMAEncoder
from genurl_graph.nn.gnn import GNN
from genurl_graph.nn.layers import BatchNorm, PReLU
from genurl_graph.nn.mlp import MLP
from genurl_graph.runtime.random import seeded_globally


def bgrl_loss(predicted: tuple[Tensor, Tensor], targets: tuple[Tensor, Tensor]) -> LossTerms:
    """``2 - mean_i cos(p_1i, h_2i) - mean_i cos(p_2i, h_1i)``, in [0, 4]; 0 where predictions point as targets do.

    Equation 3 of arXiv 2102.06514 and its mirror image, with a constant that makes 0 the least value.

    Parameters
    ----------
    predicted : two Tensors, float, shape [n, d]
        Predictions from view 1 and from view 2.
    targets : two Tensors, float, shape [n, d]
        The EMA encoder's embeddings of view 1 and of view 2. No gradients reach them.

    Returns
    -------
    LossTerms
        All of it is attraction: the method has no negatives.
    """
    alike = sum(
        cosine_similarity(p, h.detach(), dim=1).mean() for p, h in zip(predicted, reversed(targets), strict=True)
    )
    loss = 2 - torch.as_tensor(alike)
    return LossTerms(loss, loss, loss * 0)


def annealed(momentum: float, progress: float) -> float:
    """Momentum of the EMA encoder, from `momentum` to 1 along half a cosine (arXiv 2102.06514, appendix)."""
    return 1 - (1 - momentum) * (1 + math.cos(math.pi * progress)) / 2


class BGRL(BaselineObjective):
    """BGRL on our encoders and views.

    Parameters
    ----------
    encoder : GNN or MLP
        The online encoder. Its EMA starts as a copy, and normalises by the batch at hand, as the encoder does.
    graph : Graph
    settings : dict
        ``dim`` of the output, ``predictor`` columns between the two layers of the predictor; ``momentum`` of the EMA
        encoder at the start (`annealed`); shares ``drop_features_1``, ``drop_edges_1``, ``drop_features_2`` and
        ``drop_edges_2`` of the two views. The two directions of an edge are dropped together; the authors' code drops
        each apart.
    """

    def __init__(self, encoder: GNN | MLP, graph: Graph, settings: dict[str, Any]) -> None:
        super().__init__(encoder, graph)
        dim, width = settings["dim"], settings["predictor"]
        self.predictor = nn.Sequential(nn.Linear(dim, width), PReLU(), nn.Linear(width, dim))
        self.momentum = settings["momentum"]
        self.target = EMAEncoder(encoder, self.momentum)
        self.drops = [(settings[f"drop_features_{view}"], settings[f"drop_edges_{view}"]) for view in (1, 2)]
        self.begun = False

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one step, after the EMA encoder has followed the step before."""
        if self.begun:
            self.target.momentum = annealed(self.momentum, progress)
            self.target.follow(self.encoder)
        self.begun = True
        views = [self.draw(*drops) for drops in self.drops]
        first, second = (self.encoder(self.features, *view) for view in views)
        with torch.no_grad():
            target = self.target.network.train()
            targets = target(self.features, *views[0]), target(self.features, *views[1])
        return bgrl_loss((self.predictor(first), self.predictor(second)), targets)


def embed(name: str, data: Any, seed: int, device: str | torch.device, settings: dict[str, Any]) -> Tensor:
    """Embedding [n, dim] by BGRL's online encoder; see `genurl_graph.baselines.get_baseline`.

    AdamW and a cosine decay of the learning rate as in the paper, without its warm-up.
    """
    graph = prepare(name, data, settings["normalize"])
    dim, hidden, layers = (settings[key] for key in ("dim", "hidden", "layers"))
    with seeded_globally(seed):
        encoder = make_encoder("gcn", graph.features.num_features, dim, hidden, layers)
        # Batch normalisation and an activation of its own after every layer, the last one included.
        widths = [hidden] * (layers - 1) + [dim]
        encoder.norms = nn.ModuleList(BatchNorm(width) for width in widths)
        encoder.acts = nn.ModuleList(PReLU() for _ in widths)
        objective = BGRL(encoder, graph, settings)
        return fit(objective, settings, device, schedule="cosine", optimizer_class=torch.optim.AdamW)
