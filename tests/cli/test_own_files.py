"""``compare``, ``ablate`` and ``evaluate`` of the user's own files."""

import json
from pathlib import Path

import numpy as np
import pytest

from genurl_graph.experiments import runs

OWN = ("--input", "edges.csv", "--features", "people.csv", "--column", "label=club")
SMALL = ("--epochs", 2, "--dim", 4, "--set", "encoder.hidden=8", "--device", "cpu", "--metrics", "m.json")


@pytest.fixture
def files(run, monkeypatch, one_thread) -> None:
    """A graph of two groups and a table of its nodes; methods without new processes, which take long to start."""
    monkeypatch.setattr(runs, "run_apart", lambda job: job.run())
    n = 60
    rng = np.random.default_rng(0)
    pairs = {(i, j) for i, j in rng.integers(0, n, (400, 2)) if i < j and (i % 2 == j % 2 or rng.random() < 0.1)}
    Path("edges.csv").write_text("source,target\n" + "".join(f"p{i},p{j}\n" for i, j in sorted(pairs)))
    rows = [f"p{i},{rng.normal():.3f},{rng.normal():.3f}" for i in range(n)]
    people = [f"{row},{'red' if i % 2 else 'blue'}\n" for i, row in enumerate(rows)]
    Path("people.csv").write_text("id,age,height,club\n" + "".join(people))
    Path("plain.csv").write_text("id,age,height\n" + "".join(f"{row}\n" for row in rows))


def read() -> dict:
    found: dict = json.loads(Path("m.json").read_text())
    return found


@pytest.mark.usefixtures("files")
def test_compare_says_the_split_and_can_be_repeated(run) -> None:
    words = ("--methods", "genurl,raw,gae", "--peer-set", "gae.epochs=20", "--peer-set", "gae.dim=8", "--seeds", 2)
    printed = run("compare", *OWN, *words, *SMALL).stdout
    assert "read people.csv as features: 60 rows, ids in id, labels in club (2 classes)" in printed
    assert "split: random, 2 times for each seed: 10 % training, 10 % validation, 80 % test" in printed
    found = read()
    assert (found["dataset"], found["command"]) == ("edges", "compare")
    assert found["source"]["read"] == {"columns": {"label": ["club"]}}
    # The features say nothing of the groups, the edges do.
    assert found["methods"]["gae"]["mean"] > found["methods"]["raw"]["mean"] + 0.2
    assert " NO\n" not in run("rerun", "m.json").stdout


@pytest.mark.usefixtures("files")
def test_ablate_and_links_can_be_repeated(run) -> None:
    for words in (("ablate", "--nu", "1", "--seeds", 1), ("evaluate", "--protocol", "links")):
        run(*words, *OWN, *SMALL)
        assert read()["source"]["input"] == str(Path("edges.csv").resolve())
        again = run("rerun", "m.json")
        assert "to the last bit" in again.stdout
        assert " NO\n" not in again.stdout


@pytest.mark.usefixtures("files")
def test_files_without_labels_are_refused_with_what_to_do(run) -> None:
    run("embed", *OWN[:4], *SMALL[:6], "--no-evaluate", "--output", "z.npz", "--quiet")
    told = (
        "has no labels, so there is nothing to evaluate against; name their column (--column label=NAME) or their file"
    )
    plain = ("--input", "edges.csv", "--features", "plain.csv")
    for words in (("compare",), ("ablate",), ("evaluate", "--embedding", "z.npz")):
        assert f"Error: edges.csv {told} (--labels FILE)" in run(*words, *plain, code=2).stderr


@pytest.mark.usefixtures("files")
def test_own_vectors_are_compared_as_maps(run) -> None:
    np.save("vectors.npy", np.random.default_rng(0).random((40, 5)))
    printed = run("compare", "--input", "vectors.npy", "--methods", "pca", "--seeds", 1, "--metrics", "m.json").stdout
    assert "Reduction of vectors to 2 dimensions, protocol reduce" in printed
    assert read()["methods"]["pca"]["mean"]["knn_accuracy"] is None  # without labels
    assert " NO\n" not in run("rerun", "m.json").stdout
    # A task that is named decides.
    np.save("labels.npy", np.arange(40) % 2)
    given = ("--input", "vectors.npy", "--labels", "labels.npy", "--task", "graph")
    run("compare", *given, "--methods", "raw", "--seeds", 1, "--metrics", "m.json")
    assert read()["protocol"] == "random-10-10-80"


@pytest.mark.usefixtures("files")
def test_default_methods_are_those_that_the_data_allow(run) -> None:
    run(*("compare", *OWN[:2], "--labels", "people.csv", "--column", "id=id", *OWN[4:], "--seeds", 1, *SMALL))
    assert list(read()["methods"]) == ["genurl", "untrained"]
    printed = run("compare", "--dataset", "karate", "--seeds", 1, *SMALL).stdout
    assert "without raw: it needs node features" in printed
    assert list(read()["methods"]) == ["genurl", "untrained"]


def test_one_source_is_named(run) -> None:
    for command in ("compare", "ablate"):
        assert "Give one of --dataset NAME and --input PATH." in run(command, code=2).stderr
