"""An embedding and the rows beside it, judged by labels on the same splits, as far as a plan says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits
from torch_geometric.data import Data

from genurl_graph.config.choices import ProtocolName
from genurl_graph.evaluation.budget.clock import Clock
from genurl_graph.evaluation.budget.plan import Plan, Width
from genurl_graph.evaluation.clustering import cluster, too_few_to_cluster
from genurl_graph.evaluation.probe import NEIGHBORS, knn_probe, linear_probe, standardised_components, voters
from genurl_graph.evaluation.protocols import propagate, raw_features
from genurl_graph.evaluation.ranks import sample_rows
from genurl_graph.evaluation.splits import labels_of, splits
from genurl_graph.inputs.sparse import to_scipy_or_numpy
from genurl_graph.inputs.validation import check_matrix

PARTS = ("probe", "knn", "cluster")
# Of the row "propagated".
HOPS = 2


class Row(NamedTuple):
    """A matrix [n, f] whose probe is part of the evaluation."""

    matrix: Any
    scaled: bool = False
    """Whether it holds principal components (`genurl_graph.evaluation.probe.standardised_components`)."""


def width_of(matrix: Any, kind: str = "features") -> Width:
    """Size of a matrix, dense or sparse."""
    columns, nonzeros = matrix.shape[1], getattr(matrix, "nnz", None)
    return Width(columns, columns if nonzeros is None else nonzeros / max(1, matrix.shape[0]), kind)


def reference_widths(data: Any) -> dict[str, Width]:
    """Sizes of the rows "raw" and, with edges, "propagated"; none without features."""
    if getattr(data, "x", None) is None:
        return {}
    raw = width_of(raw_features(data))
    if getattr(data, "edge_index", None) is None:
        return {"raw": raw}
    reached = min(1 + data.edge_index.size(1) / max(1, data.num_nodes), data.num_nodes) ** HOPS
    return {"raw": raw, "propagated": Width(raw.columns, min(raw.columns, raw.nonzeros * reached), "propagated")}


def reference_rows(data: Any, columns: int | None, seed: int) -> dict[str, Row]:
    """The rows that need no training, on so many principal components where they have more columns."""
    if getattr(data, "x", None) is None:
        return {}
    raw = fixed_row(raw_features(data), columns, seed)
    if getattr(data, "edge_index", None) is None:
        return {"raw": raw}
    # Averages of projections are projections of averages, and have fewer columns to be made of.
    return {"raw": raw, "propagated": Row(propagate(raw.matrix, data.edge_index, HOPS), raw.scaled)}


def fixed_row(matrix: Any, columns: int | None, seed: int) -> Row:
    """A row on so many principal components, where it has more columns."""
    if columns is None or matrix.shape[1] <= columns:
        return Row(matrix)
    return Row(standardised_components(matrix, columns, seed), scaled=True)


def judge_rows(
    z: Any,
    others: Mapping[str, Row],
    data: Any,
    protocol: ProtocolName,
    plan: Plan,
    *,
    seed: int = 0,
    metric: str = "cosine",
    parts: Collection[str] = PARTS,
    clock: Clock | None = None,
) -> dict[str, Any]:
    """Judge an embedding by labels, and the probes of other rows on the same splits.

    Parameters
    ----------
    z : Tensor or array, float, shape [n, d]
    others : mapping of str to Row
    data : Data
        With labels, and with masks for the protocol "public".
    protocol, plan
        Which splits, and how many of them (`genurl_graph.evaluation.budget.plan.plan_probes`).
    seed : int
        Of splits, samples and k-means.
    metric : str
        Of the vote.
    parts : collection of str
        Which of `PARTS` are wanted.
    clock : Clock, optional
        Shows progress. Between two splits it may end the evaluation.

    Returns
    -------
    dict
        ``splits``, how many were done; ``probe``, ``knn`` and ``cluster`` as of
        `genurl_graph.evaluation.protocols.evaluate_embedding`; ``reference``, the test accuracy of each other row.
    """
    clock = clock or Clock()
    labels = labels_of(data)
    every = slice(None) if plan.nodes is None else sample_rows(len(labels), plan.nodes, seed).numpy()
    rows = {"": Row(z), **others}
    rows = {name: Row(_matrix(row.matrix, len(labels)), row.scaled) for name, row in rows.items()}
    z, few = rows[""].matrix, _some(data, every)
    if plan.nodes is not None:
        rows = {name: Row(row.matrix[every], row.scaled) for name, row in rows.items()}
    probes: dict[str, list[dict[str, float | None]]] = {name: [] for name in rows}
    votes: list[float] = []
    done, neighbors, work = 0, 0, plan.splits * len(rows) + 1
    # Products this small lose more by threads than they gain, on a busy machine the most of their time.
    with threadpool_limits(1):
        for split in splits(protocol, few, seed=seed, n_repeats=plan.splits):
            if done == plan.splits or (done and not clock.goes_on()):
                break
            done += 1
            for name, row in rows.items() if "probe" in parts else ():
                probes[name].append(linear_probe(row.matrix, few.y, split, protocol, scaled=row.scaled))
                clock.show(sum(map(len, probes.values())) / work)
            if "knn" in parts:
                votes.append(knn_probe(rows[""].matrix, few.y, split, metric=metric))
            neighbors = neighbors or voters(NEIGHBORS, len(split.train))
    scores: dict[str, Any] = {"splits": done}
    if "probe" in parts:
        means = {key: _mean([one[key] for one in probes[""]]) for key in ("train", "val", "test")}
        scores["probe"] = {"protocol": protocol, **means, "splits": done}
        scores["reference"] = {name: _mean([one["test"] for one in probes[name]]) for name in others}
    if "knn" in parts:
        scores["knn"] = {"test": float(np.mean(votes)), "neighbors": neighbors}
    if "cluster" in parts:
        scores["cluster"] = clustered(z, labels, plan.clustered, seed)
    return scores


def clustered(z: Any, y: Any, nodes: int | None, seed: int) -> dict[str, float] | None:
    """Scores of k-means on all nodes, or on so many at random; None where their labels are too few."""
    if nodes is not None:
        rows = sample_rows(len(y), nodes, seed).numpy()
        z, y = z[rows], y[rows]
        if too_few_to_cluster(y):
            return None
    return cluster(z, y, seed)


def _matrix(z: Any, n: int) -> Any:
    return to_scipy_or_numpy(check_matrix(z, "embedding", rows=n))


def _some(data: Any, rows: Any) -> Data:
    """Labels and masks of some nodes."""
    y = np.asarray(data.y).reshape(-1)[rows]
    some = Data(y=y, num_nodes=len(y))
    for name in ("train_mask", "val_mask", "test_mask"):
        if getattr(data, name, None) is not None:
            some[name] = getattr(data, name)[rows]
    return some


def _mean(values: list[Any]) -> float | None:
    return None if not values or any(value is None for value in values) else float(np.mean(values))
