"""``genurl-graph ablate``: what is chosen by what, interruptions, and rows that cannot run."""

import json
import statistics
from pathlib import Path

import pytest

from genurl_graph import GenURL, datasets
from genurl_graph.evaluation.protocols import probe_embedding
from genurl_graph.experiments import ablation
from genurl_graph.experiments.ablation import BASE, AblationTable

SMALL = ("--epochs", 2, "--set", "encoder.hidden=8", "--set", "encoder.dim=4")
KARATE = ("ablate", "--dataset", "karate", "--seeds", 2, *SMALL, "--quiet", "--metrics", "m.json")


@pytest.fixture
def computed(monkeypatch, one_thread) -> list[tuple[str, int]]:
    """Holds the (row, seed) computed."""
    found: list[tuple[str, int]] = []
    inner = ablation.run_row

    def counted(row, data, model, protocol, seed):
        found.append((row.name, seed))
        return inner(row, data, model, protocol, seed)

    monkeypatch.setattr(ablation, "run_row", counted)
    return found


def read(path: str = "m.json") -> dict:
    return json.loads(Path(path).read_text())


def test_table_json_markdown_and_plot(run, computed) -> None:
    words = [word for word in KARATE if word != "--quiet"]
    result = run(*words, "--losses", "gkl,kl,l2", "--nu", "1", "--markdown", "m.md", "--plot", "m.png")
    metrics = read()
    assert metrics["factors"] == {"loss": ["gkl", "kl", "l2"], "nu": ["1"]}
    assert list(metrics["rows"]) == [BASE, "loss=kl", "loss=l2", "nu=1"]
    assert metrics["complete"] is True
    assert len(computed) == 8
    preset = metrics["rows"][BASE]
    for name, row in metrics["rows"].items():
        assert len(row["probe_val"]) == len(row["probe_test"]) == len(row["seconds"]) == 2
        assert row["val_mean"] == pytest.approx(statistics.mean(row["probe_val"]))
        assert row["test_std"] == pytest.approx(statistics.stdev(row["probe_test"]))
        assert name in result.stdout
        if name != BASE:
            assert row["difference"]["mean"] == pytest.approx(row["val_mean"] - preset["val_mean"])
    assert metrics["configuration"]["loss=l2"]["loss"]["name"] == "l2"
    assert metrics["configuration"]["nu=1"]["loss"]["nu"] == 1
    best = max(metrics["rows"], key=lambda name: metrics["rows"][name]["val_mean"])
    assert metrics["best_by_validation"] == best
    assert "preset (loss=gkl)" in result.stdout
    lines = Path("m.md").read_text().splitlines()
    assert len(lines) == 2 + 2 + 4
    assert sum(" * |" in line for line in lines) == 1
    assert Path("m.png").read_bytes()[:4] == b"\x89PNG"


def test_choice_is_by_validation(run, monkeypatch, one_thread) -> None:
    scores = {BASE: (0.5, 0.9), "nu=1": (0.6, 0.1)}

    def inner(row, *_):
        return dict(zip(AblationTable.figures, (*scores[row.name], 1.0), strict=True))

    monkeypatch.setattr(ablation, "run_row", inner)
    run(*KARATE, "--nu", "1")
    assert read()["best_by_validation"] == "nu=1"


def test_a_row_can_be_run_again_by_its_settings(run, computed) -> None:
    run(*KARATE, "--losses", "huber", "--gamma", "0.5", "--full", "--markdown", "m.md")
    assert "loss.scale=1: the preset's profiled scale cancels gamma" in Path("m.md").read_text()
    row = read()["rows"]["loss=huber, gamma=0.5"]
    data = datasets.load("karate")
    config = {"encoder.hidden": 8, "encoder.dim": 4} | row["set"]
    for seed in (0, 1):
        z = GenURL(epochs=2, random_state=seed, config=config).fit(data).embedding_
        probe = probe_embedding(z, data, read()["protocol"], seed=seed)
        assert (probe["val"], probe["test"]) == (row["probe_val"][seed], row["probe_test"][seed])


def test_what_cannot_run_is_said_and_the_rest_runs(run, computed) -> None:
    words = [word for word in KARATE if word != "--quiet"]
    result = run(
        *(*words, "--losses", "bce,l2", "--merging", "geodesic", "--set", "views.self_weight=2"),
        *("--full", "--markdown", "m.md", "--plot", "m.png"),
    )
    metrics = read()
    rows = metrics["rows"]
    assert metrics["complete"] is True
    # karate has no features, so that no geodesics either.
    assert "geodesic without kNN edges" in rows["loss=l2, merging=geodesic"]["reason"]
    assert rows["loss=l2, merging=geodesic"]["val_mean"] is None
    assert "cannot run" in result.stdout
    assert "geodesic without kNN edges" in result.stdout
    text = Path("m.md").read_text()
    assert "* loss=l2, merging=geodesic: merge.how: found geodesic without kNN edges" in text
    assert "gamma" not in text
    assert [name for name, _ in computed] == [BASE, BASE, "loss=bce, merging=geodesic", "loss=l2, merging=geodesic"]
    run(*KARATE, "--losses", "bce", "--set", "views.self_weight=2", "--plot", "m.png")
    assert "largest similarity of 2 in P" in read()["rows"]["loss=bce"]["reason"]


def test_a_divergence_is_a_reason(run, monkeypatch, one_thread) -> None:
    from genurl_graph.exceptions import DivergenceError

    def inner(row, data, model, protocol, seed):
        if row.name != BASE and seed == 1:
            raise DivergenceError("loss became NaN")
        return {"probe_val": 0.9, "probe_test": 0.9, "seconds": 1.0}

    monkeypatch.setattr(ablation, "run_row", inner)
    run(*KARATE, "--nu", "1")
    metrics = read()
    assert metrics["rows"]["nu=1"]["reason"] == "loss became NaN"
    assert metrics["rows"]["nu=1"]["probe_val"] == [0.9]
    assert metrics["best_by_validation"] == BASE


def test_interrupted_and_resumed_is_that_without_interruption(run, computed, monkeypatch) -> None:
    grid = ("--losses", "gkl,kl", "--nu", "1,10")
    run(*KARATE, *grid)
    whole, everything = read(), list(computed)
    computed.clear()
    counted = ablation.run_row

    def interrupted(*arguments):
        if len(computed) == 3:
            raise KeyboardInterrupt
        return counted(*arguments)

    Path("m.json").unlink()
    monkeypatch.setattr(ablation, "run_row", interrupted)
    run(*KARATE, *grid, "--resume", code=130)
    assert read()["complete"] is False
    monkeypatch.setattr(ablation, "run_row", counted)
    run(*KARATE, *grid, "--resume")
    assert computed == everything
    resumed = read()
    for metrics in (whole, resumed):
        for row in metrics["rows"].values():
            assert row.pop("seconds")
    assert resumed == whole
    run(*KARATE, *grid, "--resume")  # nothing is left to do
    assert computed == everything


def test_resume_refuses_another_grid(run, computed) -> None:
    run(*KARATE, "--nu", "1,100")
    for words, message in (
        (("--nu", "1"), "it has the row 'nu=100', which the grid leaves out"),
        (("--nu", "1,100", "--seeds", 1), "2 seeds of preset and --seeds asks for fewer"),
        (("--nu", "1,100", "--epochs", 3), "preset.training.epochs is 2 there and 3 here"),
        (("--nu", "1,100", "--protocol", "public"), "protocol is"),
    ):
        result = run(*KARATE, *words, "--resume", code=2)
        assert message in result.stderr
    assert len(computed) == 6


def test_an_error_of_the_preset_ends_it(run, computed) -> None:
    result = run(*KARATE, "--nu", "1", "--set", "sampling.n_negatives=0", code=2)
    assert "sampling.n_negatives" in result.stderr
    result = run("ablate", "--dataset", "karate", "--nu", "1", "--plot", "m.gif", code=2)
    assert "m.gif" in result.stderr


@pytest.mark.data
def test_merging_modes_on_a_graph_with_features(run, data_root: Path, one_thread) -> None:
    run(
        *("ablate", "--dataset", "cornell", "--data-root", data_root, *SMALL, "--seeds", 1, "--quiet"),
        *("--protocol", "random-10-10-80"),  # its own ten splits would take most of the time
        *("--merging", "adaptive,given,adjacency,features,union,geodesic", "--metrics", "m.json"),
    )
    rows = read()["rows"]
    assert list(rows) == [BASE, *(f"merging={m}" for m in ("given", "adjacency", "features", "union", "geodesic"))]
    assert all(row["reason"] is None for row in rows.values())
