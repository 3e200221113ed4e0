"""The graph stages as PyG transforms, for ``T.Compose`` and ``Dataset(transform=...)``."""

from __future__ import annotations

from torch_geometric.data import Data
from torch_geometric.data.datapipes import functional_transform
from torch_geometric.transforms import BaseTransform

from genurl_graph.config.metrics import Distance
from genurl_graph.exceptions import unknown, wrong
from genurl_graph.graph.affinity import similarities
from genurl_graph.graph.evidence.metric import metric_by_edges
from genurl_graph.graph.knn import knn_graph
from genurl_graph.graph.merge import Directed, How, merge_graphs
from genurl_graph.inputs.normalize import is_bag
from genurl_graph.inputs.objects.pyg import edges_of


@functional_transform("genurl_feature_knn")
class FeatureKNN(BaseTransform):  # type: ignore[misc]
    """Add the kNN edges of the features: ``knn_edge_index`` [2, n k] and ``knn_distance`` [n k].

    Row 0 is the node, row 1 its neighbour. The graph of `data` stays as it is; `MergeFeatureEdges` merges the two.

    Parameters
    ----------
    k : int
        Number of neighbours.
    metric : str or callable
        "auto" (cosine for bags of words, otherwise as `genurl_graph.graph.evidence.metric.metric_by_edges` has it), or
        as in `genurl_graph.graph.knn.knn`.
    """

    def __init__(self, k: int = 15, metric: str | Distance = "auto") -> None:
        self.k = k
        self.metric = metric

    def forward(self, data: Data) -> Data:
        """`data` with the two attributes."""
        if data.x is None:
            raise wrong("FeatureKNN", "data without x", "features")
        metric = self.metric
        if metric == "auto":
            metric = "cosine" if is_bag(data.x) else metric_by_edges(data.x, data.edge_index)
        data.knn_edge_index, data.knn_distance = knn_graph(data.x, self.k, metric=metric)
        return data

    def __repr__(self) -> str:
        return f"{type(self).__name__}(k={self.k}, metric={self.metric!r})"


@functional_transform("genurl_merge_feature_edges")
class MergeFeatureEdges(BaseTransform):  # type: ignore[misc]
    """Merge ``edge_index`` with the kNN edges of `FeatureKNN`, whose distances become similarities.

    Sets ``edge_index``, ``edge_weight`` and ``edge_provenance``, the edge source (`genurl_graph.graph.merge`). Weights
    are those of `genurl_graph.inputs.objects.pyg.edges_of`. The attributes of `FeatureKNN` are
    removed, and so are all other edge attributes, which no longer fit.

    Parameters
    ----------
    how : "mix" or "union"
    feature_weight : float
        Weight of kNN edges relative to predefined edges.
    perplexity : float, optional
        Effective number of neighbours of the calibration; the number of neighbours by default.
    directed : str
        As in `genurl_graph.graph.merge.merge_graphs`.
    """

    def __init__(
        self,
        how: How = "mix",
        feature_weight: float = 1.0,
        perplexity: float | None = None,
        directed: Directed = "symmetrize",
    ) -> None:
        if how not in ("mix", "union"):
            raise unknown("how", how, ("mix", "union"))
        self.how: How = how
        self.feature_weight = feature_weight
        self.perplexity = perplexity
        self.directed: Directed = directed

    def forward(self, data: Data) -> Data:
        """`data` with the merged graph."""
        if "knn_edge_index" not in data:
            raise wrong("MergeFeatureEdges", "data without knn_edge_index", "FeatureKNN to be applied first")
        n = int(data.num_nodes or 0)
        stale = [name for name in data.edge_attrs() if name != "edge_index"] if "edge_index" in data else []
        perplexity = max(data.knn_edge_index.size(1) / n, 2.01) if self.perplexity is None else self.perplexity
        knn_edges, p = similarities(data.knn_edge_index, data.knn_distance, n, perplexity)
        # A far neighbour beside duplicates has p = 0: it is no edge.
        kept = p > 0
        edges, weight, _ = edges_of(data)
        merged = merge_graphs(
            edges,
            weight,
            knn_edges[:, kept],
            p[kept],
            num_nodes=n,
            how=self.how,
            feature_weight=self.feature_weight,
            directed=self.directed,
        )
        for name in {"knn_edge_index", "knn_distance", *stale}:
            del data[name]
        data.edge_index, data.edge_weight, data.edge_provenance = merged[:3]
        return data

    def __repr__(self) -> str:
        return f"{type(self).__name__}(how={self.how!r}, feature_weight={self.feature_weight})"
