"""GRACE: InfoNCE between two views of every node, all other nodes of both views as negatives (arXiv 2006.04131)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.utils.checkpoint import checkpoint

from genurl_graph.baselines.common import BaselineObjective, Graph, fit, make_encoder, prepare
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.gnn import GNN
from genurl_graph.nn.mlp import MLP
from genurl_graph.runtime.random import seeded_globally

# Similarities that are held at a time (128 MB, a few times over): above it, slices are computed twice instead of kept.
ENTRIES = 1 << 25


def grace_loss(u: Tensor, v: Tensor, temperature: float, entries: int = ENTRIES) -> LossTerms:
    r"""Mean over nodes and both orders of the views of InfoNCE with negatives within and between views.

    ``l(u_i, v_i) = -log(e(u_i, v_i) / (sum_k e(u_i, v_k) + sum_{k != i} e(u_i, u_k)))`` with
    ``e(a, b) = exp(cos(a, b) / temperature)``: arXiv 2006.04131, eq. 1; ``J = 1 / (2 n) sum_i l(u_i, v_i) + l(v_i,
    u_i)``, eq. 2.

    Parameters
    ----------
    u, v : Tensor, float, shape [n, d]
        Projected embeddings of two views.
    temperature : float
    entries : int
        Upper bound of the similarities of one slice of rows: memory is O(entries + n d), time O(n^2 d).

    Returns
    -------
    LossTerms
        The similarity of the positives as attraction, the logarithm of the denominators as repulsion.
    """
    u, v = normalize(u), normalize(v)
    attraction = -(u * v).sum(1).mean() / temperature
    totals = [_log_totals(a, b, temperature, entries) for a, b in ((u, v), (v, u))]
    repulsion = (totals[0].mean() + totals[1].mean()) / 2
    return LossTerms(attraction + repulsion, attraction, repulsion)


def _log_totals(a: Tensor, b: Tensor, temperature: float, entries: int) -> Tensor:
    """Logarithm of each row's denominator, [n]."""
    n = a.size(0)
    step = max(1, entries // (2 * n))
    if step >= n:
        return _slice(a, a, b, 0, temperature)
    # Without random numbers inside there is no state to restore for the second computation.
    options: dict[str, Any] = {"use_reentrant": False, "preserve_rng_state": False}
    starts = range(0, n, step)
    return torch.cat([checkpoint(_slice, a[i : i + step], a, b, i, temperature, **options) for i in starts])


def _slice(rows: Tensor, a: Tensor, b: Tensor, start: int, temperature: float) -> Tensor:
    between, within = rows @ b.T / temperature, rows @ a.T / temperature
    index = torch.arange(rows.size(0), device=rows.device)
    within[index, index + start] = -torch.inf
    return torch.logaddexp(between.logsumexp(1), within.logsumexp(1))


class Grace(BaselineObjective):
    """GRACE on our encoders and views, with its projection head (linear, ELU, linear) in training.

    Parameters
    ----------
    encoder : GNN or MLP
    graph : Graph
    settings : dict
        ``dim`` and ``projection``, columns of the encoder's output and of the head; ``temperature``; shares
        ``drop_features_1``, ``drop_edges_1`` of the first view and ``drop_features_2``, ``drop_edges_2`` of the second.
    """

    def __init__(self, encoder: GNN | MLP, graph: Graph, settings: dict[str, Any]) -> None:
        super().__init__(encoder, graph)
        dim, projection = settings["dim"], settings["projection"]
        self.head = nn.Sequential(nn.Linear(dim, projection), nn.ELU(), nn.Linear(projection, dim))
        self.temperature = settings["temperature"]
        self.drops = [(settings[f"drop_features_{view}"], settings[f"drop_edges_{view}"]) for view in (1, 2)]

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one step."""
        u, v = (self.head(self.view(*drops)) for drops in self.drops)
        return grace_loss(u, v, self.temperature)


def embed(name: str, data: Any, seed: int, device: str | torch.device, settings: dict[str, Any]) -> Tensor:
    """Embedding [n, dim] by GRACE, of the encoder, without the head; see `genurl_graph.baselines.get_baseline`."""
    graph = prepare(name, data, settings["normalize"])
    dim = settings["dim"]
    with seeded_globally(seed):
        # The activation also follows the last layer in the authors' code, and hidden layers are twice as wide.
        encoder = make_encoder(
            "gcn", graph.features.num_features, dim, 2 * dim, settings["layers"], settings["activation"], last=True
        )
        return fit(Grace(encoder, graph, settings), settings, device)
