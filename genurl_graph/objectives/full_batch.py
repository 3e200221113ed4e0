"""From encoder to loss: views, embeddings, distances of edges and of sampled pairs, divergence.

This is the right half of the method, which GenURL calls LDT. Recipes (`genurl_graph.tasks`) choose its parts; the loop
(`genurl_graph.training`) only calls it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from genurl_graph.config.parameters import LossConfig, SamplingConfig
from genurl_graph.config.views import ViewConfig
from genurl_graph.exceptions import wrong
from genurl_graph.graph.propagation import Propagation
from genurl_graph.losses.exaggeration import exaggeration_at
from genurl_graph.losses.pairwise import SUM_LOSSES, get_loss
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.feature_views import feature_views
from genurl_graph.nn.features import Features
from genurl_graph.nn.gnn import GNN
from genurl_graph.objectives.base import Objective, divergence, divided, log_q, summed
from genurl_graph.objectives.bipartite import ColumnGraph
from genurl_graph.objectives.pair_distances import (
    EdgePattern,
    block_distances,
    edge_distances,
    normalize,
    row_log_totals,
    spread,
    view_distances,
)
from genurl_graph.objectives.pair_sampling import RowEdges, permuted_negatives, shared_negatives
from genurl_graph.objectives.views import keep_nodes
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.precision import network
from genurl_graph.runtime.processes import any_of, connected, total_of, world_size


class PairwiseObjective(Objective):
    r"""Sparse divergence between P on the edges of a graph and Q of an encoder's embedding.

    With one view z, ``q_ij = kappa(d(z_i, z_j) / temperature)`` over the pairs i != j. With two views z and z', drawn
    anew at every step, ``q_ij = kappa(d(z_i, z'_j) / temperature)``, P gains ``p_ii = self_weight`` (a node is its own
    neighbour in the other view) and the loss is the mean over both orders of the views.

    Parameters
    ----------
    encoder, features, propagation
        As of `genurl_graph.objectives.base.Objective`.
    edge_index : Tensor, int64, shape [2, E]
        Edges of P: symmetric, sorted by row, each once. Objectives that draw neighbours also take
        those of some rows as `RowEdges`.
    p : Tensor, float32, shape [E]
        Their similarities > 0.
    num_nodes : int
    loss, sampling, views
        Configuration of the stages.
    columns : ColumnGraph, optional
        Divergence of the node-feature bipartite graph; it is added, of one view.
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
        edge_index: Tensor | RowEdges,
        p: Tensor,
        num_nodes: int,
        loss: LossConfig,
        sampling: SamplingConfig,
        views: ViewConfig,
        columns: ColumnGraph | None = None,
        degree: Tensor | None = None,
    ) -> None:
        super().__init__(encoder, features, propagation, num_nodes)
        if world_size() > 1 and "batch" not in self.negatives:
            asked = f"sampling.negatives {sampling.negatives!r}"
            raise wrong("several processes", asked, "batch (encoder sign or mlp)")
        with connected("similarities P"):
            edges = any_of(p.numel() > 0, p.device)
        if not edges:
            expected = "some; self loops and edges of weight 0 are none, nor has a far node beside duplicates any"
            raise wrong("similarities P", "no edges", expected)
        self.loss, self.sampling, self.views = loss, sampling, views
        self.factor = loss.exaggeration  # of the attraction; `forward` sets it
        self._check(p)
        self.columns: nn.Module | None = columns
        hides = views.drop_nodes > 0 and isinstance(encoder, GNN)
        self.hidden = None if degree is None or not hides else constant(views.drop_nodes * degree / (1 + degree))
        if views.self_weight > 0 and self.loops:
            assert isinstance(edge_index, Tensor)
            edge_index, p = _with_loops(edge_index, p, views.self_weight, num_nodes)
        with connected("similarities P"):
            # The loss is reported per unit of similarity, so that a learning rate means the same for any n.
            self.mass = _mass(p, edge_index, loss)
            self._keep(edge_index, p)
        if columns is not None:
            self.mass += columns.mass
        self._prepare()

    def _keep(self, edge_index: Tensor | RowEdges, p: Tensor) -> None:
        """Keep P as the loss reads it."""
        assert isinstance(edge_index, Tensor)
        self.pattern, self.p = EdgePattern(edge_index, self.num_nodes), constant(p)

    def _prepare(self) -> None:
        """Make what a subclass needs beyond this, and check what it cannot read; called at the end of `__init__`."""

    def _check(self, p: Tensor) -> None:
        loss, sampling = self.loss, self.sampling
        if not bool((p > 0).all()):
            raise wrong("similarities P", f"a smallest value of {float(p.min()):g}", "values > 0")
        if loss.name == "bce" and p.numel() and (largest := max(float(p.max()), self.views.self_weight)) > 1:
            expected = "probabilities, at most 1 (merge.how=union and feature_weight <= 1 keep P there)"
            raise wrong("loss bce", f"a largest similarity of {largest:g} in P", expected)
        if self.losses is None:
            get_loss(loss.name)
        elif loss.name not in self.losses:
            expected = f"{' or '.join(self.losses)} with sampling.negatives {sampling.negatives}"
            raise wrong("loss", repr(loss.name), expected)
        if sampling.negatives not in self.negatives:
            expected = f"{' or '.join(self.negatives)} for this objective"
            raise wrong("sampling.negatives", repr(sampling.negatives), expected)
        # A shared column is no negative of its own node, so that one alone would leave that node without any.
        fewest = 2 if sampling.negatives == "shared" else 1
        if isinstance(sampling.n_negatives, str) or sampling.n_negatives < fewest:
            raise wrong("sampling.n_negatives", repr(sampling.n_negatives), f"at least {fewest}")

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one step; `progress` is the share of the epochs that is over."""
        self.factor = exaggeration_at(self.loss, progress)
        if self.views.self_weight > 0:
            a, b = self._drawn_views(2)
            there, back = view_distances(self.pattern, a, b, self.loss.metric)
            found = divided(summed(self._terms(a, b, there), self._terms(b, a, back)), 2)
        else:
            (a,) = self._drawn_views(1)
            found = self._terms(a, a)
        if self.columns is None:
            return found
        # One view is enough: it costs as much as the edges among nodes do.
        return summed(found, self.finished(self.columns(a)))

    def _drawn_views(self, count: int) -> list[Tensor]:
        """Embeddings of so many views, each drawn anew."""
        keeps: list[Tensor | None] = []
        drawn: list[tuple[Any, ...]] = []
        for _ in range(count):
            keep = None
            if self.features is not None:
                keep = self.features.mask(self.views.drop_features, self.device)
            operator: Any = self.encoder.operator(self.propagation, self.views.drop_edges)
            hiding = () if self.hidden is None else (keep_nodes(self.hidden),)
            keeps.append(keep)
            drawn.append((operator, keep, *hiding))
        seen: Sequence[Any] = [None] * count if self.features is None else feature_views(self.features, keeps)
        return [
            normalize(network(self.encoder, features, *view), self.loss.metric)
            for features, view in zip(seen, drawn, strict=True)
        ]

    def _terms(self, a: Tensor, b: Tensor, distance: Tensor | None = None) -> LossTerms:
        """The loss of a view against another, with the edges' distances, where they are known."""
        if distance is None:
            distance = edge_distances(self.pattern, a, b, self.loss.metric)
        log_q_pos = log_q(distance, self.loss)
        log_q_neg, pairs = self._negatives(a, b)
        row, n = self.pattern.row, self.num_nodes
        return self.finished(divergence(self.loss, log_q_pos, self.p, log_q_neg, row, n, **pairs))

    def finished(self, terms: LossTerms) -> LossTerms:
        """The terms with attraction exaggerated, per unit of similarity."""
        loss, attraction, repulsion = terms
        more = (self.factor - 1) * attraction
        return divided(LossTerms(loss + more, attraction + more, repulsion), self.mass)

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
            return log_q(distance, self.loss), {"row_neg": row, "neg_weight": weight}
        columns = shared_negatives(n, wanted, device)
        if self.views.self_weight > 0 and self.loss.name in SUM_LOSSES:
            totals = row_log_totals(
                a, b.index_select(0, columns), self.loss.metric, self.loss.temperature, self.loss.nu
            )
            return spread(totals, n / columns.numel()), {}
        block = log_q(block_distances(a, b.index_select(0, columns), self.loss.metric), self.loss)
        if self.views.self_weight > 0:
            return block, {"neg_weight": n / columns.numel()}
        # With one view the pair of a node with itself has q = 1 whatever the embedding: it does not count, and a
        # node among the columns meets one node fewer than the others do.
        size = columns.numel()
        weight = torch.full_like(block, (n - 1) / size)
        weight[columns] = (n - 1) / (size - 1)
        weight[columns, torch.arange(size, device=device)] = 0.0
        return block, {"neg_weight": weight}


def _mass(p: Tensor, edge_index: Tensor | RowEdges, loss: LossConfig) -> float:
    """Sum of the similarities; `kl` has normalised them, so that each of its distributions counts as 1."""
    if loss.name != "kl":
        total = p.sum(dtype=torch.float64)
        # Rows of P that several workers share: each has others.
        return float(total_of(total) if isinstance(edge_index, RowEdges) else total)
    if loss.per == "global":
        return 1.0
    assert isinstance(edge_index, Tensor)
    return float((edge_index[0].diff() != 0).sum()) + 1


def _with_loops(edge_index: Tensor, p: Tensor, weight: float, num_nodes: int) -> tuple[Tensor, Tensor]:
    loop = torch.arange(num_nodes, device=edge_index.device)
    edges = torch.cat([edge_index, loop.expand(2, -1)], dim=1)
    order = (edges[0] * num_nodes + edges[1]).argsort()
    return edges[:, order], torch.cat([p, p.new_full((num_nodes,), weight)])[order]
