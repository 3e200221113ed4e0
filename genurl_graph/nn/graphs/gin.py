"""Graph isomorphism network with jumping knowledge: every layer of every graph is pooled into its row."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.nn.graphs.adjacency import Adjacency
from genurl_graph.nn.graphs.operations import Operations
from genurl_graph.nn.graphs.pooling import Pooling, pooled_columns
from genurl_graph.nn.layers import dropout, normalisation

TRAINED = Operations()


class GIN(nn.Module):
    """GIN (Xu et al., arXiv 1810.00826), or GINE (Hu et al., arXiv 1905.12265) where edges have attributes.

    A layer is ``h_i <- norm(relu(MLP(h_i + sum_j h_j)))`` with an MLP of two linear maps; with attributes the sum is
    one of ``relu(h_j + W e_ij)``. These are PyG's `GINConv` and `GINEConv` with eps = 0. The pooled outputs of all
    layers stand side by side (jumping knowledge, arXiv 1806.03536).

    Parameters
    ----------
    in_dim, edge_dim : int
        Columns of nodes and of edges; 0 for edges without attributes.
    hidden, layers : int
        Width and number of layers.
    pooling : "sum", "mean", "max" or "all"
    norm : str
        As ``encoder.norm``: "hidden" or "batch" normalises the nodes of each layer.
    share : float
        Of hidden units that a step leaves out.
    """

    def __init__(
        self,
        in_dim: int,
        edge_dim: int,
        hidden: int,
        layers: int,
        pooling: Pooling = "sum",
        norm: str = "hidden",
        share: float = 0.0,
    ) -> None:
        super().__init__()
        self.pooling, self.share, self.width = pooling, share, hidden * layers * pooled_columns(pooling)
        widths = [in_dim, *[hidden] * (layers - 1)]
        self.first = nn.ModuleList(nn.Linear(width, hidden) for width in widths)
        self.second = nn.ModuleList(nn.Linear(hidden, hidden) for _ in widths)
        self.inner = nn.ModuleList(normalisation(norm, hidden, output=False) for _ in widths)
        self.norms = nn.ModuleList(normalisation(norm, hidden, output=False) for _ in widths)
        self.edges = nn.ModuleList(nn.Linear(edge_dim, width) for width in widths if edge_dim)

    def layers(self, batch: GraphCollection, do: Operations = TRAINED) -> list[Tensor]:
        """Output of each layer for the nodes of a batch, [N, hidden] each.

        Every edge of `batch` stands both ways (`genurl_graph.nn.graphs.adjacency.undirected`).
        """
        assert batch.x is not None
        graph, h, out = Adjacency.of(batch), do.start(batch.x), []
        attributes = None if batch.edge_attr is None else do.start(batch.edge_attr)
        maps = zip(self.first, self.inner, self.second, self.norms, strict=True)
        for k, (first, inner, second, norm) in enumerate(maps):
            assert isinstance(first, nn.Linear)
            assert isinstance(second, nn.Linear)
            if len(self.edges):
                edge = self.edges[k]
                assert isinstance(edge, nn.Linear)
                assert attributes is not None
                h = do.linear(first, h + do.messages(h, do.linear(edge, attributes), graph))
            elif first.in_features > first.out_features:
                # The map is linear: fewer columns are summed after it.
                h = do.linear(first, h)
                h = h + do.neighbors(h if first.bias is None else h - first.bias.to(h), graph)
            else:
                h = do.linear(first, h + do.neighbors(h, graph))
            h = torch.relu(do.norm(norm, do.linear(second, torch.relu(do.norm(inner, h)))))
            h = dropout(h, self.share, self.training)
            out.append(h)
        return out

    def forward(self, batch: GraphCollection, do: Operations = TRAINED) -> Tensor:
        """One row a graph, [G, width]."""
        return torch.cat([do.pool(h, batch.node_ptr, self.pooling) for h in self.layers(batch, do)], 1)
