"""``genurl-graph compare --task graphs`` and ``evaluate --protocol graphs``, on planted graphs under MUTAG's name."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genurl_graph import datasets
from genurl_graph.datasets.planted_graphs import planted_graphs
from genurl_graph.evaluation.graph_classification import folds, judgement, svm
from genurl_graph.evaluation.graph_classification.few_labels import few_labels
from genurl_graph.experiments import runs
from genurl_graph.experiments.graphs import table
from genurl_graph.experiments.scores import whole_graph_scores
from genurl_graph.inputs.collection.graph_set import GraphSet

ROWS = {"genurl", "histogram", "wl", "untrained", "concat"}


@pytest.fixture(scope="module")
def planted() -> GraphSet:
    return planted_graphs(80, 10)


@pytest.fixture(autouse=True)
def mutag(planted: GraphSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "load", lambda *_: planted)
    monkeypatch.setattr(runs, "run_apart", lambda job: job.run())
    monkeypatch.setattr(table, "_warm_up", lambda *_: None)
    # The whole protocol would take most of the time here, and show nothing more.
    monkeypatch.setattr(svm, "STRENGTHS", (0.1, 10.0))
    monkeypatch.setattr(folds, "ALL_UP_TO", 0)
    monkeypatch.setattr(folds, "INNER_BEYOND", 2)
    monkeypatch.setattr(judgement, "few_labels", partial(few_labels, repeats=2))


def test_rows_of_a_comparison_are_paired_and_written(run: Any) -> None:
    words = ("compare", "--dataset", "mutag", "--methods", "genurl,graphcl,wl", "--epochs", 1, "--seeds", 2)
    words += ("--peer-set", "graphcl.epochs=1", "--metrics", "m.json", "--markdown", "t.md")
    result = run(*words)
    found = json.loads(Path("m.json").read_text())
    assert found["protocol"] == "graphs"
    assert list(found["methods"]) == ["genurl", "graphcl", "wl"]
    assert found["configuration"]["graphcl"]["epochs"] == 1
    row, own = (found["methods"][name] for name in ("wl", "genurl"))
    for figure in ("rbf", "linear", "few"):
        assert row["difference"][figure]["mean"] == pytest.approx(np.subtract(row[figure], own[figure]).mean())
    assert own["difference"] == {"rbf": None, "linear": None, "few": None}
    assert row["mean"]["rbf"] > 0.35  # of four classes; a fact about these graphs
    assert "RBF SVM, from genurl [95 %]" in result.stdout
    assert "protocol graphs" in Path("t.md").read_text()
    # Nothing is left to do.
    run(*words, "--resume")


def test_a_comparison_can_be_run_again(run: Any) -> None:
    run("compare", "--dataset", "mutag", "--methods", "histogram", "--seeds", 1, "--metrics", "m.json")
    again = run("rerun", "m.json")
    assert "few.histogram.seed 0" in again.stdout


def test_an_embedding_file_is_judged_beside_rows_without_training(run: Any, planted: GraphSet) -> None:
    z = torch.randn(len(planted), 4, generator=torch.Generator().manual_seed(0)).numpy()
    np.savez("z.npz", embedding=z)
    result = run("evaluate", "--embedding", "z.npz", "--dataset", "mutag", "--seeds", 1, "--metrics", "m.json")
    found = json.loads(Path("m.json").read_text())
    assert found["protocol"] == "graphs"
    assert found["graphs"].keys() == ROWS
    assert found["graphs"]["genurl"]["rbf"] < 0.35 < found["graphs"]["wl"]["rbf"]
    assert "Weisfeiler-Lehman kernel" in result.stdout
    assert found["runs"][0] == json.loads(json.dumps(whole_graph_scores(torch.from_numpy(z), planted, 0, 10.0)))


def test_rows_must_be_those_of_the_graphs(run: Any) -> None:
    np.savez("z.npz", embedding=np.zeros((3, 2)))
    result = run("evaluate", "--embedding", "z.npz", "--dataset", "mutag", code=2)
    assert "z.npz: found 3 rows; expected 80, the graphs of data set MUTAG" in result.stderr


def test_a_single_graph_is_refused(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch_geometric.data import Data

    one = Data(x=torch.rand(30, 2), edge_index=torch.zeros(2, 0, dtype=torch.long), y=torch.arange(30) % 2)
    monkeypatch.setattr(datasets, "load", lambda *_: one)
    result = run("compare", "--dataset", "karate", "--task", "graphs", code=2)
    assert "--task graphs: found one graph, or vectors; expected a data set of many graphs" in result.stderr
