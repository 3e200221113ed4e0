"""``genurl-graph compare``."""

import json
import statistics
from pathlib import Path

import pytest


def test_digits_over_two_seeds(run) -> None:
    result = run(
        *("compare", "--dataset", "digits", "--methods", "untrained,genurl,raw", "--seeds", 2),
        *("--protocol", "random-10-10-80", "--epochs", 3, "--metrics", "m.json"),
    )
    metrics = json.loads(Path("m.json").read_text())
    assert list(metrics) == ["dataset", "protocol", "seeds", "methods"]
    assert (metrics["dataset"], metrics["protocol"], metrics["seeds"]) == ("digits", "random-10-10-80", [0, 1])
    assert list(metrics["methods"]) == ["untrained", "genurl", "raw"]
    for name, row in metrics["methods"].items():
        assert list(row) == ["probe_test", "mean", "std", "seconds_mean"]
        assert len(row["probe_test"]) == 2
        assert row["mean"] == pytest.approx(statistics.mean(row["probe_test"]))
        assert row["std"] == pytest.approx(statistics.stdev(row["probe_test"]))
        assert row["seconds_mean"] >= 0
        assert name in result.stdout
        assert f"{100 * row['mean']:.1f} ± {100 * row['std']:.1f}" in result.stdout
    assert metrics["methods"]["raw"]["mean"] > 0.8  # a fact about the digits


@pytest.mark.data
def test_cora_references(run, data_root: Path) -> None:
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
    for methods, message in (("genurl,grace", "'grace'"), (",", "no method")):
        result = run("compare", "--dataset", "digits", "--methods", methods, code=2)
        assert message in result.stderr
        assert "genurl,untrained,propagated,raw" in result.stderr


def test_propagated_features_need_edges(run) -> None:
    result = run("compare", "--dataset", "digits", "--methods", "propagated", code=2)
    assert "edges" in result.stderr
