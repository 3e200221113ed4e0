"""The metric of the feature space, the principal components that it allows, and the perplexity of P."""

from __future__ import annotations

from typing import Any

from genurl_graph.config import Config
from genurl_graph.config.metrics import EUCLIDEAN_METRICS, OF_CODES
from genurl_graph.exceptions import wrong
from genurl_graph.graph.evidence.metric import metric_by_edges
from genurl_graph.graph.projection import count_components
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.normalize import is_bag


def resolve_metric(data: Input, config: Config) -> str:
    """Metric of the feature space: cosine for bags of words (`is_bag`), otherwise what the edges say.

    That is `metric_by_edges`, computed once for an input; the Euclidean distance without edges, where the task does not
    embed the graph, and for columns in units of their own, which a plan has scaled.
    """
    x, plan = data.x, data.plan
    assert x is not None
    if config.neighbors.metric != "auto":
        return config.neighbors.metric
    if is_bag(x, plan, config.embeds_graph):
        return "cosine"
    if not config.embeds_graph or (plan is not None and plan.is_scaled):
        return "euclidean"
    known = data.known
    if "metric" not in known:
        known["metric"] = metric_by_edges(x, data.edge_index)
    found: str = known["metric"]
    return found


def resolve_search(data: Input, config: Config, asked: bool) -> dict[str, Any]:
    """``neighbors.metric`` and ``neighbors.pca`` of a run; `asked` says whether the user named the latter.

    Principal components keep Euclidean distances and cosines; a preset's do not overrule another metric. InputError for
    components or averages of features that are categories or sets.
    """
    assert data.x is not None
    metric = resolve_metric(data, config)
    given = metric in EUCLIDEAN_METRICS or asked
    components = count_components(config.neighbors.pca, data.x, metric) if given else 0
    if metric in OF_CODES:
        for key, value in (("pca", components), ("hops", config.neighbors.hops)):
            if value:
                raise wrong(f"neighbors.{key}", f"{value} with the metric {metric}", "0, or a metric of numbers")
    return {"neighbors.metric": metric, "neighbors.pca": components}


def resolve_perplexity(config: Config, n_neighbors: int) -> float:
    """Perplexity of P: the number of neighbours, but more than the 2 that calibration needs."""
    perplexity = config.similarity.perplexity
    return max(float(n_neighbors), 2.01) if isinstance(perplexity, str) else perplexity
