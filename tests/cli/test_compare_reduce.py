"""``genurl-graph compare --task reduce``."""

import json
import os
import signal
import statistics
from pathlib import Path

import numpy as np
import pytest

from genurl_graph.evaluation.preservation import reduce_scores
from genurl_graph.experiments import reduce_table, runs
from genurl_graph.inputs.embeddings import read_embedding

DIGITS = ("compare", "--dataset", "digits", "--task", "reduce", "--epochs", 2, "--metrics", "m.json")
SCORES = ("knn_accuracy", "trustworthiness", "continuity", "triplets", "pieces", "largest_piece", "spearman")


@pytest.fixture
def here(monkeypatch, one_thread, few_digits, short_table) -> list[tuple[str, int]]:
    """Runs without new processes; holds the (method, seed) computed."""
    computed: list[tuple[str, int]] = []
    reduce = reduce_table.ReduceJob.reduce

    def counted(job, x, seed):
        computed.append((job.method, seed))
        return reduce(job, x, seed)

    monkeypatch.setattr(reduce_table.ReduceJob, "reduce", counted)
    monkeypatch.setattr(runs, "run_apart", lambda job: job.run())
    return computed


def read(path: str) -> dict:
    return json.loads(Path(path).read_text())


def test_scores_times_table_and_maps(run, here) -> None:
    result = run(
        *(*DIGITS, "--methods", "genurl,genurl-mlp,pca", "--seeds", 2, "--markdown", "m.md"),
        *("--plot", "p.png", "--embeddings", "kept"),
    )
    # Each method runs cold once more than it has seeds.
    assert here == [(name, seed) for name in ("genurl", "genurl-mlp", "pca") for seed in (0, 0, 1)]
    metrics = read("m.json")
    assert list(metrics)[:4] == ["dataset", "protocol", "seeds", "dim"]
    assert (metrics["dataset"], metrics["protocol"], metrics["seeds"]) == ("digits", "reduce", [0, 1])
    assert metrics["complete"] is True
    assert metrics["environment"]["threads"] == 1
    assert metrics["configuration"]["genurl"]["encoder"]["name"] == "free"
    assert metrics["configuration"]["genurl-mlp"]["encoder"]["name"] == "mlp"
    rows = metrics["methods"]
    assert list(rows) == ["genurl", "genurl-mlp", "pca"]
    for name, row in rows.items():
        for score in SCORES:
            assert len(row[score]) == 2
            assert row["mean"][score] == pytest.approx(statistics.mean(row[score]))
            assert row["std"][score] == pytest.approx(statistics.stdev(row[score]), abs=1e-12)
        assert row["seconds_median"] == pytest.approx(statistics.median(row["seconds"]))
        assert row["seconds_ratio"] == pytest.approx(row["seconds_median"] / rows["genurl"]["seconds_median"])
        cold = row["cold"]
        assert cold["seconds"] == pytest.approx(cold["import_seconds"] + cold["first_run_seconds"])
        assert row["how"]["trustworthiness"] == "k = 12, all 300 points"
        assert f"{100 * row['mean']['knn_accuracy']:.1f}" in result.stdout
        assert any(line.startswith(f"| {name} |") for line in Path("m.md").read_text().splitlines())
    assert {"graph", "train"} <= rows["genurl"]["stages"][0].keys()
    assert rows["pca"]["stages"] == [None, None]
    # The principal components are what scikit-learn says, whatever the seed.
    assert rows["pca"]["std"]["trustworthiness"] == pytest.approx(0, abs=1e-6)
    difference = rows["pca"]["difference"]["trustworthiness"]["mean"]
    assert difference == pytest.approx(
        rows["pca"]["mean"]["trustworthiness"] - rows["genurl"]["mean"]["trustworthiness"]
    )
    assert rows["genurl"]["difference"]["spearman"] is None
    assert Path("p.png").read_bytes().startswith(b"\x89PNG")
    kept = read_embedding("kept/pca.npz")
    from sklearn.datasets import load_digits

    digits = load_digits()
    scores = reduce_scores(digits.data[:300] / 16, kept["embedding"], digits.target[:300])
    assert scores["trustworthiness"] == pytest.approx(rows["pca"]["trustworthiness"][0], abs=1e-6)
    np.testing.assert_array_equal(kept["label"], digits.target[:300])


def test_files_of_earlier_versions_have_no_pieces(run, here) -> None:
    words = (*DIGITS, "--methods", "pca", "--seeds", 1)
    run(*words, "--quiet")
    stored = read("m.json")
    row = stored["methods"]["pca"]
    for key in ("triplets", "pieces", "largest_piece"):
        del row[key], row["how"][key]
    Path("m.json").write_text(json.dumps(stored))
    shown = run(*words, "--resume").stdout
    assert len(here) == 2
    assert " - " in next(line for line in shown.splitlines() if line.lstrip().startswith("pca"))
    assert read("m.json")["methods"]["pca"]["pieces"] == [None]
    assert read("m.json")["methods"]["pca"]["trustworthiness"] == row["trustworthiness"]


def test_interrupted_and_resumed(run, here, monkeypatch) -> None:
    words = (*DIGITS, "--methods", "pca,genurl", "--seeds", 2, "--quiet")
    counted = reduce_table.ReduceJob.reduce

    def interrupted(job, x, seed):
        if len(here) == 4:
            os.kill(os.getpid(), signal.SIGTERM)
        return counted(job, x, seed)

    monkeypatch.setattr(reduce_table.ReduceJob, "reduce", interrupted)
    run(*words, code=130)
    partial = read("m.json")
    assert partial["complete"] is False
    assert list(partial["methods"]) == ["pca"]
    monkeypatch.setattr(reduce_table.ReduceJob, "reduce", counted)
    result = run(*words[:-1], "--resume", "--plot", "p.png")
    assert here == [("pca", 0), ("pca", 0), ("pca", 1), ("genurl", 0), ("genurl", 0), ("genurl", 0), ("genurl", 1)]
    resumed = read("m.json")
    assert resumed["complete"] is True
    assert resumed["methods"]["pca"]["cold"] == partial["methods"]["pca"]["cold"]
    assert resumed["methods"]["pca"]["seconds"] == partial["methods"]["pca"]["seconds"]
    assert "no 2-d map of pca" in result.stdout
    assert Path("p.png").exists()
    result = run(*words, "--resume", "--dim", 3, code=2)
    assert "dim is 2 there and 3 here" in result.stderr


def test_vectors_without_labels_and_graphs_without_vectors(run, here, monkeypatch) -> None:
    result = run("compare", "--dataset", "karate", "--task", "reduce", "--methods", "pca", code=2)
    assert "data set karate has no vectors to reduce" in result.stderr
    from genurl_graph.datasets import loaders

    load = loaders.LOADERS["digits"]

    def bare(entry, root):
        data = load(entry, root)
        del data.y
        data.x = data.x[:300].to_sparse_csr()
        return data

    monkeypatch.setitem(loaders.LOADERS, "digits", bare)
    run(*DIGITS, "--methods", "pca", "--seeds", 1, "--plot", "p.png")
    row = read("m.json")["methods"]["pca"]
    assert row["knn_accuracy"] == [None]
    assert row["mean"]["knn_accuracy"] is None
    assert row["mean"]["trustworthiness"] > 0.7
    assert row["seconds_ratio"] is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--methods", "umpa"), "(did you mean 'umap'?)"),
        (("--methods", "genurl,grace"), "found 'grace'"),
        (("--plot", "p.png", "--dim", 3), "--plot draws two dimensions, but --dim is 3"),
        (("--plot", "p.jpg"), ".jpg"),
        (("--methods", "umap", "--peer-set", "umap.neighbors=3"), "did you mean 'n_neighbors'"),
        (("--methods", "pca", "--peer-set", "grace.epochs=3"), "expected a baseline of --methods (pca)"),
    ],
)
def test_bad_input_is_said_before_any_run(run, here, words, message: str) -> None:
    assert message in run("compare", "--dataset", "digits", "--task", "reduce", *words, code=2).stderr
    assert here == []


def test_a_baseline_that_fails_is_named(run, here) -> None:
    result = run(*DIGITS, "--methods", "pca", "--dim", 65, code=2)
    assert "pca: scikit-learn failed on 300 x 64 vectors, 65 dimensions wanted" in result.stderr


def test_an_absent_package_is_said_before_any_run(run, here, monkeypatch) -> None:
    monkeypatch.setattr("genurl_graph.baselines.reduction.find_spec", lambda module: None)
    result = run("compare", "--dataset", "digits", "--task", "reduce", "--methods", "genurl,umap", code=2)
    assert "umap: needs the package umap-learn" in result.stderr
    assert "genurl-graph[peers]" in result.stderr
    assert here == []
