"""Scores of embeddings and of the reference rows beside them, as tables and metrics files hold them."""

import functools
from operator import getitem
from typing import TYPE_CHECKING, Any

from genurl_graph.experiments.models import make_estimator
from genurl_graph.experiments.results import mean_std
from genurl_graph.experiments.sources import n_features

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

    from genurl_graph.estimator import GenURL
    from genurl_graph.evaluation.links import LinkSplit

# Beyond this many nodes, or numbers of features (zeros counted), `embed` averages fewer random splits than the protocol
# asks for: twenty would take longer than the training. `evaluate` repeats all.
MANY_NODES, MANY_NUMBERS, FEW_SPLITS = 20_000, 50_000_000, 3

REFERENCES = {
    "untrained": "same encoder, untrained",
    "propagated": "propagated features",
    "raw": "raw features",
}
TITLES = {"genurl": "GenURL", **REFERENCES}

# Link prediction: titles of what scores a pair, of the figures, and of the held-out parts.
SCORERS = {"cosine": "cosine", "inner": "inner product", "decoder": "trained decoder"}
LINK_FIGURES = {"auc": "AUC", "ap": "AP", "hits50": "Hits@50"}
PARTS = {"test": "test", "val": "val."}


def probe_test(z: Any, data: "Data", protocol: str, seed: int, n_repeats: int | None = None) -> float:
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


def reference_scores(
    data: "Data", untrained: "Tensor", protocol: str, seed: int, n_repeats: int | None = None
) -> dict[str, float | None]:
    """Test accuracy of the rows that stand beside every result; None where a row does not apply."""
    rows = {**reference_embeddings(data), "untrained": untrained}
    found = {name: probe_test(z, data, protocol, seed, n_repeats) for name, z in rows.items()}
    return {name: found.get(name) for name in ("raw", "propagated", "untrained")}


def no_probe(data: "Data") -> str | None:
    """Why a run's embedding is not probed, in words; None where it is."""
    from genurl_graph.evaluation.splits import default_protocol, shortage

    y = getattr(data, "y", None)
    if y is None:
        return "no labels, so no evaluation"
    lack = None if default_protocol(data) == "public" else shortage(y.numpy())
    return None if lack is None else f"no linear probe: {lack[0]}; it takes {lack[1]}"


def embedding_scores(estimator: "GenURL", data: "Data") -> dict[str, Any]:
    """Values of the metrics keys probe, knn, cluster and reference; None for what the labels do not allow, and why."""
    from genurl_graph.evaluation.clustering import cluster, too_few_to_cluster
    from genurl_graph.evaluation.protocols import evaluate_embedding

    why = no_probe(data)
    if why is not None:
        y = getattr(data, "y", None)
        lack = None if y is None else too_few_to_cluster(y.numpy())
        found = None if y is None or lack else cluster(estimator.embedding_, y, estimator.seed_)
        reasons = {"probe": why, "knn": why, "reference": why} | ({} if found else {"cluster": lack or why})
        return {"probe": None, "knn": None, "cluster": found, "reference": None, "left_out": reasons}

    # The origin of a 2-d map means nothing, so that angles seen from there do not either.
    metric = "euclidean" if estimator.task_ == "reduce" else "cosine"
    seed, n = estimator.seed_, data.num_nodes or 0
    repeats = FEW_SPLITS if n > MANY_NODES or n * n_features(data) > MANY_NUMBERS else None
    scores = evaluate_embedding(estimator.embedding_, data, seed=seed, n_repeats=repeats, knn_metric=metric)
    untrained = estimator.untrained_embedding()
    reference = reference_scores(data, untrained, scores["probe"]["protocol"], seed, repeats)
    return {**scores, "reference": reference, "left_out": None}


def student_scores(estimator: "GenURL", teacher: "Tensor", data: "Data") -> dict[str, Any]:
    """Values of the metrics keys probe and reference of a distillation; None where the labels do not allow them."""
    if no_probe(data) is not None:
        return {"probe": None, "reference": None}
    from genurl_graph.evaluation.protocols import probe_embedding

    seed = estimator.seed_
    probe = probe_embedding(estimator.embedding_, data, seed=seed)
    reference: dict[str, float | None] = {"teacher": probe_test(teacher, data, probe["protocol"], seed)}
    reference |= reference_scores(data, estimator.untrained_embedding(), probe["protocol"], seed)
    return {"probe": probe, "reference": reference}


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


def reduction_run(z: "Tensor", data: "Data", seed: int) -> dict[str, Any]:
    """Scores of the protocol reduce; where the data set names its test part, also that against the training part."""
    from genurl_graph.evaluation.preservation import knn_accuracy, reduce_scores
    from genurl_graph.evaluation.probe import voters

    scores = reduce_scores(data.x, z, getattr(data, "y", None), seed=seed)
    parts = _named_parts(data)
    if parts and getattr(data, "y", None) is not None:
        scores["knn_test"] = knn_accuracy(z.numpy(), data.y.numpy(), *parts)
        voting = voters(10, len(parts[0]))
        scores["how"]["knn_test"] = f"{voting} nearest, {len(parts[1]):,} points against {len(parts[0]):,}"
    return scores


def retrieval_run(z: "Tensor", data: "Data", seed: int) -> dict[str, Any]:
    """Scores of the protocol retrieval by both metrics: the test part against the training part, or leave-one-out."""
    from genurl_graph.evaluation.retrieval import retrieval_scores

    parts = _named_parts(data)
    asked = {"queries": parts[1], "database": parts[0]} if parts else {}
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


def _named_parts(data: "Data") -> "tuple[Any, Any] | None":
    """Rows of the training and of the test part, where one split of the data set names both."""
    masks = [getattr(data, f"{part}_mask", None) for part in ("train", "test")]
    if any(mask is None or mask.ndim != 1 for mask in masks):
        return None
    train, test = (mask.nonzero().squeeze(1).numpy() for mask in masks if mask is not None)
    return train, test
