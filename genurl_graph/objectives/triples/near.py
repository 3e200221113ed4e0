"""The divergence of near features: kNN edges of the modalities against cosines of the entities."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from genurl_graph.config.parameters import LossConfig
from genurl_graph.graph.triples.near_rows import NearRows
from genurl_graph.losses.pairwise import gkl_of_sums
from genurl_graph.losses.terms import LossTerms
from genurl_graph.objectives.all_pairs import number
from genurl_graph.objectives.base import divided, log_q
from genurl_graph.objectives.pair_distances import normalize
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.random import randperm


class NearTerm(nn.Module):
    """GKL of rows of P that near features give, each with the best factor of its Q.

    ``q_ij = kappa((1 - cos(z_i, z_j)) / temperature)`` over the pairs i != j. A row counts by its sum, which is the
    weight of the modalities that its entity has features of.

    Parameters
    ----------
    rows : NearRows
    loss : LossConfig
    weight : float
        Factor of the whole.
    """

    def __init__(self, rows: NearRows, loss: LossConfig, weight: float) -> None:
        super().__init__()
        self.loss, self.weight = loss, weight
        self.entity, self.start, self.other, self.p = map(constant, rows)

    def forward(self, table: Tensor, columns: Tensor | None, size: int) -> LossTerms:
        """The divergence of `size` rows, drawn anew, per row.

        Parameters
        ----------
        table : Tensor, float, shape [n, d]
            Embedding of all entities.
        columns : Tensor, int64, shape [k], or None
            Entities that stand for all; None: all.
        size : int
        """
        rows, n = NearRows(self.entity, self.start, self.other, self.p), len(table)
        batch = randperm(len(rows), table.device)[:size]
        row, other, p = rows.ends(batch)
        entity = rows.entity[batch]
        z = normalize(table.index_select(0, entity), "cosine")
        everyone = normalize(table if columns is None else table.index_select(0, columns), "cosine")
        numbers = torch.arange(n, device=table.device) if columns is None else columns
        own = entity[:, None] == numbers
        block = self._log_q(z @ everyone.t()).masked_fill(own, -math.inf)
        if columns is None:
            log_q_pos = block[row, other]
        else:
            ends = normalize(table.index_select(0, other), "cosine")
            log_q_pos = self._log_q((z.index_select(0, row) * ends).sum(1))
        log_total = block.logsumexp(1)
        if columns is not None:
            log_total = log_total + math.log((n - 1) / len(columns))
        total = torch.zeros(len(batch), device=p.device).index_add_(0, row, p)
        divergence = (p * (p.log() - log_q_pos)).sum()
        terms = gkl_of_sums(divergence, total, log_total, gamma=self.loss.gamma, scale=number(self.loss.scale))
        return divided(terms, len(batch) / self.weight)

    def _log_q(self, cosine: Tensor) -> Tensor:
        return log_q((1 - cosine).clamp_min(0), self.loss)
