"""Files of triples, and the data sets of the registry that are made of them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.data import Data, HeteroData

from genurl_graph import datasets
from genurl_graph.datasets.readers.triples import read_triple_files
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.triples import TripleSet
from genurl_graph.inputs.triples.tables import count_shared

LINES = [("a", "likes", "b"), ("b", "knows", "c"), ("c", "likes", "a"), ("a", "knows", "b")]


def write(path: Path, rows: list[tuple[str, str, str]], header: str = "", mark: str = "\t") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(header + "".join(mark.join(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("name", ["UMLS", "Kinships", "CoDEx-S"])
def test_they_have_the_published_sizes(name, data_root) -> None:
    found, entry = datasets.load(name, data_root), datasets.info(name)
    assert isinstance(found, TripleSet)
    assert found.name == name
    assert found.valid is not None
    assert found.test is not None
    pairs = set(zip(found.triples.head.tolist(), found.triples.tail.tolist(), strict=True))
    parts = (found.triples, found.valid, found.test)
    assert (len(found), len(pairs), found.triples.num_relations) == (entry.n_nodes, entry.n_edges, entry.n_relations)
    assert sum(map(len, parts)) == entry.n_triples
    assert count_shared(*parts[:2]) == count_shared(parts[0], parts[2]) == count_shared(*parts[1:]) == 0
    assert not any("entities without" in line for line in found.reading.lines)


@pytest.mark.parametrize("header", ["", "head\trelation\ttail\n", "subject\tpredicate\tobject\n", "h\tr\tt\n"])
def test_a_header_is_no_triple(header, tmp_path) -> None:
    found = read_triple_files(write(tmp_path / "facts.txt", LINES, header))
    assert found.entity_id == ["a", "b", "c"]
    assert found.relation_id == ["likes", "knows"]
    assert found.triples.rows().tolist() == [[0, 0, 1], [1, 1, 2], [2, 0, 0], [0, 1, 1]]


def test_columns_may_be_named_in_any_order(tmp_path) -> None:
    rows = [(head, tail, kind) for head, kind, tail in LINES]
    path = write(tmp_path / "facts.csv", rows, "from,to,how\n", ",")
    options = ReadOptions.of("edges", {"source": "from", "target": "to", "type": "how"})
    assert read_triple_files(path, options).triples.rows().tolist() == [[0, 0, 1], [1, 1, 2], [2, 0, 0], [0, 1, 1]]


def test_numbers_of_columns_will_do(tmp_path) -> None:
    path = write(tmp_path / "facts.txt", [(head, tail, kind) for head, kind, tail in LINES])
    options = ReadOptions.of("edges", {"source": "1", "target": "2", "type": "3"})
    assert read_triple_files(path, options).relation_id == ["likes", "knows"]


def test_another_order_is_refused_with_the_options_that_say_it(tmp_path) -> None:
    path = write(tmp_path / "facts.txt", [(head, tail, kind) for head, kind, tail in LINES])
    with pytest.raises(InputError, match="--column source=1 --column type=3 --column target=2 if 3 is"):
        read_triple_files(path)


def test_a_folder_is_a_split_whose_strangers_are_named(tmp_path) -> None:
    write(tmp_path / "kg" / "train.txt", [*LINES, LINES[0]])
    write(tmp_path / "kg" / "valid.txt", [("a", "likes", "c"), ("a", "hates", "c")])
    write(tmp_path / "kg" / "test.txt", [("d", "likes", "a"), LINES[1]])
    found = read_triple_files(tmp_path / "kg")
    assert found.valid is not None
    assert found.test is not None
    assert found.valid.rows().tolist() == [[0, 0, 2]]
    assert found.test.rows().tolist() == [[3, 0, 0], [1, 1, 2]]
    assert (len(found), found.triples.num_relations) == (4, 2)
    told = "\n".join(found.reading.lines)
    for line in (
        "4 triples, 4 entities, 2 relations, 1 repeat left out",
        "entities without a triple in train.txt: d",
        "left out: 1 held-out triple of relations that train.txt does not have: hates",
        "1 triple of test.txt also in train.txt",
    ):
        assert line in told


def test_a_folder_without_training_triples_is_refused(tmp_path) -> None:
    write(tmp_path / "kg" / "test.txt", LINES)
    with pytest.raises(InputError, match=r"a folder without train\.txt"):
        read_triple_files(tmp_path / "kg")


def test_an_empty_cell_is_refused_with_its_line(tmp_path) -> None:
    path = write(tmp_path / "facts.csv", [*LINES, ("a", "likes", "")], mark=",")
    with pytest.raises(InputError, match="line 5"):
        read_triple_files(path)


def test_read_takes_a_folder_of_a_split_for_triples_and_a_file_where_it_is_said(tmp_path) -> None:
    path = write(tmp_path / "kg" / "train.txt", LINES)
    assert isinstance(datasets.read(tmp_path / "kg"), TripleSet)
    assert isinstance(datasets.read(path, as_="triples"), TripleSet)
    edges = datasets.read(path)
    assert isinstance(edges, Data)
    assert "column 2 may hold relations: --as triples reads typed edges" in edges.reading.lines


def test_each_file_of_a_folder_of_features_is_a_modality(tmp_path) -> None:
    write(tmp_path / "train.tsv", LINES)
    folder = tmp_path / "features"
    folder.mkdir()
    (folder / "people.csv").write_text("name,age,size,class\na,30,1.5,x\nc,50,1.7,y\nz,9,1.1,x\n")
    np.savez(folder / "text.npz", node_id=np.array(["b", "a"]), embedding=np.eye(2))
    found = datasets.read(tmp_path, folder, as_="triples")
    assert [(each.name, each.entity.tolist()) for each in found.modalities] == [("people", [0, 2]), ("text", [0, 1])]
    assert found.modalities[0].x.shape == (2, 2)
    assert found.y.tolist() == [0, -1, 1]
    said = datasets.read(tmp_path, folder, as_="triples", columns={"feature": ["size"]})
    assert said.modalities[0].x.shape == (2, 1)
    (folder / "people.tsv").write_text("name\tage\na\t30\n")
    with pytest.raises(InputError, match="two files named people"):
        datasets.read(tmp_path, folder, as_="triples")


def test_one_file_of_features_and_labels_beside(tmp_path) -> None:
    path = write(tmp_path / "facts.txt", LINES, "head\trelation\ttail\n")
    (tmp_path / "vectors.csv").write_text("id,e0,e1\na,0.5,1\nb,1.5,3\n")
    (tmp_path / "kinds.csv").write_text("id,kind\na,x\nb,y\nc,x\n")
    found = datasets.read(path, tmp_path / "vectors.csv", tmp_path / "kinds.csv", as_="triples")
    assert found.modalities[0].name == "vectors"
    assert found.y.tolist() == [0, 1, 0]
    with pytest.raises(InputError, match=r"--column id.*'nam'"):
        datasets.read(path, tmp_path / "vectors.csv", as_="triples", columns={"id": "nam"})


def test_pygs_files_hold_triples_as_well(tmp_path) -> None:
    hetero = HeteroData()
    hetero["a"].x = torch.eye(3)
    hetero["a", "r", "a"].edge_index = torch.tensor([[0, 1], [1, 2]])
    torch.save(hetero, tmp_path / "hetero.pt")
    assert datasets.read(tmp_path / "hetero.pt", as_="triples").relation_id == ["a__r__a"]
    typed = Data(edge_index=torch.tensor([[0, 1], [1, 2]]), edge_type=torch.tensor([0, 1]), num_nodes=3)
    torch.save(typed, tmp_path / "typed.pt")
    assert datasets.read(tmp_path / "typed.pt", as_="triples").triples.num_relations == 2
