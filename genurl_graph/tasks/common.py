"""Steps that recipes share: feature edges and their similarities, predefined weights."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from genurl_graph._csr import to_scipy_or_numpy
from genurl_graph.config import Config, NeighborConfig
from genurl_graph.graph import merge_graphs
from genurl_graph.inputs import Input, is_non_negative, normalize_features
from genurl_graph.neighbors import Backend, Metric, Neighbors, knn
from genurl_graph.propagation import Propagation
from genurl_graph.similarity import similarities
from genurl_graph.structure import structural_features


def feature_similarities(
    data: Input, config: Config, seed: int, device: torch.device
) -> tuple[Neighbors, Tensor, Tensor]:
    """Feature-space kNN and their calibrated similarities.

    Returns
    -------
    neighbors : Neighbors
    edge_index : Tensor, int64, shape [2, E]
        Symmetric.
    p : Tensor, float32, shape [E]
        In (0, 1].
    """
    c = config.neighbors
    found = knn(
        feature_space(data, config, seed),
        c.n_neighbors,
        metric=cast(Metric, c.metric),  # knn checks both
        backend=cast(Backend, c.backend),
        memory_mb=c.memory_mb,
        device=device,
        seed=seed,
    )
    n, k = found.indices.shape
    row = torch.arange(n, device=found.indices.device).repeat_interleave(k)
    edge_index = torch.stack([row, found.indices.reshape(-1)])
    edge_index, p = similarities(
        edge_index, found.distances.reshape(-1), n, resolve_perplexity(config, k), config.similarity.nu
    )
    # A far neighbour beside duplicates has p = 0: it is no edge of P.
    kept = p > 0
    return found, edge_index[:, kept], p[kept]


def feature_space(data: Input, config: Config, seed: int) -> Tensor:
    """The vectors whose neighbours become feature edges.

    Features, brought to ``neighbors.pca`` principal components and then averaged ``neighbors.hops`` times over the
    given edges (``D^-1/2 (A + I) D^-1/2``, as in SGC, arXiv 1902.07153). Averaging makes neighbours purer
    (``tests/benchmarks/bench_homophily.py``: of 15 neighbours on Cora 52 % share the node's class without it, 78 %
    with two hops), but such edges repeat what the graph says already: the graph preset leaves it off.
    """
    assert data.x is not None
    x, c = data.x, config.neighbors
    if 0 < c.pca < x.size(1):
        if c.metric == "cosine":
            # Long documents would otherwise own the components.
            x = normalize_features(x, "unit", {})
        x = principal_components(x, c.pca, seed, centre=c.metric != "cosine")
    if c.hops > 0 and data.edge_index is not None:
        given = merge_graphs(data.edge_index, predefined_weights(data), None, None, num_nodes=data.num_nodes)
        operator = Propagation(given.edge_index, given.edge_weight, data.num_nodes).operator("sym")
        x = x.to_dense() if x.layout == torch.sparse_csr else x
        for _ in range(c.hops):
            x = operator @ x
    return x


def resolve_metric(x: Tensor, config: NeighborConfig) -> str:
    """ "auto" made definite: cosine for features >= 0 (bags of words, counts), Euclidean otherwise."""
    if config.metric != "auto":
        return config.metric
    return "cosine" if is_non_negative(x) else "euclidean"


def resolve_perplexity(config: Config, n_neighbors: int) -> float:
    """ "auto" made definite: the number of neighbours, but more than the 2 that calibration needs."""
    perplexity = config.similarity.perplexity
    return max(float(n_neighbors), 2.01) if isinstance(perplexity, str) else perplexity


def encoder_features(data: Input, config: Config, device: torch.device | str = "cpu") -> Tensor | None:
    """What an encoder reads, before it is normalised: features, or structural columns of a graph without them.

    Returns
    -------
    Tensor, float32, shape [n, f], on the CPU, or None
        None for one-hot rows, which nobody stores, and for the free table, which reads nothing.
    """
    if data.x is not None or config.encoder.structure == "identity" or config.encoder.name == "free":
        return data.x
    given = merge_graphs(data.edge_index, predefined_weights(data), None, None, num_nodes=data.num_nodes)
    kind, columns = config.encoder.structure, config.encoder.structure_dim
    return structural_features(kind, columns, given.edge_index, given.edge_weight, data.num_nodes, device)


def predefined_weights(data: Input) -> Tensor | None:
    """Edge weights on the scale of similarities: the largest is 1."""
    weight = data.edge_weight
    if weight is None or weight.numel() == 0:
        return None
    return weight / weight.max().clamp_min(torch.finfo(torch.float32).tiny)


def principal_components(x: Tensor, n_components: int, seed: int, centre: bool = True) -> Tensor:
    """Leading principal components (randomised SVD), float32 [n, n_components].

    Sparse features are never centred, since that would make them dense. There are never more components than
    samples or features.
    """
    from sklearn.decomposition import PCA, TruncatedSVD

    n_components = min(n_components, int(x.size(0)), int(x.size(1)))
    matrix = to_scipy_or_numpy(x)
    if centre and x.layout == torch.strided:
        scores = PCA(n_components, svd_solver="randomized", random_state=seed).fit_transform(matrix)
    else:
        scores = TruncatedSVD(n_components, random_state=seed).fit_transform(matrix)
    return torch.from_numpy(scores).float().contiguous()
