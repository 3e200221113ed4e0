"""Probe numbers as the commands print and write them, from `genurl_graph.evaluation`."""

import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

REFERENCES = {
    "untrained": "same encoder, untrained",
    "propagated": "propagated features",
    "raw": "raw features",
}


def load_labelled(name: str, root: Path | None) -> tuple[str, "Data"]:
    """A data set of the registry under its canonical name; evaluation needs its labels."""
    from genurl_graph import datasets

    canonical = datasets.info(name).name
    data = datasets.load(name, root)
    if getattr(data, "y", None) is None:
        raise InputError(f"data set {canonical} has no labels, so there is nothing to evaluate against")
    return canonical, data


def probe_test(z: "Tensor", data: "Data", protocol: str, seed: int) -> float:
    """Test accuracy of the linear probe, averaged over the splits of a protocol."""
    from genurl_graph.evaluation.probe import linear_probe
    from genurl_graph.evaluation.splits import splits

    parts = splits(protocol, data.y, data, seed=seed)
    return statistics.fmean(linear_probe(z, data.y, *part)["test"] for part in parts)


def references(data: "Data", untrained: "Tensor", protocol: str, seed: int) -> dict[str, float | None]:
    """Test accuracy of the rows that stand beside every result; None where a row does not apply."""
    from genurl_graph.evaluation.protocols import reference_embeddings

    rows = {**reference_embeddings(data), "untrained": untrained}
    found = {name: probe_test(z, data, protocol, seed) for name, z in rows.items()}
    return {name: found.get(name) for name in ("raw", "propagated", "untrained")}


def evaluate(z: "Tensor", untrained: "Tensor", data: "Data", seed: int) -> dict[str, Any]:
    """Values of the metrics keys probe, knn, cluster and reference; None for data without labels."""
    if getattr(data, "y", None) is None:
        return dict.fromkeys(("probe", "knn", "cluster", "reference"))
    from genurl_graph.evaluation.protocols import evaluate_embedding

    scores = dict(evaluate_embedding(z, data, seed=seed))
    return {**scores, "reference": references(data, untrained, scores["probe"]["protocol"], seed)}


def knn_test(z: "Tensor", data: "Data", seed: int) -> float:
    """Test accuracy of the nearest-neighbour vote on the data set's default splits."""
    from genurl_graph.evaluation.probe import knn_probe
    from genurl_graph.evaluation.protocols import default_protocol
    from genurl_graph.evaluation.splits import splits

    parts = splits(default_protocol(data), data.y, data, seed=seed)
    return statistics.fmean(knn_probe(z, data.y, *part)["test"] for part in parts)


def cluster_scores(z: "Tensor", data: "Data", seed: int) -> dict[str, float]:
    from genurl_graph.evaluation.clustering import cluster

    return dict(cluster(z, data.y, seed))
