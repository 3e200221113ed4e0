"""Bad input: one message that names the fault, exit code 2, no traceback, nothing half-written."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

EDGES = "source,target\na,b\nb,c\nc,a\n"
FILES = {
    "e.csv": EDGES,
    "zed.csv": "source,target\na,b\nb,zed\n",
    "named.csv": "id,f\na,1\nb,2\n",
    "header.csv": "source,target\n",
    "chain.csv": "source,target\n0,1\n1,2\n2,3\n",
    "negative.csv": "source,target,weight\na,b,1\nb,c,-2\n",
    "g.docx": "x",
    "g.npz": "PK not an archive",
    "c.toml": "[loss\n",
}
ARRAYS = {
    "nan.npy": [[1.0, 2.0], [np.nan, 1.0]],
    "empty.npy": np.zeros((0, 3)),
    "one.npy": np.ones((1, 3)),
    "two.npy": np.ones((2, 3)),
    "ten.npy": np.random.default_rng(0).random((10, 3)),
}
# Words after ``embed``, and what the message must match.
CASES = {
    "--dataset corra": "'corra'.*Cora",
    "--input zed.csv --features named.csv": "zed",
    "--input nan.npy": "nan.npy.*nan",
    "--input empty.npy": "expected at least one row",
    "--input one.npy": "(?i)one node|1 node|1 sample|n = 1",
    "--input header.csv": "header.csv",
    "--input chain.csv --features two.npy": "two.npy|chain.csv",
    "--input g.npz": "g.npz",
    "--input nowhere.csv": "nowhere.csv",
    "--input g.docx": r"\.docx",
    "--input negative.csv": "weight.*-2",
    "--input e.csv --output z.xlsx": r"z\.xlsx.*\.npz",
    "--input e.csv --output no/z.npz": "found nothing at no;",
    "--input e.csv --metrics m.txt": r"m\.txt.*\.json",
    "--input e.csv --plot z.gif": r"z\.gif.*\.png",
    "--input e.csv --save-model e.csv": "found a file",
    "--seed 1": "--dataset",
    "--input e.csv --dataset karate": "one of --dataset",
    "--dataset karate --features named.csv": "--input",
    "--dataset karate --set loss.gama=1": "loss.gama.*loss.gamma",
    "--dataset karate --set loss.gamma=much": "loss.gamma",
    "--dataset karate --set loss.gamma": "loss.gamma",
    "--dataset karate --config absent.toml": "absent.toml",
    "--dataset karate --config c.toml": "c.toml",
    "--input ten.npy --set neighbors.n_neighbors=10": "10",
    "--dataset karate --resume": r"karate-embedding.npz.ckpt",
    "--dataset karate --dim 1 --plot z.png": "--dim is 1",
    "--dataset karate --dim -3": "--dim",
}


@pytest.mark.parametrize("words", CASES)
def test_embed(run, words: str) -> None:
    for name, text in FILES.items():
        Path(name).write_text(text)
    for name, rows in ARRAYS.items():
        np.save(name, rows)
    before = sorted(os.listdir())
    result = run("embed", "--epochs", 2, *words.split(), code=2)
    assert "Traceback" not in result.output
    assert result.stderr.count("Error: ") == 1
    text = " ".join(result.stderr.split("Error: ")[1].split())
    assert re.search(CASES[words], text), text
    assert sorted(os.listdir()) == before


def test_offline_download_says_which_files_to_put_where(run, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    from genurl_graph import datasets
    from genurl_graph.datasets import download

    def offline(*_: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(download, "transfer", offline)
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
