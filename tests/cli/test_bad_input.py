"""Bad input: one message that names the fault, exit code 2, no traceback, nothing half-written."""

import os
import re
import urllib.error
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

EDGES = "source,target\na,b\nb,c\nc,a\n"


def write(**files: str) -> None:
    for name, text in files.items():
        Path(name.replace("_", ".")).write_text(text)


CASES: dict[str, tuple[Callable[[], object], str, str]] = {
    "unknown data set": (lambda: None, "--dataset corra", "'corra'.*Cora"),
    "edge to a missing node": (
        lambda: write(e_csv="source,target\na,b\nb,zed\n", x_csv="id,f\na,1\nb,2\n"),
        "--input e.csv --features x.csv",
        "zed",
    ),
    "NaN features": (
        lambda: np.save("x.npy", np.array([[1.0, 2.0], [np.nan, 1.0]])),
        "--input x.npy",
        "x.npy.*nan",
    ),
    "zero nodes": (lambda: np.save("x.npy", np.zeros((0, 3))), "--input x.npy", "expected at least one row"),
    "one node": (
        lambda: np.save("x.npy", np.ones((1, 3))),
        "--input x.npy",
        "(?i)one node|1 node|1 sample|n = 1",
    ),
    "neither features nor edges": (lambda: write(e_csv="source,target\n"), "--input e.csv", "e.csv"),
    "feature rows": (
        lambda: (write(e_csv="source,target\n0,1\n1,2\n2,3\n"), np.save("x.npy", np.ones((2, 3)))),
        "--input e.csv --features x.npy",
        "x.npy|e.csv",
    ),
    "unreadable file": (lambda: Path("g.npz").write_bytes(b"PK not an archive"), "--input g.npz", "g.npz"),
    "missing file": (lambda: None, "--input nowhere.csv", "nowhere.csv"),
    "wrong input suffix": (lambda: write(g_docx="x"), "--input g.docx", r"\.docx"),
    "negative weights": (
        lambda: write(e_csv="source,target,weight\na,b,1\nb,c,-2\n"),
        "--input e.csv",
        "weight.*-2",
    ),
    "wrong output suffix": (lambda: write(e_csv=EDGES), "--input e.csv --output z.xlsx", r"z\.xlsx.*\.npz"),
    "output in no folder": (
        lambda: write(e_csv=EDGES),
        "--input e.csv --output no/z.npz",
        "no does not exist",
    ),
    "metrics are JSON": (lambda: write(e_csv=EDGES), "--input e.csv --metrics m.txt", r"m\.txt.*\.json"),
    "plot suffix": (lambda: write(e_csv=EDGES), "--input e.csv --plot z.gif", r"z\.gif.*\.png"),
    "model over a file": (lambda: write(e_csv=EDGES), "--input e.csv --save-model e.csv", "is a file"),
    "no source": (lambda: None, "--seed 1", "--dataset"),
    "two sources": (lambda: write(e_csv=EDGES), "--input e.csv --dataset karate", "one of --dataset"),
    "features of a known data set": (
        lambda: write(x_csv="1\n"),
        "--dataset karate --features x.csv",
        "--input",
    ),
    "unknown setting": (lambda: None, "--dataset karate --set loss.gama=1", "loss.gama.*loss.gamma"),
    "setting of the wrong type": (lambda: None, "--dataset karate --set loss.gamma=much", "loss.gamma"),
    "setting without a value": (lambda: None, "--dataset karate --set loss.gamma", "loss.gamma"),
    "missing configuration": (lambda: None, "--dataset karate --config c.toml", "c.toml"),
    "broken configuration": (lambda: write(c_toml="[loss\n"), "--dataset karate --config c.toml", "c.toml"),
    "k too large": (
        lambda: np.save("x.npy", np.random.default_rng(0).random((10, 3))),
        "--input x.npy --set neighbors.n_neighbors=10",
        "10",
    ),
    "resume without a checkpoint": (lambda: None, "--dataset karate --resume", r"karate-embedding.npz.ckpt"),
    "picture of one dimension": (lambda: None, "--dataset karate --dim 1 --plot z.png", "--dim is 1"),
    "negative dimension": (lambda: None, "--dataset karate --dim -3", "--dim"),
}


@pytest.mark.parametrize("case", list(CASES))
def test_embed(run, case: str) -> None:
    prepare, words, message = CASES[case]
    prepare()
    before = sorted(os.listdir())
    result = run("embed", "--epochs", 2, *words.split(), code=2)
    assert "Traceback" not in result.output
    assert result.stderr.count("Error: ") == 1
    text = " ".join(result.stderr.split("Error: ")[1].split())
    assert re.search(message, text), text
    assert sorted(os.listdir()) == before


def test_offline_download_says_which_files_to_put_where(run, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    from genurl_graph import datasets
    from genurl_graph.datasets import download

    def offline(url: str) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(download, "open_url", offline)
    result = run("embed", "--dataset", "cora", "--data-root", tmp_path / "root", code=2)
    for file in datasets.info("cora").files:
        assert str(tmp_path / "root" / file) in result.stderr
    assert os.listdir() == []


def test_unwritable_output(run, monkeypatch: pytest.MonkeyPatch) -> None:
    # Asked of the system, not of the mode bits: root may write anywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    result = run("embed", "--dataset", "karate", code=2)
    assert "not writable" in result.stderr


def test_divergence_leaves_no_output(run, monkeypatch: pytest.MonkeyPatch) -> None:
    from genurl_graph.estimator import GenURL
    from genurl_graph.exceptions import DivergenceError

    def fit(self: object, data: object, **more: object) -> None:
        raise DivergenceError("loss became NaN at epoch 3")

    monkeypatch.setattr(GenURL, "fit", fit)
    result = run("embed", "--dataset", "karate", code=1)
    assert result.stderr == "Error: loss became NaN at epoch 3\n"
    assert os.listdir() == []
