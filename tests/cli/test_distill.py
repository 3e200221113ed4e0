"""``genurl-graph distill`` end to end, and what it refuses."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch_geometric.datasets import KarateClub

from genurl_graph import GenURL


@pytest.fixture
def digits(tmp_path: Path) -> np.ndarray:
    x = load_digits().data.astype(np.float32) / 16  # as the data set has them
    np.save(tmp_path / "teacher.npy", np.tanh(x @ np.random.default_rng(0).normal(size=(64, 12)).astype(np.float32)))
    return x


def test_features_of_digits(run, digits, few_digits) -> None:
    digits = digits[:few_digits]
    np.save("teacher.npy", np.load("teacher.npy")[:few_digits])
    words = ("distill", "--teacher", "teacher.npy", "--dataset", "digits", "--epochs", 2, "--seed", 1, "--dim", 5)
    result = run(*words, "--output", "s.npz", "--metrics", "m.json", "--save-model", "model")
    assert sorted(os.listdir()) == ["m.json", "model", "s.npz", "teacher.npy"]
    metrics = json.loads(Path("m.json").read_text())
    assert (metrics["task"], metrics["objective"], metrics["dim"], metrics["seed"]) == ("distill", "gkl", 5, 1)
    assert metrics["config"]["loss"]["name"] == "gkl"
    assert metrics["parameters"] == 64 * 64 + 64 + 2 * 64 + 1 + 64 * 5 + 5
    assert set(metrics["reference"]) == {"teacher", "raw", "propagated", "untrained"}
    for value in (metrics["probe"]["test"], metrics["reference"]["teacher"], metrics["reference"]["untrained"]):
        assert f"{100 * value:.1f}" in result.stdout
    with np.load("s.npz") as archive:
        np.testing.assert_allclose(GenURL.load("model").transform(digits), archive["embedding"], atol=1e-5)
    np.save("new.npy", digits[:3])
    run("transform", "--model", "model", "--input", "new.npy", "--output", "new.npz")


@pytest.mark.parametrize("objective", ["bce", "feature-l2", "feature-cosine", "rkd", "seed"])
def test_other_objectives(run, digits, objective) -> None:
    np.save("x.npy", digits[:150])
    np.save("t.npy", np.load("teacher.npy")[:150])
    result = run(
        *("distill", "--teacher", "t.npy", "--input", "x.npy", "--epochs", 1, "--seed", 0, "--student", "linear"),
        *("--objective", objective, "--output", "s.npy"),
    )
    assert f"objective {objective}" in result.stdout
    assert np.load("s.npy").shape == (150, 32)


def test_graph_model_as_teacher(run) -> None:
    data = KarateClub()[0]
    GenURL(4, encoder="gcn", epochs=2, random_state=0).fit(data).save("gnn")
    edges = data.edge_index.T[data.edge_index[0] < data.edge_index[1]]
    np.savetxt("edges.csv", edges.numpy(), fmt="%d", delimiter=",", header="source,target", comments="")
    x = np.column_stack([np.arange(34), torch.arange(34 * 34).view(34, 34).numpy() % 7])
    np.savetxt("x.csv", x, fmt="%d", delimiter=",", header="node," + ",".join(f"f{i}" for i in range(34)), comments="")
    teacher = GenURL.load("gnn")
    assert teacher.encoder_name_ == "gcn"
    result = run(
        *("distill", "--teacher", "gnn", "--input", "edges.csv", "--features", "x.csv", "--epochs", 1, "--seed", 0),
        *("--output", "s.npz", "--save-model", "mlp"),
    )
    # No labels: the student's neighbourhoods beside the teacher's.
    assert "neighbours of the student are neighbours of the teacher" in result.stdout
    assert GenURL.load("mlp").encoder_name_ == "mlp"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--teacher", "none.npy"), "there is no none.npy"),
        (("--teacher", "short.npy"), "teacher: found 10 rows for 1797 samples"),
        (("--teacher", "constant.npy"), "found 1797 rows of features, all the same"),
        (("--teacher", "folder"), "folder: is not a folder that GenURL.save wrote"),
        (("--teacher", "teacher.npy", "--student", "gcn"), "no graph for student 'gcn'"),
        (("--teacher", "teacher.npy", "--student", "tree"), "'tree' is not one of"),
        (("--teacher", "teacher.npy", "--objective", "l3"), "'l3' is not one of"),
        (("--teacher", "teacher.npy", "--set", "loss.gama=2"), "did you mean 'loss.gamma'"),
        (("--teacher", "teacher.npy", "--resume"), "there is no checkpoint"),
        ((), "Missing option '--teacher'"),
    ],
)
def test_bad_input(run, digits, words, message) -> None:
    np.save("short.npy", digits[:10])
    np.save("constant.npy", np.ones((1797, 3), np.float32))
    Path("folder").mkdir()
    result = run("distill", "--dataset", "digits", "--quiet", *words, code=2)
    assert message in result.output
    assert not Path("digits-student.npz").exists()
