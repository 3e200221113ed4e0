"""Edge reliability: how well features and edges agree, which weights the predefined edges in adaptive merging.

Two areas under a ROC curve (0.5 is chance) answer two questions without labels:

* Do the features predict the edges of a node (`edge_auc`)?
* Does one half of the feature columns predict the nearest neighbours in the other half (`feature_consistency`)?

If the features are inconsistent, they are no evidence, and the first number says nothing about the edges. Otherwise
the second number is the yardstick for the first (`node_reliability`): edges need not predict features well, but about
as well as kNN edges do. This rule is ours, not the paper's: GenURL's text on merging is not public to us.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.config.metrics import EUCLIDEAN_METRICS, OF_CODES, OwnMetric
from genurl_graph.exceptions import wrong
from genurl_graph.graph.knn.pairwise import RowDistances
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.sparse import scale_columns, to_scipy_or_numpy

# Random nodes that the end of every edge is ranked among. 64 draws determine the rank of one edge to within 0.06 (one
# standard deviation), and only means over edges are used.
REFERENCES = 64
# Feature consistency from which features count as full evidence.
FULL_EVIDENCE = 0.6
# Edge AUC over feature consistency, both less chance: edges have reliability 0 up to the first and 1 from the second.
# Graphs whose edges join like labels lie at 0.6 (Photo) and more, WebKB's and Actor at 0.41 and less
# (`tests/benchmarks/bench_merging.py`).
UNRELIABLE, RELIABLE = 0.4, 0.6
# Random splits of the columns that `feature_consistency` averages over.
_SPLITS = 3
# Sample of `feature_consistency`: nodes, and neighbours of each.
_QUERIES, _NEAREST = 512, 5
# Nodes among which the neighbours of that sample are searched.
_POOL = 50_000
# Graphs with more edges than the first are judged by the second number of edges a node, on average.
_MANY_EDGES, _EDGES_A_NODE = 1 << 24, 16
# Numbers of float64 held at a time.
_CELLS = 1 << 23


def edge_auc(x: Tensor, edge_index: Tensor, metric: str, seed: int = 0) -> Tensor:
    """For each edge (i, j), the share of random nodes whose features are farther from i's than j's are.

    The rank of a neighbour among random nodes needs no scale. Its mean is the area under the ROC curve of features as
    a classifier of edges and non-edges.

    Parameters
    ----------
    x : Tensor, float32, shape [n, f]
        Features, strided or CSR; never made dense.
    edge_index : Tensor, int64, shape [2, E]
    metric : str
        Of the features, by name, as in `genurl_graph.graph.knn.knn`.
    seed : int
        Draws the `REFERENCES` random nodes, the same for all edges.

    Returns
    -------
    Tensor, float32, shape [E]
        In [0, 1]; ties count one half. On the CPU. Memory O(E + n `REFERENCES`), in slices.
    """
    return _rank_edges(FeatureRows.of(x, metric), edge_index, seed)


def feature_consistency(x: Tensor, metric: str, seed: int = 0) -> float:
    """Split-half consistency: how well a random half of the feature columns predicts neighbours in the other half.

    The nearest nodes of a sample in one half are ranked among random nodes by the other half. Columns on the same
    topics are consistent; noise, constants and one-hot columns are not.

    Parameters
    ----------
    x, metric, seed
        As in `edge_auc`.

    Returns
    -------
    float
        In [0, 1]; 0.5 is chance, and the value of a single column, which has no halves.
    """
    rows, (n, f) = to_scipy_or_numpy(x), x.shape
    if f < 2 or n < 3:
        return 0.5
    generator, k = np.random.default_rng(seed), min(_NEAREST, n - 1)
    found = []
    for _ in range(_SPLITS):
        columns, queries = generator.permutation(f), generator.permutation(n)[:_QUERIES]
        matrix = rows
        if n > _POOL:
            # A sample of very many nodes, so that the others' features are not copied.
            pool = np.union1d(queries, generator.permutation(n)[:_POOL])
            matrix, queries = matrix[pool], np.searchsorted(pool, queries)
        matrix = matrix.astype(np.float64)
        first, second = (FeatureRows(matrix[:, half], metric) for half in (columns[: f // 2], columns[f // 2 :]))
        pairs = np.stack([queries.repeat(k), _nearest(first, queries, k, generator)])
        found.append(float(_rank_edges(second, torch.from_numpy(pairs), seed).double().mean()))
    return sum(found) / len(found)


def _nearest(rows: FeatureRows, queries: Any, k: int, generator: Any) -> Any:
    """The k nodes nearest to each query, int64 [queries k]; ties are broken at random."""
    found = []
    step = max(1, _CELLS // rows.size)
    for start in range(0, len(queries), step):
        part = queries[start : start + step]
        near = rows.nearness_from(part)
        near = near + np.abs(near).max() * 1e-9 * generator.random(near.shape)
        near[np.arange(len(part)), part] = -np.inf
        found.append(np.argpartition(-near, k - 1, axis=1)[:, :k].reshape(-1))
    return np.concatenate(found)


def measure_consistency(data: Input, metric: str) -> float:
    """`feature_consistency` of an input's features, computed once: the choice of a preset and the merge both use it."""
    known: dict[str, Any] = {} if data.coherence is None else data.coherence
    key = metric if data.column_weight is None else f"{metric}, weighed"
    if key not in known:
        known[key] = feature_consistency(weighed_features(data, metric), metric)
    found: float = known[key]
    return found


def weighed_features(data: Input, metric: str = "euclidean") -> Tensor:
    """Features of an input, each column times its weight, if columns have weights.

    For a `metric` of categories or sets a column counts in full, or not at all where its weight is 0.
    """
    assert data.x is not None
    if data.column_weight is None:
        return data.x
    return scale_columns(data.x, (data.column_weight > 0).float() if metric in OF_CODES else data.column_weight)


def sample_edges(edge_index: Tensor, num_nodes: int, seed: int = 0) -> Tensor:
    """The edges that `node_reliability` judges by: all of them, or a random sample of very many.

    The sample keeps an edge of node i with probability ``min(1, 16 / degree_i)``: nodes with few edges keep them all.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
    num_nodes, seed : int

    Returns
    -------
    Tensor, int64, shape [2, E']
    """
    if edge_index.size(1) <= _MANY_EDGES:
        return edge_index
    row = edge_index[0]
    share = _EDGES_A_NODE / torch.bincount(row, minlength=num_nodes).float()
    drawn = torch.rand(row.numel(), generator=torch.Generator().manual_seed(seed))
    return edge_index[:, drawn.to(row.device) < share[row]]


def feature_confidence(consistency: float) -> float:
    """How much evidence features of this consistency are, in [0, 1]: 0 at chance, 1 from `FULL_EVIDENCE` on."""
    return min(max((consistency - 0.5) / (FULL_EVIDENCE - 0.5), 0.0), 1.0)


def node_reliability(auc: Tensor, edge_index: Tensor, num_nodes: int, consistency: float, prior: float = 4.0) -> Tensor:
    """Reliability of each node's edges, in [0, 1], judged by its features.

    The ratio ``(auc - 1/2) / (consistency - 1/2)`` compares edges with kNN edges as predictors of similar features:
    reliability is 0 up to `UNRELIABLE`, 1 from `RELIABLE` on, and linear between. The mean over few edges is
    uncertain: it is shrunk towards the graph's mean, which counts as `prior` more edges.

    Parameters
    ----------
    auc : Tensor, float, shape [E]
        As `edge_auc` returns.
    edge_index : Tensor, int64, shape [2, E]
        Symmetric.
    num_nodes : int
    consistency : float
        As `feature_consistency` returns. At chance and below every reliability is 1, for lack of evidence.
    prior : float
        In edges, > 0.

    Returns
    -------
    Tensor, float32, shape [n]
    """
    from torch_geometric.utils import scatter

    if auc.numel() == 0 or consistency <= 0.5:
        return torch.ones(num_nodes, device=auc.device)
    row = edge_index[0].to(auc.device)
    total = torch.as_tensor(scatter(auc, row, dim_size=num_nodes, reduce="sum"))
    degree = torch.bincount(row, minlength=num_nodes)
    mean = (total + prior * auc.mean()) / (degree + prior)
    ratio = (mean - 0.5) / (consistency - 0.5)
    return ((ratio - UNRELIABLE) / (RELIABLE - UNRELIABLE)).clamp(0, 1)


def _rank_edges(rows: FeatureRows, edge_index: Tensor, seed: int) -> Tensor:
    """`edge_auc` of prepared features."""
    source, target = edge_index.cpu().numpy()
    drawn = np.random.default_rng(seed).permutation(rows.size)[:REFERENCES]
    to_drawn = rows.nearness_to(drawn)
    found = np.empty(len(source), dtype=np.float32)
    step = max(1, _CELLS // max(REFERENCES, rows.width))
    for start in range(0, len(source), step):
        i, j = source[start : start + step], target[start : start + step]
        near, others = rows.nearness_of_pairs(i, j)[:, None], to_drawn[i]
        # The two ends of the edge are no random nodes.
        counted = (drawn[None, :] != i[:, None]) & (drawn[None, :] != j[:, None])
        farther = np.where(counted, (others < near) + 0.5 * (others == near), 0.0).sum(1)
        # Chance where no random node is left, as in a graph of two nodes.
        size = counted.sum(1)
        found[start : start + step] = np.where(size > 0, farther / np.maximum(size, 1), 0.5)
    return torch.from_numpy(found)


class FeatureRows:
    """Rows of a matrix, strided or CSR, float64, that are compared pair by pair; larger nearness means nearer."""

    def __init__(self, matrix: Any, metric: str) -> None:
        from sklearn.preprocessing import normalize

        if isinstance(metric, OwnMetric):
            asked = "a metric by name, or an encoder by name, merge.weighting=given and merge.evidence=none"
            raise wrong("metric", f"{metric} where parts of the rows are compared, too (edge reliability)", asked)
        # Metrics that are no products of rows; nearness is then the negative distance.
        self.other = None if metric in EUCLIDEAN_METRICS else RowDistances(matrix, metric)
        self.matrix = normalize(matrix) if metric == "cosine" else matrix
        self.sparse = hasattr(matrix, "nnz")
        self.size = int(matrix.shape[0])
        # Numbers in a gathered row.
        self.width = max(1, int(matrix.nnz / max(self.size, 1)) if self.sparse else int(matrix.shape[1]))
        self.squares = self._sums(self.matrix, self.matrix) if metric == "euclidean" else None

    @classmethod
    def of(cls, x: Tensor, metric: str) -> FeatureRows:
        """The rows of a Tensor."""
        return cls(to_scipy_or_numpy(x).astype(np.float64), metric)

    def nearness_to(self, nodes: Any) -> Any:
        """Nearness of all rows to `nodes`, dense [n, len(nodes)], comparable within a row."""
        if self.other is not None:
            return self.nearness_from(nodes).T
        products = self._products(nodes)
        return products if self.squares is None else 2 * products - self.squares[nodes]

    def nearness_from(self, nodes: Any) -> Any:
        """Nearness of `nodes` to all rows, dense [len(nodes), n], comparable within a row."""
        if self.other is not None:
            # float32, so that equal distances are equal whichever way they were added up.
            return -self.other.block(torch.as_tensor(nodes)).float().numpy()
        products = self._products(nodes).T
        return products if self.squares is None else 2 * products - self.squares

    def nearness_of_pairs(self, i: Any, j: Any) -> Any:
        """Nearness of the pairs, [len(i)], on the scale of `nearness_to`."""
        if self.other is not None:
            return -self.other.pairs(torch.as_tensor(i), torch.as_tensor(j)).float().numpy()
        products = self._sums(self.matrix[i], self.matrix[j])
        return products if self.squares is None else 2 * products - self.squares[j]

    def distances(self, i: Any, j: Any) -> Any:
        """Distances of the pairs, [len(i)], >= 0: as in `genurl_graph.graph.knn`."""
        if self.other is not None:
            return self.other.pairs(torch.as_tensor(i), torch.as_tensor(j)).numpy()
        products = self._sums(self.matrix[i], self.matrix[j])
        if self.squares is None:
            return (1 - products).clip(0)
        return np.sqrt((self.squares[i] + self.squares[j] - 2 * products).clip(0))

    def _products(self, nodes: Any) -> Any:
        products = self.matrix @ self.matrix[nodes].T
        return products.toarray() if self.sparse else products

    def _sums(self, a: Any, b: Any) -> Any:
        return a.multiply(b).sum(1).A1 if self.sparse else np.einsum("ed,ed->e", a, b)
