"""From encoder to loss: views, embeddings, distances of edges and of sampled pairs, divergence.

This is the right half of the method (LDT in GenURL's words) in one module. Recipes (`genurl_graph.tasks`) choose its
parts; the loop (`genurl_graph.training`) only calls it.
"""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from torch import Tensor, nn

from genurl_graph.config.parameters import LossConfig, SamplingConfig, ViewConfig
from genurl_graph.exceptions import InputError
from genurl_graph.graph.affinity import log_kernel
from genurl_graph.graph.propagation import Propagation
from genurl_graph.losses.pairwise import SUM_LOSSES, get_loss
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.features import Features
from genurl_graph.nn.gnn import GNN
from genurl_graph.objectives.base import Encoder, check_kernel, embed_all
from genurl_graph.objectives.bipartite import ColumnGraph
from genurl_graph.objectives.pair_distances import (
    EdgePattern,
    block_distances,
    edge_distances,
    normalize,
    row_log_totals,
    spread,
)
from genurl_graph.objectives.pair_sampling import permuted_negatives, shared_negatives
from genurl_graph.objectives.views import keep_nodes
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.precision import network
from genurl_graph.runtime.processes import any_of, connected, total_of, world_size


class PairwiseObjective(nn.Module):
    r"""Sparse divergence between P on the edges of a graph and Q of an encoder's embedding.

    With one view z, ``q_ij = kappa(d(z_i, z_j) / temperature)`` over the pairs i != j. With two views z and z', drawn
    anew at every step, ``q_ij = kappa(d(z_i, z'_j) / temperature)``, P gains ``p_ii = self_weight`` (a node is its own
    neighbour in the other view) and the loss is the mean over both orders of the views.

    Parameters
    ----------
    encoder : nn.Module
        As in `genurl_graph.nn.build`; called as ``encoder(features, operator, keep)``.
    features : Features or None
        Input of the encoder; None for a free table.
    propagation : Propagation or None
        What a GNN propagates over.
    edge_index : Tensor, int64, shape [2, E]
        Edges of P: symmetric, sorted by row, each once. Of several processes each has the rows of some nodes
        (`genurl_graph.graph.partition`).
    p : Tensor, float32, shape [E]
        Their similarities > 0.
    num_nodes : int
    loss, sampling, views
        Configuration of the stages.
    columns : ColumnGraph, optional
        Feature columns as further nodes; its divergence is added, of one view.
    degree : Tensor, float32, shape [n], optional
        Of each node, for ``views.drop_nodes``; without it no node is hidden.

    Raises
    ------
    InputError
        Unknown option, no edges in P, or P not positive.
    """

    # Kinds of negatives that this class can draw.
    negatives: tuple[str, ...] = ("shared", "permuted")
    # Losses that it reads; None: those of `genurl_graph.losses.pairwise.LOSSES`.
    losses: tuple[str, ...] | None = None
    # Whether a node's pair with its own other view is an edge among the others.
    loops: bool = True

    def __init__(
        self,
        encoder: nn.Module,
        features: Features | None,
        propagation: Propagation | None,
        edge_index: Tensor,
        p: Tensor,
        num_nodes: int,
        loss: LossConfig,
        sampling: SamplingConfig,
        views: ViewConfig,
        columns: ColumnGraph | None = None,
        degree: Tensor | None = None,
    ) -> None:
        super().__init__()
        if world_size() > 1 and "batch" not in self.negatives:
            raise InputError(
                f"several processes: found sampling.negatives {sampling.negatives!r}; expected batch "
                "(encoder sign or mlp)"
            )
        with connected("similarities P"):
            edges = any_of(edge_index.size(1) > 0, p.device)
        if not edges:
            raise InputError("similarities P: found no edges; expected some (are all points duplicates?)")
        _check(p, loss, sampling, views, self.negatives)
        self.encoder = cast(Encoder, encoder)
        self.features = features
        self.propagation = propagation
        self.num_nodes = num_nodes
        self.loss, self.sampling, self.views = loss, sampling, views
        self.columns = columns
        hides = views.drop_nodes > 0 and isinstance(encoder, GNN)
        self.hidden = None if degree is None or not hides else constant(views.drop_nodes * degree / (1 + degree))
        if self.losses is None:
            self.divergence = get_loss(loss.name)
        elif loss.name not in self.losses:
            expected = " or ".join(self.losses)
            raise InputError(
                f"loss: found {loss.name!r}; expected {expected} with sampling.negatives {sampling.negatives}"
            )
        if views.self_weight > 0 and self.loops:
            edge_index, p = _with_loops(edge_index, p, views.self_weight, num_nodes)
        with connected("similarities P"):
            # The loss is reported per unit of similarity, so that a learning rate means the same for any n.
            self.mass = _mass(p, edge_index[0], loss)
            self._keep(edge_index, p)
        if columns is not None:
            self.mass += columns.mass
        self._prepare()

    def _keep(self, edge_index: Tensor, p: Tensor) -> None:
        """Keep P as the loss reads it."""
        self.pattern, self.p = EdgePattern(edge_index, self.num_nodes), constant(p)

    def _prepare(self) -> None:
        """What a subclass needs beyond this, and what it refuses (InputError); called at the end of `__init__`."""

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one step; it is the same at every `progress`, the share of the epochs that is over."""
        a = self._view()
        if self.views.self_weight > 0:
            b = self._view()
            first, second = self._terms(a, b), self._terms(b, a)
            found = LossTerms(*((x + y) / 2 for x, y in zip(first, second, strict=True)))
        else:
            found = self._terms(a, a)
        if self.columns is None:
            return found
        # One view is enough: it costs as much as the edges among nodes do.
        beside = self.finished(self.columns(a))
        return LossTerms(*(x + y for x, y in zip(found, beside, strict=True)))

    def embed(self) -> Tensor:
        """Embedding [n, d] of the whole input, without views or dropout."""
        return embed_all(self.encoder, self.features, self.propagation)

    def _view(self) -> Tensor:
        keep = None
        if self.features is not None:
            keep = self.features.mask(self.views.drop_features, self.p.device)
        operator: Any = self.encoder.operator(self.propagation, self.views.drop_edges)
        hiding = () if self.hidden is None else (keep_nodes(self.hidden),)
        return normalize(network(self.encoder, self.features, operator, keep, *hiding), self.loss.metric)

    def _terms(self, a: Tensor, b: Tensor) -> LossTerms:
        log_q_pos = self._log_q(edge_distances(self.pattern, a, b, self.loss.metric))
        log_q_neg, pairs = self._negatives(a, b)
        terms = self.divergence(
            log_q_pos,
            self.p,
            log_q_neg,
            row_pos=self.pattern.row,
            num_rows=self.num_nodes,
            gamma=self.loss.gamma,
            scale=self.loss.scale,
            per=self.loss.per,
            **pairs,
        )
        return self.finished(terms)

    def finished(self, terms: LossTerms) -> LossTerms:
        """The terms with attraction exaggerated, per unit of similarity."""
        loss, attraction, repulsion = terms
        more = (self.loss.exaggeration - 1) * attraction
        return LossTerms((loss + more) / self.mass, (attraction + more) / self.mass, repulsion / self.mass)

    def _negatives(self, a: Tensor, b: Tensor) -> tuple[Tensor, dict[str, Any]]:
        """log q of the sampled pairs, and how they are weighted."""
        n, device = self.num_nodes, a.device
        wanted = int(self.sampling.n_negatives)
        if self.sampling.negatives == "permuted":
            # There are n - 1 shifts: with all of them every pair is counted exactly once.
            count = min(wanted, n - 1)
            row, col = permuted_negatives(n, count, device)
            weight = a.new_full((row.numel(),), (n - 1) / count)
            if self.views.self_weight > 0:
                # No shift brings a node to its own other view: these n pairs are counted as they are.
                loop = torch.arange(n, device=device)
                row, col = torch.cat([row, loop]), torch.cat([col, loop])
                weight = torch.cat([weight, weight.new_ones(n)])
            distance = (a.index_select(0, row) - b.index_select(0, col)).square().sum(1)
            if self.loss.metric == "cosine":
                distance = distance / 2
            return self._log_q(distance), {"row_neg": row, "neg_weight": weight}
        columns = shared_negatives(n, wanted, device)
        if self.views.self_weight > 0 and self.loss.name in SUM_LOSSES:
            totals = row_log_totals(
                a, b.index_select(0, columns), self.loss.metric, self.loss.temperature, self.loss.nu
            )
            return spread(totals, n / columns.numel()), {}
        log_q = self._log_q(block_distances(a, b.index_select(0, columns), self.loss.metric))
        if self.views.self_weight > 0:
            return log_q, {"neg_weight": n / columns.numel()}
        # With one view the pair of a node with itself has q = 1 whatever the embedding: it does not count, and a
        # node among the columns meets one node fewer than the others do.
        size = columns.numel()
        weight = torch.full_like(log_q, (n - 1) / size)
        weight[columns] = (n - 1) / (size - 1)
        weight[columns, torch.arange(size, device=device)] = 0.0
        return log_q, {"neg_weight": weight}

    def _log_q(self, distance: Tensor) -> Tensor:
        return log_kernel(distance / self.loss.temperature, self.loss.nu)


def _mass(p: Tensor, row: Tensor, loss: LossConfig) -> float:
    """Sum of the similarities; `kl` has normalised them, so that each of its distributions counts as 1."""
    if loss.name != "kl":
        return float(total_of(p.sum(dtype=torch.float64)))
    return 1.0 if loss.per == "global" else float((row.diff() != 0).sum()) + 1


def _with_loops(edge_index: Tensor, p: Tensor, weight: float, num_nodes: int) -> tuple[Tensor, Tensor]:
    loop = torch.arange(num_nodes, device=edge_index.device)
    edges = torch.cat([edge_index, loop.expand(2, -1)], dim=1)
    order = (edges[0] * num_nodes + edges[1]).argsort()
    return edges[:, order], torch.cat([p, p.new_full((num_nodes,), weight)])[order]


def _check(
    p: Tensor,
    loss: LossConfig,
    sampling: SamplingConfig,
    views: ViewConfig,
    negatives: tuple[str, ...],
) -> None:
    if not bool((p > 0).all()):
        raise InputError(f"similarities P: the smallest is {float(p.min()):g}; expected values > 0")
    if loss.name == "bce" and p.numel() and (largest := max(float(p.max()), views.self_weight)) > 1:
        raise InputError(
            f"loss bce: the largest similarity in P is {largest:g}; expected probabilities, at most 1 (merge.how=union "
            "and feature_weight <= 1 keep P there)"
        )
    check_kernel(loss)
    if sampling.negatives not in negatives:
        expected = " or ".join(negatives)
        raise InputError(f"sampling.negatives: found {sampling.negatives!r}; expected {expected} for this objective")
    if isinstance(sampling.n_negatives, str):
        raise InputError(f"sampling.n_negatives: found {sampling.n_negatives!r}; expected a number (resolve it first)")
    # A shared column is no negative of its own node, so that one alone would leave that node without any.
    fewest = 2 if sampling.negatives == "shared" else 1
    if sampling.n_negatives < fewest:
        raise InputError(f"sampling.n_negatives: found {sampling.n_negatives}; expected at least {fewest}")
    if not 0 <= views.self_weight < math.inf:
        raise InputError(f"views.self_weight: found {views.self_weight}; expected a finite number >= 0")
    for name in ("drop_features", "drop_edges", "drop_nodes"):
        if not 0 <= getattr(views, name) < 1:
            raise InputError(f"views.{name}: found {getattr(views, name)}; expected a share in [0, 1)")
