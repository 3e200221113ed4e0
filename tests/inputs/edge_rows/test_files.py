"""Embeddings of edges on disk."""

import numpy as np
import pandas as pd
import pytest
import torch

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.edge_rows import EdgeEnds
from genurl_graph.inputs.edge_rows.files import read_edge_embedding, write_edge_embedding

NAMES = ["a", "=SUM(A1)", "c"]
EDGES = EdgeEnds(torch.tensor([[2, 0, 0], [1, 1, 1]]), 3, node_id=NAMES, key=[0, 0, 1])
Z = torch.tensor([[0.1, 0.2], [0.3, 0.4], [1 / 3, 0.6]])


@pytest.mark.parametrize("suffix", [".npz", ".pt", ".csv", ".parquet"])
@pytest.mark.parametrize("label", [None, ["x", "y", "x"], [1, 0, 1]])
def test_what_is_written_is_read_in_the_order_of_the_edges(suffix, label, tmp_path) -> None:
    write_edge_embedding(tmp_path / f"z{suffix}", Z, EDGES, label)
    found = read_edge_embedding(tmp_path / f"z{suffix}")
    assert np.array_equal(found["embedding"], Z.numpy())
    assert found["source"].tolist() == ["c", "a", "a"]
    assert found["target"].tolist() == ["=SUM(A1)"] * 3
    assert found["key"].tolist() == [0, 0, 1]
    assert found.get("label") is None if label is None else found["label"].tolist() == label


def test_a_table_joins_back_to_that_of_the_user(tmp_path) -> None:
    roads = pd.DataFrame({"source": [30, 10, 10], "target": [20, 20, 20], "key": [0, 0, 1], "lanes": [1, 2, 3]})
    held = EdgeEnds(EDGES.ends, 3, node_id=[10, 20, 30], key=[0, 0, 1])
    write_edge_embedding(tmp_path / "z.csv", Z, held)
    joined = roads.sample(frac=1, random_state=0).merge(pd.read_csv(tmp_path / "z.csv"), on=["source", "target", "key"])
    assert joined.sort_values("lanes").e0.tolist() == pytest.approx(Z[:, 0].tolist())


def test_edges_without_names_or_keys_and_a_matrix_alone(tmp_path) -> None:
    held = EdgeEnds(EDGES.ends, 3)
    write_edge_embedding(tmp_path / "z.csv", Z, held)
    assert pd.read_csv(tmp_path / "z.csv").columns.tolist() == ["source", "target", "e0", "e1"]
    write_edge_embedding(tmp_path / "z.npy", Z, held)
    assert np.array_equal(read_edge_embedding(tmp_path / "z.npy")["embedding"], Z.numpy())


def test_an_embedding_of_others_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="2 rows; expected 3, one for each edge"):
        write_edge_embedding(tmp_path / "z.csv", Z[:2], EDGES)
