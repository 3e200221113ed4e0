"""The two edge sources of a graph before the merge, weighted by edge reliability."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.config.parameters import MergeConfig
from genurl_graph.exceptions import wrong
from genurl_graph.graph.affinity import similarities
from genurl_graph.graph.edge_reliability import (
    FeatureRows,
    edge_auc,
    excuse,
    measure_consistency,
    node_reliability,
    sample_edges,
    weighed_features,
)
from genurl_graph.graph.knn import Neighbors
from genurl_graph.graph.merge import PREDEFINED, How, MergedGraph, combine, merge_graphs
from genurl_graph.inputs.input import Input

# By how many of their errors edge AUC and feature consistency are moved, to see what the mean reliability makes of it.
MOVED = ((1, 0), (-1, 0), (0, 1), (0, -1))

# Nodes a geodesic neighbourhood keeps, as a multiple of the kNN edges of a node.
REACH = 3


class Sources(NamedTuple):
    """Predefined edges and kNN edges, with the weights they have in the merge.

    Attributes
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Predefined edges, in both directions, each once.
    edge_weight : Tensor, float32, shape [E]
        Their weights; times the mean reliability of both ends, unless ``merge.weighting = given``.
    knn_edge_index : Tensor, int64, shape [2, F], or None
        kNN edges, in both directions; None without features, or where no stage uses them.
    knn_weight : Tensor, float32, shape [F], or None
        Their similarities, which decrease with the degree (`gather`).
    neighbors : Neighbors or None
        The search that found them.
    reliability : Tensor, float32, shape [n], or None
        Reliability of the predefined edges of each node, in [0, 1]; None where it was not measured.
    degree : Tensor, float32, shape [n], or None
        Number of edges of each node, weighted by their reliability; None without features.
    auc, consistency : float or None
        Mean of `edge_auc`, and `feature_consistency`.
    errors : dict of float
        Their standard errors, by key of the summary.
    """

    edge_index: Tensor
    edge_weight: Tensor
    knn_edge_index: Tensor | None = None
    knn_weight: Tensor | None = None
    neighbors: Neighbors | None = None
    reliability: Tensor | None = None
    degree: Tensor | None = None
    auc: float | None = None
    consistency: float | None = None
    errors: Mapping[str, float] = MappingProxyType({})

    def summary(self) -> dict[str, Any]:
        """Edge AUC, feature consistency, mean and histogram (ten bins) of the nodes' edge reliability, and errors."""
        if self.reliability is None:
            return {}
        return {
            "edge_auc": self.auc,
            "feature_consistency": self.consistency,
            "reliability_mean": float(self.reliability.mean()),
            "reliability_histogram": torch.histc(self.reliability.cpu(), 10, 0.0, 1.0).long().tolist(),
            **self.errors,
        }


def weight_by_reliability(given: Sources, data: Input, config: Config) -> Sources:
    """Weight the predefined edges as ``merge.weighting`` says, and sum them up to the degree of each node."""
    n, edges, weight = data.num_nodes, given.edge_index, given.edge_weight
    if config.merge.weighting == "none":
        given = given._replace(reliability=torch.zeros(n))
    if config.merge.weighting != "adaptive":
        weight, degree = weigh_edges(edges[0], weight, n, config.merge.weighting)
        return given._replace(edge_weight=weight, degree=degree)
    found = measure_reliability(data, edges, config.neighbors.metric, share_of(config.merge.evidence))
    of_nodes = found.of_nodes.to(edges.device)
    weight, degree = weigh_edges(edges[0], weight, n, "adaptive", mean_of_ends(of_nodes, edges))
    return given._replace(
        edge_weight=weight,
        reliability=of_nodes,
        degree=degree,
        auc=found.auc,
        consistency=found.consistency,
        errors=found.errors,
    )


def weigh_edges(
    row: Tensor, weight: Tensor, num_rows: int, weighting: str, of_edge: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Weights of predefined edges [E] in the merge, and degrees [num_rows], float32 both.

    Parameters
    ----------
    row : Tensor, int64, shape [E]
    weight : Tensor, float32, shape [E]
    num_rows : int
    weighting : str
        As in ``merge.weighting``.
    of_edge : Tensor, float32, shape [E], optional
        Reliability of each edge, for adaptive weighting.
    """
    degree = torch.bincount(row, minlength=num_rows).float()
    if weighting == "none":
        return torch.zeros_like(weight), torch.zeros_like(degree)
    if of_edge is None:
        return weight, degree
    return weight * of_edge, torch.zeros_like(degree).index_add_(0, row, of_edge)


def fade(p: Tensor, degree: Tensor, evidence: str | float) -> Tensor:
    """Weights of kNN edges [F], by their similarities, the mean degree of both ends, and ``merge.evidence``."""
    faded, share = p / (1 + degree), share_of(evidence)
    return faded if share == 1 else faded * share


def share_of(evidence: str | float) -> float:
    """``merge.evidence`` as a number: features count in full where nothing was measured."""
    return 1.0 if isinstance(evidence, str) else evidence


def uses_neighbors(merge: MergeConfig) -> bool:
    """Whether kNN edges have a part in P or in the graph of the propagation."""
    return share_of(merge.evidence) > 0 and (merge.feature_weight > 0 or merge.propagation_weight > 0)


class Reliability(NamedTuple):
    """Edge reliability of a graph, and what it was judged by.

    Attributes
    ----------
    of_nodes : Tensor, float32, shape [n]
    auc : float or None
        Edge AUC; None without edges.
    consistency : float
        Of the features.
    errors : dict
        Standard errors of both, and what they make of the mean reliability.
    """

    of_nodes: Tensor
    auc: float | None
    consistency: float
    errors: dict[str, float]


def measure_reliability(data: Input, edge_index: Tensor, metric: str, evidence: float = 1.0) -> Reliability:
    """Reliability of the predefined edges, judged by features once: the merge and the columns of an encoder read it.

    Parameters
    ----------
    data : Input
        With features; ``data.measured`` keeps what was found.
    edge_index : Tensor, int64, shape [2, E]
        Its edges, as `genurl_graph.graph.merge.predefined_graph` returns them.
    metric : str
        Of the features.
    evidence : float
        Of the features, in [0, 1].
    """
    known = data.known
    key = f"reliability.{metric}, {evidence}" + ("" if data.column_weight is None else ", weighed")
    if key not in known:
        known[key] = _judged(data, edge_index, metric, evidence)
    found: Reliability = known[key]
    return found


def _judged(data: Input, edges: Tensor, metric: str, evidence: float) -> Reliability:
    n, sample = data.num_nodes, sample_edges(edges, data.num_nodes)
    consistency = measure_consistency(data, metric)
    found = edge_auc(weighed_features(data, metric), sample, metric)
    auc = found.of_edges.to(edges.device)

    def judge(of_edges: Tensor, value: float) -> Tensor:
        return excuse(node_reliability(of_edges, sample, n, value), value, evidence)

    # What the errors of both measures make of the mean reliability.
    moved = [
        float(judge(auc + sign * found.error, consistency.value + other * consistency.error).mean())
        for sign, other in MOVED
    ]
    mean = found.mean if auc.numel() else None
    errors = reliability_errors(found.error, consistency.error, moved)
    return Reliability(judge(auc, consistency.value), mean, consistency.value, errors)


def reliability_errors(auc: float, consistency: float, moved: Sequence[float]) -> dict[str, float]:
    """Errors of both measures by key of the summary, and that of the mean reliability, which is `moved` by them."""
    return {
        "edge_auc_error": auc,
        "feature_consistency_error": consistency,
        "reliability_error": math.hypot(0.5 * (moved[0] - moved[1]), 0.5 * (moved[2] - moved[3])),
    }


def mean_of_ends(value: Tensor, edge_index: Tensor) -> Tensor:
    """Mean of a value [n] over both ends of each edge, [E]."""
    return value[edge_index[0]].add_(value[edge_index[1]]).div_(2)


def merge_sources(sources: Sources, num_nodes: int, feature_weight: float, how: How) -> MergedGraph:
    """Both sources as one graph, or the rows of it that they hold; `how` is no geodesic."""
    given, weight = sources.edge_index, sources.edge_weight
    near, near_weight = sources.knn_edge_index, sources.knn_weight
    if near is None or near_weight is None or feature_weight == 0:
        return MergedGraph(given, weight, torch.full_like(weight, PREDEFINED, dtype=torch.uint8), num_nodes)
    near, near_weight = near.to(given.device), near_weight.to(given.device) * feature_weight
    return combine(given, weight, near, near_weight, num_nodes=num_nodes, how=how)


def mean_lack(reliability: Iterable[Tensor], num_nodes: int) -> float:
    """What a graph lacks in edge reliability, by that of its nodes in parts: 0 for reliable edges, 1 for useless ones.

    Rounded, so that other parts give the same.
    """
    return round(1 - sum(float(part.sum(dtype=torch.float64)) for part in reliability) / num_nodes, 6)


def propagation_graph(
    sources: Sources, trusted: Tensor | None, num_nodes: int, merge: MergeConfig, lacking: float = 1.0
) -> MergedGraph:
    """The graph an encoder propagates over, or the rows of it that the sources hold.

    With ``merge.weighting = adaptive`` a kNN edge is weighted by what its ends lack in edge reliability, times what the
    whole graph lacks to the power ``merge.propagation_power - 1``: kNN edges take over where predefined edges tell
    nothing, and did harm beside others. What a node lacks is an estimate by few edges, which the graph's mean steadies.

    Parameters
    ----------
    sources : Sources
    trusted : Tensor, float32, shape [F], or None
        Mean reliability of both ends of each kNN edge, which is overwritten; None where it was not measured.
    num_nodes : int
    merge : MergeConfig
    lacking : float
        `mean_lack` of the whole graph, where `trusted` is given.
    """
    # Edges of weight 0, such as kNN edges beside reliable ones, leave before the merge: most of its time and memory,
    # and of the propagation's, would be theirs.
    given, weight = weighted_edges(sources.edge_index, sources.edge_weight)
    sources = sources._replace(edge_index=given, edge_weight=weight)
    near, near_weight = sources.knn_edge_index, sources.knn_weight
    if near is not None and near_weight is not None and trusted is not None:
        # In place: each copy is a quarter of a gigabyte for two million nodes.
        lack = trusted.neg_().add_(1.0).mul_(near_weight).mul_(lacking ** (merge.propagation_power - 1))
        near, near_weight = weighted_edges(near, lack)
        sources = sources._replace(knn_edge_index=near, knn_weight=near_weight)
    return merge_sources(sources, num_nodes, merge.propagation_weight, "mix")


def weighted_edges(edge_index: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """The edges of weight above 0, and their weights."""
    kept = weight > 0
    return (edge_index, weight) if bool(kept.all()) else (edge_index[:, kept], weight[kept])


def geodesic_similarities(data: Input, sources: Sources, config: Config) -> MergedGraph:
    """P from shortest paths over both graphs, calibrated like feature distances (``merge.how = geodesic``).

    The length of a predefined edge is the feature distance of its ends divided by its weight, that of a kNN edge its
    distance divided by ``merge.feature_weight``. Each node keeps its `REACH` times ``n_neighbors`` nearest nodes within
    ``merge.cutoff``, so that memory is O(n n_neighbors).

    Returns
    -------
    MergedGraph
        Its weights are similarities in (0, 1]. Pairs that only a path connects have the source `PATH`.

    Raises
    ------
    InputError
        No features, or kNN edges of weight 0.
    """
    if data.x is None or sources.neighbors is None or config.merge.feature_weight == 0:
        raise wrong("merge.how", "geodesic without kNN edges", "features, and merge.feature_weight > 0")
    n, k = sources.neighbors.indices.shape
    rows = FeatureRows.of(weighed_features(data, config.neighbors.metric), config.neighbors.metric)
    length = torch.from_numpy(rows.distances(*sources.edge_index.cpu().numpy())).float()
    weight = sources.edge_weight.cpu()
    given, length = sources.edge_index.cpu()[:, weight > 0], (length / weight)[weight > 0]
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
    c = config.similarity
    edges, p = similarities(paths.edge_index, paths.edge_weight, n, float(c.perplexity), c.nu)
    # Both graphs are symmetric: they hold the same pairs in the same order.
    kept = p > 0
    return MergedGraph(edges[:, kept], p[kept], paths.provenance[kept], n)
