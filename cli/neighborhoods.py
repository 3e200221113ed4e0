"""``genurl-graph evaluate --protocol reduce`` and ``retrieval``: an embedding against the data set's own vectors."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.cli.report import Report, mean_std, mean_std_percent, versions
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

PROTOCOLS = ("reduce", "retrieval")

# Score of the protocol reduce -> title; shares are printed in per cent, the others as they are.
TITLES = {
    "knn_accuracy": "10-NN accuracy, per cent",
    "knn_test": "10-NN accuracy, test against train, per cent",
    "trustworthiness": "trustworthiness",
    "continuity": "continuity",
    "spearman": "Spearman of distances",
}
METRICS = ("euclidean", "cosine")


def evaluate_neighborhoods(
    z: "Tensor", name: str, data: "Data", protocol: str, seeds: int, source: Path, metrics: Path | None, quiet: bool
) -> None:
    """Print and write the scores of an embedding; seeds change folds and samples only."""
    if getattr(data, "x", None) is None:
        raise InputError(f"--protocol {protocol}: data set {name} has no vectors to compare the embedding with")
    report = Report(quiet)
    report.line(f"{source}: {z.shape[0]:,} x {z.shape[1]}, on {name}, protocol {protocol}")
    score = reduction if protocol == "reduce" else retrieval
    runs = [score(z, data, seed) for seed in range(seeds)]
    flat = [flatten(run) for run in runs]
    means = {key: mean([run[key] for run in flat]) for key in flat[0]}
    how = runs[0]["how"]
    report.table(
        ((TITLES.get(key) or spoken(key), value(key, [run[key] for run in flat]), how.get(key, "")) for key in means),
    )
    for line in sorted({how[key] for key in how if key not in means}):
        report.line(line)
    if metrics:
        from genurl_graph.runtime.files import write_json

        content: dict[str, Any] = {"dataset": name, "embedding": str(source), "protocol": protocol}
        content |= {"n_nodes": z.shape[0], "dim": z.shape[1], "seeds": list(range(seeds))}
        write_json(metrics, {**content, protocol: nest(means), "how": how, "runs": runs, "versions": versions()})
        report.line(f"metrics   {metrics}")


def reduction(z: "Tensor", data: "Data", seed: int) -> dict[str, Any]:
    """Scores of the protocol reduce; where the data set names its test part, also that against the training part."""
    import numpy as np

    from genurl_graph.evaluation.preservation import knn_accuracy, reduce_scores
    from genurl_graph.evaluation.splits import Split

    scores = reduce_scores(data.x, z, getattr(data, "y", None), seed=seed)
    parts = parts_of(data)
    if parts and getattr(data, "y", None) is not None:
        split = Split(parts[0], np.empty(0, dtype=np.int64), parts[1])
        scores["knn_test"] = knn_accuracy(z.numpy(), data.y.numpy(), split)
        scores["how"]["knn_test"] = f"10 nearest, {len(parts[1]):,} points against {len(parts[0]):,}"
    return scores


def retrieval(z: "Tensor", data: "Data", seed: int) -> dict[str, Any]:
    """Scores of the protocol retrieval by both metrics: the test part against the training part, or leave-one-out."""
    from genurl_graph.evaluation.retrieval import retrieval_scores

    parts = parts_of(data)
    asked = {"queries": parts[1], "database": parts[0]} if parts else {}
    y = getattr(data, "y", None)
    found = {m: retrieval_scores(z, y, data.x, metric=m, seed=seed, **asked) for m in METRICS}
    return {**found, "how": {metric: found[metric].pop("how") for metric in METRICS}}


def parts_of(data: "Data") -> "tuple[Any, Any] | None":
    """Rows of the training and of the test part, where one split of the data set names both."""
    masks = [getattr(data, f"{part}_mask", None) for part in ("train", "test")]
    if any(mask is None or mask.ndim != 1 for mask in masks):
        return None
    train, test = (mask.nonzero().squeeze(1).numpy() for mask in masks if mask is not None)
    return train, test


def mean(values: list[float]) -> float:
    """Mean; a count that is the same in all runs stays a whole number."""
    return values[0] if len(set(values)) == 1 else mean_std(values)[0]


def flatten(scores: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """Numbers of nested scores by one name each, ``euclidean.label_recall.10``; what is None is left out."""
    found: dict[str, float] = {}
    for key, item in scores.items():
        if key == "how":
            continue
        if isinstance(item, dict):
            found |= flatten(item, f"{prefix}{key}.")
        elif item is not None:
            found[f"{prefix}{key}"] = item
    return found


def nest(flat: dict[str, float]) -> dict[str, Any]:
    """What `flatten` has made flat, as it was."""
    found: dict[str, Any] = {}
    for key, item in flat.items():
        *groups, last = key.split(".")
        inner = found
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[last] = item
    return found


def spoken(key: str) -> str:
    """Title of a retrieval score."""
    metric, _, rest = key.partition(".")
    score, _, k = rest.partition(".")
    titles = {
        "map": "mean average precision of labels",
        "label_recall": f"label among the first {k}",
        "neighbor_recall": f"true {k} nearest among the first {k}",
        "n_queries": "queries",
        "n_database": "items in the database",
    }
    return f"{metric}: {titles[score]}"


def value(key: str, values: list[float]) -> str:
    if key.endswith(("n_queries", "n_database")):
        return f"{values[0]:,}"
    if key.startswith("knn") or "." in key:
        return mean_std_percent(values)
    mean, std = mean_std(values)
    return f"{mean:.4f}" if std is None else f"{mean:.4f} ± {std:.4f}"
