"""``genurl-graph compare``."""

import json
import os
import signal
import statistics
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import ttest_rel

from genurl_graph.experiments import probe_table, runs

KARATE = (
    *("compare", "--dataset", "karate", "--methods", "genurl,gae,cca-ssg", "--seeds", 2, "--epochs", 2),
    *("--set", "encoder.hidden=8", "--peer-set", "gae.epochs=3", "--peer-set", "cca-ssg.epochs=2"),
)


@pytest.fixture
def here(monkeypatch, one_thread) -> list[tuple[str, int]]:
    """Runs without new processes, which take ten seconds each to import torch; holds the (method, seed) computed."""
    computed: list[tuple[str, int]] = []
    embed = probe_table.embed

    def counted(job, data, seed):
        if data.num_nodes != 32:  # the ring of the warm-up
            computed.append((job.method, seed))
        return embed(job, data, seed)

    monkeypatch.setattr(probe_table, "embed", counted)
    monkeypatch.setattr(runs, "run_apart", probe_table.run_here)
    return computed


def read(path: str) -> dict:
    return json.loads(Path(path).read_text())


def test_digits_over_two_seeds(run, here, few_digits) -> None:
    result = run(
        *("compare", "--dataset", "digits", "--methods", "untrained,genurl,raw", "--seeds", 2),
        *("--protocol", "random-10-10-80", "--epochs", 3, "--metrics", "m.json"),
    )
    metrics = json.loads(Path("m.json").read_text())
    assert list(metrics)[:6] == ["dataset", "protocol", "seeds", "hardware", "versions", "methods"]
    assert (metrics["dataset"], metrics["protocol"], metrics["seeds"]) == ("digits", "random-10-10-80", [0, 1])
    assert list(metrics["methods"]) == ["untrained", "genurl", "raw"]
    for name, row in metrics["methods"].items():
        assert list(row)[:4] == ["probe_test", "mean", "std", "seconds_mean"]
        assert len(row["probe_test"]) == 2
        assert row["mean"] == pytest.approx(statistics.mean(row["probe_test"]))
        assert row["std"] == pytest.approx(statistics.stdev(row["probe_test"]))
        assert row["seconds_mean"] >= 0
        assert name in result.stdout
        assert f"{100 * row['mean']:.1f} ± {100 * row['std']:.1f}" in result.stdout
    assert metrics["methods"]["raw"]["mean"] > 0.5  # a fact about the digits, of which three of a class are known


@pytest.mark.data
def test_cora_references(run, here, data_root: Path) -> None:
    run(
        *("compare", "--dataset", "cora", "--data-root", data_root, "--methods", "propagated,raw"),
        *("--seeds", 2, "--metrics", "m.json", "--quiet"),
    )
    metrics = json.loads(Path("m.json").read_text())
    assert metrics["protocol"] == "public"
    rows = metrics["methods"]
    # One split, no training: no spread, and the order every paper reports.
    assert rows["raw"]["std"] == rows["propagated"]["std"] == 0
    assert rows["propagated"]["mean"] > rows["raw"]["mean"] + 0.1


def test_bad_methods(run) -> None:
    assert "--task reduce" in run("compare", "--dataset", "digits", "--plot", "p.png", code=2).stderr
    for methods, message in (("genurl,grcae", "(did you mean 'grace'?)"), (",", "found no method")):
        result = run("compare", "--dataset", "digits", "--methods", methods, code=2)
        assert message in result.stderr
        assert "genurl, untrained, propagated, raw, cca-ssg, grace, bgrl, graphmae, gae, vgae" in result.stderr


def test_propagated_features_need_edges(run) -> None:
    result = run("compare", "--dataset", "digits", "--methods", "propagated", code=2)
    assert "edges" in result.stderr


def test_baselines_stand_in_json_and_markdown(run, here) -> None:
    result = run(*KARATE, "--metrics", "m.json", "--markdown", "m.md")
    metrics = read("m.json")
    assert metrics["complete"] is True
    assert metrics["environment"]["threads"] == 1
    assert list(metrics["configuration"]) == list(metrics["methods"]) == ["genurl", "gae", "cca-ssg"]
    assert metrics["configuration"]["genurl"]["encoder"]["hidden"] == 8
    assert metrics["configuration"]["gae"]["epochs"] == 3
    assert metrics["configuration"]["cca-ssg"]["lambd"] == 1e-3
    reference = metrics["methods"]["genurl"]
    assert reference["difference"] is None
    lines = Path("m.md").read_text().splitlines()
    assert len(lines) == 2 + 2 + 3
    for name in ("gae", "cca-ssg"):
        row = metrics["methods"][name]
        expected = ttest_rel(row["probe_test"], reference["probe_test"]).confidence_interval(0.95)
        found = row["difference"]
        assert found["mean"] == pytest.approx(row["mean"] - reference["mean"])
        if not np.isnan(expected.low):  # SciPy's answer where all differences are the same
            assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))
        cells = f"| {100 * found['mean']:+.1f} [{100 * found['low']:+.1f}, {100 * found['high']:+.1f}] |"
        assert any(line.startswith(f"| {name} |") and cells in line for line in lines)
        assert name in result.stdout
        assert len(row["seconds"]) == 2
        assert row["peak_memory_mb"] > 100


@pytest.mark.usefixtures("here")
def test_baselines_of_this_package_are_methods(run) -> None:
    names = ("bgrl", "graphmae", "node2vec")
    few = [part for name in names for part in ("--peer-set", f"{name}.epochs=1", "--peer-set", f"{name}.dim=8")]
    run("compare", "--dataset", "karate", "--methods", ",".join(names), "--seeds", 1, *few, "--metrics", "m.json")
    assert {name: len(row["probe_test"]) for name, row in read("m.json")["methods"].items()} == dict.fromkeys(names, 1)


def test_all_methods_see_the_same_splits(run, here, monkeypatch) -> None:
    seen: list[tuple[bytes, bytes, bytes]] = []

    def probe(features, y, split, protocol):
        seen.append(tuple(np.asarray(part).tobytes() for part in split))
        return {"train": 1.0, "val": 1.0, "test": 0.5}

    monkeypatch.setattr("genurl_graph.evaluation.protocols.linear_probe", probe)
    run(*KARATE, "--quiet")
    assert len(here) == 6
    genurl, gae, cca = (seen[start : start + 4] for start in (0, 4, 8))
    assert genurl == gae == cca
    assert len(set(genurl)) == 4  # two seeds of two splits each


def test_interrupted_and_resumed_comparison_is_that_without_interruption(run, here, monkeypatch) -> None:
    run(*KARATE, "--quiet", "--metrics", "whole.json")
    everything, counted, handler = list(here), probe_table.embed, signal.getsignal(signal.SIGTERM)
    here.clear()

    def interrupted(job, data, seed):
        if len(here) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return counted(job, data, seed)

    monkeypatch.setattr(probe_table, "embed", interrupted)
    run(*KARATE, "--quiet", "--metrics", "m.json", "--resume", code=130)
    assert signal.getsignal(signal.SIGTERM) is handler
    partial = read("m.json")
    assert partial["complete"] is False
    assert {name: len(row["probe_test"]) for name, row in partial["methods"].items()} == {"genurl": 2, "gae": 1}
    monkeypatch.setattr(probe_table, "embed", counted)
    run(*KARATE, "--quiet", "--metrics", "m.json", "--resume")
    assert here == everything
    whole, resumed = read("whole.json"), read("m.json")
    assert resumed["methods"]["genurl"]["seconds"] == partial["methods"]["genurl"]["seconds"]
    for metrics in (whole, resumed):
        for row in metrics["methods"].values():
            for key in ("seconds", "seconds_mean", "peak_memory_mb"):
                assert row.pop(key)
    assert resumed == whole
    # Nothing is left to do; more seeds are.
    run(*KARATE, "--quiet", "--metrics", "m.json", "--resume")
    assert here == everything
    run(*KARATE, "--seeds", 3, "--quiet", "--metrics", "m.json", "--resume")
    assert here[6:] == [("genurl", 2), ("gae", 2), ("cca-ssg", 2)]
    assert read("m.json")["methods"]["gae"]["probe_test"][:2] == whole["methods"]["gae"]["probe_test"]


def test_resume_refuses_another_configuration(run, here) -> None:
    karate = ("compare", "--dataset", "karate", "--quiet", "--metrics", "m.json")
    gae = (*karate, "--methods", "gae", "--seeds", 2, "--peer-set", "gae.epochs=1")
    run(*gae)
    before, count = Path("m.json").read_bytes(), len(here)
    for words, message in (
        ((*karate, "--methods", "gae", "--seeds", 2), "gae.epochs is 1 there and 200 here"),
        ((*gae, "--protocol", "random-10"), "protocol is 'random-10-10-80' there and 'random-10' here"),
        ((*gae, "--seeds", 1), "2 seeds of gae and --seeds asks for fewer"),
        ((*karate, "--methods", "vgae"), "the method 'gae', which --methods leaves out"),
    ):
        result = run(*words, "--resume", code=2)
        assert message in result.stderr
        assert "another configuration" in result.stderr
    torch.set_num_threads(2)
    assert "threads is 1 there and 2 here" in run(*gae, "--resume", code=2).stderr
    assert Path("m.json").read_bytes() == before
    assert len(here) == count
    Path("m.json").write_text('{"methods": 3}')
    assert "does not hold a comparison" in run(*gae, "--resume", code=2).stderr
    assert "--metrics" in run("compare", "--dataset", "karate", "--methods", "gae", "--resume", code=2).stderr


def test_what_a_baseline_lacks_is_said_before_any_run(run, here, monkeypatch) -> None:
    assert "cca-ssg needs edges" in run("compare", "--dataset", "digits", "--methods", "raw,cca-ssg", code=2).stderr
    monkeypatch.setattr("genurl_graph.baselines.graphssl.find_spec", lambda package: None)
    result = run("compare", "--dataset", "karate", "--methods", "gae,graphcl", code=2)
    assert "graphcl: needs the package graphssl" in result.stderr
    assert "genurl-graph[peers]" in result.stderr
    assert here == []


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("gae.epoch=3", "did you mean 'epochs'"),
        ("grace.epochs=3", "expected a baseline of --methods (gae)"),
        ("epochs=3", "expected METHOD.KEY=VALUE"),
        ("gae.epochs=many", "gae.epochs: found 'many'; expected a whole number"),
    ],
)
def test_bad_baseline_settings(run, here, assignment: str, message: str) -> None:
    result = run("compare", "--dataset", "karate", "--methods", "genurl,gae", "--peer-set", assignment, code=2)
    assert message in result.stderr
    assert here == []
