"""P and the graph of the propagation by partitions: rows are merged without the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from genurl_graph.config.parameters import MergeConfig
from genurl_graph.exceptions import wrong
from genurl_graph.graph.merged import edge_counts, weight_shares
from genurl_graph.graph.partitioned.edges import GIVEN, MERGED, NEAR, SPREAD, load_edges, mean_of_ends, save_edges
from genurl_graph.graph.partitioned.reliability import RELIABILITY
from genurl_graph.graph.partitioned.weights import DEGREE, WEIGHT
from genurl_graph.graph.propagation import node_scale
from genurl_graph.graph.sources import (
    Sources,
    fade,
    mean_lack,
    merge_sources,
    propagation_graph,
    uses_neighbors,
    weighted_edges,
)
from genurl_graph.runtime.partitions import Launcher, Store, run_stage

SCALE = "scale"
"""float32 [m]: of each node ``1 / sqrt(1 + weighted degree)`` in the graph of the propagation."""

# Edges by source and their weight by source, float64 [2, 8].
_SUMS = "merge_sums"


def merge_partitions(
    launcher: Launcher, given: Store, work: Store, merge: MergeConfig, *, progress: bool = False
) -> dict[str, Any]:
    """Write P, `MERGED`, and the graph of the propagation, `SPREAD` and `SCALE`, both without edges of weight 0.

    Parameters
    ----------
    launcher : Launcher
    given : Store
        With the edges `GIVEN`.
    work : Store
        With what `genurl_graph.graph.partitioned.weigh_partitions`, `judge_edges` and, where kNN edges are used
        (`genurl_graph.graph.sources.uses_neighbors`), `relate_neighbors` write.
    merge : MergeConfig
        Resolved.
    progress : bool

    Returns
    -------
    dict
        Edges and weight by source, as `genurl_graph.graph.merge.MergedGraph.summary` and ``weight_shares`` have them,
        and ``total_weight``.

    Raises
    ------
    InputError
        ``merge.how = geodesic``: paths leave the partitions.
    """
    if merge.how == "geodesic":
        raise wrong("merge.how", "geodesic with partitions", "mix or union")
    outputs = [*MERGED, *SPREAD, SCALE, _SUMS]
    judged = merge.weighting == "adaptive" and uses_neighbors(merge)
    lacking = mean_lack(map(torch.from_numpy, work.parts(RELIABILITY)), work.num_rows) if judged else 1.0
    run_stage(launcher, work, "merge", _merge, outputs, given, merge, lacking, progress=progress)
    counts, weights = np.sum(list(work.parts(_SUMS)), axis=0)
    # Both directions of an edge have the same source.
    halves = torch.from_numpy(counts / 2).long()
    total = float(weights.sum())
    return edge_counts(halves) | weight_shares(torch.from_numpy(weights)) | {"total_weight": total}


def _merge(part: int, work: Store, given: Store, merge: MergeConfig, lacking: float) -> None:
    edges, _ = load_edges(given, GIVEN, part)
    sources, trusted = Sources(edges, torch.from_numpy(work.load(WEIGHT, part))), None
    if uses_neighbors(merge):
        near, p = load_edges(work, NEAR, part)
        weight = fade(p, mean_of_ends(work, DEGREE, part, near), merge.evidence)
        sources = sources._replace(knn_edge_index=near, knn_weight=weight)
        if merge.weighting == "none":
            trusted = torch.zeros_like(weight)
        elif merge.weighting == "adaptive":
            trusted = mean_of_ends(work, RELIABILITY, part, near)
    spread = propagation_graph(sources, trusted, work.num_rows, merge, lacking)
    save_edges(work, SPREAD, part, *spread[:2])
    row = spread.edge_index[0] - work.bounds[part]
    work.save(SCALE, part, node_scale(row, spread.edge_weight, work.size(part)).numpy())
    del spread, trusted
    merged = merge_sources(sources, work.num_rows, merge.feature_weight, merge.how)
    save_edges(work, MERGED, part, *weighted_edges(*merged[:2]))
    source = merged.provenance
    sums = [
        torch.bincount(source, values, minlength=8)
        for values in (torch.ones(len(source)).double(), merged.edge_weight.double())
    ]
    work.save(_SUMS, part, torch.stack(sums).numpy())
