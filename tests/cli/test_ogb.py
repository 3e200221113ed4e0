"""``genurl-graph ogb``: the report, its continuation, and what is refused; on folders in OGB's layout."""

import json
import re
import shutil
import statistics
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from genurl_graph.cli import main

SMALL = ("--epochs", 4, "--probe-epochs", 3, "--set", "encoder.hidden=16", "--dim", 8, "--device", "cpu")


@pytest.fixture(scope="module")
def reported(ogb_blocks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the report and the figures of two seeds, ``out.md`` and ``out.json``, and what was printed."""
    folder = tmp_path_factory.mktemp("reported")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = CliRunner().invoke(main, [str(word) for word in words(ogb_blocks, "--seeds", 2, "--report", "out.md")])
    assert result.exit_code == 0, result.output
    (folder / "printed.txt").write_text(result.stdout)
    return folder


def words(root: Path, *more: object) -> tuple[object, ...]:
    return ("ogb", "--dataset", "ogbn-arxiv", "--data-root", root, *SMALL, *more)


def stored(path: str | Path) -> dict[str, Any]:
    return json.loads(Path(path).read_text())


def without_times(results: dict[str, Any]) -> dict[str, Any]:
    for row in results["methods"].values():
        for key in ("seconds", "peak_memory_mb"):
            row.pop(key)
    return {key: value for key, value in results.items() if key != "date"}


def test_report_has_the_leaderboard_fields(reported: Path, ogb_blocks: Path) -> None:
    found = stored(reported / "out.json")
    text, printed = ((reported / name).read_text() for name in ("out.md", "printed.txt"))
    assert list(found["methods"]) == ["genurl", "untrained", "propagated", "raw"]
    assert [len(row["linear_test"]) for row in found["methods"].values()] == [2, 1, 1, 1]
    assert found["complete"]
    assert found["external_data"] is False
    row = found["methods"]["genurl"]
    for probe in ("linear", "mlp"):
        for part in ("val", "test"):
            values = row[f"{probe}_{part}"]
            summary = row["summary"][probe][part]
            assert summary["mean"] == pytest.approx(statistics.fmean(values))
            assert summary["std"] == pytest.approx(float(torch.tensor(values, dtype=torch.float64).std()))
            assert f"{summary['mean']:.4f} ± {summary['std']:.4f}" in text
            assert f"{summary['mean']:.4f} ± {summary['std']:.4f}" in printed
        assert row["parameters_total"][probe] == row["parameters"]["encoder"] + row["parameters"][probe]
        assert f"{row['parameters_total'][probe]:,} = encoder {row['parameters']['encoder']:,}" in text
    # Weights of a GCN with 12 inputs, its bias and slope; a linear map of 8 columns to 3 classes.
    assert row["parameters"]["linear"] == 8 * 3 + 3
    assert row["parameters"]["encoder"] >= 12 * 16 + 16 * 8
    assert found["methods"]["raw"]["parameters"]["encoder"] == 0
    assert set(row["seconds"][0]) == {"graph", "train", "linear", "mlp"}
    assert row["peak_memory_mb"] > 50
    assert found["configuration"]["genurl"]["encoder"]["hidden"] == 16
    command = f"genurl-graph ogb --dataset ogbn-arxiv --data-root {ogb_blocks} --epochs 4"
    assert found["command"].startswith(command)
    for piece in (command, "| external data | no |", "ogb 1.", "cores usable", "MLP probe", "raw features"):
        assert piece in text
    assert re.search(r"\| date \| 20\d\d-", text)
    # It is no result on ogbn-arxiv, and says so everywhere.
    assert "Not the official data set" in text
    assert "NOT the official data: 240 nodes" in printed
    assert found["data"]["official_size"] is False
    assert [found["data"][f"n_{part}"] for part in ("train", "val", "test")] == [131, 45, 64]


def test_scores_are_those_of_the_official_evaluator(run, ogb_blocks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from genurl_graph.evaluation.ogb import without_version_check

    with without_version_check():
        from ogb.nodeproppred import Evaluator
    evaluated: list[float] = []
    original = Evaluator.eval

    def watched(self: Any, columns: dict[str, Any]) -> dict[str, float]:
        found = original(self, columns)
        assert self.name == "ogbn-arxiv"
        evaluated.append(found["acc"])
        return found

    monkeypatch.setattr(Evaluator, "eval", watched)
    run(*words(ogb_blocks, "--seeds", 1, "--quiet"))
    rows = stored("ogbn-arxiv.json")["methods"].values()
    scores = [row[key][0] for row in rows for key in ("linear_val", "linear_test", "mlp_val", "mlp_test")]
    assert set(scores) <= set(evaluated)
    # Nine penalties and three epochs on validation nodes, and one look at the test nodes each; of four rows.
    assert len(evaluated) == 4 * (9 + 1 + 3 + 1)


def test_resume_gives_the_report_of_one_go(
    run, reported: Path, ogb_blocks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from genurl_graph.estimator import GenURL

    fit, seeds = GenURL.fit, []

    def interrupted(self: GenURL, *data: Any, **more: Any) -> GenURL:
        seeds.append(self.random_state)
        if self.random_state == 1:
            raise KeyboardInterrupt
        return fit(self, *data, **more)

    with monkeypatch.context() as patch:
        patch.setattr(GenURL, "fit", interrupted)
        result = run(*words(ogb_blocks, "--seeds", 2, "--report", "parts.md"), code=130)
    assert "parts.json" in result.stderr
    assert "--resume" in result.stderr
    assert not stored("parts.json")["complete"]
    assert "Not complete: 1 of 2 seeds" in Path("parts.md").read_text()
    monkeypatch.setattr(GenURL, "fit", lambda self, *a, **b: (seeds.append(self.random_state), fit(self, *a, **b))[1])
    seeds.clear()
    run(*words(ogb_blocks, "--seeds", 2, "--report", "parts.md", "--resume"))
    assert seeds == [1]
    whole, parts = without_times(stored(reported / "out.json")), without_times(stored("parts.json"))
    assert parts.pop("command") == whole.pop("command").replace("out.md", "parts.md")
    assert whole == parts
    assert "Not complete" not in Path("parts.md").read_text()
    # Finished: nothing is computed again.
    seeds.clear()
    run(*words(ogb_blocks, "--seeds", 2, "--report", "parts.md", "--resume"))
    assert seeds == []


def test_resume_refuses_other_settings(run, reported: Path, ogb_blocks: Path) -> None:
    shutil.copy(reported / "out.json", "ogbn-arxiv.json")
    before = Path("ogbn-arxiv.json").read_bytes()
    for more, message in (
        (("--set", "loss.gamma=2"), "genurl.loss.gamma is 1.0 there and 2.0 here"),
        (("--probe-epochs", 2), "probe.epochs is 3 there and 2 here"),
    ):
        result = run(*words(ogb_blocks, *more, "--resume"), code=2)
        assert message in " ".join(result.stderr.split())
    other = stored("ogbn-arxiv.json")
    other["versions"]["torch"] = "1.0"
    Path("other.json").write_text(json.dumps(other))
    result = run(*words(ogb_blocks, "--metrics", "other.json", "--resume"), code=2)
    assert "versions.torch is '1.0' there" in " ".join(result.stderr.split())
    assert Path("ogbn-arxiv.json").read_bytes() == before


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--dataset", "cora"), "found Cora, which is not of OGB; expected one of ogbn-arxiv, ogbn-products"),
        (("--dataset", "ogbn-arxif"), "did you mean 'ogbn-arxiv'"),
        (("--report", "out.txt"), "out.txt"),
        (("--report", "no/out.md"), "found nothing at no;"),
        (("--set", "loss.gama=1"), "loss.gamma"),
        (("--seeds", 0), "--seeds"),
    ],
)
def test_bad_requests(run, ogb_blocks: Path, more: tuple[object, ...], message: str) -> None:
    result = run(*words(ogb_blocks), *more, code=2)
    assert message in " ".join(result.stderr.split())
    assert not list(Path().iterdir())


def test_a_damaged_folder_is_named(run, ogb_blocks: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(ogb_blocks, tmp_path / "copy"))
    label = root / "ogbn_arxiv" / "raw" / "node-label.csv.gz"
    label.write_bytes(label.read_bytes()[:-9])
    assert "node-label.csv.gz: cannot be read" in run(*words(root), code=2).stderr
    assert not Path("ogbn-arxiv.md").exists()


def test_large_downloads_wait_for_yes(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from genurl_graph.datasets import download

    asked: list[str] = []

    def offline(url: str, *_: object) -> None:
        asked.append(url)
        raise OSError("no route to host")

    monkeypatch.setattr(download, "transfer", offline)
    call = ("ogb", "--dataset", "ogbn-products", "--data-root", tmp_path / "root")
    refused = run(*call, code=2).stderr
    assert "--yes" in refused
    assert asked == []
    offered = run(*call, "--yes", code=2).stderr
    assert len(asked) == 1
    assert "no route to host" in offered
    for text in (refused, offered):
        assert str(tmp_path / "root" / "ogbn_products" / "raw" / "edge.csv.gz") in text
        assert "products.zip" in text
