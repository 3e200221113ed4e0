"""Tables of nodes as users have them: units, labels among the features, dates, notes, gaps."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from genurl_graph import datasets
from genurl_graph.evaluation.clustering import cluster
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.embeddings import read_embedding
from tests.cases.conftest import blocks, names, said, table

PAIRS = blocks(n=200, groups=4, within=0.18, between=0.01)
LABELS = table([[i, "ABCD"[i % 4]] for i in range(200)], "id,label")


def figures(run, *words: object) -> dict[str, Any]:
    """What `embed` writes of a run, with "stdout", the "accuracy" of 10 neighbours and the "nmi" of clusters.

    The protocol would also judge rows without training, which takes longer than the training.
    """
    words = ("--seed", 0, "--device", "cpu", "--epochs", 10, "--no-evaluate", *words)
    said = run("embed", *words, "--metrics", "m.json", "--output", "z.npz").stdout
    found, z = json.loads(Path("m.json").read_text()), read_embedding("z.npz")
    codes = np.unique(z["label"], return_inverse=True)[1]
    scores = {"accuracy": near_neighbours(Path("z.npz"), codes), "nmi": cluster(z["embedding"], codes)["nmi"]}
    return {**found, **scores, "stdout": said}


def near_neighbours(embedding: Path, labels: Any) -> float:
    """10-NN accuracy of an embedding in five folds."""
    rows = np.load(embedding)["embedding"]
    return float(cross_val_score(KNeighborsClassifier(10), rows, labels, cv=5).mean())


# ---------------------------------------------------------------- whole-number-tables


@pytest.mark.usefixtures("one_thread")
def test_people(cases: Path, run) -> None:
    folder = cases / "whole-number-tables"
    words = ("--features", folder / "people.csv", "--labels", folder / "clubs.csv")
    found = figures(run, "--input", folder / "edges.csv", *words)
    assert found["accuracy"] >= 0.95
    assert found["nmi"] >= 0.95
    assert "age, income (standardised)" in found["stdout"]


def column(kind: str, node: int, chance: random.Random) -> object:
    """A cell of a column that says nothing of the group of the node."""
    degree = sum(node in pair for pair in PAIRS)
    return {"constant": 7, "degree": degree, "year": chance.randint(1940, 2005), "euros": chance.randint(1, 10**6)}[
        kind
    ]


@pytest.mark.usefixtures("one_thread")
def test_columns_that_say_nothing_do_not_hurt(write, run) -> None:
    links, labels = write("e.csv", table(PAIRS, "source,target")), write("y.csv", LABELS)
    alone = figures(run, "--input", links, "--labels", labels)
    assert alone["accuracy"] > 0.9
    for kinds in (["constant"], ["degree"], ["year", "euros"]):
        chance = random.Random(0)
        rows = [[i, *(column(kind, i, chance) for kind in kinds)] for i in range(200)]
        features = write("x.csv", table(rows, ",".join(["id", *kinds])))
        found = figures(run, "--input", links, "--features", features, "--labels", labels)
        assert found["accuracy"] >= alone["accuracy"] - 0.02, kinds
        assert found["nmi"] >= alone["nmi"] - 0.03, kinds
        assert [kind for kind in kinds if kind not in found["stdout"]] == []
        assert ("left out" in found["stdout"]) or kinds != ["constant"]


def test_a_bag_of_words_is_one_on_evidence_only(write) -> None:
    chance = random.Random(0)
    words = [[int(chance.random() < 0.05) for _ in range(40)] for _ in range(120)]
    header = ",".join(["id", *(f"w{i}" for i in range(40))])
    links = write("e.csv", table(blocks(), "source,target"))
    bag = datasets.read(links, write("x.csv", table([[i, *row] for i, row in enumerate(words)], header)))
    assert set(bag.x.to_dense().unique().tolist()) == {0.0, 1.0}
    ages = [[i, chance.randint(18, 90), chance.randint(10_000, 90_000)] for i in range(120)]
    units = datasets.read(links, write("u.csv", table(ages, "id,age,income"))).x
    assert units.abs().max() < 20
    assert units.median(0).values.abs().max() < 0.5


# ---------------------------------------------------------------- label-column


def test_label_first(cases: Path, run) -> None:
    path = cases / "label-column" / "label_first.csv"
    data = datasets.read(path)
    assert data.x.shape == (400, 16)
    assert data.y.unique().numel() == 10
    truth = (cases / "label-column" / "labels.txt").read_text().split()
    assert data.y.tolist() == list(map(int, truth))
    found = figures(run, "--input", path, "--epochs", 30)
    assert found["n_features"] == 16
    assert "label" in found["stdout"].split("\n\n")[0]
    assert found["accuracy"] < 0.25


@pytest.mark.parametrize(
    ("header", "first", "options"),
    [
        ("class,p0,p1,p2,p3", True, {}),
        ("p0,p1,p2,p3,label", False, {}),
        ("p0,p1,p2,p3,species", False, {"columns": {"label": "species"}}),
        ("digit,p0,p1,p2,p3", True, {"columns": {"label": "digit"}}),
    ],
)
def test_a_label_is_no_feature(write, header: str, first: bool, options: dict[str, Any]) -> None:
    chance = random.Random(0)
    truth = [chance.choice("abc") if "species" in header else chance.randint(0, 2) for _ in range(60)]
    rows = [[round(chance.random(), 3) for _ in range(4)] for _ in range(60)]
    rows = [[label, *row] if first else [*row, label] for label, row in zip(truth, rows, strict=True)]
    data = datasets.read(write("v.csv", table(rows, header)), **options)
    assert data.x.shape == (60, 4)
    found = [data.label_names[code] for code in data.y] if "species" in header else data.y.tolist()
    assert found == truth
    assert "label" in said(data)


def test_a_label_column_of_a_feature_table(write) -> None:
    rows = [[i, i % 7 + 0.5, "xyz"[i % 3]] for i in range(30)]
    links = write("e.csv", table([[i, (i + 1) % 30] for i in range(30)], "source,target"))
    data = datasets.read(links, write("x.csv", table(rows, "id,size,label")))
    assert data.x.shape[0] == 30
    assert data.label_names == ["x", "y", "z"]
    assert data.x.unique(dim=0).shape[0] == 7


# ---------------------------------------------------------------- mixed-table


@pytest.mark.usefixtures("one_thread")
def test_customers(cases: Path, run) -> None:
    folder = cases / "mixed-table"
    words = ("--input", folder / "edges.csv", "--column", "label=segment")
    alone = figures(run, *words, "--labels", folder / "nodes.csv")
    found = figures(run, *words, "--features", folder / "nodes.csv")
    assert found["accuracy"] >= alone["accuracy"] - 0.01 > 0.7
    assert (alone["n_features"], found["n_nodes"]) == (0, 600)
    said = found["stdout"].split("merged graph")[0]
    assert [
        name for name in ["age", "revenue", "country", "segment", "joined", "note", "active"] if name not in said
    ] == []
    assert found["reading"]["lines"]


def test_weights_with_dates(cases: Path) -> None:
    folder = cases / "mixed-table"
    data = datasets.read(folder / "weighted.csv", folder / "nodes.csv", columns={"label": "segment"})
    assert data.edge_weight.sum() > 0
    assert data.edge_weight.max() < 1000
    assert "since" in said(data)


def test_labels_of_a_table_of_many_columns(cases: Path, run) -> None:
    folder = cases / "mixed-table"
    words = ("embed", "--input", folder / "edges.csv", "--labels", folder / "nodes.csv", "--dim", 4, "--epochs", 2)
    result = run(*words, code=2)
    assert "--column label=" in result.stderr
    assert result.stderr.count("\n") == 1
    result = run(*words, "--column", "label=segment", "--metrics", "m.json")
    assert json.loads(Path("m.json").read_text())["n_features"] == 0
    assert "linear probe" in result.stdout


def test_ratings_are_a_bipartite_graph(cases: Path, run) -> None:
    path = cases / "mixed-table" / "ratings.csv"
    data = datasets.read(path)
    lines = [line.split(",") for line in path.read_text().split()[1:]]
    assert set(names(data)) == {user for user, _, _ in lines} | {item for _, item, _ in lines}
    assert data.edge_index.size(1) == 2 * len(lines)
    assert "user_id -> item_id" in said(data)
    run("embed", "--input", path, "--dim", 4, "--epochs", 2, "--output", "z.npz")
    assert {"user_0", "item_31"} <= set(np.load("z.npz")["node_id"].tolist())


PEOPLE = """name,age,country,joined,note,member
ann,31,DE,2020-01-05,likes long walks on the beach,yes
bob,,FR,2021-07-01,,no
cy,45,,2019-03-12,brought a friend along last summer,yes
dee,28,DE,,pays late but always pays,no
eve,39,FR,2022-10-30,moved to another town,yes
"""


def test_cells_that_are_missing_or_no_numbers(write, run) -> None:
    people = write("p.csv", PEOPLE)
    links = write("e.csv", "source,target\nann,bob\nbob,cy\ncy,dee\ndee,ann\neve,ann\n")
    data = datasets.read(links, people)
    assert data.x.shape[0] == 5
    assert bool(data.x.to_dense().isfinite().all())
    text = run("embed", "--input", links, "--features", people, "--dim", 2, "--epochs", 2).stdout
    assert [name for name in ("age", "country", "joined", "note", "member") if name not in text] == []
    only = datasets.read(links, people, columns={"feature": ["age", "member"]})
    assert only.x.size(1) < data.x.size(1)
    without = datasets.read(links, people, columns={"ignore": ["country", "joined", "note"]})
    assert without.x.shape == only.x.shape


def test_a_column_that_does_not_exist(write) -> None:
    people = write("p.csv", PEOPLE)
    links = write("e.csv", "source,target\nann,bob\nbob,cy\ncy,dee\ndee,ann\neve,ann\n")
    with pytest.raises(InputError, match="did you mean 'country'"):
        datasets.read(links, people, columns={"label": "contry"})


@pytest.mark.usefixtures("one_thread")
def test_a_mixed_table_of_a_planted_graph(write, run) -> None:
    chance = random.Random(1)
    rows = [
        [
            f"m{i}",
            chance.gauss(40 + 12 * (i % 4), 5),
            ["north", "east", "south", "west"][i % 4],
            f"2021-0{i % 9 + 1}-03",
        ]
        for i in range(200)
    ]
    rows = [[i, "" if chance.random() < 0.1 else f"{age:.1f}", town, day, "ABCD"[k % 4]] for k, (i, age, town, day) in
            enumerate(rows)]  # fmt: skip
    people = write("p.csv", table(rows, "member;age;town;joined;team", ";").replace(",", "."))
    links = write("e.csv", table([[f"m{a}", f"m{b}"] for a, b in PAIRS], "source;target", ";"))
    words = ("--input", links, "--column", "label=team")
    found = figures(run, *words, "--features", people)
    alone = figures(run, *words, "--labels", people)
    assert found["accuracy"] >= alone["accuracy"] - 0.02
    assert alone["n_features"] == 0


# ---------------------------------------------------------------- features that the list names


def test_wine_is_scaled(write, run) -> None:
    from sklearn.datasets import load_wine

    x, y = load_wine(return_X_y=True)
    header = ",".join([*(f"c{i}" for i in range(13)), "label"])
    path = write("wine.csv", table([[*row, int(label)] for row, label in zip(x.tolist(), y, strict=True)], header))
    run("embed", "--input", path, "--seed", 0, "--device", "cpu", "--output", "z.npz")
    assert near_neighbours(Path("z.npz"), y.tolist()) >= 0.85
    run("embed", "--input", path, "--seed", 0, "--set", "input.scale=none", "--output", "raw.npz")
    assert near_neighbours(Path("raw.npz"), y.tolist()) < 0.85


def test_epoch_seconds_keep_their_differences(write) -> None:
    rows = [[1_700_000_000 + 10 * i, 1_690_000_000 - 3 * i] for i in range(100)]
    x = datasets.read(write("t.csv", table(rows, "seen,left")), as_="vectors").x
    assert x[:, 0].unique().numel() == 100
    assert x[:, 1].unique().numel() == 100


def test_models_of_tables_take_new_rows_alike(write, run) -> None:
    people = write("p.csv", PEOPLE.replace("name,", "id,"))
    run(
        *("embed", "--input", people, "--task", "reduce", "--encoder", "mlp", "--epochs", 2, "--seed", 0),
        *("--save-model", "model", "--output", "z.npz", "--set", "neighbors.n_neighbors=2"),
    )
    few = write("few.csv", "\n".join(people.read_text().split("\n")[i] for i in (0, 4, 2)) + "\n")
    run("transform", "--model", "model", "--input", few, "--output", "few.npz")
    np.testing.assert_allclose(
        np.load("few.npz")["embedding"], np.load("z.npz")["embedding"][[3, 1]], rtol=1e-4, atol=1e-5
    )
