"""Scores of embeddings and of the reference rows beside them, as tables and metrics files hold them."""

import functools
from operator import getitem
from typing import TYPE_CHECKING, Any

from genurl_graph.config.choices import ProtocolName
from genurl_graph.config.metrics import METRICS
from genurl_graph.experiments.edges.source import is_edge_set, line_data
from genurl_graph.experiments.models import make_estimator
from genurl_graph.experiments.results import mean_std
from genurl_graph.experiments.temporal.embedding import event_scores
from genurl_graph.experiments.triples.embedding import triple_scores

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

    from genurl_graph.estimator import GenURL
    from genurl_graph.evaluation.budget.clock import Clock
    from genurl_graph.evaluation.budget.judgement import Asked
    from genurl_graph.evaluation.links import LinkSplit

REFERENCES = {
    "untrained": "untrained encoder",
    "propagated": "propagated features",
    "raw": "raw features",
}
TITLES = {"genurl": "GenURL", **REFERENCES}

# Link prediction: titles of what scores a pair, of the figures, and of the held-out parts.
SCORERS = {"cosine": "cosine", "inner": "inner product", "decoder": "trained decoder"}
LINK_FIGURES = {"auc": "AUC", "ap": "AP", "hits50": "Hits@50"}
PARTS = {"test": "test", "val": "val."}


def probe_test(z: Any, data: "Data", protocol: ProtocolName, seed: int, n_repeats: int | None = None) -> float:
    """Test accuracy of the linear probe, averaged over the splits of a protocol, or over some of them."""
    from genurl_graph.evaluation.protocols import probe_embedding

    return float(probe_embedding(z, data, protocol, seed=seed, n_repeats=n_repeats)["test"])


def fixed_embedding(name: str, data: "Data") -> Any:
    """The reference row "raw" or "propagated", which needs no training."""
    from genurl_graph.evaluation.protocols import propagated_features, raw_features

    return {"raw": raw_features, "propagated": propagated_features}[name](data)


def reference_embeddings(data: "Data") -> dict[str, Any]:
    """The rows that need no training; "propagated" needs edges, both need features."""
    if getattr(data, "x", None) is None:
        return {}
    names = ("raw",) if getattr(data, "edge_index", None) is None else ("raw", "propagated")
    return {name: fixed_embedding(name, data) for name in names}


def embedding_scores(
    estimator: "GenURL",
    data: Any,
    asked: "Asked | None",
    *,
    teacher: "Tensor | None" = None,
    clock: "Clock | None" = None,
) -> dict[str, Any]:
    """Figures of a metrics file after a fit, or of a student beside its teacher; all None where none is asked for.

    Keys are those of `genurl_graph.evaluation.budget.judgement.judge`.
    """
    from genurl_graph.evaluation.budget.judgement import KEYS, judge, no_probe, wants_map

    if asked is None:
        return dict.fromkeys(KEYS)
    if estimator.task_ == "graphs":
        return dict.fromkeys(KEYS) | whole_graph_scores(
            estimator.embedding_, data, estimator.seed_, asked.budget, clock
        )
    if estimator.task_ == "triples":
        return triple_scores(estimator, data)
    if estimator.task_ == "temporal":
        return event_scores(estimator, data, asked, clock)
    z, task, metric = estimator.embedding_, estimator.task_, estimator.config_.neighbors.metric
    if is_edge_set(data):
        # They are judged as the nodes of their line graph.
        data, task = line_data(data, int(estimator.config_.edges.hub)), "graph"
    # Neighbourhoods as the run was told to search them: no evaluation of the file knows what "auto" was resolved to.
    told = metric in METRICS and (metric != "cosine" or estimator.metric == metric)
    asked = asked._replace(metric=asked.metric or (metric if told else "euclidean"))
    beside = {} if teacher is None else {"teacher": teacher}
    if no_probe(data) is None and not wants_map(asked, task, z, data):
        beside["untrained"] = estimator.untrained_embedding()
    return judge(z, data, task, estimator.seed_, asked, beside=beside, clock=clock)


def whole_graph_scores(
    z: "Tensor", data: Any, seed: int, budget: float | None, clock: "Clock | None" = None
) -> dict[str, Any]:
    """Protocol `graphs`: keys as of `genurl_graph.evaluation.graph_classification.judgement.judge_graphs`."""
    from genurl_graph.evaluation.graph_classification.judgement import judge_graphs
    from genurl_graph.experiments.graphs.table import graphs_of

    return judge_graphs(z, getattr(data, "y", None), graphs_of(data), seed, budget, clock)


def link_table(data: "Data", seeds: list[int], model: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split, train and score once for every seed.

    Returns
    -------
    dict
        method > scorer > part > figure > values of the seeds, mean and unbiased deviation; None without a figure.
    dict
        Numbers of edges, mean seconds, and the configuration.
    """
    from genurl_graph.evaluation.links import link_split, official_split

    official = official_split(data)
    runs, seconds = [], []
    for seed in seeds:
        split = official or link_split(data, seed)
        estimator = make_estimator(**model, seed=seed).fit(split.graph)
        runs.append(link_run(split, estimator, seed))
        seconds.append(estimator.seconds_)
    sizes = {"train": split.train.size(1), "val": int(split.val.label.sum()), "test": int(split.test.label.sum())}
    means = {stage: mean_std([s[stage] for s in seconds])[0] for stage in seconds[0]}

    def over_seeds(*path: str) -> dict[str, Any] | None:
        values: list[Any] = [functools.reduce(getitem, path, run) for run in runs]
        if None in values:
            return None
        mean, std = mean_std(values)
        return {"values": values, "mean": mean, "std": std}

    rows = {
        method: {
            scorer: {part: {key: over_seeds(method, scorer, part, key) for key in LINK_FIGURES} for part in PARTS}
            for scorer in SCORERS
        }
        for method in runs[0]
    }
    return rows, {"edges": sizes, "seconds": means, "config": estimator.config_.to_dict()}


def link_run(split: "LinkSplit", estimator: "GenURL", seed: int) -> dict[str, dict[str, Any]]:
    """Figures of the embedding and of the rows beside it, all made from the training edges alone."""
    from genurl_graph.evaluation.links import link_scores

    embeddings = {"genurl": estimator.embedding_, "untrained": estimator.untrained_embedding()}
    embeddings |= reference_embeddings(split.graph)
    return {method: link_scores(embeddings[method], split, seed=seed) for method in TITLES if method in embeddings}


def retrieval_run(z: "Tensor", data: "Data", seed: int) -> dict[str, Any]:
    """Scores of the protocol retrieval by both metrics: the test part against the training part, or leave-one-out."""
    from genurl_graph.evaluation.retrieval import retrieval_scores
    from genurl_graph.evaluation.splits import named_parts

    parts = named_parts(data)
    asked: dict[str, Any] = {"queries": parts[1], "database": parts[0]} if parts else {}
    y = getattr(data, "y", None)
    found = {m: retrieval_scores(z, y, data.x, metric=m, seed=seed, **asked) for m in ("euclidean", "cosine")}
    return {**found, "how": {metric: scores.pop("how") for metric, scores in found.items()}}


def mean_of_runs(runs: list[Any]) -> Any:
    """Means of nested dictionaries with the same keys; what is None is left out, and what is the same stays."""
    first = runs[0]
    if isinstance(first, dict):
        means = {key: mean_of_runs([run[key] for run in runs]) for key in first}
        return {key: mean for key, mean in means.items() if mean is not None}
    return first if all(run == first for run in runs) else mean_std(runs)[0]
