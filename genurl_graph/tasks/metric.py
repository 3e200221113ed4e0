"""The metric of the feature space, the principal components that it allows, and the perplexity of P."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from genurl_graph.config import Config
from genurl_graph.config.metrics import EUCLIDEAN_METRICS, OF_CODES
from genurl_graph.exceptions import wrong
from genurl_graph.graph.projection import count_components
from genurl_graph.inputs.columns import FeaturePlan
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.normalize import is_bag


def resolve_metric(x: Tensor, config: Config, plan: FeaturePlan | None = None) -> str:
    """Metric of the feature space: cosine for bags of words (`is_bag`), Euclidean otherwise."""
    if config.neighbors.metric != "auto":
        return config.neighbors.metric
    return "cosine" if is_bag(x, plan, config.embeds_graph) else "euclidean"


def resolve_search(data: Input, config: Config, asked: bool) -> dict[str, Any]:
    """``neighbors.metric`` and ``neighbors.pca`` of a run; `asked` says whether the user named the latter.

    Principal components keep Euclidean distances and cosines; a preset's do not overrule another metric. InputError for
    components or averages of features that are categories or sets.
    """
    assert data.x is not None
    metric = resolve_metric(data.x, config, data.plan)
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
