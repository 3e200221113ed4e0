"""The protocol triples on the command line: compare, evaluate and rerun."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from genurl_graph import datasets
from genurl_graph.evaluation.triples import pykeen
from genurl_graph.evaluation.triples.scorers import Frequency
from genurl_graph.experiments import models, probe_table, runs
from genurl_graph.experiments.triples import methods
from genurl_graph.inputs.triples import Triples, TripleSet


@pytest.fixture(autouse=True)
def umls(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.stack([torch.randint(size, (300,), generator=generator) for size in (25, 3, 25)], 1)
    every = Triples.of(rows, 25, 3)
    part = torch.arange(len(every)) % 10
    data = TripleSet(every.chosen(part > 1), valid=every.chosen(part == 0), test=every.chosen(part == 1), name="UMLS")
    monkeypatch.setattr(datasets, "load", lambda *_: data)
    monkeypatch.setattr(runs, "run_apart", lambda job: job.run())


@pytest.fixture
def any_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is judged here is the protocol: a model that counts is fitted at once."""

    class Counted:
        def fit(self, data: TripleSet) -> Any:
            return SimpleNamespace(model_=SimpleNamespace(encoder=Frequency(data.triples)))

    monkeypatch.setattr(methods, "make_estimator", lambda **options: Counted())
    for module in (models, probe_table):
        monkeypatch.setattr(module, "resolved", lambda *_: {"task": "triples"})
    from genurl_graph.experiments.triples import table

    monkeypatch.setattr(table, "resolved", lambda *_: {"task": "triples"})


def test_rows_of_a_comparison_are_written_and_run_again(run: Any) -> None:
    words = ("compare", "--dataset", "umls", "--methods", "distmult,transe,frequency", "--seeds", 2)
    words += ("--peer-set", "distmult.epochs=2", "--peer-set", "transe.epochs=1", "--peer-set", "transe.dim=8")
    result = run(*words, "--metrics", "m.json", "--markdown", "t.md")
    found = json.loads(Path("m.json").read_text())
    assert (found["protocol"], list(found["methods"])) == ("triples", ["distmult", "transe", "frequency"])
    assert found["configuration"]["transe"]["dim"] == 8
    assert found["methods"]["frequency"]["mrr"][0] == found["methods"]["frequency"]["mrr"][1]
    assert "25 entities, 3 relations" in result.stdout
    assert "realistic ranks, 2 seeds" in Path("t.md").read_text()
    assert "mrr_head.transe.seed 1" in run("rerun", "m.json").stdout


def test_a_set_is_evaluated_beside_what_needs_no_training(
    run: Any, any_model: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pykeen, "has_pykeen", lambda: False)
    result = run("evaluate", "--protocol", "triples", "--dataset", "umls", "--seeds", 2, "--metrics", "m.json")
    found = json.loads(Path("m.json").read_text())["methods"]
    assert list(found) == ["genurl", "frequency"]
    assert found["genurl"]["mrr"] == found["frequency"]["mrr"]
    assert "triples for training / validation / test" in result.stdout
    assert "PyKEEN" not in result.stdout


def test_an_own_file_without_parts_is_split_by_the_seed(run: Any, any_model: None) -> None:
    generator = torch.Generator().manual_seed(0)
    lines = [
        f"e{a}\trelation{b}\te{c}"
        for a, b, c in zip(*(torch.randint(s, (400,), generator=generator).tolist() for s in (20, 3, 20)), strict=True)
    ]
    Path("own.tsv").write_text("\n".join(lines))
    result = run("evaluate", "--protocol", "triples", "--input", "own.tsv", "--seeds", 2, "--metrics", "m.json")
    assert "held out for validation and test, by the seed" in result.stdout
    mrr = json.loads(Path("m.json").read_text())["methods"]["frequency"]["mrr"]
    assert mrr[0] != mrr[1]


def test_other_data_are_refused(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch_geometric.data import Data

    one = Data(x=torch.rand(30, 2), edge_index=torch.zeros(2, 0, dtype=torch.long))
    monkeypatch.setattr(datasets, "load", lambda *_: one)
    for words in (("compare", "--dataset", "karate", "--task", "triples"), ("evaluate", "--dataset", "karate")):
        result = run(*words, "--protocol", "triples", code=2)
        assert "found a data set without relations" in result.stderr
    refused = run("evaluate", "--dataset", "karate", "--protocol", "triples", "--embedding", "z.npz", code=2)
    assert "none with --protocol triples" in refused.stderr


@pytest.mark.skipif(not pykeen.has_pykeen(), reason="needs pykeen, the extra knowledge")
def test_pykeen_counts_the_same(run: Any, any_model: None) -> None:
    result = run("evaluate", "--protocol", "triples", "--dataset", "umls")
    assert "PyKEEN's evaluator counts the same" in result.stdout
