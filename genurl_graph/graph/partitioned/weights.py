"""Weights of the predefined edges in the merge, and degrees, by partitions."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.graph.partitioned.edges import GIVEN, load_edges, mean_of_ends
from genurl_graph.graph.partitioned.reliability import RELIABILITY
from genurl_graph.graph.sources import weigh_edges
from genurl_graph.runtime.partitions import Launcher, Store, run_stage

DEGREE, WEIGHT = "degree", "given_weight"
"""float32 [m] of a partition's nodes, and float32 [e] of its predefined edges, in the order of `GIVEN`."""


def weigh_partitions(launcher: Launcher, given: Store, work: Store, weighting: str, *, progress: bool = False) -> None:
    """Write `DEGREE` and `WEIGHT`, as `genurl_graph.graph.sources.weight_by_reliability` has them.

    Parameters
    ----------
    launcher : Launcher
    given : Store
        With the edges `GIVEN`, in both directions.
    work : Store
        Of the same partitions; with `RELIABILITY` if the weighting is adaptive.
    weighting : str
        As in ``merge.weighting``.
    progress : bool
    """
    largest = torch.tensor(1.0)
    if given.has([GIVEN.weight], 0):
        found = launcher.map("largest weight", _largest, range(given.count), given, progress=progress)
        largest = torch.tensor(max(part.value for part in found)).clamp_min(torch.finfo(torch.float32).tiny)
    outputs = [DEGREE, WEIGHT]
    run_stage(launcher, work, "weights of edges", _weigh, outputs, given, largest, weighting, progress=progress)


def _largest(part: int, given: Store) -> float:
    weight = given.load(GIVEN.weight, part)
    return float(weight.max()) if len(weight) else 0.0


def _weigh(part: int, work: Store, given: Store, largest: Tensor, weighting: str) -> None:
    edges, weight = load_edges(given, GIVEN, part)
    of_edge = mean_of_ends(work, RELIABILITY, part, edges) if weighting == "adaptive" else None
    row = edges[0] - work.bounds[part]
    weight, degree = weigh_edges(row, weight / largest, work.size(part), weighting, of_edge)
    work.save(WEIGHT, part, weight.numpy())
    work.save(DEGREE, part, degree.numpy())
