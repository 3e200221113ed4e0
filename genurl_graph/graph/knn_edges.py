"""kNN edges of the features, with calibrated similarities."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.config.parameters import NeighborConfig
from genurl_graph.graph.affinity import similarities
from genurl_graph.graph.edge_reliability import feature_consistency
from genurl_graph.graph.knn import Backend, Metric, Neighbors, knn
from genurl_graph.graph.merge import merge_graphs
from genurl_graph.graph.projection import FeatureSpace, Projection, principal_axes
from genurl_graph.graph.propagation import Propagation
from genurl_graph.inputs.hetero import block
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.normalize import is_non_negative, normalize_features
from genurl_graph.inputs.precomputed import nearest_given


def given_similarities(data: Input, config: Config, device: torch.device) -> tuple[Tensor, Tensor]:
    """The calibrated similarities of neighbours that the user has found; edges and p as in `feature_similarities`."""
    edge_index, distance = nearest_given(data.distances, config.neighbors.n_neighbors, own=True)
    return _calibrated(edge_index.to(device), distance.to(device), data.num_nodes, config)


def _calibrated(edge_index: Tensor, distance: Tensor, n: int, config: Config) -> tuple[Tensor, Tensor]:
    perplexity = resolve_perplexity(config, config.neighbors.n_neighbors)
    edge_index, p = similarities(edge_index, distance, n, perplexity, config.similarity.nu)
    # A far neighbour beside duplicates has p = 0: it is no edge of P.
    kept = p > 0
    return edge_index[:, kept], p[kept]


def _search(
    data: Input, config: Config, seed: int, device: torch.device, space: FeatureSpace | None = None
) -> Neighbors:
    c = config.neighbors
    if data.types is None:
        return knn(
            (space or feature_space(data, config, seed)).vectors,
            c.n_neighbors,
            metric=cast(Metric, c.metric),  # knn checks both
            backend=cast(Backend, c.backend),
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
            part = _search(own, config.override({"neighbors.n_neighbors": k, "neighbors.metric": metric}), seed, device)
            indices[low:high, :k], distances[low:high, :k] = part.indices + low, part.distances
            parts.append(part)
    backend = next((part.backend for part in parts if part.backend != "exact"), "exact")
    recall = min((part.recall for part in parts if part.recall is not None), default=None)
    return Neighbors(indices, distances, backend, recall)


def feature_space(data: Input, config: Config, seed: int, known: Projection | None = None) -> FeatureSpace:
    """The vectors whose neighbours become feature edges.

    Features, brought to ``neighbors.pca`` principal components and then averaged ``neighbors.hops`` times over the
    given edges (``D^-1/2 (A + I) D^-1/2``, as in SGC, arXiv 1902.07153). Averaging makes neighbours purer
    (``tests/benchmarks/bench_homophily.py``: of 15 neighbours on Cora 52 % share the node's class without it, 78 %
    with two hops), but such edges repeat what the graph says already: the graph preset leaves it off.

    `known` are principal axes that the encoder reads (`encoder_axes`), at least as many: they are not searched twice.
    """
    assert data.x is not None
    x, c = data.x, config.neighbors
    unit, projection = False, None
    if 0 < c.pca < x.size(1):
        # Long documents would otherwise own the components.
        unit = c.metric == "cosine"
        x = _comparable(x, config)
        if known is None:
            projection = principal_axes(x, c.pca, seed, centre=not unit)
        else:
            projection = Projection(known.axes[:, : c.pca], None if unit else known.mean)
        x = projection.apply(x)
    if c.hops > 0 and data.edge_index is not None:
        given = merge_graphs(data.edge_index, predefined_weights(data), None, None, num_nodes=data.num_nodes)
        operator = Propagation(given.edge_index, given.edge_weight, data.num_nodes).operator("sym")
        x = x.to_dense() if x.layout == torch.sparse_csr else x
        for _ in range(c.hops):
            x = operator @ x
    return FeatureSpace(x, unit, projection)


def resolve_metric(x: Tensor, config: NeighborConfig) -> str:
    """ "auto" made definite: cosine for features >= 0 (bags of words, counts), Euclidean otherwise."""
    if config.metric != "auto":
        return config.metric
    return "cosine" if is_non_negative(x) else "euclidean"


def consistency_of(data: Input, metric: str) -> float:
    """`feature_consistency` of the features, asked once a fit: the preset and adaptive merging both want to know."""
    assert data.x is not None
    known = {} if data.coherence is None else data.coherence
    if metric not in known:
        known[metric] = feature_consistency(data.x, metric)
    return known[metric]


def resolve_perplexity(config: Config, n_neighbors: int) -> float:
    """ "auto" made definite: the number of neighbours, but more than the 2 that calibration needs."""
    perplexity = config.similarity.perplexity
    return max(float(n_neighbors), 2.01) if isinstance(perplexity, str) else perplexity


def encoder_axes(statistics: dict[str, Tensor]) -> Projection | None:
    """Principal axes along which an encoder reads its input, of what `encoder_input` returned; None if along none."""
    if "axes" not in statistics:
        return None
    return Projection(statistics["axes"].double(), statistics["mean"].double() if "mean" in statistics else None)


def _comparable(x: Tensor, config: Config) -> Tensor:
    """Features as principal axes are found for them: rows of unit length, if cosines are what compares them."""
    return normalize_features(x, "unit", {}) if config.neighbors.metric == "cosine" else x


def predefined_weights(data: Input) -> Tensor | None:
    """Edge weights on the scale of similarities: the largest is 1."""
    weight = data.edge_weight
    if weight is None or weight.numel() == 0:
        return None
    return weight / weight.max().clamp_min(torch.finfo(torch.float32).tiny)
