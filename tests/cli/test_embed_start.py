"""Options of ``genurl-graph embed`` that say where a map starts, and those beside them that users know."""

import json
from pathlib import Path

import numpy as np


def test_arguments_that_users_know(run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.save("x.npy", rng.normal(size=(60, 5)))
    np.save("start.npy", rng.normal(size=(60, 2)))
    base = ("embed", "--input", "x.npy", "--epochs", 2, "--seed", 0, "--device", "cpu")
    run(
        *base,
        "--n-neighbors",
        7,
        "--metric",
        "cosine",
        "--exaggeration",
        2,
        "--init",
        "spectral",
        "--metrics",
        "a.json",
    )
    config = json.loads(Path("a.json").read_text())["config"]
    assert (config["neighbors"]["n_neighbors"], config["neighbors"]["metric"]) == (7, "cosine")
    assert (config["loss"]["exaggeration"], config["encoder"]["init"]) == (2, "spectral")
    run(*base, "--init", "start.npy", "--metrics", "b.json")
    assert json.loads(Path("b.json").read_text())["config"]["encoder"]["init"] == "given"
    found = run(*base, "--init", "spectrum", code=2)
    assert "--init: found 'spectrum'; expected one of auto, pca" in found.output


def test_previous_map_goes_on(run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 5)) + 4 * rng.normal(size=(5, 5))[np.arange(150) % 5]
    names = [f"sample {i}" for i in range(150)]
    for name, order in (("old.csv", range(100)), ("new.csv", range(149, -1, -1))):
        lines = [f"{names[i]},{','.join(map(str, x[i]))}" for i in order]
        Path(name).write_text("\n".join(["id,a,b,c,d,e", *lines]))
    base = ("embed", "--epochs", 100, "--seed", 0, "--device", "cpu", "--quiet")
    tables = (*base, "--as", "vectors")
    run(*tables, "--input", "old.csv", "--output", "old.npz", "--save-model", "model")
    run(*tables, "--input", "new.csv", "--previous", "old.npz", "--output", "new.npz", "--metrics", "new.json")
    old, new = (dict(np.load(f"{name}.npz")) for name in ("old", "new"))
    at = [new["node_id"].tolist().index(name) for name in old["node_id"].tolist()]
    assert np.median(np.linalg.norm(new["embedding"][at] - old["embedding"], axis=1)) < 0.15 * old["embedding"].std()
    # A model knows no names of vectors: its samples are the first ones.
    np.save("x.npy", x)
    run(*base, "--input", "x.npy", "--previous", "model", "--output", "more.npz")
    more = np.load("more.npz")["embedding"][:100]
    assert np.median(np.linalg.norm(more - old["embedding"], axis=1)) < 0.15 * old["embedding"].std()
    both = run(*tables, "--input", "new.csv", "--previous", "old.npz", "--init", "pca", code=2)
    assert "--previous: found old.npz, and --init pca; expected one of them" in both.output
    again = run("rerun", "new.json", code=2)
    assert "encoder.init: found 'previous' without coordinates" in again.output
