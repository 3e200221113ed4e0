"""CCA-SSG: correlate the columns of two views, decorrelate them among each other (arXiv 2106.12484)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from genurl_graph.baselines.common import BaselineObjective, Graph, fit, make_encoder, prepare
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.gnn import GNN
from genurl_graph.nn.mlp import MLP
from genurl_graph.runtime.random import seeded_globally


def cca_ssg_loss(a: Tensor, b: Tensor, lambd: float) -> LossTerms:
    r"""``1/2 ||Z_A - Z_B||_F^2 + lambd (||Z_A^T Z_A - I||_F^2 + ||Z_B^T Z_B - I||_F^2)``.

    The objective of arXiv 2106.12484, section 3, with Z the standardised columns divided by ``sqrt(n)``. The paper
    writes its first term without the half; the authors' code has ``-tr(Z_A^T Z_B)``, that is, the half and a constant,
    and the published lambda belongs to it.

    Parameters
    ----------
    a, b : Tensor, float, shape [n, d]
        Embeddings of two views. A constant column counts as uncorrelated with everything, itself included.
    lambd : float

    Returns
    -------
    LossTerms
        The difference of the two views as attraction, the decorrelation as repulsion.
    """
    n, d = a.shape
    a, b = (z - z.mean(0) for z in (a, b))
    # Not std(): its gradient is NaN on a constant column.
    a, b = (z * (z.square().mean(0) + 1e-12).rsqrt() for z in (a, b))
    # ||Z_A - Z_B||^2 from column products: no [n, d] difference is kept for the backward pass.
    alike = (a * b).sum() / n
    same = (a.square().sum() + b.square().sum()) / (2 * n)
    eye = torch.eye(d, dtype=a.dtype, device=a.device)
    apart = sum(((z.T @ z / n - eye).square().sum() for z in (a, b)), a.new_zeros(()))
    attraction, repulsion = same - alike, lambd * apart
    return LossTerms(attraction + repulsion, attraction, repulsion)


class CCASSG(BaselineObjective):
    """CCA-SSG on our encoders and views; the input is sparse where the data set's is.

    Parameters
    ----------
    encoder : GNN or MLP
    graph : Graph
    settings : dict
        ``lambd``, weight of the decorrelation; ``drop_features`` and ``drop_edges``, shares of both views. The two
        directions of an edge are dropped together; the authors' code drops each apart.
    """

    def __init__(self, encoder: GNN | MLP, graph: Graph, settings: dict[str, Any]) -> None:
        super().__init__(encoder, graph)
        self.lambd, self.drops = settings["lambd"], (settings["drop_features"], settings["drop_edges"])

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one step."""
        return cca_ssg_loss(self.view(*self.drops), self.view(*self.drops), self.lambd)


def embed(name: str, data: Any, seed: int, device: str | torch.device, settings: dict[str, Any]) -> Tensor:
    """Embedding [n, dim] by CCA-SSG; see `genurl_graph.baselines.get_baseline`."""
    graph = prepare(name, data, settings["normalize"])
    with seeded_globally(seed):
        sizes = (settings[key] for key in ("dim", "hidden", "layers"))
        encoder = make_encoder(settings["encoder"], graph.features.num_features, *sizes)
        return fit(CCASSG(encoder, graph, settings), settings, device)
