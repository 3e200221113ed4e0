"""kNN edges of the features: the space they are searched in, the search, and the calibration of its distances."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.graph.affinity import similarities
from genurl_graph.graph.edge_reliability import weighed_features
from genurl_graph.graph.knn import Neighbors, knn
from genurl_graph.graph.merge import predefined_graph
from genurl_graph.graph.projection import FeatureSpace, Projection, count_components, principal_axes, scale_for_axes
from genurl_graph.graph.propagation import Propagation
from genurl_graph.inputs.hashing import hash_columns
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.precomputed import nearest_given


def search_neighbors(space: FeatureSpace, config: Config, seed: int, device: torch.device) -> Neighbors:
    """Nearest neighbours of every node in `space`, as ``neighbors`` says."""
    c = config.neighbors
    return knn(
        space.vectors,
        c.n_neighbors,
        metric=c.metric,
        backend=c.backend,
        memory_mb=c.memory_mb,
        device=device,
        seed=seed,
    )


def feature_space(data: Input, config: Config, seed: int, known: Projection | None = None) -> FeatureSpace:
    """The vectors whose nearest neighbours become kNN edges.

    Features are projected onto ``neighbors.pca`` principal components and then averaged ``neighbors.hops`` times over
    the predefined edges (``D^-1/2 (A + I) D^-1/2``, as in SGC, arXiv 1902.07153). Averaging makes neighbours purer
    (``tests/benchmarks/bench_homophily.py``: of 15 neighbours on Cora 52 % share the node's class without it, 78 %
    with two hops), but the resulting edges repeat what the graph says already: the graph preset does not average.

    `known` are at least as many principal axes, of the encoder (`encoder_projection`), that save a second fit.
    """
    assert data.x is not None
    x, c = weighed_features(data, config.neighbors.metric), config.neighbors
    unit, projection = False, None
    components = count_components(c.pca, x, c.metric)
    if 0 < components < x.size(1):
        # Otherwise the longest rows would determine the components.
        unit = c.metric == "cosine"
        x = hash_columns(x, config.input.hash_columns)
        x = scale_for_axes(x, c.metric)
        if known is None:
            projection = principal_axes(x, components, seed, centre=not unit)
        else:
            projection = Projection(known.axes[:, :components], None if unit else known.mean)
        x = projection.apply(x)
    if c.hops > 0 and data.edge_index is not None:
        given = predefined_graph(data)
        operator = Propagation(given.edge_index, given.edge_weight, data.num_nodes).operator("sym")
        x = x.to_dense() if x.layout == torch.sparse_csr else x
        for _ in range(c.hops):
            x = operator @ x
    return FeatureSpace(x, unit, projection)


def calibrate_distances(edge_index: Tensor, distance: Tensor, num_nodes: int, config: Config) -> tuple[Tensor, Tensor]:
    """Similarities in (0, 1] of kNN edges: `similarities` without the edges whose p underflows to 0.

    Parameters
    ----------
    edge_index, distance, num_nodes
        As in `similarities`.
    config : Config
        Resolved: its perplexity is a number.

    Returns
    -------
    edge_index : Tensor, int64, shape [2, E']
        Both directions, sorted.
    p : Tensor, float32, shape [E']
    """
    c = config.similarity
    edge_index, p = similarities(edge_index, distance, num_nodes, float(c.perplexity), c.nu)
    # A far neighbour beside duplicates has p = 0: it is no edge of P.
    kept = p > 0
    return edge_index[:, kept], p[kept]


def calibrate_given_distances(data: Input, config: Config, device: torch.device) -> tuple[Tensor, Tensor]:
    """`calibrate_distances` of the nearest neighbours in the distances that the user gave."""
    edge_index, distance = nearest_given(data.distances, config.neighbors.n_neighbors, own=True)
    return calibrate_distances(edge_index.to(device), distance.to(device), data.num_nodes, config)
