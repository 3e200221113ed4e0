"""kNN edges and their similarities by partitions: calibrated row by row, made symmetric by one shuffle."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from genurl_graph.config.parameters import SimilarityConfig
from genurl_graph.graph.affinity import LARGE, calibrate, fuzzy_union
from genurl_graph.graph.edge_lists import align, values_at
from genurl_graph.graph.partitioned.edges import NEAR, save_edges, small
from genurl_graph.graph.sources import weighted_edges
from genurl_graph.runtime.partitions import Launcher, Store, run_stage
from genurl_graph.runtime.partitions.shuffle import gather, scatter

NEIGHBORS, DISTANCES = "neighbors", "distances"
"""int32 or int64 [m, k], and float32 [m, k]: the nearest neighbours of a partition's rows."""

# Similarities [m, k] in one direction, and the shuffle that brings them to the other end.
_ONE_WAY, _TURNED = "near_one_way", "near_turned"


def relate_neighbors(launcher: Launcher, work: Store, similarity: SimilarityConfig, *, progress: bool = False) -> None:
    """Write the edges `NEAR`, as `genurl_graph.graph.knn_edges.calibrate_distances` has them.

    Parameters
    ----------
    launcher : Launcher
    work : Store
        With `NEIGHBORS` and `DISTANCES`.
    similarity : SimilarityConfig
        Resolved: its perplexity is a number.
    progress : bool
    """
    outputs = [_ONE_WAY, f"{_TURNED}/starts"]
    run_stage(launcher, work, "similarities", _calibrate, outputs, similarity, progress=progress)
    run_stage(launcher, work, "kNN edges", _symmetrize, list(NEAR), progress=progress)


def _calibrate(part: int, work: Store, similarity: SimilarityConfig) -> None:
    p, neighbors = _one_way(part, work, similarity), work.load(NEIGHBORS, part)
    work.save(_ONE_WAY, part, p)
    row = np.arange(*work.span(part)).repeat(neighbors.shape[1])
    columns = {"row": neighbors.reshape(-1), "col": small(work, row), "p": p.reshape(-1)}
    scatter(work, _TURNED, part, work.owner(columns["row"]), columns)


def _one_way(part: int, work: Store, similarity: SimilarityConfig) -> Any:
    """Similarities p_{j|i} of a partition's rows, float32 [m, k]."""
    low, high = work.span(part)
    # Few rows are solved together until all of them are solved, so that each depends on all others: as in memory, then.
    together = work.num_rows < LARGE
    distances = np.concatenate(list(work.parts(DISTANCES))) if together else work.load(DISTANCES, part)
    m, k = distances.shape
    row, flat = torch.arange(m).repeat_interleave(k), torch.from_numpy(distances).reshape(-1)
    found = calibrate(row, flat, m, float(similarity.perplexity), similarity.nu, whole=work.num_rows)
    p = found.p_conditional.view(m, k).numpy()
    return p[low:high] if together else p


def _symmetrize(part: int, work: Store) -> None:
    n, low = work.num_rows, work.bounds[part]
    p, neighbors = work.load(_ONE_WAY, part), work.load(NEIGHBORS, part)
    order = neighbors.argsort(axis=1)
    neighbors, p = (np.take_along_axis(values, order, axis=1) for values in (neighbors, p))
    row = np.arange(*work.span(part)).repeat(p.shape[1])
    forward = torch.from_numpy(np.stack([row, neighbors.reshape(-1).astype(np.int64)]))
    found = gather(work, _TURNED, part, ["row", "col", "p"])
    order = ((found["row"].astype(np.int64) - low) * n + found["col"]).argsort()
    backward = torch.from_numpy(np.stack([found[name][order].astype(np.int64) for name in ("row", "col")]))
    edges, one, two = align(forward, backward, n, low)
    one, two = (
        values_at(torch.from_numpy(values), place) for values, place in ((p.reshape(-1), one), (found["p"][order], two))
    )
    # A far neighbour beside duplicates has p = 0: it is no edge of P.
    save_edges(work, NEAR, part, *weighted_edges(edges, fuzzy_union(one, two)))
