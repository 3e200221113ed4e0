"""GraphMAE of whole graphs: rebuild hidden node features of a batch of graphs, pool the encoder's rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from genurl_graph.baselines.common import fit
from genurl_graph.baselines.graphmae import scaled_cosine_error
from genurl_graph.baselines.graphs.common import GraphBatches, prepare
from genurl_graph.exceptions import unknown
from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.losses.terms import LossTerms
from genurl_graph.nn.graphs.adjacency import Adjacency, neighbor_sum
from genurl_graph.nn.graphs.pooling import pooled
from genurl_graph.nn.layers import BatchNorm, PReLU, dropout
from genurl_graph.runtime.random import randint, randperm, seeded_globally

# What the embedding of a graph is of the rows of its nodes.
READOUTS = ("sum", "mean", "max")


class Layer(nn.Module):
    """``map(2 h_i + sum of the neighbours' h_j)``, a layer of the authors' GIN, with dropout of what it reads.

    A node counts twice: their code adds self-loops to GIN's own term. Batch normalisation and an activation stand
    between the two linear maps, and with `last` behind them, too.

    Parameters
    ----------
    before, hidden, after : int
        Columns of the input, between the maps, and of the output.
    share : float
        Of the entries that are dropped in training.
    last : bool
    """

    def __init__(self, before: int, hidden: int, after: int, share: float, last: bool = True) -> None:
        super().__init__()
        self.share = share
        maps = [nn.Linear(before, hidden), BatchNorm(hidden), PReLU(), nn.Linear(hidden, after)]
        self.map = nn.Sequential(*maps, *([BatchNorm(after), PReLU()] if last else []))

    def forward(self, h: Tensor, graph: Adjacency) -> Tensor:
        """Rows [N, before] to rows [N, after]."""
        h = dropout(h, self.share, self.training)
        out: Tensor = self.map(2 * h + neighbor_sum(h, graph))
        return out


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
        self.encoder = nn.ModuleList(Layer(features if k == 0 else hidden, hidden, hidden, drop) for k in range(layers))
        self.bridge = nn.Linear(hidden, hidden, bias=False)
        self.decoder = Layer(hidden, hidden, features, drop, last=False)
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


def embed(
    name: str, collection: GraphCollection, seed: int, device: str | torch.device, settings: dict[str, Any]
) -> Tensor:
    """Embedding [G, hidden] by GraphMAE's encoder; see `genurl_graph.baselines.graphs.get_graph_baseline`."""
    if settings["readout"] not in READOUTS:
        raise unknown("graphmae.readout", settings["readout"], READOUTS)
    given = prepare(name, collection, settings["features"], device)
    with seeded_globally(seed):
        return fit(MaskedGraphs(given, settings), settings, device)
