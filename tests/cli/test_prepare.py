"""``prepare``: from files of any number, a data set, or what embed reads, to partitions."""

import re

import numpy as np
import pytest
import torch

from genurl_graph.datasets.planted_partitions import write_planted
from genurl_graph.inputs.columns import FeatureOptions
from genurl_graph.inputs.input import as_input
from genurl_graph.inputs.partitioned import Prepared

NODES = "name,a,b,label\n007,1,2,u\n7,3,4,v\nx y,5,6,u\n"
EDGES = "source,target\n007,7\n7,007\n7,7\nx y,7\n"


def test_many_files_as_a_shell_names_them(run, tmp_path) -> None:
    write_planted(tmp_path, 400, 4, num_features=5, classes=3, partitions=3)
    edges, nodes = (sorted((tmp_path / name).iterdir()) for name in ("edges", "nodes"))
    said = run("prepare", *edges, "--features", *nodes, "--output", "prepared", "--partitions", 4).output
    assert "read edges/*.parquet as edges: source -> target (3 files, 1,600 lines, 1,600 distinct pairs)" in said
    assert "3 files, 400 rows, ids in id, labels in label (3 classes)" in said
    assert "prepared 400 nodes, 1,600 edges, 5 features; 4 partitions of up to 100" in said
    prepared = Prepared.open("prepared")
    assert prepared.store.bounds == (0, 100, 200, 300, 400)
    assert sorted(np.concatenate([prepared.ids(part) for part in range(4)])) == list(range(400))
    # Folders and patterns are the same files.
    run("prepare", "edges", "--features", "nodes/*.parquet", "--output", "again", "--partitions", 4, "--quiet")
    for name in ("x", "y", "crow", "col"):
        for part in range(4):
            assert (
                Prepared.open("again").store.file(name, part).read_bytes()
                == prepared.store.file(name, part).read_bytes()
            )


def test_names_are_kept_as_they_stand(run, tmp_path) -> None:
    (tmp_path / "nodes.csv").write_text(NODES)
    (tmp_path / "edges.csv").write_text(EDGES)
    said = run("prepare", "edges.csv", "--features", "nodes.csv", "--column", "id=name", "--output", "p").output
    assert "each in both directions" not in said
    assert "1 of them in both directions, which count as one, repeats summed, 1 self loop left out" in said
    prepared = Prepared.open("p")
    ids = prepared.ids(0).tolist()
    assert sorted(ids) == ["007", "7", "x y"]
    row, col, weight = prepared.edges(0)
    found = {(ids[i], ids[j]): w for i, j, w in zip(row, col, weight.tolist(), strict=True)}
    assert found == {("007", "7"): 2, ("7", "007"): 2, ("x y", "7"): 1, ("7", "x y"): 1}


def test_a_data_set_and_what_embed_reads(run, tmp_path) -> None:
    said = run("prepare", "--dataset", "karate", "--output", "karate", "--rows", 10).output
    assert "prepared 34 nodes, 78 edges, 0 features; 4 partitions of up to 9 rows" in said
    assert Prepared.open("karate").labelled
    x = (3 + np.random.default_rng(0).standard_normal((30, 4))).astype(np.float32) * np.float32([1, 1, 1, 1000])
    np.save("v.npy", x)
    said = run("prepare", "--input", "v.npy", "--output", "vectors").output
    assert "features: 1, 2, 3, 4 (standardised)" in said
    vectors = Prepared.open("vectors")
    assert vectors.manifest.num_edges == 0
    # As embed has them.
    assert torch.equal(vectors.whole().x, as_input(x, features=FeatureOptions()).x[vectors.ids(0)])


BAD = {
    "--output p": "Give one of EDGES, --dataset NAME and --input PATH",
    "edges.csv --output p": "--features: found none; expected tables of nodes",
    "edges.csv --features nodes.csv nowhere.csv --output p": "features: nowhere.csv does not exist",
    "edges.csv --features nodes.csv --column id=nme --output p": "(?s)id=?.*'nme'",
    "edges.csv --features nodes.csv --partitions 4 --output p": "partitions: found 4; expected a number from 1 to 3",
    "edges.csv --features nodes.csv --output nodes.csv": "nodes.csv: found a file; expected the name of a folder",
    "edges.csv --features nodes.csv --output mine": "mine: found a folder that holds other files",
    "edges.csv --features nodes.csv --as vectors --output p": "--as: found vectors",
    "edges.csv --features nodes.csv few.csv --output p": r"ids of \*\.csv: found node id '\d+' more than once",
    "edges.csv --features few.csv --output p": "edges.csv: line 5: found 1 node without a row of features, such as",
    "--dataset karate --features nodes.csv --output p": "has its own features",
}


@pytest.mark.parametrize("words", BAD)
def test_bad_words_have_one_message(run, tmp_path, words) -> None:
    (tmp_path / "nodes.csv").write_text(NODES)
    (tmp_path / "few.csv").write_text(NODES.rpartition("x y")[0])
    (tmp_path / "edges.csv").write_text(EDGES)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("dear")
    result = run("prepare", *words.split(), code=2)
    assert re.search(BAD[words], result.output), result.output
    assert not (tmp_path / "p").exists()
