"""``genurl-graph embed`` of typed edges: entities and relations are written, and held-out triples are ranked."""

import json
from pathlib import Path

import numpy as np
import pytest

from genurl_graph.inputs.embeddings import read_embedding
from genurl_graph.inputs.triples.relation_files import read_relations

FAST = ("--dim", 8, "--epochs", 3, "--seed", 0)


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    drawn = np.random.default_rng(0)
    rows = {(int(a), int(r), int(a + r + 1) % 20) for a, r in drawn.integers(0, [20, 3], (200, 2))}
    lines = [f"n{head}\tr{relation}\tn{tail}\n" for head, relation, tail in sorted(rows)]
    (tmp_path / "facts.tsv").write_text("".join(lines))
    (tmp_path / "kg").mkdir()
    (tmp_path / "kg" / "train.txt").write_text("".join(lines[5:]))
    (tmp_path / "kg" / "test.txt").write_text("".join(lines[:5]))
    vectors = "".join(f"n{i},{i % 4},{i % 5}\n" for i in range(15))
    (tmp_path / "vectors.csv").write_text(f"id,a,b\n{vectors}")


def test_a_folder_of_a_split_is_embedded_and_judged(run) -> None:
    text = run("embed", "--input", "kg", *FAST, "--output", "kg.csv", "--metrics", "kg.json").stdout
    assert "read train.txt as triples" in text
    assert "both ends of the test triples, ranked among all entities" in text
    assert "frequency of entities" in text
    columns, relations = read_embedding(Path("kg.csv")), read_relations("kg.csv")
    assert columns["embedding"].shape == (20, 8)
    assert {*columns["node_id"].tolist()} == {f"n{i}" for i in range(20)}
    assert relations is not None
    assert relations.embedding.shape == (6, 8)
    assert {*relations.names.tolist()} == {"r0", "r1", "r2"}
    found = json.loads(Path("kg.json").read_text())
    assert (found["task"], found["n_relations"], found["n_test"]) == ("triples", 3, 5)
    assert 0 < found["triples"]["rows"]["genurl"]["mrr"] <= 1
    run("rerun", "kg.json")


def test_a_file_with_features_needs_only_its_task(run) -> None:
    given = ("embed", "--input", "facts.tsv", "--features", "vectors.csv", *FAST, "--output", "facts.npz")
    text = run(*given, "--task", "triples").stdout
    assert "features vectors: 2 columns, 15 of 20 entities have them" in text
    assert "kNN edges by features: vectors weight" in text
    assert "both ends" not in text
    assert read_relations("facts.npz") is not None
    assert run(*given, "--as", "triples", "--resume", code=2).stderr.startswith("Error: --resume")


def test_one_matrix_has_no_room_for_relations(run) -> None:
    assert "no room for relations" in run("embed", "--input", "kg", "--output", "kg.npy", code=2).stderr


def test_types_may_be_left_out(run) -> None:
    text = run("embed", "--input", "kg", "--task", "graph", *FAST, "--output", "kg.npz").stdout
    assert "their relations left out" in text
    assert read_relations("kg.npz") is None
