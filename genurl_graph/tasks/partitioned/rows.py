"""Features of a partition as stages read them: weighed by their evidence, along principal axes, or normalised."""

from __future__ import annotations

import torch

from genurl_graph.graph.edge_reliability import weighed_features
from genurl_graph.graph.projection import FeatureSpace
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.partitioned import Prepared
from genurl_graph.runtime.partitions import Launcher, Store, run_stage
from genurl_graph.tasks.encoder_input import encoder_input
from genurl_graph.tasks.partitioned.settings import RunSettings

WEIGHED, VECTORS, INPUT = "weighed", "vectors", "average0"


def weighed_rows(
    launcher: Launcher, prepared: Prepared, work: Store, settings: RunSettings, progress: bool = False
) -> tuple[Store, str]:
    """Where the features lie that edges are judged by: each column times its weight, where columns have weights."""
    if settings.column_weight is None:
        return prepared.store, "x"
    run_stage(launcher, work, "weighed features", weigh_rows, [WEIGHED], prepared, settings, progress=progress)
    return work, WEIGHED


def search_rows(
    launcher: Launcher,
    weighed: tuple[Store, str],
    work: Store,
    settings: RunSettings,
    progress: bool = False,
) -> tuple[Store, str]:
    """Where the vectors lie whose nearest neighbours make kNN edges: weighed features, or their components."""
    if settings.projection is None:
        return weighed
    run_stage(launcher, work, "principal components", project_rows, [VECTORS], weighed, settings, progress=progress)
    return work, VECTORS


def input_rows(
    launcher: Launcher, prepared: Prepared, work: Store, settings: RunSettings, progress: bool = False
) -> None:
    """Write what the encoder reads of each node, before averaging: normalised features, float32 [m, f]."""
    run_stage(launcher, work, "encoder input", normalize_rows, [INPUT], prepared, settings, progress=progress)


def weigh_rows(part: int, work: Store, prepared: Prepared, settings: RunSettings) -> None:
    """Stage function of `weighed_rows`."""
    work.save(WEIGHED, part, weighed_features(_rows(part, prepared, settings), settings.config.neighbors.metric))


def project_rows(part: int, work: Store, weighed: tuple[Store, str], settings: RunSettings) -> None:
    """Stage function of `search_rows`."""
    store, name = weighed
    unit = settings.config.neighbors.metric == "cosine"
    x = torch.from_numpy(store.load(name, part))
    work.save(VECTORS, part, FeatureSpace(x, unit, settings.projection).place(x))


def normalize_rows(part: int, work: Store, prepared: Prepared, settings: RunSettings) -> None:
    """Stage function of `input_rows`."""
    data = _rows(part, prepared, settings)
    x, _ = encoder_input(data, settings.config, "cpu", settings.statistics)
    assert x is not None
    work.save(INPUT, part, x.to_dense() if x.layout == torch.sparse_csr else x)


def _rows(part: int, prepared: Prepared, settings: RunSettings) -> Input:
    x = torch.from_numpy(prepared.store.load("x", part))
    return Input(x, None, None, len(x), "numpy", column_weight=settings.column_weight)
