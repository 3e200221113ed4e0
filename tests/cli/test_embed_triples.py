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
    assert "cannot also hold relations" in run("embed", "--input", "kg", "--output", "kg.npy", code=2).stderr


def test_types_may_be_left_out(run) -> None:
    text = run("embed", "--input", "kg", "--task", "graph", *FAST, "--output", "kg.npz").stdout
    assert "their relations left out" in text
    assert read_relations("kg.npz") is None


def test_new_entities_are_placed_by_a_kept_model(run) -> None:
    run("embed", "--input", "facts.tsv", "--as", "triples", *FAST, "--output", "facts.npz", "--save-model", "facts")
    Path("new.tsv").write_text("n3\tr0\tn4\nbob\tr0\tn4\nbob\tr1\tn9\n")
    given = ("transform", "--model", "facts", "--input", "new.tsv", "--output", "new.csv")
    for more in ((), ("--as", "triples")):
        assert "4 entities" in run(*given, *more).stdout
    found, fitted = read_embedding(Path("new.csv")), read_embedding(Path("facts.npz"))
    row = {name: fitted["embedding"][k] for k, name in enumerate(fitted["node_id"].tolist())}
    assert found["node_id"].tolist() == ["n3", "n4", "bob", "n9"]
    np.testing.assert_allclose(found["embedding"][[0, 1, 3]], [row[name] for name in ("n3", "n4", "n9")], rtol=1e-5)
    assert "features left out" in run(*given, "--features", "vectors.csv").stdout
    Path("strange.tsv").write_text("bob\tr7\tn4\n")
    text = run("transform", "--model", "facts", "--input", "strange.tsv", "--output", "s.csv", code=2).stderr
    assert "relation: found 'r7'" in text
    assert not Path("s.csv").exists()


def test_features_that_a_graph_has_no_place_for_are_named(run) -> None:
    text = run("embed", "--input", "kg", "--features", "vectors.csv", "--task", "graph", *FAST, "--output", "k.npz")
    assert "their relations and features left out" in text.stdout


def test_a_split_that_is_not_clear_asks_for_its_reading(run) -> None:
    Path("numbers").mkdir()
    Path("numbers/train.txt").write_text("".join(f"{i}\t{i % 2}\t{(i + 1) % 9}\n" for i in range(9)))
    assert "expected --as triples" in run("embed", "--input", "numbers", "--output", "k.npz", code=2).stderr
    assert "(9 triples, 9 entities" in run("inspect", "numbers", "--as", "triples").stdout
