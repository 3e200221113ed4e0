"""Names in CSV files: no formulas, and the same names when they are read again."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genurl_graph.inputs.embeddings import read_embedding, shielded, unshielded, write_embedding


@pytest.mark.parametrize("name", ["=1+1", "+a", "-a", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "''@x", "-1+2", "=-5"])
def test_formulas_get_an_apostrophe(name: str) -> None:
    assert shielded(name) == f"'{name}"


@pytest.mark.parametrize("name", ["alice", "", "-5", "+3.25", "-.5e-3", "a=b", "'quoted'", "1-2"])
def test_names_and_numbers_stay(name: str) -> None:
    assert shielded(name) == name == unshielded(name)


@given(st.text(st.sampled_from("'=+-@\t\r\n15.ae"), max_size=6))
def test_every_name_comes_back(name: str) -> None:
    assert unshielded(shielded(name)) == name


def test_ids_and_labels_of_a_csv(tmp_path: Path) -> None:
    ids, labels = ["=cmd|' /C calc'!A0", "bob", "'=x"], ["@a", "b", "-c"]
    write_embedding(tmp_path / "z.csv", np.array([[-1.5], [2], [3]]), ids, labels)
    with open(tmp_path / "z.csv", newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert all(cell[:1] not in ("=", "+", "@", "\t", "\r") for row in rows for cell in row)
    assert rows[0] == ["'=cmd|' /C calc'!A0", "'@a", "-1.5"]
    found = read_embedding(tmp_path / "z.csv")
    assert found["node_id"].tolist() == ids
    assert found["label"].tolist() == labels
