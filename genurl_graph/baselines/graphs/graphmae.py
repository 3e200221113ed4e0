"""GraphMAE of whole graphs: rebuild hidden node features of a batch of graphs, pool the encoder's rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from genurl_graph.baselines.common import fit
from genurl_graph.baselines.graphmae import scaled_cosine_error
from genurl_graph.baselines.graphs.common import GraphBatches, Layer, prepare
from genurl_graph.exceptions import unknown
from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.graphs.adjacency import Adjacency
from genurl_graph.nn.graphs.pooling import Pooling, pooled
from genurl_graph.nn.layers import BatchNorm, PReLU
from genurl_graph.runtime.random import randint, randperm, seeded_globally

# What the embedding of a graph is of the rows of its nodes.
READOUTS: tuple[Pooling, ...] = ("sum", "mean", "max")

# A node counts twice beside its neighbours: the authors' code adds self-loops to GIN's own term.
OWN = 2.0


class MaskedGraphs(GraphBatches):
    """GraphMAE (arXiv 2205.10803) on a GIN, its error over the hidden nodes of all graphs of a batch.

    Parameters
    ----------
    collection : GraphCollection
    settings : dict
        ``hidden`` columns of each of ``layers`` layers; ``mask``, share of nodes that are hidden, of which a share
        ``replace`` shows the features of another node and the others the [MASK] token; ``gamma`` of the error;
        ``drop_features``, dropout of what each layer reads; ``readout`` over the nodes of a graph: "sum", "mean" or
        "max"; ``batch`` graphs of a step.

    Notes
    -----
    The [DMASK] token is learnt.
    """

    def __init__(self, collection: GraphCollection, settings: dict[str, Any]) -> None:
        super().__init__(collection, settings["batch"])
        assert collection.x is not None
        hidden, layers, features = settings["hidden"], settings["layers"], collection.x.size(1)
        self.mask, self.replace, self.gamma = settings["mask"], settings["replace"], settings["gamma"]
        self.readout, drop = settings["readout"], settings["drop_features"]
        widths = [features] + [hidden] * (layers - 1)
        maps = ([*_maps(width, hidden, hidden), BatchNorm(hidden), PReLU()] for width in widths)
        self.encoder = nn.ModuleList(Layer(each, OWN, drop) for each in maps)
        self.bridge = nn.Linear(hidden, hidden, bias=False)
        self.decoder = Layer(_maps(hidden, hidden, features), OWN, drop)
        self.token, self.decoder_token = nn.Parameter(torch.zeros(features)), nn.Parameter(torch.zeros(hidden))

    def rows(self, x: Tensor, graph: Adjacency) -> Tensor:
        """The encoder's rows of all nodes, [N, hidden]."""
        for layer in self.encoder:
            x = layer(x, graph)
        return x

    def encode(self, graphs: GraphCollection) -> Tensor:
        assert graphs.x is not None
        return pooled(self.rows(graphs.x, Adjacency.of(graphs)), graphs.node_ptr, self.readout)

    def forward(self, progress: float = 0.0) -> LossTerms:
        """Loss of one batch."""
        graphs = self.draw()
        x, graph = graphs.x, Adjacency.of(graphs)
        assert x is not None
        n = len(x)
        hidden = randperm(n, x.device)[: max(1, round(self.mask * n))]
        swapped = hidden[: round(self.replace * len(hidden))]
        shown = x.index_copy(0, swapped, x[randint(n, (len(swapped),), x.device)])
        tokens = hidden[len(swapped) :]
        shown = shown.index_copy(0, tokens, self.token.expand(len(tokens), -1))
        h = self.bridge(self.rows(shown, graph))
        h = h.index_copy(0, hidden, self.decoder_token.expand(len(hidden), -1))
        loss = scaled_cosine_error(x[hidden], self.decoder(h, graph)[hidden], self.gamma)
        return LossTerms(loss, loss, loss * 0)


def _maps(before: int, hidden: int, after: int) -> list[nn.Module]:
    return [nn.Linear(before, hidden), BatchNorm(hidden), PReLU(), nn.Linear(hidden, after)]


def embed(
    name: str, collection: GraphCollection, seed: int, device: str | torch.device, settings: dict[str, Any]
) -> Tensor:
    """Embedding [G, hidden] by GraphMAE's encoder; see `genurl_graph.baselines.graphs.get_graph_baseline`."""
    if settings["readout"] not in READOUTS:
        raise unknown("graphmae.readout", settings["readout"], READOUTS)
    given = prepare(name, collection, settings["features"], device)
    with seeded_globally(seed):
        return fit(MaskedGraphs(given, settings), settings, device)
