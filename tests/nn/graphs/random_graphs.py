"""Collections of random graphs for tests."""

import torch
from torch import Tensor

from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.inputs.collection.graph_set import as_collection_of


def random_graphs(sizes: list[int], columns: int = 3, attributes: int = 0, seed: int = 0) -> GraphCollection:
    """Graphs of random edges, which stand both ways; the last node of each has none. Features are kinds."""
    drawn = torch.Generator().manual_seed(seed)
    count = torch.tensor(sizes, dtype=torch.long)
    graph = torch.arange(len(sizes)).repeat_interleave(count)
    last = count.cumsum(0)[graph] - 1 == torch.arange(len(graph))
    near = (graph[:, None] == graph) & (torch.rand(len(graph), len(graph), generator=drawn) < 0.4)
    edges = ((near | near.T).fill_diagonal_(False) & ~last[:, None] & ~last).nonzero().T
    attr = torch.rand(edges.size(1), attributes, generator=drawn) if attributes else None
    return as_collection_of(edges, count, features(len(graph), columns, drawn), None, attr)


def features(n: int, columns: int, drawn: torch.Generator) -> Tensor | None:
    """Kinds, one-hot, but numbers in the last column; None without columns."""
    if columns == 0:
        return None
    kinds = torch.randint(max(columns - 1, 1), (n,), generator=drawn)
    return torch.cat([torch.eye(max(columns - 1, 1))[kinds], torch.randn(n, 1, generator=drawn)], 1)[:, -columns:]
