"""GKL of typed edges: rows of P of each relation against a softmax of scores, and near features beside them."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor

from genurl_graph.config.parameters import LossConfig, SamplingConfig
from genurl_graph.config.triples import TriplesConfig
from genurl_graph.exceptions import wrong
from genurl_graph.graph.triples.near_rows import NearRows
from genurl_graph.graph.triples.relation_rows import RelationRows
from genurl_graph.losses.pairwise import gkl_of_sums
from genurl_graph.losses.terms import LossTerms, row_logsumexp
from genurl_graph.nn.triples import TripleEncoder
from genurl_graph.objectives.all_pairs import number
from genurl_graph.objectives.base import LEAST_STEPS, Objective, divided, summed
from genurl_graph.objectives.triples.near import NearTerm
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.random import randint, randperm

# Losses that read scores as they are, without a bound.
LOSSES = ("gkl", "kl")


class TripleObjective(Objective):
    r"""GKL between P and Q of batches of rows, (entity, relation), each with its best factor of Q.

    ``P_r(h, .)`` is even over the other ends that h has by r, ``Q_r(h, t) = exp <readout(z_h, w_r), z_t>``, and the
    factor of each row makes it the softmax over all entities: the loss of 1-vs-all training (Lacroix et al., ICML 2018;
    Ruffinelli et al., ICLR 2020), with all ends of a row at once. A row counts by its number of ends to the power
    ``triples.row_power``. With ``sampling.negatives = shared`` the sum over all entities is that of the row's own ends
    and of `n_negatives` others, drawn for the whole batch, each of which stands for ``(n - ends) / n_negatives``; own
    ends among the drawn are not taken out, which is an error of the order of ends / n.

    Entities with near features have further rows (`genurl_graph.objectives.triples.near`), which count as
    ``triples.modality_weight`` triples each: much where there are few triples, little where there are many.

    Parameters
    ----------
    encoder : TripleEncoder
    rows : RelationRows
    near : NearRows or None
        kNN edges of the modalities.
    loss, sampling, triples
        Stages of the configuration.

    Attributes
    ----------
    steps : int
        Batches of an epoch: as many as the rows fill, but at least `LEAST_STEPS`.

    Raises
    ------
    InputError
        Another loss than gkl and kl.
    """

    def __init__(
        self,
        encoder: TripleEncoder,
        rows: RelationRows,
        near: NearRows | None,
        loss: LossConfig,
        sampling: SamplingConfig,
        triples: TriplesConfig,
    ) -> None:
        super().__init__(encoder, None, None, len(encoder.table))
        if loss.name not in LOSSES:
            raise wrong("loss", repr(loss.name), f"{' or '.join(LOSSES)} (task triples)")
        self.loss = loss
        self.size = min(sampling.batch_size, len(rows))
        self.steps = max(math.ceil(len(rows) / self.size), LEAST_STEPS)
        self.drawn = int(sampling.n_negatives) if sampling.negatives == "shared" else 0
        self.entity, self.relation, self.start, self.other = map(constant, rows)
        # What each of the other ends of a row counts.
        self.p = constant(rows.sizes.float() ** (triples.row_power - 1))
        self.total = float((rows.sizes * self.p).double().mean())
        # An entity with near features has so many triples more.
        weight = 0.0 if near is None else triples.modality_weight * len(near) / (self.total * len(rows))
        self.near = NearTerm(near, loss, weight) if near is not None and weight > 0 else None

    @property
    def rows(self) -> RelationRows:
        """P, where the objective is."""
        return RelationRows(self.entity, self.relation, self.start, self.other)

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch of rows, per unit of similarity."""
        encoder, rows = cast(TripleEncoder, self.encoder), self.rows
        batch = randperm(len(rows), self.device)[: self.size]
        columns = randint(self.num_nodes, (self.drawn,), self.device) if self.drawn else None
        query = encoder.dropped(encoder.queries(rows.entity[batch], rows.relation[batch]))
        row, other = rows.ends(batch)
        found = divided(self._divergence(query, row, other, self.p[batch], columns), self.total * len(batch))
        return found if self.near is None else summed(found, self.near(encoder.table, columns, self.size))

    def _divergence(
        self, query: Tensor, row: Tensor, other: Tensor, share: Tensor, columns: Tensor | None
    ) -> LossTerms:
        """GKL of the rows of `query` [b, d], whose ends `other` [k] of rows `row` count `share` [b] each."""
        table, ends = cast(TripleEncoder, self.encoder).table, torch.bincount(row, minlength=len(query))
        if columns is None:
            scores = query @ table.t()
            own, log_total = scores[row, other], scores.logsumexp(1)
        else:
            own = (query.index_select(0, row) * table.index_select(0, other)).sum(1)
            drawn = (query @ table.index_select(0, columns).t()).logsumexp(1)
            others = (self.num_nodes - ends).clamp_min(1).log() - math.log(len(columns))
            log_total = torch.logaddexp(row_logsumexp(own, row, len(query)), drawn + others)
        p = share[row]
        divergence = (p * (p.log() - own)).sum()
        loss = self.loss
        return gkl_of_sums(divergence, ends * share, log_total, gamma=loss.gamma, scale=number(loss.scale))
