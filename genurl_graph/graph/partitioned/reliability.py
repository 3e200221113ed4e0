"""Edge reliability by partitions, equal to `genurl_graph.graph.sources.measure_reliability` to the last bit.

A partition needs its own rows of the features, the rows of its neighbours, which are read from one partition at a time,
and the rows of the few random nodes that edges are ranked among, which are put together first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.config.metrics import EUCLIDEAN_METRICS
from genurl_graph.exceptions import unknown, wrong
from genurl_graph.graph.edge_reliability import FeatureRows, Measure, excuse, reliability_of_sums, sums_of_nodes
from genurl_graph.graph.edge_reliability.ranks import (
    References,
    all_edges,
    count_references,
    error_of_mean,
    keep_few,
    rank_by_blocks,
    sampling_generator,
)
from genurl_graph.graph.partitioned.edges import GIVEN, by_owner, load_edges
from genurl_graph.graph.sources import MOVED, reliability_errors
from genurl_graph.runtime.partitions import Launcher, Store, run_stage

RELIABILITY = "reliability"
"""float32 [m] of a partition's nodes."""

# Of each partition: state of the generator before its edges; how many are judged, of how many nodes; its rows among the
# random nodes; block of each node that has edges.
_STATE, _COUNTS, _ROWS, _BLOCK = "judged_state", "judged_counts", "judged_rows", "judged_block"
# AUC of each edge, its sum and count by node, and sums over the partition: of AUCs, by group, of reliabilities.
_AUC, _TOTAL, _COUNT, _SUM, _GROUPED = "auc", "auc_total", "auc_count", "auc_sum", "auc_groups"
_RELIABILITIES = "reliability_sums"
_BINS = 10


def judge_edges(
    launcher: Launcher,
    given: Store,
    work: Store,
    features: tuple[Store, str],
    metric: str,
    consistency: Measure,
    evidence: float = 1.0,
    *,
    progress: bool = False,
) -> dict[str, Any]:
    """Write the reliability of each node's edges, `RELIABILITY`.

    Parameters
    ----------
    launcher : Launcher
    given : Store
        With the edges `GIVEN`, in both directions.
    work : Store
        Of the same partitions, for the result and what lies between.
    features : Store and name
        float32 [m, f] of the same partitions, columns weighed.
    metric : "euclidean" or "cosine"
    consistency : Measure
        As `genurl_graph.graph.edge_reliability.feature_consistency` returns it.
    evidence : float
        Of the features, in [0, 1].
    progress : bool

    Returns
    -------
    dict
        As `genurl_graph.graph.sources.Sources.summary`; ``reliability_error`` is equal up to rounding, the rest
        exactly.

    Raises
    ------
    InputError
        Another metric, or no edges.
    """
    if metric not in EUCLIDEAN_METRICS:
        raise unknown("metric of partitions", metric, EUCLIDEAN_METRICS)
    stages = (launcher, work)
    _keep_states(given, work)
    run_stage(*stages, "edges to judge", _count, [_COUNTS], given, progress=progress)
    edges, sources = np.stack(list(work.parts(_COUNTS)), 1)
    if not edges.sum():
        raise wrong("edge reliability", "no edges", "a graph")
    width = features[0].shape(features[1], 0)[1]
    count = count_references(work.num_rows, width, True, int(edges.sum()))
    references = References.draw(int(sources.sum()), work.num_rows, count)
    for part, block in enumerate(np.split(references.block, sources.cumsum()[:-1])):
        work.save(_BLOCK, part, block)
    nodes = np.unique(references.drawn)
    run_stage(*stages, "random nodes", _reference_rows, [_ROWS], features, nodes, progress=progress)
    known = _whole(work)
    known.save("nodes", 0, nodes)
    known.save("rows", 0, np.concatenate(list(work.parts(_ROWS))))
    known.save("drawn", 0, references.drawn)
    run_stage(*stages, "edge AUC", _rank, [_SUM], given, features, metric, progress=progress)
    mean, of_all = _means(work, int(edges.sum()))
    error = error_of_mean(np.sum(list(work.parts(_GROUPED)), axis=0), references, work.num_rows)
    judged = (mean, error, consistency, evidence)
    run_stage(*stages, "edge reliability", _reliability, [_RELIABILITIES], *judged, progress=progress)
    sums = np.sum(list(work.parts(_RELIABILITIES)), axis=0)
    average, *moved = (sums[: 1 + len(MOVED)] / work.num_rows).tolist()
    return {
        "edge_auc": of_all,
        "feature_consistency": consistency.value,
        "reliability_mean": average,
        "reliability_histogram": sums[-_BINS:].astype(np.int64).tolist(),
        **reliability_errors(error, consistency.error, moved),
    }


def _whole(work: Store) -> Store:
    """What all partitions read."""
    return Store(work.path / "references", (0, 1))


def _keep_states(given: Store, work: Store) -> None:
    """Of very many edges a sample is judged: keep where each partition's random numbers begin in those of all edges."""
    sizes = [given.shape(GIVEN.col, part)[0] for part in range(given.count)]
    if all_edges(sum(sizes)):
        return
    generator = sampling_generator()
    for part, size in enumerate(sizes):
        work.save(_STATE, part, generator.get_state().numpy())
        torch.rand(size, generator=generator)


def _judged(part: int, work: Store, given: Store) -> tuple[Any, Any]:
    """Both ends of the edges of a partition that are judged: the first from 0, the second of the whole graph."""
    (row, col), _ = load_edges(given, GIVEN, part)
    row = row - given.bounds[part]
    if work.has([_STATE], part):
        generator = torch.Generator()
        generator.set_state(torch.from_numpy(work.load(_STATE, part)))
        kept = keep_few(row, given.size(part), generator)
        row, col = row[kept], col[kept]
    return row.numpy(), col.numpy()


def _count(part: int, work: Store, given: Store) -> None:
    row, _ = _judged(part, work, given)
    work.save(_COUNTS, part, np.array([len(row), len(np.unique(row))]))


def _reference_rows(part: int, work: Store, features: tuple[Store, str], nodes: Any) -> None:
    (store, name), (low, high) = features, work.span(part)
    own = nodes[(nodes >= low) & (nodes < high)] - low
    work.save(_ROWS, part, store.load(name, part)[own])


def _rank(part: int, work: Store, given: Store, features: tuple[Store, str], metric: str) -> None:
    i, j = _judged(part, work, given)
    low, own, known = work.bounds[part], features[0].load(features[1], part), _whole(work)
    nodes, rows, drawn = (known.load(name, 0) for name in ("nodes", "rows", "drawn"))

    def between(first: Any, others: Any) -> Any:
        some = np.concatenate([own[first - low], rows[np.searchsorted(nodes, others)]])
        return FeatureRows(some, metric).between(np.arange(len(first)), np.arange(len(first), len(some)))

    near = _nearness(own, i, j, features, metric)
    place = (np.bincount(i, minlength=work.size(part)) > 0).cumsum() - 1
    block = work.load(_BLOCK, part)[place[i]]
    auc, groups = rank_by_blocks(near, (i + low, j), block, drawn, work.num_rows, between)
    total, count = sums_of_nodes(torch.from_numpy(auc), torch.from_numpy(i), work.size(part))
    work.save(_AUC, part, auc)
    work.save(_TOTAL, part, total.numpy())
    work.save(_COUNT, part, count.numpy())
    work.save(_GROUPED, part, groups)
    # Last: where it is, all of the partition's arrays are.
    work.save(_SUM, part, auc.sum(dtype=np.float64, keepdims=True))


def _nearness(own: Any, i: Any, j: Any, features: tuple[Store, str], metric: str) -> Any:
    """Nearness of both ends of edges, float32 [e]: those to one partition at a time."""
    (store, name), near = features, np.empty(len(i), dtype=np.float32)
    for other, places in by_owner(store, j):
        first, a = np.unique(i[places], return_inverse=True)
        second, b = np.unique(j[places] - store.bounds[other], return_inverse=True)
        rows = FeatureRows(np.concatenate([own[first], store.load(name, other)[second]]), metric)
        near[places] = rows.pairs(a, b + len(first))
    return near


def _means(work: Store, edges: int) -> tuple[Tensor, float]:
    """Mean AUC of all edges as float32, which reliability is shrunk towards, and as float64, which is reported."""
    if all_edges(edges):
        # A sum in float32 depends on its order: as in memory, then.
        auc = np.concatenate(list(work.parts(_AUC)))
        return torch.from_numpy(auc).mean(), float(auc.mean(dtype=np.float64))
    mean = float(np.sum(list(work.parts(_SUM)))) / edges
    return torch.tensor(mean, dtype=torch.float32), mean


def _reliability(part: int, work: Store, mean: Tensor, error: float, consistency: Measure, evidence: float) -> None:
    total, count = (torch.from_numpy(work.load(name, part)) for name in (_TOTAL, _COUNT))

    def judge(auc: float, other: float) -> Tensor:
        value = consistency.value + other * consistency.error
        found = reliability_of_sums(total + auc * error * count, count, mean + auc * error, value)
        return excuse(found, value, evidence)

    found = judge(0, 0)
    sums = [float(part.sum(dtype=torch.float64)) for part in (found, *(judge(*moved) for moved in MOVED))]
    work.save(RELIABILITY, part, found.numpy())
    work.save(_RELIABILITIES, part, np.array([*sums, *torch.histc(found, _BINS, 0.0, 1.0).tolist()]))
