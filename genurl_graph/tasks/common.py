"""Steps that recipes share: feature edges and their similarities, predefined weights."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.config import Config, NeighborConfig
from genurl_graph.inputs import Input, is_non_negative
from genurl_graph.neighbors import Neighbors, knn
from genurl_graph.similarity import similarities


def feature_similarities(
    x: Tensor, config: Config, seed: int, device: torch.device
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
    if 0 < c.pca < x.size(1):
        x = principal_components(x, c.pca, seed)
    found = knn(
        x,
        c.n_neighbors,
        metric=resolve_metric(x, c),
        backend=c.backend,
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


def resolve_metric(x: Tensor, config: NeighborConfig) -> str:
    """ "auto" made definite: cosine for features >= 0 (bags of words, counts), Euclidean otherwise."""
    if config.metric != "auto":
        return config.metric
    return "cosine" if is_non_negative(x) else "euclidean"


def resolve_perplexity(config: Config, n_neighbors: int) -> float:
    """ "auto" made definite: the number of neighbours, but more than the 2 that calibration needs."""
    perplexity = config.similarity.perplexity
    return max(float(n_neighbors), 2.01) if isinstance(perplexity, str) else perplexity


def predefined_weights(data: Input) -> Tensor | None:
    """Edge weights on the scale of similarities: the largest is 1."""
    weight = data.edge_weight
    if weight is None or weight.numel() == 0:
        return None
    return weight / weight.max().clamp_min(torch.finfo(torch.float32).tiny)


def principal_components(x: Tensor, n_components: int, seed: int) -> Tensor:
    """Leading principal components (randomised SVD), float32 [n, n_components]."""
    from sklearn.decomposition import PCA, TruncatedSVD

    if x.layout == torch.sparse_csr:
        import scipy.sparse as sp

        # Centring would make it dense: the uncentred decomposition, as is usual for sparse input.
        parts = (x.values().numpy(), x.col_indices().numpy(), x.crow_indices().numpy())
        scores = TruncatedSVD(n_components, random_state=seed).fit_transform(sp.csr_matrix(parts, shape=x.shape))
    else:
        scores = PCA(n_components, svd_solver="randomized", random_state=seed).fit_transform(x.numpy())
    return torch.from_numpy(scores).float().contiguous()
