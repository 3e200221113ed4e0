"""Training of a network that chooses among the prototypes of a finished embedding table (`genurl_graph.nn.prototypes`).

P are similarities of samples to prototypes in the table, Q those that the network gives. The divergence between them
is GKL by row, the method's own loss.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.config.parameters import SamplingConfig
from genurl_graph.losses.pairwise import gkl_of_sums
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.features import Features
from genurl_graph.nn.prototypes import EXACT, PrototypeMLP
from genurl_graph.objectives.base import Objective, added_up, divided
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.precision import network
from genurl_graph.runtime.processes import own_share, sent
from genurl_graph.runtime.warnings import unheard


class PrototypeObjective(Objective):
    """Divergence between similarities of samples to prototypes in a table, P, and a `PrototypeMLP`'s, Q, in batches.

    ``p_ik`` is proportional to ``exp(-|y_i - c_k|^2 / 2 s^2)`` with the sample's coordinates y, the prototypes c and
    their spacing s, the median distance from a prototype to the nearest other; every row sums to 1. ``q_ik`` is the
    exponential of the network's scores, its scale profiled by row (`genurl_graph.losses.pairwise.gkl`).

    Parameters
    ----------
    encoder : PrototypeMLP
        Its prototypes are set here.
    features : Features
    table : Tensor, float32, shape [n, d]
        Coordinates of the samples.
    sampling : SamplingConfig
    seed : int
        Of the search for prototypes.

    Raises
    ------
    InputError
        A batch of fewer than two samples a process.
    """

    def __init__(
        self, encoder: PrototypeMLP, features: Features, table: Tensor, sampling: SamplingConfig, seed: int
    ) -> None:
        super().__init__(encoder, features, None, len(table))
        self._divide(sampling.batch_size)
        encoder.place(sent(find_prototypes(table, len(encoder.anchors), seed), 0))
        self.table = constant(table)

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch, drawn anew; it does not depend on `progress`."""
        assert isinstance(self.encoder, PrototypeMLP)
        assert self.features is not None
        batch = own_share(self._batch())
        log_q = network(self.encoder.scores, self.features.rows(batch))
        distance = torch.cdist(self.table[batch], self.encoder.anchors, compute_mode=EXACT)
        log_p = (-0.5 * (distance / self.encoder.spacing).square()).log_softmax(1)
        p = log_p.exp()
        terms = gkl_of_sums((p * (log_p - log_q)).sum(), p.sum(1), log_q.logsumexp(1))
        # Per unit of similarity, as every loss is reported.
        return added_up(divided(terms, self.size))


def find_prototypes(table: Tensor, count: int, seed: int) -> Tensor:
    """K points that stand for those of a table: all of them if there are no more, else centres of k-means.

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

    # Of fewer distinct points than prototypes some prototypes are the same.
    with unheard(category=ConvergenceWarning):
        found = MiniBatchKMeans(count, batch_size=4096, n_init=1, random_state=seed).fit(table.cpu().numpy())
    return torch.from_numpy(found.cluster_centers_).to(table)
