"""The edge sources of a graph before they are merged, and how far either is believed."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.exceptions import InputError
from genurl_graph.graph.affinity import similarities
from genurl_graph.graph.edge_reliability import FeatureRows, confidence, edge_auc, node_reliability, sampled_edges
from genurl_graph.graph.knn import Neighbors
from genurl_graph.graph.knn_edges import consistency_of, resolve_perplexity
from genurl_graph.graph.merge import MergedGraph, merge_graphs
from genurl_graph.graph.partition import Block
from genurl_graph.inputs.input import Input

# Geodesics reach so many times as many nodes as the feature edges of a node.
REACH = 3


class Sources(NamedTuple):
    """The two graphs of a run, weighted against each other.

    Attributes
    ----------
    edge_index : Tensor, int64, shape [2, E]
        The given edges, both ways, each once.
    edge_weight : Tensor, float32, shape [E]
        Their weights; times the mean trust of both ends, unless ``merge.weighting = given``.
    knn_edge_index : Tensor, int64, shape [2, F], or None
        Feature edges, both ways; None without features, or where no stage wants them.
    knn_weight : Tensor, float32, shape [F], or None
        Their similarities, which fade with the degree (`gather`).
    neighbors : Neighbors or None
        The search behind them.
    trust : Tensor, float32, shape [n], or None
        How far the edges of each node are believed; None where nothing was asked.
    degree : Tensor, float32, shape [n], or None
        Trusted edges of each node: what feature edges and columns fade with; None without features.
    agreement, coherence : float or None
        Mean of `edge_auc`, and `feature_consistency`.
    """

    edge_index: Tensor
    edge_weight: Tensor
    knn_edge_index: Tensor | None = None
    knn_weight: Tensor | None = None
    neighbors: Neighbors | None = None
    trust: Tensor | None = None
    degree: Tensor | None = None
    agreement: float | None = None
    coherence: float | None = None

    def of(self, block: Block) -> Sources:
        """Both lists' edges of some nodes."""
        given = block.of(self.edge_index[0])
        part = self._replace(edge_index=self.edge_index[:, given], edge_weight=self.edge_weight[given])
        if self.knn_edge_index is None or self.knn_weight is None:
            return part
        near = block.of(self.knn_edge_index[0])
        return part._replace(knn_edge_index=self.knn_edge_index[:, near], knn_weight=self.knn_weight[near])

    def summary(self) -> dict[str, Any]:
        """What adaptive merging found: areas under the curve, and how many nodes it trusts how far (ten bins)."""
        if self.trust is None:
            return {}
        return {
            "agreement": self.agreement,
            "coherence": self.coherence,
            "trust_mean": float(self.trust.mean()),
            "trust_histogram": torch.histc(self.trust.cpu(), 10, 0.0, 1.0).long().tolist(),
        }


def _weighted_by_reliability(given: Sources, data: Input, config: Config, seed: int) -> tuple[Sources, Tensor]:
    """The given edges weighted as ``merge.weighting`` says, and what they add up to at each node, float32 [n]."""
    n, edges, weight = data.num_nodes, given.edge_index, given.edge_weight
    degree = torch.bincount(edges[0], minlength=n).float()
    if config.merge.weighting == "none":
        return given._replace(edge_weight=torch.zeros_like(weight), trust=torch.zeros(n)), torch.zeros_like(degree)
    if config.merge.weighting != "adaptive":
        return given, degree
    coherence = consistency_of(data, config.neighbors.metric)
    asked = sampled_edges(edges, n, seed)
    assert data.x is not None
    agreement = edge_auc(data.x, asked, config.neighbors.metric, seed).to(edges.device)
    trust = 1 - confidence(coherence) * (1 - node_reliability(agreement, asked, n, coherence))
    of_edge = mean_of_ends(trust, edges)
    degree = torch.zeros_like(degree).index_add_(0, edges[0], of_edge)
    mean = float(agreement.double().mean()) if agreement.numel() else None
    weighted = given._replace(edge_weight=weight * of_edge, trust=trust, agreement=mean, coherence=coherence)
    return weighted, degree


def mean_of_ends(value: Tensor, edge_index: Tensor) -> Tensor:
    """Mean of a value [n] over both ends of each edge, [E]."""
    return value[edge_index[0]].add_(value[edge_index[1]]).div_(2)


def geodesic_similarities(data: Input, sources: Sources, config: Config) -> MergedGraph:
    """P from shortest paths over both graphs, calibrated like feature distances (``merge.how = geodesic``).

    A given edge is as long as the feature distance of its ends divided by its weight, a feature edge as long as its
    distance divided by ``merge.feature_weight``. Each node keeps its `REACH` times ``n_neighbors`` nearest within
    ``merge.cutoff``, so that memory is O(n n_neighbors).

    Returns
    -------
    MergedGraph
        Its weights are similarities in (0, 1]; pairs joined by paths alone have provenance `PATH`.

    Raises
    ------
    InputError
        No features, or no feature edges wanted.
    """
    if data.x is None or sources.neighbors is None or config.merge.feature_weight == 0:
        raise InputError("merge.how: geodesic needs features, and merge.feature_weight > 0")
    n, k = sources.neighbors.indices.shape
    rows = FeatureRows.of(data.x, config.neighbors.metric)
    length = torch.from_numpy(rows.lengths(*sources.edge_index.cpu().numpy())).float()
    trusted = sources.edge_weight.cpu() > 0
    given, length = sources.edge_index.cpu()[:, trusted], length[trusted] / sources.edge_weight.cpu()[trusted]
    near = torch.stack([torch.arange(n).repeat_interleave(k), sources.neighbors.indices.cpu().reshape(-1)])
    near_length = sources.neighbors.distances.cpu().reshape(-1).float()
    cutoff = config.merge.cutoff
    if isinstance(cutoff, str):
        cutoff = 2 * float(torch.cat([length, near_length / config.merge.feature_weight]).median())
    paths = merge_graphs(
        given,
        length,
        near,
        near_length,
        num_nodes=n,
        how="geodesic",
        feature_weight=config.merge.feature_weight,
        cutoff=cutoff,
        n_nearest=REACH * k,
    )
    edges, p = similarities(paths.edge_index, paths.edge_weight, n, resolve_perplexity(config, k), config.similarity.nu)
    # Paths hold both ways, and so do similarities: the same pairs in the same order.
    kept = p > 0
    return MergedGraph(edges[:, kept], p[kept], paths.provenance[kept])
