"""A sample of a prepared folder as an input in memory: what decides a configuration is measured on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from genurl_graph.inputs.columns import FeaturePlan
from genurl_graph.inputs.columns.matrix import as_features
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.partitioned import Prepared
from genurl_graph.runtime.partitions import Store

# Nodes of a sample, and edges that each of those brings along which it begins with.
MOST_NODES, FANOUT = 50_000, 16


def sample_input(prepared: Prepared, most: int = MOST_NODES, fanout: int = FANOUT) -> Input:
    """Nodes of the first partitions, up to `fanout` random edges of each, and the nodes at their other ends.

    The order of a prepared folder is random, so that its first nodes are a random sample. Up to `most` nodes there is
    nothing to draw: the sample is the whole graph, and what is measured on it is what a run in memory measures.

    Parameters
    ----------
    prepared : Prepared
        With features.
    most : int
        Nodes, at most.
    fanout : int
        Edges of a node that the sample begins with, >= 1.

    Returns
    -------
    Input
        Its nodes in the order of the folder. The same for every seed of a run. ``known["degree"]`` are the degrees that
        the nodes have in the whole graph. Memory: the sample, and one partition.
    """
    if prepared.num_nodes <= most:
        found = prepared.whole()
        assert found.x is not None
        # As everything that is read into memory: sparse where that pays.
        return found._replace(x=as_features(found.x), names=None, measured={}, plan=plan_of(prepared))
    store, parts, begun = prepared.store, [], 0
    for part in range(store.count):
        row, col, weight = prepared.edges(part)
        kept = draw_edges(row, fanout, np.random.default_rng(part))
        low, high = store.span(part)
        # Each row is a node of the sample, and so may be the other end of each of its edges: so many rows fit.
        ends = begun + np.cumsum(1 + np.bincount(row[kept] - low, minlength=high - low))
        size = int(np.searchsorted(ends, most, side="right"))
        kept = kept[row[kept] < low + size]
        parts.append((np.arange(low, low + size), row[kept], col[kept], weight[kept]))
        if size < high - low:
            break
        begun = int(ends[-1])
    rows, source, target, weight = map(np.concatenate, zip(*parts, strict=True))
    nodes = np.unique(np.concatenate([rows, target]))
    edges, weight = _both_ways(np.searchsorted(nodes, source), np.searchsorted(nodes, target), weight, len(nodes))
    return Input(
        x=as_features(store.take("x", nodes)),
        edge_index=torch.from_numpy(edges),
        edge_weight=torch.from_numpy(weight) if prepared.weighted else None,
        num_nodes=len(nodes),
        kind="numpy",
        measured={"degree": torch.from_numpy(_degrees(store, nodes))},
        plan=plan_of(prepared),
    )


def plan_of(prepared: Prepared) -> FeaturePlan | None:
    """What the features were made by of raw columns; None where they are what came."""
    plan = prepared.manifest.plan
    return None if plan is None else FeaturePlan.from_dict(plan)


def draw_edges(row: Any, fanout: int, generator: np.random.Generator) -> Any:
    """Indices in `row` [E], which is sorted, of up to `fanout` random edges of each row; int64, ascending."""
    order = np.lexsort((generator.random(len(row)), row))
    starts = np.searchsorted(row, row)
    return np.sort(order[np.arange(len(row)) - starts < fanout])


def _both_ways(source: Any, target: Any, weight: Any, n: int) -> tuple[Any, Any]:
    """Edges in both directions, each once, sorted; the weight of an edge is the same in both."""
    key = np.concatenate([source * n + target, target * n + source])
    key, first = np.unique(key, return_index=True)
    return np.stack([key // n, key % n]), weight[first % len(weight)]


def _degrees(store: Store, nodes: Any) -> Any:
    """Number of edges of some nodes, int64 [m]; `nodes` are sorted."""
    ends = np.searchsorted(nodes, store.bounds)
    found = [
        np.diff(store.load("crow", part))[nodes[ends[part] : ends[part + 1]] - store.bounds[part]]
        for part in np.flatnonzero(np.diff(ends)).tolist()
    ]
    return np.concatenate(found)
