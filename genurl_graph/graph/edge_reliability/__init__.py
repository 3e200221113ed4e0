"""Edge reliability: how well features and edges agree, which weights the predefined edges in adaptive merging.

Two areas under a ROC curve (0.5 is chance) answer two questions without labels:

* Do the features predict the edges of a node (`edge_auc`)?
* Does one half of the feature columns predict the nearest neighbours in the other half (`feature_consistency`)?

If the features are inconsistent, they are no evidence, and the first number says nothing about the edges. Otherwise
the second number is the yardstick for the first (`node_reliability`): edges need not predict features well, but about
as well as kNN edges do. This rule is ours, not the paper's: GenURL's text on merging is not public to us.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.config.metrics import OF_CODES
from genurl_graph.graph.edge_reliability.consistency import Measure, feature_consistency
from genurl_graph.graph.edge_reliability.feature_rows import FeatureRows
from genurl_graph.graph.edge_reliability.ranks import EdgeAUC, edge_auc, sample_edges
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.sparse import scale_columns

__all__ = [
    "FULL_EVIDENCE",
    "RELIABLE",
    "STEADY",
    "UNRELIABLE",
    "EdgeAUC",
    "FeatureRows",
    "Measure",
    "edge_auc",
    "excuse",
    "feature_confidence",
    "feature_consistency",
    "measure_consistency",
    "node_reliability",
    "reliability_of_sums",
    "sample_edges",
    "sums_of_nodes",
    "weighed_features",
]

# Feature consistency from which features count as full evidence.
FULL_EVIDENCE = 0.6
# Edge AUC over feature consistency, both less chance: edges have reliability 0 up to the first and 1 from the second.
# Graphs whose edges join like labels lie at 0.6 (Photo) and more, WebKB's and Actor at 0.41 and less
# (`tests/benchmarks/bench_merging.py`).
UNRELIABLE, RELIABLE = 0.4, 0.6
# Power of the graph's reliability in what takes from that which its nodes lack: Wisconsin's edges, by principal
# components, have 0.55 and should gain nothing; those of a citation graph, by embeddings of texts, have 1.
STEADY = 8


def measure_consistency(data: Input, metric: str) -> Measure:
    """`feature_consistency` of an input's features, computed once: the choice of a preset and the merge both use it."""
    known = data.known
    key = metric if data.column_weight is None else f"{metric}, weighed"
    if key not in known:
        known[key] = feature_consistency(weighed_features(data, metric), metric)
    found: Measure = known[key]
    return found


def weighed_features(data: Input, metric: str = "euclidean") -> Tensor:
    """Features of an input, each column times its weight, if columns have weights.

    For a `metric` of categories or sets a column counts in full, or not at all where its weight is 0.
    """
    assert data.x is not None
    if data.column_weight is None:
        return data.x
    return scale_columns(data.x, (data.column_weight > 0).float() if metric in OF_CODES else data.column_weight)


def feature_confidence(consistency: float) -> float:
    """How much evidence features of this consistency are, in [0, 1]: 0 at chance, 1 from `FULL_EVIDENCE` on."""
    return min(max((consistency - 0.5) / (FULL_EVIDENCE - 0.5), 0.0), 1.0)


def node_reliability(auc: Tensor, edge_index: Tensor, num_nodes: int, consistency: float, prior: float = 4.0) -> Tensor:
    """Reliability of each node's edges, in [0, 1], judged by its features.

    The ratio ``(auc - 1/2) / (consistency - 1/2)`` compares edges with kNN edges as predictors of similar features:
    reliability is 0 up to `UNRELIABLE`, 1 from `RELIABLE` on, and linear between. The mean over few edges is
    uncertain: it is shrunk towards the graph's mean, which counts as `prior` more edges, and what a node still lacks is
    multiplied by ``1 - R^8``, R the reliability of the mean over all edges (`STEADY`). Where edges as a whole are as
    good as kNN edges, the few edges of a node look worse by chance.

    Parameters
    ----------
    auc : Tensor, float, shape [E]
        Of the edges, as in `EdgeAUC`.
    edge_index : Tensor, int64, shape [2, E]
        Symmetric.
    num_nodes : int
    consistency : float
        The value of `feature_consistency`. At chance and below every reliability is 1, for lack of evidence.
    prior : float
        In edges, > 0.

    Returns
    -------
    Tensor, float32, shape [n]
    """
    if auc.numel() == 0:
        return torch.ones(num_nodes, device=auc.device)
    return reliability_of_sums(*sums_of_nodes(auc, edge_index[0], num_nodes), auc.mean(), consistency, prior)


def sums_of_nodes(auc: Tensor, row: Tensor, num_nodes: int) -> tuple[Tensor, Tensor]:
    """Sum of the AUCs [E] of each node's edges, float32 [n], and their number, int64 [n]."""
    from torch_geometric.utils import scatter

    row = row.to(auc.device)
    total = torch.as_tensor(scatter(auc, row, dim_size=num_nodes, reduce="sum"))
    return total, torch.bincount(row, minlength=num_nodes)


def reliability_of_sums(total: Tensor, count: Tensor, mean: Tensor, consistency: float, prior: float = 4.0) -> Tensor:
    """`node_reliability` of some nodes, by the sums of their edges' AUCs [m] and the mean of all edges, float32 []."""
    if consistency <= 0.5:
        return torch.ones_like(total)

    def judged(auc: Tensor) -> Tensor:
        ratio = (auc - 0.5) / (consistency - 0.5)
        return ((ratio - UNRELIABLE) / (RELIABLE - UNRELIABLE)).clamp(0, 1)

    lack = 1 - judged((total + prior * mean) / (count + prior))
    return 1 - lack * (1 - judged(mean).pow(STEADY))


def excuse(reliability: Tensor, consistency: float, evidence: float = 1.0) -> Tensor:
    """Reliability as far as features can tell: neither inconsistent features speak against an edge, nor those that have
    little `evidence` themselves."""
    return 1 - feature_confidence(consistency) * evidence * (1 - reliability)
