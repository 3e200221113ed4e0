"""Runs by partitions, step by step."""

from pathlib import Path

import numpy as np

from genurl_graph.datasets.synthetic import planted_graph
from genurl_graph.inference.partitioned.run import embedding_run, transforming_run
from genurl_graph.inputs.input import as_input
from genurl_graph.inputs.partitioned import write_prepared
from genurl_graph.runtime.partitions import OneProcess


def test_a_model_that_reads_rows_alone_embeds_without_a_graph(tmp_path: Path) -> None:
    graph = planted_graph(200, 600, num_features=6, num_classes=2, seed=0)
    prepared = write_prepared(as_input(graph), tmp_path / "prepared", partitions=3)
    asked = {"encoder.name": "mlp", "encoder.dim": 4, "training.epochs": 1, "neighbors.n_neighbors": 5}
    run = embedding_run(prepared, tmp_path / "first", OneProcess(), asked, seed=0, device="cpu")
    summary = run.fit()
    run.write()
    assert summary["knn_recall"] is None
    assert summary["n_predefined"] > 0
    model, first = run.model(summary), run.finish(summary).rows()["embedding"]
    again = transforming_run(model, prepared, tmp_path / "again", OneProcess(), device="cpu")
    assert again.transform() == {"knn_recall": None}
    again.write()
    assert {stage.name for stage in again.launcher.stages()} <= {"encoder input", "embedding"}
    np.testing.assert_allclose(again.finish({}).rows()["embedding"], first, atol=1e-6)
