"""What can be counted of a graph without looking at its paths: kinds of nodes, degrees, sizes."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.inputs.collection.collection import GraphCollection

# Degrees below the first have a bin each; above it there are so many a doubling, up to the last.
EACH, A_DOUBLING, LAST = 16, 4, 1 << 20


def label_histogram(collection: GraphCollection) -> Tensor:
    """Sums of the features over the nodes of each graph: of one-hot kinds, how many nodes are of each.

    Parameters
    ----------
    collection : GraphCollection

    Returns
    -------
    Tensor, float64, shape [G, f]
        Without columns where nodes have no features.
    """
    found = torch.zeros(collection.num_graphs, 0 if collection.x is None else collection.x.size(1)).double()
    if collection.x is not None:
        found.index_add_(0, collection.graph_of_node(), collection.x.double())
    return found


def degree_histogram(collection: GraphCollection) -> Tensor:
    """How many nodes of each graph have each degree, int64 [G, b]: the same bins everywhere, wider ones above 16."""
    bounds = torch.arange(1, EACH)
    octaves = torch.logspace(4, 20, (20 - 4) * A_DOUBLING + 1, base=2.0, dtype=torch.float64).round().long()
    bounds = torch.cat([bounds, octaves])
    bins = len(bounds) + 1
    place = torch.bucketize(collection.degrees(), bounds, right=True)
    flat = torch.bincount(collection.graph_of_node() * bins + place, minlength=collection.num_graphs * bins)
    return flat.view(-1, bins)


def size_and_degree(collection: GraphCollection) -> Tensor:
    """Size of each graph, and how its degrees are spread.

    Parameters
    ----------
    collection : GraphCollection

    Returns
    -------
    Tensor, float64, shape [G, 6]
        Nodes, edges (each direction counts), mean, deviation and maximum of the degree, nodes without an edge; 0 for a
        graph without nodes.
    """
    graph, degree = collection.graph_of_node(), collection.degrees()
    zero = torch.zeros(collection.num_graphs, dtype=torch.int64)
    # Sums of whole numbers are exact, and so do not depend on an order.
    total, squares, bare = (zero.index_add(0, graph, part) for part in (degree, degree.square(), (degree == 0).long()))
    most = zero.scatter_reduce(0, graph, degree, "amax")
    nodes = collection.sizes().double()
    mean = total / nodes.clamp_min(1)
    deviation = (squares / nodes.clamp_min(1) - mean.square()).clamp_min(0).sqrt()
    edges = collection.edge_ptr.diff()
    return torch.stack([part.double() for part in (nodes, edges, mean, deviation, most, bare)], 1)
