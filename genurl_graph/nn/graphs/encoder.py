"""The encoder of a collection of graphs: one row a graph, by a network and by descriptors beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

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
from genurl_graph.nn.layers import averaged_norms, evaluating, normalisation
from genurl_graph.runtime.random import global_draws

# Nodes that are embedded at a time: some 100 MB.
EMBEDDED_NODES = 1 << 15
# A buffer's name has no dot.
_DOT = "__"


class Widths(NamedTuple):
    """Sizes of what a `GraphEncoder` reads: columns of nodes, or of their degrees, and of edges."""

    features: int
    degrees: int
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
        self.input = NodeInput(widths.features, widths.degrees)
        self.edges = Columns(widths.edges)
        self.network = GIN(self.input.width, widths.edges, c.hidden, c.layers, c.pooling, c.norm, c.dropout)
        self.descriptors = KeptDescriptors(descriptors) if descriptors else None
        self.deviation = c.skip_deviation
        beside = 0 if self.descriptors is None else described_columns(self.descriptors.fitted())
        self.width = c.dim - beside
        # Pooled layers are the embedding, unless fewer columns are wanted.
        self.last = nn.Identity() if self.width == self.network.width else nn.Linear(self.network.width, self.width)
        self.norm = normalisation(c.norm, self.width, output=True)

    def completed(self, collection: GraphCollection) -> GraphCollection:
        """The collection with the columns that the fitted one had; InputError where it lacks them."""
        edges, features = self.edges.mean.numel(), self.input.columns.mean.numel()
        return collection._replace(
            x=as_fitted("node features", collection.x, features, collection.num_nodes),
            edge_attr=as_fitted("edge attributes", collection.edge_attr, edges, collection.num_edges),
        )

    def prepared(self, collection: GraphCollection) -> GraphCollection:
        """The collection as `forward` reads it: columns of nodes and edges as fitted, edges both ways."""
        graphs = self.completed(collection)
        edge_attr = None if graphs.edge_attr is None else self.edges(graphs.edge_attr)
        return undirected(graphs._replace(x=self.input.rows(graphs), edge_attr=edge_attr))

    def forward(self, batch: GraphCollection, do: Operations = TRAINED) -> Tensor:
        """Trained columns of the graphs of a `prepared` batch, [G, width]."""
        return do.norm(self.norm, self.mapped(self.network(batch, do), do))

    def mapped(self, z: Tensor, do: Operations = TRAINED) -> Tensor:
        """The pooled layers, or fewer columns made of them."""
        return do.linear(self.last, z) if isinstance(self.last, nn.Linear) else z


def as_fitted(what: str, found: Tensor | None, columns: int, rows: int) -> Tensor | None:
    """Columns of new graphs where the fitted ones had `columns`: None for 0; InputError for another number."""
    # Of no node, and of no edge, nothing says how many columns there are.
    if found is None and rows == 0 and columns:
        return torch.zeros(0, columns)
    count = 0 if found is None else found.size(1)
    if count != columns:
        raise wrong("graphs", f"{count} {what}", f"{columns}, as in the fit")
    return found


def without_edge_kinds(collection: GraphCollection) -> GraphCollection:
    """What descriptors read: labels that tell kinds of edges, too, are rare, and fewer graphs have them in common."""
    return collection._replace(edge_attr=None)


def described(descriptors: GraphDescriptors) -> slice:
    """Columns of `GraphDescriptors.rows` that make near graphs near: its first block that has any."""
    return next((part for part in descriptors.blocks.values() if part.stop > part.start), slice(0, 0))


def described_columns(descriptors: GraphDescriptors) -> int:
    """Number of columns that stand beside the trained ones."""
    part = described(descriptors)
    return int(part.stop - part.start)


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
    degrees = 0 if features else state["network.first.0.weight"].size(1)
    begin = "descriptors."
    kept = {k.removeprefix(begin).replace(_DOT, "."): part for k, part in state.items() if k.startswith(begin)}
    return GraphEncoder(config, Widths(features, degrees, edges), kept or None)


def moved(collection: GraphCollection, device: torch.device) -> GraphCollection:
    """The collection on a device."""
    parts: list[Any] = [None if part is None else part.to(device) for part in collection]
    return GraphCollection(*parts)


@torch.no_grad()
def measure_norms(encoder: GraphEncoder, collection: GraphCollection, max_nodes: int = EMBEDDED_NODES) -> None:
    """Give all normalisations the means and deviations of a collection as it is, without views.

    Those of nodes are averages over batches. Those of the output are of all graphs, whose columns then have deviation
    1.
    """
    prepared, device = encoder.prepared(collection), next(encoder.network.parameters()).device
    parts = collection.batches(max_nodes)
    with averaged_norms(encoder.network):
        for part in parts:
            batch = moved(prepared.take(part), device)
            if batch.num_nodes > 1:
                encoder.network(batch)
    if isinstance(encoder.norm, nn.BatchNorm1d):
        with evaluating(encoder):
            rows = [encoder.mapped(encoder.network(moved(prepared.take(part), device))) for part in parts]
        z = torch.cat(rows).double()
        assert encoder.norm.running_mean is not None
        assert encoder.norm.running_var is not None
        encoder.norm.running_mean.copy_(z.mean(0))
        # A column without variance stays 0.
        encoder.norm.running_var.copy_(z.var(0, correction=0))


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
            graphs = encoder.completed(collection.take(part))
            z = encoder(encoder.prepared(graphs), do).float()
            if found is not None:
                # A block of k columns has rows of mean squared length 1.
                scale = encoder.deviation * described_columns(found) ** 0.5
                z = torch.cat([z, found.rows(without_edge_kinds(graphs))[:, described(found)] * scale], 1)
            parts.append(z)
    return torch.cat(parts) if parts else torch.zeros(0, encoder.width)
