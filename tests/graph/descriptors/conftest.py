"""Random collections of small graphs, and what plain Python sees of one of them."""

import torch
from torch import Tensor

from genurl_graph.inputs.collection import GraphCollection


def planted(
    sizes: list[int], seed: int = 0, kinds: int = 2, edge_kinds: int = 0, share: float = 0.4
) -> GraphCollection:
    """Undirected random graphs; one-hot kinds of nodes and, if asked for, of edges. Without kinds, no features."""
    generator = torch.Generator().manual_seed(seed)
    size = torch.tensor(sizes, dtype=torch.long)
    graph = torch.arange(len(sizes)).repeat_interleave(size)
    n = len(graph)
    near = (graph[:, None] == graph[None, :]) & (torch.rand(n, n, generator=generator) < share)
    edges = (near | near.T).fill_diagonal_(False).nonzero().T
    kind = torch.randint(0, max(kinds, 1), (n,), generator=generator)
    of = torch.randint(0, max(edge_kinds, 1), (n, n), generator=generator)
    attr = torch.eye(max(edge_kinds, 1))[torch.minimum(of, of.T)[edges[0], edges[1]]]
    count = torch.bincount(graph[edges[0]], minlength=len(sizes))
    return GraphCollection(
        torch.eye(kinds)[kind] if kinds else None,
        edges,
        attr if edge_kinds else None,
        None,
        pointers(size),
        pointers(count),
    )


def pointers(count: Tensor) -> Tensor:
    """Where runs of so many entries begin and end."""
    return torch.cat([count.new_zeros(1), count.cumsum(0)])


def renumbered(collection: GraphCollection, seed: int) -> GraphCollection:
    """The same graphs with the nodes of each in another order."""
    generator = torch.Generator().manual_seed(seed)
    graph = collection.graph_of_node()
    order = torch.argsort(graph + torch.rand(len(graph), generator=generator, dtype=torch.float64))
    edges = order.argsort()[collection.edge_index]
    place = torch.argsort(edges[0] * len(graph) + edges[1])
    attr, x = collection.edge_attr, collection.x
    return collection._replace(
        x=None if x is None else x[order],
        edge_index=edges[:, place],
        edge_attr=None if attr is None else attr[place],
    )
