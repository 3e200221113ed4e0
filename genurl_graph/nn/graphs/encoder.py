"""The encoder of a collection of graphs: one row a graph, by a network and by descriptors beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from genurl_graph.config import Config
from genurl_graph.exceptions import wrong
from genurl_graph.graph.descriptors import GraphDescriptors
from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.nn.graphs.adjacency import undirected
from genurl_graph.nn.graphs.gin import GIN, TRAINED
from genurl_graph.nn.graphs.node_input import Columns, NodeInput
from genurl_graph.nn.graphs.operations import Exact, Operations
from genurl_graph.nn.layers import evaluating, normalisation
from genurl_graph.runtime.random import global_draws

# Nodes that are embedded at a time: some 100 MB.
EMBEDDED_NODES = 1 << 15
# A buffer's name has no dot.
_DOT = "__"


class Widths(NamedTuple):
    """Sizes of what a `GraphEncoder` keeps: columns of nodes, bins of degrees, columns of edges."""

    features: int
    bins: int
    edges: int


class KeptDescriptors(nn.Module):
    """Fitted descriptors of graphs as buffers, so that they are saved with the weights.

    Parameters
    ----------
    tensors : mapping
        As of `GraphDescriptors.tensors`.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        for name, tensor in tensors.items():
            self.register_buffer(name.replace(".", _DOT), tensor.clone())

    def fitted(self) -> GraphDescriptors:
        """The descriptors, on the CPU."""
        return GraphDescriptors.restored({name.replace(_DOT, "."): part.cpu() for name, part in self.named_buffers()})


class GraphEncoder(nn.Module):
    """Encoder of graphs: `forward` embeds a batch in training, `embed_collection` all that come later.

    Parameters
    ----------
    config : Config
        Resolved; ``encoder.dim`` is the number of columns of the embedding.
    widths : Widths
    descriptors : mapping, optional
        Tensors of the `GraphDescriptors` whose rows stand beside the trained columns, with deviation
        ``encoder.skip_deviation``.
    """

    def __init__(self, config: Config, widths: Widths, descriptors: Mapping[str, Tensor] | None = None) -> None:
        super().__init__()
        c = config.encoder
        if c.name != "gin":
            raise wrong("encoder", repr(c.name), "gin for a collection of graphs")
        self.input = NodeInput(widths.features, widths.bins)
        self.edges = Columns(widths.edges)
        self.network = GIN(self.input.width, widths.edges, c.hidden, c.layers, c.pooling, c.norm, c.dropout)
        self.descriptors = KeptDescriptors(descriptors) if descriptors else None
        self.deviation = c.skip_deviation
        beside = 0 if self.descriptors is None else described_columns(self.descriptors.fitted())
        self.width = c.dim - beside
        # Pooled layers are the embedding, unless fewer columns are wanted.
        self.last = nn.Identity() if self.width == self.network.width else nn.Linear(self.network.width, self.width)
        self.norm = normalisation(c.norm, self.width, output=True)

    def prepared(self, collection: GraphCollection) -> GraphCollection:
        """The collection as `forward` reads it: columns of nodes and edges as fitted, edges both ways."""
        attributes = collection.edge_attr if self.edges.mean.numel() else None
        ready = collection._replace(
            x=self.input.rows(collection), edge_attr=None if attributes is None else self.edges(attributes)
        )
        return undirected(ready)

    def forward(self, batch: GraphCollection, do: Operations = TRAINED) -> Tensor:
        """Trained columns of the graphs of a `prepared` batch, [G, width]."""
        z = self.network(batch, do)
        if isinstance(self.last, nn.Linear):
            z = do.linear(self.last, z)
        return do.norm(self.norm, z)


def described_columns(descriptors: GraphDescriptors) -> int:
    """Number of columns of `GraphDescriptors.rows`."""
    return sum(part.stop - part.start for part in descriptors.blocks.values())


@global_draws()
def make_graph_encoder(
    config: Config, collection: GraphCollection, descriptors: GraphDescriptors | None = None
) -> GraphEncoder:
    """An untrained encoder, with all that it keeps of a collection; `descriptors` stand beside its columns.

    Weights are drawn from the run's generator (`genurl_graph.runtime.random.seeded`).
    """
    given = NodeInput.of(collection)
    edges = 0 if collection.edge_attr is None else collection.edge_attr.size(1)
    widths = Widths(given.columns.mean.numel(), 0 if given.columns.mean.numel() else given.width, edges)
    encoder = GraphEncoder(config, widths, None if descriptors is None else descriptors.tensors())
    encoder.input = given
    if collection.edge_attr is not None:
        encoder.edges.fit(collection.edge_attr)
    return encoder


def encoder_of(config: Config, state: Mapping[str, Tensor]) -> GraphEncoder:
    """An encoder of the sizes that a saved `state` has; ``load_state_dict(state)`` fills it."""
    features, edges = state["input.columns.mean"].numel(), state["edges.mean"].numel()
    bins = 0 if features else state["input.bounds"].numel() + 1
    begin = "descriptors."
    kept = {k.removeprefix(begin).replace(_DOT, "."): part for k, part in state.items() if k.startswith(begin)}
    return GraphEncoder(config, Widths(features, bins, edges), kept or None)


def embed_collection(encoder: GraphEncoder, collection: GraphCollection, max_nodes: int = EMBEDDED_NODES) -> Tensor:
    """Embedding of every graph of a collection, the fitted one or another.

    The row of a graph has the same bits whatever graphs come with it, in whatever order, and whatever `max_nodes` is
    (`genurl_graph.nn.graphs.operations`).

    Parameters
    ----------
    encoder : GraphEncoder
    collection : GraphCollection
        With the columns that the encoder was fitted on.
    max_nodes : int
        Nodes that are embedded at a time; a larger graph stands alone.

    Returns
    -------
    Tensor, float32, shape [G, encoder.dim], on the CPU
    """
    parts, do = [], Exact()
    found = None if encoder.descriptors is None else encoder.descriptors.fitted()
    with evaluating(encoder):
        for part in collection.batches(max_nodes):
            graphs = collection.take(part)
            z = encoder(encoder.prepared(graphs), do).float()
            if found is not None:
                z = torch.cat([z, found.rows(graphs) * (encoder.deviation * _column_scale(found))], 1)
            parts.append(z)
    return torch.cat(parts) if parts else torch.zeros(0, encoder.width)


def _column_scale(descriptors: GraphDescriptors) -> Tensor:
    """Factors [D] that give columns of descriptors deviation 1: a block of k columns has a mean squared length of 1."""
    widths = torch.tensor([part.stop - part.start for part in descriptors.blocks.values()])
    return widths.sqrt().repeat_interleave(widths)
