"""``genurl-graph compare --task temporal``, on planted events under the name of CollegeMsg."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genurl_graph import datasets
from genurl_graph.evaluation.temporal_links import fitted_score
from genurl_graph.experiments import runs
from genurl_graph.experiments.temporal import table
from genurl_graph.inputs.temporal import TemporalEdges
from genurl_graph.inputs.temporal.event_set import EventSet


@pytest.fixture(autouse=True)
def college(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    ends = torch.randint(8, (2, 600), generator=generator) + 2 * (torch.arange(600) // 60)
    events = EventSet(TemporalEdges.of(*ends, torch.arange(600), num_nodes=30), name="CollegeMsg")
    monkeypatch.setattr(datasets, "load", lambda *_: events)
    monkeypatch.setattr(runs, "run_apart", lambda job: job.run())
    # A score that is fitted for longer would show nothing more.
    monkeypatch.setattr(fitted_score, "STEPS", 5)
    monkeypatch.setattr(fitted_score, "BATCH", 16)


def test_rows_of_a_comparison_are_paired_and_written(run: Any) -> None:
    words = ("compare", "--dataset", "collegemsg", "--methods", "genurl,graphmixer,recency", "--epochs", 1)
    words += ("--windows", 8)
    words += ("--seeds", 2, "--peer-set", "graphmixer.epochs=1", "--metrics", "m.json", "--markdown", "t.md")
    result = run(*words)
    found = json.loads(Path("m.json").read_text())
    assert (found["protocol"], found["windows"]) == ("temporal-links", "8")
    assert list(found["methods"]) == ["genurl", "graphmixer", "recency"]
    assert found["configuration"]["graphmixer"]["epochs"] == 1
    row, own = (found["methods"][name] for name in ("recency", "genurl"))
    # No pair is new in the test before its first window, which is the only one here.
    absent = ["auc_inductive", "ap_inductive"]
    assert [figure for figure in table.FIGURES if row["difference"][figure] is None] == absent
    for figure in table.FIGURES.keys() - {*absent}:
        assert row["difference"][figure]["mean"] == pytest.approx(np.subtract(row[figure], own[figure]).mean())
        assert own["difference"][figure] is None
    # Nothing but the negatives changes with the seed of a row without training.
    assert row["mrr"][0] == row["mrr"][1]
    assert row["auc_random"][0] != row["auc_random"][1]
    assert "recency, from genurl [95 %]: AUC random" in result.stdout
    assert "protocol temporal-links, windows: 8" in Path("t.md").read_text()
    # Nothing is left to do.
    run(*words, "--resume")


def test_a_comparison_can_be_run_again(run: Any) -> None:
    run("compare", "--dataset", "collegemsg", "--methods", "edgebank", "--seeds", 1, "--metrics", "m.json")
    again = run("rerun", "m.json")
    assert "auc_historical.edgebank.seed 0" in again.stdout


def test_data_without_times_are_refused(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch_geometric.data import Data

    one = Data(x=torch.rand(30, 2), edge_index=torch.zeros(2, 0, dtype=torch.long))
    monkeypatch.setattr(datasets, "load", lambda *_: one)
    result = run("compare", "--dataset", "karate", "--protocol", "temporal-links", code=2)
    assert "--task temporal: found a data set without times" in result.stderr
