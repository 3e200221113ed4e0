"""Graph embedding by partitions: the stages in their order, each of which goes on where it was stopped.

What is computed is what `genurl_graph.tasks.graph` computes in memory: edge reliability, kNN edges and their
similarities, P and the graph of the propagation, averages of the features over it. A stage leaves arrays by partition
in the work folder.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from genurl_graph.graph.partitioned import (
    average_partitions,
    judge_edges,
    merge_partitions,
    partition_statistics,
    relate_neighbors,
    weigh_partitions,
)
from genurl_graph.graph.partitioned.reliability import RELIABILITY
from genurl_graph.graph.partitioned.search import search_partitions
from genurl_graph.graph.partitioned.similarities import DISTANCES, NEIGHBORS
from genurl_graph.graph.sources import share_of, uses_neighbors
from genurl_graph.inputs.partitioned import Prepared
from genurl_graph.objectives.partitioned import train_partitions
from genurl_graph.runtime.files import atomic_write
from genurl_graph.runtime.partitions import Launcher, Store
from genurl_graph.tasks.partitioned.rows import input_rows, search_rows, weighed_rows
from genurl_graph.tasks.partitioned.settings import RunSettings


def remembered(work: Store, arrays: Sequence[str], compute: Callable[[], Any]) -> Any:
    """What a stage that writes `arrays` returns besides: kept in a file, it need not run again where all of them are.

    Parameters
    ----------
    work : Store
    arrays : sequence of str
        By whose names the result is kept.
    compute : callable
        The stage. Its result is JSON-able.
    """
    file, name = work.path / "facts.json", arrays[0]
    found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if name not in found or not all(work.has(arrays, part) for part in range(work.count)):
        found[name] = compute()
        with atomic_write(file) as temporary:
            temporary.write_text(json.dumps(found), encoding="utf-8")
    return found[name]


def with_statistics(
    launcher: Launcher, prepared: Prepared, settings: RunSettings, progress: bool = False
) -> RunSettings:
    """Settings with means and scales of the columns, where the encoder reads standardised ones: those of all rows."""
    if settings.config.encoder.normalize != "columns" or "mean" in settings.statistics:
        return settings
    found = partition_statistics(launcher, (prepared.store, "x"), progress=progress)
    return settings._replace(statistics={**settings.statistics, **found})


def build_graph(
    launcher: Launcher, prepared: Prepared, work: Store, settings: RunSettings, *, progress: bool = False
) -> dict[str, Any]:
    """Write everything that the training reads: P, and what the encoder reads of each node.

    Parameters
    ----------
    launcher : Launcher
    prepared : Prepared
    work : Store
        Of the same partitions.
    settings : RunSettings
        With `with_statistics`.
    progress : bool
        Show a progress bar for each stage.

    Returns
    -------
    dict
        Summary of the graph, as of `genurl_graph.tasks.TrainingProblem.summary`, and ``knn_recall``.
    """
    config, given, c = settings.config, prepared.store, settings.config.neighbors
    weighed, metric = weighed_rows(launcher, prepared, work, settings, progress), str(c.metric)
    summary: dict[str, Any] = {}
    recall: float | None = None

    def judged() -> dict[str, Any]:
        evidence = share_of(config.merge.evidence)
        return judge_edges(launcher, given, work, weighed, metric, settings.consistency, evidence, progress=progress)

    def searched() -> float | None:
        vectors = search_rows(launcher, weighed, work, settings, progress)
        how = (metric, c.backend, settings.seed, c.memory_mb, progress)
        return search_partitions(launcher, vectors, work, c.n_neighbors, *how)

    if config.merge.weighting == "adaptive":
        summary = remembered(work, [RELIABILITY], judged)
    weigh_partitions(launcher, given, work, config.merge.weighting, progress=progress)
    if uses_neighbors(config.merge):
        recall = remembered(work, [NEIGHBORS, DISTANCES], searched)
        relate_neighbors(launcher, work, config.similarity, progress=progress)
    merged = merge_partitions(launcher, given, work, config.merge, progress=progress)
    input_rows(launcher, prepared, work, settings, progress)
    if config.encoder.name == "sign":
        average_partitions(launcher, work, config.encoder.hops, progress=progress)
    return {**merged, **summary, "knn_recall": recall}


def train_encoder(
    launcher: Launcher, work: Store, settings: RunSettings, *, device: str, progress: bool = False
) -> list[float]:
    """Train in all workers at once; the encoder lies in the work folder. The mean loss of each epoch."""
    how = (work, settings.config, settings.seed, device, progress)
    losses: list[float] = launcher.together("training", train_partitions, *how, progress=progress)[0].value
    return losses
