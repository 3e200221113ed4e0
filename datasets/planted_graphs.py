"""A collection of any number of small graphs with planted classes, for trials at scale."""

from __future__ import annotations

import torch

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.collection.graph_set import GraphFacts, GraphSet, as_collection_of

# Classes: trees that are long or bushy, each with two mixtures of kinds of nodes.
CLASSES = 4
# Edges beside those of the tree, as a share of the nodes.
BESIDE = 0.2
# Share of the nodes whose kind says which mixture the graph has.
TELLING = 0.6


def planted_graphs(num_graphs: int, num_nodes: int = 20, kinds: int = 8, seed: int = 0) -> GraphSet:
    """Random trees with a few more edges, connected, whose shape and kinds of nodes say which class they are of.

    Node i of a graph is joined to one of the two before it (long trees) or to any before it (bushy ones). In a share
    `TELLING` of the nodes the kind is of the first or the second half of all kinds, as the class says; else any.

    Parameters
    ----------
    num_graphs : int
        G, at least 1.
    num_nodes : int
        Of a graph on average, at least 2; sizes are uniform from half to one and a half of it.
    kinds : int
        Columns of the one-hot features, at least 2.
    seed : int

    Returns
    -------
    GraphSet
        ``y`` are the classes 0 to 3. Time and memory O(G num_nodes).

    Raises
    ------
    InputError
        Fewer graphs, nodes or kinds than that.

    Examples
    --------
    >>> graphs = planted_graphs(1000)
    >>> graphs.collection.num_nodes, len(graphs)
    (20118, 1000)
    """
    for what, found, least in (("num_graphs", num_graphs, 1), ("num_nodes", num_nodes, 2), ("kinds", kinds, 2)):
        if found < least:
            raise wrong(what, found, f"at least {least}")
    drawn = torch.Generator().manual_seed(seed)
    sizes = torch.randint((num_nodes + 1) // 2, num_nodes + num_nodes // 2 + 1, (num_graphs,), generator=drawn)
    y = torch.randint(CLASSES, (num_graphs,), generator=drawn)
    graph = torch.arange(num_graphs).repeat_interleave(sizes)
    first = (sizes.cumsum(0) - sizes)[graph]
    node = torch.arange(len(graph))
    place = node - first
    reach = torch.where(y[graph] % 2 == 0, place.clamp_max(2), place)
    back = 1 + (torch.rand(len(node), generator=drawn, dtype=torch.float64) * reach).long()
    tree = torch.stack([node, node - back])[:, place > 0]
    more = torch.rand(len(node), generator=drawn) < BESIDE
    ends = first + (torch.rand(len(node), generator=drawn, dtype=torch.float64) * sizes[graph]).long()
    beside = torch.stack([node, ends])[:, more & (ends != node)]
    edges = torch.cat([tree, beside], 1)
    key = torch.unique(torch.cat([edges[0] * len(node) + edges[1], edges[1] * len(node) + edges[0]]))
    edges = torch.stack([key // len(node), key % len(node)])
    half = kinds // 2
    any_kind = torch.randint(kinds, (len(node),), generator=drawn)
    telling = torch.rand(len(node), generator=drawn) < TELLING
    kind = torch.where(telling, any_kind % half + half * (y[graph] // 2), any_kind)
    x = torch.nn.functional.one_hot(kind, kinds).float()
    return GraphSet.of(as_collection_of(edges, sizes, x), GraphFacts(y=y))
