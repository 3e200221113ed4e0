"""Rows of features as stages read them: those that a run in memory makes of the whole matrix."""

from pathlib import Path

import pytest
import torch

from genurl_graph.config import load_preset
from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.graph.edge_reliability import Measure, weighed_features
from genurl_graph.graph.knn_edges import feature_space
from genurl_graph.inputs.input import as_input
from genurl_graph.inputs.partitioned import write_prepared
from genurl_graph.runtime.partitions import OneProcess, Store
from genurl_graph.tasks.encoder_input import encoder_input
from genurl_graph.tasks.partitioned.rows import INPUT, input_rows, search_rows, weighed_rows
from genurl_graph.tasks.partitioned.settings import RunSettings


@pytest.mark.parametrize("count", [1, 3, 7])
@pytest.mark.parametrize(("how", "metric"), [("columns", "euclidean"), ("rows", "cosine"), ("pca", "euclidean")])
def test_rows_by_partition_are_those_of_the_whole(tmp_path: Path, count: int, how: str, metric: str) -> None:
    graph = planted_graph(300, 1000, num_features=12, num_classes=3, seed=1)
    prepared = write_prepared(as_input(graph), tmp_path / "prepared", partitions=count)
    settled = {"neighbors.metric": metric, "neighbors.pca": 4, "encoder.normalize": how, "encoder.dim": 20}
    config = load_preset("graph", "sign").override({**settled, "input.hash_columns": 0, "encoder.beside": "never"})
    whole = prepared.whole()._replace(column_weight=torch.linspace(0, 1, 12))
    x, statistics = encoder_input(whole, config)
    space = feature_space(whole, config, seed=2)
    settings = RunSettings(
        config, 2, whole.column_weight, Measure(0.5, 0.0), space.projection, statistics, told={}, asked={}, prepared=0
    )
    launcher, work = OneProcess(), Store(tmp_path / "work", prepared.store.bounds)
    weighed = weighed_rows(launcher, prepared, work, settings)
    vectors = search_rows(launcher, weighed, work, settings)
    input_rows(launcher, prepared, work, settings)
    found = [torch.from_numpy(store.take(name, range(300))) for store, name in (weighed, vectors, (work, INPUT))]
    assert torch.equal(found[0], weighed_features(whole))
    assert x is not None
    for own, expected in zip(found[1:], (space.vectors, x.to_dense()), strict=True):
        torch.testing.assert_close(own, expected, rtol=0, atol=1e-5)
    # Without weights and components the features themselves are read.
    bare = settings._replace(column_weight=None, projection=None)
    assert search_rows(launcher, weighed_rows(launcher, prepared, work, bare), work, bare) == (prepared.store, "x")
