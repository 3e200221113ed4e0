"""Training of a network that chooses among places of a finished table (`genurl_graph.anchors`).

It is the method's own: P are similarities of samples to anchors in the table, Q those that the network gives, and the
divergence between them is GKL by row.
"""

from __future__ import annotations

import math
import warnings

import torch
from torch import Tensor, nn

from genurl_graph.config.parameters import SamplingConfig
from genurl_graph.exceptions import InputError
from genurl_graph.losses.pairwise import gkl_of_sums
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.features import Features
from genurl_graph.nn.prototypes import EXACT, PrototypeMLP
from genurl_graph.objectives.base import added_up
from genurl_graph.objectives.mini_batch import LEAST_STEPS, embed_rows
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.precision import network
from genurl_graph.runtime.processes import own_share, sent, world_size


class PrototypeObjective(nn.Module):
    """Divergence between similarities of samples to anchors in a table, P, and an `PrototypeMLP`'s, Q, on mini-batches.

    ``p_ik`` is proportional to ``exp(-|y_i - c_k|^2 / 2 s^2)`` with the sample's coordinates y, the anchors c and their
    spacing s, the distance from an anchor to the next (the median); every row sums to 1. ``q_ik`` is the exponential of
    the network's scores, its scale profiled by row (`genurl_graph.losses.pairwise.gkl`).

    Parameters
    ----------
    encoder : PrototypeMLP
        Its anchors are set here.
    features : Features
    table : Tensor, float32, shape [n, d]
        Coordinates of the samples.
    sampling : SamplingConfig
    seed : int
        Of the search for anchors.

    Attributes
    ----------
    steps : int
        Batches of an epoch, as of `genurl_graph.objectives.mini_batch.MiniBatchObjective`.

    Raises
    ------
    InputError
        A batch of fewer than two samples a process.
    """

    def __init__(
        self, encoder: PrototypeMLP, features: Features, table: Tensor, sampling: SamplingConfig, seed: int
    ) -> None:
        super().__init__()
        n = self.num_nodes = len(table)
        size = min(sampling.batch_size, n)
        self.size = size - size % world_size()
        if self.size < 2 * world_size():
            raise InputError(
                f"sampling.batch_size: found {sampling.batch_size} for {n} samples; expected 2 for each process"
            )
        self.steps = max(math.ceil(n / self.size), LEAST_STEPS)
        encoder.place(sent(places(table, len(encoder.anchors), seed), 0))
        self.encoder, self.features, self.table = encoder, features, constant(table)

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch, drawn anew; it does not depend on `progress`."""
        batch = own_share(torch.randperm(self.num_nodes, device=self.table.device)[: self.size])
        log_q = network(self.encoder.scores, self.features.rows(batch))
        distance = torch.cdist(self.table[batch], self.encoder.anchors, compute_mode=EXACT)
        log_p = (-0.5 * (distance / self.encoder.spacing).square()).log_softmax(1)
        p = log_p.exp()
        terms = gkl_of_sums((p * (log_p - log_q)).sum(), p.sum(1), log_q.logsumexp(1))
        # Per unit of similarity, as every loss is reported.
        return added_up(LossTerms(*(term / self.size for term in terms)))

    @torch.no_grad()
    def embed(self) -> Tensor:
        """Coordinates [n, d] of all samples by the network, not the table's."""
        return embed_rows(self.encoder, self.features, self.table.device)


def places(table: Tensor, count: int, seed: int) -> Tensor:
    """K places that stand for a table of coordinates: all of them if there are no more, else centres of k-means.

    Parameters
    ----------
    table : Tensor, float32, shape [n, d]
    count : int
        K, at most n.
    seed : int

    Returns
    -------
    Tensor, float32, shape [K, d]
    """
    if len(table) == count:
        return table.clone()
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # Fewer distinct points than anchors: some then stand at one place.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = MiniBatchKMeans(count, batch_size=4096, n_init=1, random_state=seed).fit(table.cpu().numpy())
    return torch.from_numpy(found.cluster_centers_).to(table)
