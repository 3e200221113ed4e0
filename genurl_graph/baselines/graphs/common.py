"""What the baselines of whole graphs share: features, batches of graphs, the encoder of two of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.nn.graphs.adjacency import Adjacency, neighbor_sum, undirected
from genurl_graph.nn.graphs.pooling import pooled
from genurl_graph.nn.layers import BatchNorm, dropout, evaluating
from genurl_graph.runtime.devices import choose_device
from genurl_graph.runtime.random import randperm

# Larger degrees share a column, as in GraphMAE's code.
MOST_DEGREES = 400

# Nodes that an encoder reads at a time outside the training.
EMBEDDED_NODES = 1 << 15


def prepare(name: str, collection: GraphCollection, features: str, device: str | torch.device) -> GraphCollection:
    """The graphs as the sources read them: without directions, weights and attributes of edges, with node features.

    Parameters
    ----------
    name : str
        Of the baseline, for messages.
    collection : GraphCollection
    features : "ones" or "degrees"
        What nodes show where the graphs have no features: a constant, or their degree as a one-hot row.
    device : str or torch.device

    Raises
    ------
    InputError
        Fewer than two graphs that have nodes, or an unknown kind of features.
    """
    if features not in ("ones", "degrees"):
        raise unknown(f"{name}: features", features, ("ones", "degrees"))
    full = int((collection.sizes() > 0).sum())
    if full < 2:
        raise wrong(name, f"{full} graphs that have nodes", "at least 2")
    # The edges of the sources are bare.
    collection = undirected(collection._replace(edge_attr=None, edge_weight=None))
    x = collection.x
    if x is None and features == "ones":
        x = torch.ones(collection.num_nodes, 1)
    elif x is None:
        degree = collection.degrees().clamp_max(MOST_DEGREES)
        x = nn.functional.one_hot(degree).float()
    there = choose_device(device)
    return GraphCollection(
        x.to(there),
        collection.edge_index.to(there),
        None,
        None,
        collection.node_ptr.to(there),
        collection.edge_ptr.to(there),
    )


class GraphBatches(nn.Module):
    """An encoder and batches of graphs; subclasses add ``forward(progress) -> LossTerms`` and ``encode``.

    Parameters
    ----------
    collection : GraphCollection
        As `prepare` gives it.
    batch : int
        Graphs of a step, at most. An epoch is every graph that has nodes, once, in batches of nearly equal size.

    Attributes
    ----------
    steps : int
        Batches of an epoch.
    """

    def __init__(self, collection: GraphCollection, batch: int) -> None:
        super().__init__()
        self.collection = collection
        self.drawn = (collection.sizes() > 0).nonzero().squeeze(1)
        self.steps = math.ceil(len(self.drawn) / max(2, batch))
        self.left: list[Tensor] = []

    def draw(self) -> GraphCollection:
        """The next batch of the epoch; with the first one of an epoch, their order is drawn."""
        if not self.left:
            order = self.drawn[randperm(len(self.drawn), self.drawn.device)]
            self.left = list(order.tensor_split(self.steps))
        return self.collection.take(self.left.pop())

    def encode(self, graphs: GraphCollection) -> Tensor:
        """Embedding [B, d] of some graphs."""
        raise NotImplementedError

    def embed(self) -> Tensor:
        """Embedding [G, d] of all graphs, in evaluation mode."""
        with evaluating(self):
            return torch.cat(
                [self.encode(self.collection.take(run)) for run in self.collection.batches(EMBEDDED_NODES)]
            )


class Layer(nn.Module):
    """A layer of GIN, ``map(own h_i + sum of the neighbours' h_j)`` (arXiv 1810.00826, eq. 4.1).

    The sources differ in where they normalise and activate, so that `map` is all that follows the sum.

    Parameters
    ----------
    map : sequence of nn.Module
        From the columns of the input to those of the output, row by row.
    own : float
        Weight of a node beside its neighbours.
    share : float
        Of the entries of the input that are dropped in training.
    """

    def __init__(self, map: Sequence[nn.Module], own: float = 1.0, share: float = 0.0) -> None:
        super().__init__()
        self.map, self.own, self.share = nn.Sequential(*map), own, share

    def forward(self, h: Tensor, graph: Adjacency) -> Tensor:
        """Rows of the input [N, before] to rows of the output [N, after]."""
        h = dropout(h, self.share, self.training)
        out: Tensor = self.map(self.own * h + neighbor_sum(h, graph))
        return out


class SumPooledGIN(nn.Module):
    """The encoder of InfoGraph and GraphCL: all layers of a GIN, summed over each graph.

    As in the authors' code, a layer is two linear maps with ReLU between and behind them, then batch normalisation.

    Parameters
    ----------
    in_dim, hidden, layers : int
    """

    def __init__(self, in_dim: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            Layer([nn.Linear(before, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), BatchNorm(hidden)])
            for before in [in_dim] + [hidden] * (layers - 1)
        )

    def forward(self, graphs: GraphCollection) -> tuple[Tensor, Tensor]:
        """Rows of the nodes [N, layers x hidden], and their sums over each graph [G, layers x hidden]."""
        h, graph, found = graphs.x, Adjacency.of(graphs), []
        for layer in self.layers:
            h = layer(h, graph)
            found.append(h)
        nodes = torch.cat(found, 1)
        return nodes, pooled(nodes, graphs.node_ptr)


class SumPooledBatches(GraphBatches):
    """Batches for a `SumPooledGIN` of ``hidden`` columns and ``layers`` layers, whose sums are the embedding."""

    def __init__(self, collection: GraphCollection, settings: Mapping[str, Any]) -> None:
        super().__init__(collection, settings["batch"])
        assert collection.x is not None
        self.width = settings["layers"] * settings["hidden"]
        self.encoder = SumPooledGIN(collection.x.size(1), settings["hidden"], settings["layers"])

    def encode(self, graphs: GraphCollection) -> Tensor:
        """Embedding [B, width] of some graphs."""
        whole: Tensor = self.encoder(graphs)[1]
        return whole


def draw_uniformly(module: nn.Module) -> None:
    """Xavier's uniform weights and no bias for a linear map, as the authors of InfoGraph and GraphCL begin."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
