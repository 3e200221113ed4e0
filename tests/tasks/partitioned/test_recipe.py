"""The stages of a run by partitions, against the run in memory on the same numbering and the same settings."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.inputs.input import Input, as_input
from genurl_graph.inputs.partitioned import Prepared, write_prepared
from genurl_graph.runtime.partitions import OneProcess, Store
from genurl_graph.tasks import graph
from genurl_graph.tasks.encoder_input import encoder_input
from genurl_graph.tasks.partitioned.recipe import build_graph, remembered, with_statistics
from genurl_graph.tasks.partitioned.resolve import resolve_run
from genurl_graph.tasks.partitioned.settings import RunSettings
from genurl_graph.tasks.prepare import gather

N, COUNTS = 1500, (1, 3, 7)


class Memory:
    """What a run in memory makes of the graph."""

    def __init__(self, data: Input, settings: RunSettings) -> None:
        config, cpu = settings.config, torch.device("cpu")
        data = data._replace(measured={}, column_weight=settings.column_weight)
        sources = gather(data, config, settings.seed, cpu)
        merged = graph.merged_graph(data, sources, config)
        kept = merged.edge_weight > 0
        self.edges, self.p = merged.edge_index[:, kept], merged.edge_weight[kept]
        self.spread = graph.propagation_edges(sources, data.num_nodes, config)
        x, self.statistics = encoder_input(data, config)
        assert isinstance(x, Tensor)
        self.averages = graph.averaged(x, self.spread, config, cpu).x
        self.summary = {**sources.summary(), **merged.summary(), **merged.weight_shares()}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Prepared]:
    graph_ = planted_graph(N, 6000, num_features=10, num_classes=4, noise=1.0, seed=3)
    folder = tmp_path_factory.mktemp("prepared")
    return {count: write_prepared(as_input(graph_), folder / str(count), partitions=count) for count in COUNTS}


@pytest.fixture(scope="module")
def settings(folders: dict[int, Prepared]) -> RunSettings:
    return resolve_run(folders[3], {"neighbors.backend": "exact", "neighbors.n_neighbors": 8}, seed=1)


@pytest.fixture(scope="module")
def memory(folders: dict[int, Prepared], settings: RunSettings) -> Memory:
    return Memory(folders[3].whole(), settings)


@pytest.mark.parametrize("count", COUNTS)
def test_p_is_that_in_memory_to_the_bit(
    folders: dict[int, Prepared], settings: RunSettings, memory: Memory, count: int, tmp_path: Path
) -> None:
    prepared, launcher = folders[count], OneProcess()
    work = Store(tmp_path / "work", prepared.store.bounds)
    found = with_statistics(launcher, prepared, settings)
    summary = build_graph(launcher, prepared, work, found)
    row = np.concatenate([np.diff(work.load("p_crow", part)) for part in range(count)])
    edges = np.stack([np.arange(N).repeat(row), np.concatenate([*work.parts("p_col")])])
    assert np.array_equal(edges, memory.edges.numpy())
    assert np.array_equal(np.concatenate([*work.parts("p")]), memory.p.numpy())
    # Means of columns are sums by partition, averages sums by block: equal but for rounding.
    averages = np.concatenate([work.take(f"average{step}", range(N)) for step in range(3)], axis=1)
    np.testing.assert_allclose(averages, memory.averages.numpy(), atol=2e-5)
    for key in ("reliability_mean", "edge_auc", "n_predefined", "n_feature", "n_both"):
        assert summary[key] == pytest.approx(memory.summary[key], rel=1e-6)


def test_what_is_there_is_not_computed_again(
    folders: dict[int, Prepared], settings: RunSettings, tmp_path: Path
) -> None:
    class Watched(OneProcess):
        """Notes what is worked on, and is stopped at a stage."""

        stop = "averages"

        def __init__(self) -> None:
            self.seen: list[tuple[str, list[int]]] = []

        def map(self, doing, function, parts, *shared: Any, progress=False):  # type: ignore[no-untyped-def]
            parts = list(parts)
            self.seen.append((doing, parts))
            return super().map(doing, function, parts, *shared, progress=progress)

    prepared = folders[3]
    work = Store(tmp_path / "work", prepared.store.bounds)
    first, second = Watched(), Watched()
    found = with_statistics(OneProcess(), prepared, settings)
    whole = build_graph(first, prepared, work, found)
    # A partition of a late stage is lost.
    work.file("average2", 1).unlink()
    kept = work.load("average2", 2)
    assert build_graph(second, prepared, work, found) == whole
    again = [(doing, parts) for doing, parts in second.seen if parts == [1]]
    assert again
    assert all(parts == [1] for doing, parts in second.seen if "largest" not in doing)
    assert len(second.seen) < len(first.seen) / 2
    assert np.array_equal(work.load("average2", 2), kept)


def test_results_are_remembered_as_long_as_the_arrays_are_there(tmp_path: Path) -> None:
    calls, work = [], Store.of(tmp_path, 4, 2)

    def compute() -> float:
        calls.append(1)
        for part in range(2):
            work.save("found", part, np.zeros(2))
        return 0.1 + 0.2

    assert [remembered(work, ["found"], compute) for _ in range(3)] == [0.1 + 0.2] * 3
    assert len(calls) == 1
    work.file("found", 1).unlink()
    assert remembered(work, ["found"], compute) == 0.1 + 0.2
    assert len(calls) == 2
