"""Probe numbers as the commands print and write them, from `genurl_graph.evaluation`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.cli.report import n_features
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

    from genurl_graph.estimator import GenURL

# Beyond this many nodes, or numbers of features (zeros counted), `embed` averages fewer random splits than the protocol
# asks for: twenty would take longer than the training. `evaluate` repeats all.
MANY_NODES, MANY_NUMBERS, FEW_SPLITS = 20_000, 50_000_000, 3

REFERENCES = {
    "untrained": "same encoder, untrained",
    "propagated": "propagated features",
    "raw": "raw features",
}


def load_named(name: str, root: Path | None) -> tuple[str, "Data"]:
    """A data set of the registry under its canonical name."""
    from genurl_graph import datasets

    return datasets.info(name).name, datasets.load(name, root)


def load_labelled(name: str, root: Path | None) -> tuple[str, "Data"]:
    """`load_named` for what needs labels."""
    canonical, data = load_named(name, root)
    if getattr(data, "y", None) is None:
        raise InputError(f"data set {canonical} has no labels, so there is nothing to evaluate against")
    return canonical, data


def probe_test(z: Any, data: "Data", protocol: str, seed: int, n_repeats: int | None = None) -> float:
    """Test accuracy of the linear probe, averaged over the splits of a protocol, or over some of them."""
    from genurl_graph.evaluation.protocols import probe_embedding

    return float(probe_embedding(z, data, protocol, seed=seed, n_repeats=n_repeats)["test"])


def reference_embeddings(data: "Data") -> dict[str, Any]:
    """The rows that need no training; "propagated" needs edges, both need features."""
    from genurl_graph.evaluation.protocols import propagated_features, raw_features

    if getattr(data, "x", None) is None:
        return {}
    rows = {"raw": raw_features(data)}
    if getattr(data, "edge_index", None) is not None:
        rows["propagated"] = propagated_features(data)
    return rows


def references(
    data: "Data", untrained: "Tensor", protocol: str, seed: int, n_repeats: int | None = None
) -> dict[str, float | None]:
    """Test accuracy of the rows that stand beside every result; None where a row does not apply."""
    rows = {**reference_embeddings(data), "untrained": untrained}
    found = {name: probe_test(z, data, protocol, seed, n_repeats) for name, z in rows.items()}
    return {name: found.get(name) for name in ("raw", "propagated", "untrained")}


def evaluate(estimator: "GenURL", data: "Data") -> dict[str, Any]:
    """Values of the metrics keys probe, knn, cluster and reference; None for data without labels."""
    if getattr(data, "y", None) is None:
        return dict.fromkeys(("probe", "knn", "cluster", "reference"))
    from genurl_graph.evaluation.protocols import evaluate_embedding

    # The origin of a picture means nothing, so that angles seen from there do not either.
    metric = "euclidean" if estimator.task_ == "reduce" else "cosine"
    seed = estimator.seed_
    n = data.num_nodes or 0
    repeats = FEW_SPLITS if n > MANY_NODES or n * n_features(data) > MANY_NUMBERS else None
    scores = dict(
        evaluate_embedding(estimator.embedding_, data, seed=seed, n_repeats=repeats, knn_metric=metric),
    )
    untrained = estimator.untrained_embedding()
    return {**scores, "reference": references(data, untrained, scores["probe"]["protocol"], seed, repeats)}


def knn_test(z: "Tensor", data: "Data", seed: int) -> float:
    """Test accuracy of the nearest-neighbour vote on the data set's default splits."""
    from genurl_graph.evaluation.protocols import default_protocol, knn_embedding

    return knn_embedding(z, data, default_protocol(data), seed=seed)


def cluster_scores(z: "Tensor", data: "Data", seed: int) -> dict[str, float]:
    from genurl_graph.evaluation.clustering import cluster

    return dict(cluster(z, data.y, seed))
