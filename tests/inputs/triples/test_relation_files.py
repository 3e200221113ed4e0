"""Relations on disk."""

import numpy as np
import pandas as pd
import pytest
import torch

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.embeddings import read_embedding, write_embedding
from genurl_graph.inputs.triples.relation_files import (
    check_relation_path,
    read_relations,
    relation_path,
    write_relations,
)

ENTITIES = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
RELATIONS = torch.randn(6, 3, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("suffix", [".npz", ".pt", ".csv", ".parquet"])
@pytest.mark.parametrize("names", [None, ["=isa", "007", "é"], [7, 5, 9]], ids=["plain", "names", "numbers"])
def test_what_is_written_is_read(suffix, names, tmp_path) -> None:
    path = tmp_path / f"umls{suffix}"
    write_relations(path, ENTITIES, RELATIONS, ["a", "b", "c", "d"], names, label=[0, 1, 0, -1])
    found = read_relations(path)
    assert found is not None
    assert torch.equal(found.embedding, RELATIONS)
    assert found.names.tolist() == (names or [0, 1, 2])
    # Whoever knows nothing of relations reads a row an entity.
    columns = read_embedding(path)
    assert columns["node_id"].tolist() == ["a", "b", "c", "d"]
    assert columns["label"].tolist() == [0, 1, 0, -1]
    assert np.array_equal(columns["embedding"], ENTITIES.numpy())


def test_a_table_has_a_row_for_each_relation_and_its_inverse(tmp_path) -> None:
    write_relations(tmp_path / "umls.csv", ENTITIES, RELATIONS, relation_id=["isa", "causes", "treats"])
    table = pd.read_csv(relation_path(tmp_path / "umls.csv"))
    assert table.columns.tolist() == ["relation_id", "inverse", "e0", "e1", "e2"]
    assert table.relation_id.tolist() == ["isa", "causes", "treats"] * 2
    assert table.inverse.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("suffix", [".npz", ".csv"])
def test_an_embedding_without_relations_has_none(suffix, tmp_path) -> None:
    write_embedding(tmp_path / f"cora{suffix}", ENTITIES)
    assert read_relations(tmp_path / f"cora{suffix}") is None


def test_a_file_of_one_matrix_has_no_room(tmp_path) -> None:
    with pytest.raises(InputError, match="cannot also hold relations"):
        check_relation_path(tmp_path / "umls.npy")


@pytest.mark.parametrize(
    ("relations", "names", "message"),
    [(RELATIONS[:5], None, "5 rows"), (RELATIONS, ["isa"], "1 names")],
)
def test_parts_that_do_not_fit_are_refused(relations, names, message, tmp_path) -> None:
    with pytest.raises(InputError, match=message):
        write_relations(tmp_path / "umls.npz", ENTITIES, relations, relation_id=names)
    assert not (tmp_path / "umls.npz").exists()


def test_damaged_relations_are_refused(tmp_path) -> None:
    write_relations(tmp_path / "umls.csv", ENTITIES, RELATIONS)
    beside = relation_path(tmp_path / "umls.csv")
    lines = beside.read_text().splitlines()
    beside.write_text("\n".join([lines[0], *reversed(lines[1:])]))
    with pytest.raises(InputError, match="rows in another order"):
        read_relations(tmp_path / "umls.csv")
    np.savez(tmp_path / "bad.npz", embedding=ENTITIES.numpy(), relation_embedding=RELATIONS.numpy())
    with pytest.raises(InputError, match="relations without relation_id"):
        read_relations(tmp_path / "bad.npz")
