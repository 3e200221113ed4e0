"""Steps that recipes share: feature edges and their similarities, predefined weights."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from genurl_graph._csr import csr_tensor, to_scipy_or_numpy
from genurl_graph.agreement import feature_coherence
from genurl_graph.all_pairs import why_not
from genurl_graph.config import Config, NeighborConfig
from genurl_graph.distributed import any_of
from genurl_graph.graph import merge_graphs
from genurl_graph.hetero import block, normalize_blocks
from genurl_graph.inputs import Input, as_features, column_statistics, is_non_negative, normalize_features
from genurl_graph.neighbors import Backend, Metric, Neighbors, knn
from genurl_graph.pairs import WIDE
from genurl_graph.precomputed import nearest_given
from genurl_graph.propagation import Propagation
from genurl_graph.similarity import similarities
from genurl_graph.space import FeatureSpace, Projection, principal_axes
from genurl_graph.structure import structural_features
from genurl_graph.tasks.kept import Kept

# Of the randomised search for principal axes that an encoder reads: they are a property of the features.
PCA_SEED = 0
# Their number, where nothing else says it.
COMPONENTS = 1024


def feature_similarities(
    data: Input,
    config: Config,
    seed: int,
    device: torch.device,
    space: FeatureSpace | None = None,
    kept: Kept | None = None,
) -> tuple[Neighbors, Tensor, Tensor]:
    """Feature-space kNN and their calibrated similarities.

    Parameters
    ----------
    data, config, seed, device
        As handed to a recipe.
    space : FeatureSpace, optional
        Where neighbours are searched; by default `feature_space` of the data.
    kept : Kept, optional
        Where the neighbours of a run that was interrupted may be, and are kept.

    Returns
    -------
    neighbors : Neighbors
        With types of nodes, neighbours are of one's own type; places that it cannot fill hold -1, infinitely far away.
    edge_index : Tensor, int64, shape [2, E]
        Symmetric.
    p : Tensor, float32, shape [E]
        In (0, 1].
    """
    found = kept.neighbors(device) if kept is not None else None
    # Processes search together: those that have found the file, too, where another has not.
    if any_of(found is None, device):
        found = _search(data, config, seed, device, space)
        if kept is not None:
            kept.save(found)
    assert found is not None
    n, k = found.indices.shape
    row = torch.arange(n, device=found.indices.device).repeat_interleave(k)
    edge_index, distance = torch.stack([row, found.indices.reshape(-1)]), found.distances.reshape(-1)
    if data.types is not None:
        there = edge_index[1] >= 0
        edge_index, distance = edge_index[:, there], distance[there]
    return found, *_calibrated(edge_index, distance, n, config)


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


def coherence_of(data: Input, metric: str) -> float:
    """`feature_coherence` of the features, asked once a fit: the preset and adaptive merging both want to know."""
    assert data.x is not None
    known = {} if data.coherence is None else data.coherence
    if metric not in known:
        known[metric] = feature_coherence(data.x, metric)
    return known[metric]


def resolve_perplexity(config: Config, n_neighbors: int) -> float:
    """ "auto" made definite: the number of neighbours, but more than the 2 that calibration needs."""
    perplexity = config.similarity.perplexity
    return max(float(n_neighbors), 2.01) if isinstance(perplexity, str) else perplexity


def encoder_input(
    data: Input, config: Config, device: torch.device | str = "cpu", statistics: dict[str, Tensor] | None = None
) -> tuple[Tensor | None, dict[str, Tensor]]:
    """What an encoder reads: normalised features, and structural columns of nodes without any.

    Parameters
    ----------
    data : Input
    config : Config
        Resolved.
    device : torch.device
        Where random walks are computed.
    statistics : dict or None
        What the call for the fitted graph returned; None for that graph.

    Returns
    -------
    x : Tensor, float32, shape [n, f], on the CPU, or None
        Strided or CSR. None for one-hot rows alone, which nobody stores, and for a free table, which reads nothing.
    statistics : dict
        Means and scales of standardised columns, or principal axes.
    """
    how, bare = config.encoder.normalize, data.bare_nodes()
    if bare.numel() == 0 and data.types is None:
        assert data.x is not None
        if how == "pca":
            taken = _component_statistics(data.x, config) if statistics is None else statistics
            projection = encoder_axes(taken)
            assert projection is not None
            return projection.apply(_comparable(data.x, config)) / taken["scale"], taken
        taken = (column_statistics(data.x) if how == "columns" else {}) if statistics is None else statistics
        return normalize_features(data.x, how, taken), taken
    structural, taken = _structural_columns(data, config, bare, device, statistics)
    if data.x is None or data.types is None:
        return None if structural is None else as_features(structural), taken
    x, found = normalize_blocks(data.x, data.types, how, statistics)
    if structural is None:
        return as_features(x), found
    from scipy.sparse import hstack

    return as_features(hstack([to_scipy_or_numpy(part) for part in (x, structural)], format="csr")), found | taken


def encoder_axes(statistics: dict[str, Tensor]) -> Projection | None:
    """Principal axes along which an encoder reads its input, of what `encoder_input` returned; None if along none."""
    if "axes" not in statistics:
        return None
    return Projection(statistics["axes"].double(), statistics["mean"].double() if "mean" in statistics else None)


def _comparable(x: Tensor, config: Config) -> Tensor:
    """Features as principal axes are found for them: rows of unit length, if cosines are what compares them."""
    return normalize_features(x, "unit", {}) if config.neighbors.metric == "cosine" else x


def _component_statistics(x: Tensor, config: Config) -> dict[str, Tensor]:
    """Principal axes [f, c], mean [f] and the largest deviation [1] along one of them, one scale for all.

    As many axes as neighbours are searched in, or as the embedding has columns if these are more; `COMPONENTS` at most,
    if neighbours are searched in the features.
    """
    c = config.neighbors.pca
    x, centre = _comparable(x, config), config.neighbors.metric != "cosine"
    projection = principal_axes(x, max(c or COMPONENTS, config.encoder.dim), PCA_SEED, centre)
    # Along the first axis, if the axes are those of centred features.
    scale = projection.apply(x).std(0, correction=0).amax(keepdim=True)
    found = {"axes": projection.axes.float().contiguous(), "scale": torch.where(scale > 0, scale, 1.0)}
    if x.layout == torch.strided:
        # Axes for cosines are found around the origin; what an encoder reads lies around its mean all the same.
        found["mean"] = (x.double().mean(0) if projection.mean is None else projection.mean).float()
    return found


def _structural_columns(
    data: Input, config: Config, bare: Tensor, device: torch.device | str, statistics: dict[str, Tensor] | None
) -> tuple[Tensor | None, dict[str, Tensor]]:
    """CSR [n, c] for nodes without features, 0 for others; None if one-hot rows, or nothing, are all of x."""
    n, c = data.num_nodes, config.encoder
    if bare.numel() == 0 or c.name == "free" or (c.structure == "identity" and data.x is None):
        return None, {}
    crow = torch.zeros(n + 1, dtype=torch.long)
    if c.structure == "identity":
        crow[bare + 1] = 1
        return csr_tensor(crow.cumsum(0), torch.arange(len(bare)), torch.ones(len(bare)), (n, len(bare))), {}
    given = merge_graphs(data.edge_index, predefined_weights(data), None, None, num_nodes=n)
    own = structural_features(c.structure, c.structure_dim, given.edge_index, given.edge_weight, n, device)[bare]
    # Walks and eigenvectors differ by orders of magnitude from column to column.
    how = "columns" if c.normalize == "auto" else c.normalize
    if statistics is None:
        statistics = {f"{key}.": value for key, value in column_statistics(own).items()} if how == "columns" else {}
    own = normalize_features(own, how, {key: statistics[f"{key}."] for key in ("mean", "scale") if how == "columns"})
    width = own.size(1)
    crow[bare + 1] = width
    columns = torch.arange(width).repeat(len(bare))
    return csr_tensor(crow.cumsum(0), columns, own.reshape(-1), (n, width)), statistics


def predefined_weights(data: Input) -> Tensor | None:
    """Edge weights on the scale of similarities: the largest is 1."""
    weight = data.edge_weight
    if weight is None or weight.numel() == 0:
        return None
    return weight / weight.max().clamp_min(torch.finfo(torch.float32).tiny)


def resolve_learning_rate(config: Config, num_nodes: int) -> float:
    """ "auto" made definite. Adam's steps are as long as its rate, and a picture of n points is sqrt(n) wide."""
    lr = config.training.lr
    if not isinstance(lr, str):
        return lr
    return 1.5 * max(1.0, num_nodes / 10_000) ** 0.5 if config.encoder.name == "free" else 1e-3


def resolve_sampling(config: Config, num_nodes: int) -> dict[str, str | int]:
    """ "auto" made definite: all pairs where they can be counted, else what suits the number of dimensions."""
    kind, count = config.sampling.negatives, config.sampling.n_negatives
    if kind == "batch":
        return {"sampling.negatives": kind, "sampling.n_negatives": 1 if isinstance(count, str) else count}
    if kind == "auto":
        if config.encoder.dim <= 2 and why_not(config.loss, config.views) is None:
            kind = "all"
        else:
            kind = "shared" if config.encoder.dim >= WIDE else "permuted"
    if isinstance(count, str):
        count = {"shared": 512, "permuted": 20}.get(kind, num_nodes - 1)
    return {"sampling.negatives": kind, "sampling.n_negatives": count}
