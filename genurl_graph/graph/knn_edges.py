"""kNN edges of the features: the space they are searched in, the search, and the calibration of its distances."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.config.parameters import NeighborConfig
from genurl_graph.graph.affinity import similarities
from genurl_graph.graph.knn import Metric, Neighbors, knn
from genurl_graph.graph.merge import predefined_graph
from genurl_graph.graph.projection import FeatureSpace, Projection, principal_axes, scale_for_axes
from genurl_graph.graph.propagation import Propagation
from genurl_graph.inputs.hetero import block
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.normalize import is_non_negative
from genurl_graph.inputs.precomputed import nearest_given


def search_neighbors(
    data: Input, config: Config, seed: int, device: torch.device, space: FeatureSpace | None = None
) -> Neighbors:
    """Nearest neighbours of every node in `space` (by default `feature_space`), of its own type where there are types.

    Nodes with fewer neighbours of their type than ``neighbors.n_neighbors`` have -1 at infinite distance for the rest.
    """
    c = config.neighbors
    if data.types is None:
        return knn(
            (space or feature_space(data, config, seed)).vectors,
            c.n_neighbors,
            metric=cast(Metric, c.metric),  # knn checks both
            backend=c.backend,
            memory_mb=c.memory_mb,
            device=device,
            seed=seed,
            together=True,
        )
    assert data.x is not None
    indices = torch.full((data.num_nodes, c.n_neighbors), -1, device=device)
    distances = torch.full(indices.shape, torch.inf, device=device)
    parts = []
    for name, width in data.types.widths().items():
        low, high = data.types.rows[name]
        if width and high - low > 1:
            own = Input(block(data.x, data.types, name), None, None, high - low, data.kind)
            assert own.x is not None
            k, metric = min(c.n_neighbors, high - low - 1), resolve_metric(own.x, c)
            part = search_neighbors(
                own, config.override({"neighbors.n_neighbors": k, "neighbors.metric": metric}), seed, device
            )
            indices[low:high, :k], distances[low:high, :k] = part.indices + low, part.distances
            parts.append(part)
    backend = next((part.backend for part in parts if part.backend != "exact"), "exact")
    recall = min((part.recall for part in parts if part.recall is not None), default=None)
    return Neighbors(indices, distances, backend, recall)


def feature_space(data: Input, config: Config, seed: int, known: Projection | None = None) -> FeatureSpace:
    """The vectors whose nearest neighbours become kNN edges.

    Features are projected onto ``neighbors.pca`` principal components and then averaged ``neighbors.hops`` times over
    the predefined edges (``D^-1/2 (A + I) D^-1/2``, as in SGC, arXiv 1902.07153). Averaging makes neighbours purer
    (``tests/benchmarks/bench_homophily.py``: of 15 neighbours on Cora 52 % share the node's class without it, 78 %
    with two hops), but the resulting edges repeat what the graph says already: the graph preset does not average.

    `known` are at least as many principal axes, of the encoder (`encoder_projection`), that save a second fit.
    """
    assert data.x is not None
    x, c = data.x, config.neighbors
    unit, projection = False, None
    if 0 < c.pca < x.size(1):
        # Otherwise the longest rows would determine the components.
        unit = c.metric == "cosine"
        x = scale_for_axes(x, c.metric)
        if known is None:
            projection = principal_axes(x, c.pca, seed, centre=not unit)
        else:
            projection = Projection(known.axes[:, : c.pca], None if unit else known.mean)
        x = projection.apply(x)
    if c.hops > 0 and data.edge_index is not None:
        given = predefined_graph(data)
        operator = Propagation(given.edge_index, given.edge_weight, data.num_nodes).operator("sym")
        x = x.to_dense() if x.layout == torch.sparse_csr else x
        for _ in range(c.hops):
            x = operator @ x
    return FeatureSpace(x, unit, projection)


def resolve_metric(x: Tensor, config: NeighborConfig) -> str:
    """The metric that "auto" stands for: cosine for features >= 0 (bags of words, counts), else Euclidean."""
    if config.metric != "auto":
        return config.metric
    return "cosine" if is_non_negative(x) else "euclidean"


def resolve_perplexity(config: Config, n_neighbors: int) -> float:
    """The perplexity that "auto" stands for: the number of neighbours, and more than the 2 that calibration needs."""
    perplexity = config.similarity.perplexity
    return max(float(n_neighbors), 2.01) if isinstance(perplexity, str) else perplexity


def calibrate_distances(edge_index: Tensor, distance: Tensor, num_nodes: int, config: Config) -> tuple[Tensor, Tensor]:
    """Similarities in (0, 1] of kNN edges: `similarities` without the edges whose p underflows to 0.

    Parameters
    ----------
    edge_index, distance, num_nodes
        As in `similarities`.
    config : Config
        Perplexity and nu of the calibration.

    Returns
    -------
    edge_index : Tensor, int64, shape [2, E']
        Both directions, sorted.
    p : Tensor, float32, shape [E']
    """
    perplexity = resolve_perplexity(config, config.neighbors.n_neighbors)
    edge_index, p = similarities(edge_index, distance, num_nodes, perplexity, config.similarity.nu)
    # A far neighbour beside duplicates has p = 0: it is no edge of P.
    kept = p > 0
    return edge_index[:, kept], p[kept]


def calibrate_given_distances(data: Input, config: Config, device: torch.device) -> tuple[Tensor, Tensor]:
    """`calibrate_distances` of the nearest neighbours in the distances that the user gave."""
    edge_index, distance = nearest_given(data.distances, config.neighbors.n_neighbors, own=True)
    return calibrate_distances(edge_index.to(device), distance.to(device), data.num_nodes, config)
