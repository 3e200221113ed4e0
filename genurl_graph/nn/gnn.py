"""Graph neural networks: GCN, GraphSAGE, GAT and GIN; GINE and GATv2, which read attributes of edges."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from genurl_graph.config.parameters import EncoderConfig
from genurl_graph.exceptions import InputError, unknown
from genurl_graph.graph.neighbor_sampler import Layer
from genurl_graph.graph.propagation import DescribedEdges, Norm, Propagation
from genurl_graph.inputs.sparse import constant_product
from genurl_graph.nn.features import Features, InputLayer
from genurl_graph.nn.layers import PReLU, dropout, normalisation
from genurl_graph.nn.skip import Skip
from genurl_graph.nn.table import PositionTable

# The adjacency that each convolution expects: GCN D^-1/2 (A + I) D^-1/2, GraphSAGE's mean D^-1 A, GIN's sum A;
# GAT computes its own weights on the bare edges; GINE and GATv2 read columns of the edges.
NORMALIZATION: dict[str, Norm] = {"gcn": "sym", "sage": "row", "gat": "edges", "gin": "none"}
# Those that mini-batches of sampled neighbours serve as well.
SAMPLED = tuple(NORMALIZATION)
NORMALIZATION |= {"gine": "attributes", "gatv2": "attributes"}
GNNS = tuple(NORMALIZATION)
# Those that read columns of edges.
DESCRIBED = ("gine", "gatv2")


class GNN(nn.Module):
    """Graph neural network of PyG convolutions, linear in its last layer.

    Parameters
    ----------
    config : EncoderConfig
        ``name``: "gcn", "sage", "gat" or "gin", of Kipf & Welling (arXiv 1609.02907), Hamilton et al. (1706.02216),
        Velickovic et al. (1710.10903), Xu et al. (1810.00826); "gine" and "gatv2", of Hu et al. (1905.12265) and Brody
        et al. (2105.14491), which read columns of the edges: messages of all edges are in memory at once. ``dim``
        columns of the embedding, ``layers`` convolutions, ``hidden`` columns between them, of which a share ``dropout``
        is dropped in training. ``norm``: a cosine of standardised columns gives every column an equal say; without it
        a few directions dominate.
    in_dim : int
        Number of input columns.
    edge_columns : int
        Columns of the edges, their weight included, that "gine" and "gatv2" read.
    """

    def __init__(self, config: EncoderConfig, in_dim: int, edge_columns: int = 1) -> None:
        super().__init__()
        # What else the embedding holds: components of the input, and positions of the fitted nodes.
        self.components: Skip | None = None
        self.structure: PositionTable | None = None
        conv, hidden, layers = config.name, config.hidden, config.layers
        if conv not in GNNS:
            raise unknown("encoder", conv, GNNS)
        self.conv = conv
        self.dropout, self.width = config.dropout, config.dim
        widths = [hidden] * (layers - 1) + [config.dim]
        # GCN and GAT begin with a linear map of their own: the input layer is that map. The two others
        # propagate before they map, which would need x dense, so they get a projection in front.
        fused = conv in ("gcn", "gat")
        self.input = InputLayer(in_dim, widths[0] if fused else hidden, bias=not fused)
        self.convs = nn.ModuleList()
        self.norms = nn.ModuleList()
        self.acts = nn.ModuleList()
        before = widths[0] if fused else hidden
        for i, width in enumerate(widths):
            self.convs.append(_convolution(conv, before, width, edge_columns, first=fused and i == 0))
            hidden_layer = i < layers - 1
            self.norms.append(normalisation(config.norm, width, output=not hidden_layer))
            self.acts.append(PReLU() if hidden_layer else nn.Identity())
            before = width

    def forward(self, features: Features, graph: Any, keep: Tensor | None = None, seen: Tensor | None = None) -> Tensor:
        """Embedding of all nodes, or of those that the last of several layers is computed for; [m, dim].

        `graph` is what `operator` returns (see `NORMALIZATION`), or a `Layer` for each convolution.
        `seen` [n, 1] is 0 for nodes whose features are hidden.
        """
        h: Tensor = self.input(features, keep)
        if seen is not None:
            h = h * seen
        graphs = graph if isinstance(graph, list) else [graph] * len(self.convs)
        for i, (conv, norm, act) in enumerate(zip(self.convs, self.norms, self.acts, strict=True)):
            h = act(norm(self._convolved(conv, h, graphs[i])))
            if i < len(self.convs) - 1:
                h = dropout(h, self.dropout, self.training)
        return h

    def _convolved(self, conv: nn.Module, h: Tensor, graph: Any) -> Tensor:
        if isinstance(graph, DescribedEdges):
            described: Tensor = conv(h, graph.edge_index, edge_attr=graph.columns)
            return described
        if not isinstance(graph, Layer):
            out: Tensor = conv(h, graph)
            return out
        # In GCN a node's own row is an entry of the matrix; the others ask for it.
        out = conv(h if self.conv == "gcn" else (h, h[: graph.num_targets]), graph.operator)
        return out

    def operator(self, propagation: Propagation | None, drop_edges: float = 0.0) -> Any:
        """What `forward` wants as `graph`, optionally with a share of the edges left out at random."""
        if propagation is None:
            raise InputError(f"encoder {self.conv!r} needs a graph; the input has no edges")
        return propagation.operator(NORMALIZATION[self.conv], drop_edges)


def _convolution(conv: str, in_dim: int, out_dim: int, edge_columns: int, first: bool) -> nn.Module:
    from torch_geometric.nn import GATConv, GATv2Conv, GCNConv, GINConv, GINEConv, SAGEConv

    module: nn.Module
    if conv == "gcn":
        module = GCNConv(in_dim, out_dim, normalize=False)
    elif conv == "gat":
        module = GATConv(in_dim, out_dim)
    elif conv == "gatv2":
        module = GATv2Conv(in_dim, out_dim, edge_dim=edge_columns)
    elif conv == "sage":
        # The rows of the given matrix are normalised already, so that its sum is the mean.
        module = SAGEConv(in_dim, out_dim, aggr="sum")
    else:
        inner = nn.Sequential(nn.Linear(in_dim, out_dim), PReLU(), nn.Linear(out_dim, out_dim))
        described = conv == "gine"
        module = GINEConv(inner, train_eps=True, edge_dim=edge_columns) if described else GINConv(inner, train_eps=True)
    if conv not in ("gat", *DESCRIBED):
        # PyG's own would let torch sort the edges anew at every backward pass of every layer.
        module.message_and_aggregate = _aggregate  # type: ignore[assignment]
    if first:
        module.lin = nn.Identity()
    return module


def _aggregate(adj_t: Any, x: Any) -> Tensor:
    """Sum over neighbours, with the transpose that `Propagation.operator` sends along."""
    return constant_product(adj_t, adj_t.transposed, x if isinstance(x, Tensor) else x[0])
