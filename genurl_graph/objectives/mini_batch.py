"""Losses on mini-batches of nodes: what trains an encoder on more samples than it can read at every step."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor

from genurl_graph.exceptions import InputError, wrong
from genurl_graph.graph.neighbor_sampler import Neighborhoods, read_fanout
from genurl_graph.losses.barlow import barlow_terms
from genurl_graph.losses.exaggeration import exaggeration_at
from genurl_graph.losses.pairwise import gkl_of_sums, log1m
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.gnn import GNN, NORMALIZATION
from genurl_graph.nn.layers import projector
from genurl_graph.nn.mlp import RowEncoder
from genurl_graph.objectives.all_pairs import number, why_not
from genurl_graph.objectives.base import added_up, divided, log_q
from genurl_graph.objectives.fft_repulsion import Mesh
from genurl_graph.objectives.full_batch import PairwiseObjective
from genurl_graph.objectives.pair_distances import block_distances, normalize
from genurl_graph.objectives.pair_sampling import NeighborDraws, RowEdges
from genurl_graph.runtime.precision import network
from genurl_graph.runtime.processes import all_rows, one_process, own_share, rank, total_of, world_size


class MiniBatchObjective(PairwiseObjective):
    r"""GKL, cross-entropy or Barlow Twins' loss of batches: B nodes i, without replacement, and a neighbour j of each.

    A neighbour is drawn with probability ``p_ij / m_i``, ``m_i = sum_j p_ij``
    (`genurl_graph.objectives.pair_sampling`), and stands for ``m_i n / B``; the pairs of the B nodes among themselves
    stand for all pairs. Both sums of GKL (`genurl_graph.losses.pairwise.gkl`) are then estimated without bias. Log Q,
    where the loss chooses the scale, has a bias of O(1 / B). With ``self_weight`` the drawn ends are seen in another
    view than the nodes of the batch, and a node may be drawn itself. In one or two dimensions the pairs of a batch are
    counted by particle mesh. Barlow Twins' loss correlates the two ends of the drawn pairs, through a projector that is
    trained along and dropped afterwards: TLDR (arXiv 2110.09455).

    Parameters are those of `PairwiseObjective`; `sampling` is ``negatives="batch"``.

    Attributes
    ----------
    steps : int
        Batches of an epoch: as many as the nodes fill, but at least `LEAST_STEPS`.

    Raises
    ------
    InputError
        As there, and for another loss than gkl and barlow, no features, edges to be dropped, or a batch of fewer than
        two nodes.
    """

    negatives = ("batch",)
    losses = ("gkl", "bce", "barlow")
    loops = False
    # Encoders that can embed the nodes of a batch, and how a message calls them.
    encoders: type = RowEncoder
    expected = "batches need an encoder that reads each row alone (sign, mlp, linear or cnn)"

    def _keep(self, edge_index: Tensor | RowEdges, p: Tensor) -> None:
        edges = edge_index if isinstance(edge_index, RowEdges) else RowEdges.of(edge_index, self.num_nodes)
        self.neighbors = NeighborDraws(edges, p, self.views.self_weight)

    def _prepare(self) -> None:
        loss, sampling, views = self.loss, self.sampling, self.views
        if self.features is None or not isinstance(self.encoder, self.encoders):
            raise InputError(f"sampling.negatives: {self.expected}")
        if views.drop_edges > 0:
            raise wrong("views.drop_edges", views.drop_edges, "0 with sampling.negatives batch")
        if loss.name == "bce" and loss.scale not in ("auto", 1.0):
            raise wrong("loss.scale", repr(loss.scale), "auto or 1 for the loss bce")
        self._divide(sampling.batch_size)
        self.mass += views.self_weight * self.num_nodes
        self.mesh = Mesh(loss.temperature, loss.nu) if why_not(loss, views) is None else None
        encoder = cast(RowEncoder | GNN, self.encoder)
        # TLDR's shape: hidden layer and output of one width.
        barlow = loss.name == "barlow" and loss.projector
        self.projector = projector(encoder.width, loss.projector, loss.projector) if barlow else None

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch, drawn anew; `progress` is the share of the epochs that is over."""
        self.factor = exaggeration_at(self.loss, progress)
        nodes, ends, p = self._pairs()
        if self.views.self_weight > 0:
            a, b = self._embedded(nodes), self._embedded(ends)
        else:
            a, b = self._embedded(torch.cat([nodes, ends])).chunk(2)
        if self.loss.name == "barlow":
            a, b = all_rows(a), all_rows(b)
            if self.projector is not None:
                a, b = network(self.projector, torch.cat([a, b])).chunk(2)
            return added_up(divided(barlow_terms(a, b, self.loss.offdiagonal), world_size()))
        metric = self.loss.metric
        return added_up(self.divergences(normalize(a, metric), normalize(b, metric), nodes, p))

    def _pairs(self) -> tuple[Tensor, Tensor, Tensor]:
        """This process's nodes of a batch, a neighbour of each, and the similarity of each pair; nodes without
        neighbours in P only repel."""
        batch = self._batch()
        # All draw the batch, each embeds its share of it.
        nodes, ends, p = (own_share(part) for part in (batch, *self.neighbors.draw(batch)))
        return nodes, ends, p

    def _embedded(self, nodes: Tensor) -> Tensor:
        """Embedding [m, d] of some nodes in a view drawn anew."""
        assert self.features is not None
        keep = self.features.mask(self.views.drop_features, nodes.device)
        return network(self.encoder, self.features.rows(nodes), None, keep)

    def divergences(self, a: Tensor, b: Tensor, nodes: Tensor, p: Tensor) -> LossTerms:
        """GKL as estimated from a batch: `a` [B, d] embeds `nodes`, `b` [B, d] neighbours of similarity `p` [B].

        With several processes: the share of it that these of its rows have.
        """
        n, size, loss = self.num_nodes, self.size, self.loss
        share = n / size
        distance = (a - b).square().sum(1)
        log_q_pos = log_q(distance / 2 if loss.metric == "cosine" else distance, loss)
        mass = ((self.neighbors.node_mass[nodes] + self.views.self_weight) * share).to(a.dtype)
        divergence = (mass * (p.log() - log_q_pos)).sum()
        # Each pair of the batch stands for this many.
        weight = math.log(share * (n - 1) / (size - 1))
        everyone = all_rows(a)
        if self.mesh is not None and a.size(1) <= 2:
            log_total = self.mesh.log_total(everyone).view(1) + weight
        else:
            block = log_q(block_distances(a, everyone, loss.metric), loss)
            own = torch.arange(len(a), device=a.device)
            block = block.index_put((own, own + rank() * len(a)), block.new_tensor(-math.inf))
            if loss.name == "bce":
                # As UMAP samples it: a pair of the batch repels, whether it is an edge or not.
                repulsion = -loss.gamma * math.exp(weight) * log1m(block).sum()
                return self.finished(LossTerms(divergence + repulsion, divergence, repulsion))
            log_total = block.logsumexp(1) + weight
            if loss.per == "global":
                log_total = all_rows(log_total).logsumexp(0, keepdim=True)
        if loss.per == "row":
            return self.finished(gkl_of_sums(divergence, mass, log_total, gamma=loss.gamma, scale=number(loss.scale)))
        # One sum for all rows: the attraction of these, and an equal share of what repels all.
        mass = all_rows(mass).sum().view(1)
        terms = gkl_of_sums(total_of(divergence), mass, log_total, gamma=loss.gamma, scale=number(loss.scale))
        return divided(self.finished(terms), world_size())


class NeighborBatchObjective(MiniBatchObjective):
    """The losses of `MiniBatchObjective` for encoders that propagate over the graph: gcn, sage, gat and gin.

    The nodes of a batch are embedded from sampled neighbourhoods (`genurl_graph.graph.neighbor_sampler`), drawn anew
    at every step. With ``self_weight`` the two ends of a pair are seen in two views, each with neighbourhoods of its
    own: what dropped edges do for steps over all nodes. After the training `embed` reads all neighbours of every node.

    Parameters are those of `PairwiseObjective`; `sampling` is ``negatives="batch"``.

    Raises
    ------
    InputError
        As `MiniBatchObjective`, and without a graph, for an unreadable ``fanout``, or in several processes.
    """

    encoders = GNN
    expected = "batches of neighbourhoods need a GNN (gcn, sage, gat or gin)"

    def _prepare(self) -> None:
        one_process("GNNs in mini-batches")
        super()._prepare()
        encoder = cast(GNN, self.encoder)
        if self.propagation is None:
            raise InputError(f"encoder {encoder.conv!r} needs a graph; the input has no edges")
        fanout = read_fanout(self.sampling.fanout, len(encoder.convs))
        self.neighborhoods = Neighborhoods(self.propagation, NORMALIZATION[encoder.conv], fanout)

    def _embedded(self, nodes: Tensor) -> Tensor:
        assert self.features is not None
        seeds, place = torch.unique(nodes, return_inverse=True)
        read, layers = self.neighborhoods.draw(seeds)
        keep = self.features.mask(self.views.drop_features, nodes.device)
        return network(self.encoder, self.features.rows(read), layers, keep)[place]
