"""Self-supervised graphs: two views of each graph of a batch, and the neighbours of each graph among the others.

Every graph of a collection is a node of a graph of graphs. Of a batch of B graphs it has 2 B nodes, their views: views
of one graph are joined by a predefined edge of weight ``views.self_weight``, views of neighbouring graphs by kNN edges
of weight ``merge.feature_weight`` times their calibrated similarity. Neighbours are graphs whose descriptors are near
(`genurl_graph.graph.descriptors`).
"""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import Tensor, nn

from genurl_graph.config import Config
from genurl_graph.exceptions import wrong
from genurl_graph.graph.merge import MergedGraph
from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.inputs.sparse import run_entries
from genurl_graph.losses.pairwise import get_loss
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.graphs import GraphEncoder, embed_collection, measure_norms
from genurl_graph.nn.graphs.encoder import moved
from genurl_graph.nn.layers import projector
from genurl_graph.objectives.base import Objective
from genurl_graph.objectives.batch_graph import (
    batch_similarities,
    block_terms,
    check_batch_neighbors,
    of_both_views,
    same_sample,
)
from genurl_graph.objectives.graphs.views import node_ranks, random_views, read_kinds
from genurl_graph.objectives.pair_sampling import NeighborDraws, RowEdges
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.precision import network
from genurl_graph.runtime.processes import one_process
from genurl_graph.runtime.random import randperm

# Columns of what the projector makes, where pairs are compared.
PROJECTED = 128
# Numbers of a layer's output for a batch, both views together: some 300 MB with all that the backward pass keeps.
MOST_CELLS = 1 << 22


class GraphsObjective(Objective):
    """Loss of a batch of graphs, of which an encoder and a projector see two views each.

    Parameters
    ----------
    encoder : GraphEncoder
    collection : GraphCollection
    descriptors : Tensor, float32, shape [G, D]
        By which neighbours are found in a batch.
    merged : MergedGraph
        kNN edges among all graphs: what ``similarity.among = "samples"`` reads.
    config : Config
        Resolved.

    Attributes
    ----------
    steps : int
        Batches of an epoch: as many as the graphs fill.

    Raises
    ------
    InputError
        Fewer than two graphs with nodes, no edge source, or an option out of range.
    """

    def __init__(
        self,
        encoder: GraphEncoder,
        collection: GraphCollection,
        descriptors: Tensor,
        merged: MergedGraph,
        config: Config,
    ) -> None:
        one_process("the task graphs")
        super().__init__(encoder, None, None, collection.num_graphs)
        self.config, self.loss = config, config.loss
        self.weight, self.self_weight = config.merge.feature_weight, config.views.self_weight
        if self.weight == 0 and self.self_weight == 0:
            raise wrong("merge.feature_weight and views.self_weight", "0 for both", "edges of at least one source")
        get_loss(self.loss.name)
        # A graph without nodes has no views.
        drawn = (collection.sizes() > 0).nonzero().squeeze(1)
        if len(drawn) < 2:
            raise wrong("data", f"{len(drawn)} graphs with nodes", "at least 2")
        self._divide(config.sampling.batch_size)
        self.size = min(self.size, len(drawn))
        # No more for few graphs: they are learned by heart.
        self.steps = math.ceil(len(drawn) / self.size)
        if self.weight > 0:
            check_batch_neighbors(config.neighbors, self.size)
        self.collection, self.drawn = collection, constant(drawn)
        self.sizes, self.near = constant(collection.sizes()), constant(descriptors)
        self.most_nodes = MOST_CELLS // (2 * config.encoder.hidden)
        # Where it is: a batch of it goes to the device of the run.
        self.prepared = encoder.prepared(collection)
        self.ranks = node_ranks(self.prepared) if "guided" in read_kinds(config.graphs.kinds) else None
        self.samples = config.similarity.among == "samples" and self.weight > 0
        if self.samples:
            self.neighbors = NeighborDraws(
                RowEdges.of(merged.edge_index, collection.num_graphs), merged.edge_weight, 0.0
            )
        width = self.loss.projector
        self.projector = projector(encoder.width, width, PROJECTED) if width else nn.Identity()

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch, drawn anew without replacement; `progress` is the share of the epochs that is over."""
        graphs = self._batch()
        seen = torch.cat([graphs] * self.views).to(self.prepared.node_ptr.device)
        batch = moved(self.prepared.take(seen), self.device)
        score = None if self.ranks is None else self.ranks[nodes_of(self.prepared, seen)].to(self.device)
        batch = random_views(batch, self.config.graphs, score, progress)
        z = network(self.projector, network(self.encoder, batch))
        return block_terms(z, *self.graph(graphs), self.loss)

    def embed(self) -> Tensor:
        """Embedding [G, d] of all graphs, without views or dropout."""
        assert isinstance(self.encoder, GraphEncoder)
        # Running means are of views.
        measure_norms(self.encoder, self.collection)
        return embed_collection(self.encoder, self.collection)

    @property
    def views(self) -> int:
        """Views of a graph in a step: one where nothing joins two of them."""
        return 2 if self.self_weight > 0 else 1

    def _batch(self) -> Tensor:
        """Numbers of the graphs of a batch, int64 [B]: as many as there may be, but no more nodes than memory has."""
        order = self.drawn[randperm(len(self.drawn), self.device)[: self.size]]
        if self.samples:
            first = order[: max(self.size // 2, 1)]
            ends, _ = self.neighbors.draw(first)
            # Neighbours of one another come once; what chance has left free goes to further graphs.
            order = distinct(torch.cat([torch.stack([first, ends], 1).reshape(-1), order]))
            order = order[self.sizes[order] > 0][: self.size]
        nodes = self.sizes[order].cumsum(0)
        count = int(torch.searchsorted(nodes, self.most_nodes, right=True))
        return order[: max(count, 2)]

    @torch.no_grad()
    def graph(self, graphs: Tensor) -> tuple[Tensor, Tensor]:
        """P of the views of a batch.

        Parameters
        ----------
        graphs : Tensor, int64, shape [B]

        Returns
        -------
        edge_index : Tensor, int64, shape [2, E]
            Among 2 B nodes, the first views of all graphs before the second; among B nodes with ``self_weight = 0``.
        p : Tensor, float32, shape [E]
        """
        size = len(graphs)
        parts = []
        if self.self_weight > 0:
            same = same_sample(size, graphs.device)
            parts.append((same, self.near.new_full((2 * size,), self.self_weight)))
        if self.weight > 0:
            edges, p = self.among(graphs)
            p = p * self.weight
            parts.append(of_both_views(edges, p, size) if self.views == 2 else (edges, p))
        return torch.cat([edges for edges, _ in parts], 1), torch.cat([p for _, p in parts])

    def among(self, graphs: Tensor) -> tuple[Tensor, Tensor]:
        """kNN edges [2, E] among the graphs of a batch, and their p [E]: found in it, or those of all samples."""
        if self.samples:
            found = self.neighbors
            count = found.crow[graphs + 1] - found.crow[graphs]
            entry = run_entries(found.crow[graphs], count)
            place = torch.full((self.num_nodes,), -1, device=graphs.device)
            place[graphs] = torch.arange(len(graphs), device=graphs.device)
            row, col = place[graphs].repeat_interleave(count), place[found.col[entry]]
            return torch.stack([row, col])[:, col >= 0], found.p[entry][col >= 0]
        near = self.config.neighbors
        near = dataclasses.replace(near, n_neighbors=min(near.n_neighbors, len(graphs) - 1))
        return batch_similarities(self.near[graphs], near, self.config.similarity)


def distinct(numbers: Tensor) -> Tensor:
    """`numbers`, int64 [m], each where it stands first."""
    values, order = numbers.sort(stable=True)
    first = torch.ones_like(values, dtype=torch.bool)
    first[1:] = values[1:] != values[:-1]
    return numbers[order[first].sort().values]


def nodes_of(collection: GraphCollection, graphs: Tensor) -> Tensor:
    """Numbers of the nodes of some graphs, int64, one graph after the other."""
    return run_entries(collection.node_ptr[graphs], collection.sizes()[graphs])
