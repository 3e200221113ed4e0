"""Square matrices of numbers: features, or an adjacency where the user says so; refused where they can be either."""

from pathlib import Path

import networkx
import numpy as np
import pandas as pd
import pytest

from genurl_graph import datasets
from genurl_graph.exceptions import InputError


@pytest.fixture
def karate() -> np.ndarray:
    return networkx.to_numpy_array(networkx.karate_club_graph(), weight=None)


def test_npy(tmp_path: Path, karate: np.ndarray):
    path = tmp_path / "a.npy"
    np.save(path, karate)
    with pytest.raises(InputError, match=r"symmetric square matrix \[34, 34\].* --as adjacency or --as vectors"):
        datasets.read(path)
    graph = datasets.read(path, as_="adjacency")
    assert (graph.num_nodes, graph.edge_index.size(1)) == (34, 156)
    assert "34 nodes, 78 edges" in graph.reading.lines[0]
    vectors = datasets.read(path, as_="vectors")
    assert vectors.x.shape == (34, 34)
    assert "as vectors" in vectors.reading.lines[0]


@pytest.mark.parametrize("separator", [",", ";", " "])
def test_text(tmp_path: Path, karate: np.ndarray, separator: str):
    path = tmp_path / ("a.txt" if separator == " " else "a.csv")
    np.savetxt(path, karate, fmt="%d", delimiter=separator)
    with pytest.raises(InputError, match="expected --as adjacency or --as vectors"):
        datasets.read(path)
    assert datasets.read(path, as_="adjacency").edge_index.size(1) == 156
    assert datasets.read(path, as_="vectors").x.shape == (34, 34)


def test_names_of_rows_and_columns(tmp_path: Path, karate: np.ndarray):
    names = [f"n{i}" for i in range(34)]
    pd.DataFrame(karate, names, names).to_csv(tmp_path / "a.csv")
    data = datasets.read(tmp_path / "a.csv", as_="adjacency")
    assert data.node_id == names
    assert data.edge_index.size(1) == 156
    with pytest.raises(InputError, match="expected --as adjacency or --as vectors"):
        datasets.read(tmp_path / "a.csv")


def test_a_directed_matrix_of_0_and_1(tmp_path: Path):
    matrix = np.triu(np.ones((6, 6)), 1)
    np.save(tmp_path / "a.npy", matrix)
    with pytest.raises(InputError, match="0/1 square matrix"):
        datasets.read(tmp_path / "a.npy")
    assert datasets.read(tmp_path / "a.npy", as_="adjacency").edge_index.size(1) == 15


def test_edges_as_an_array(tmp_path: Path):
    edges = np.array([[0, 1], [1, 2], [2, 3], [3, 0], [0, 2]])
    for array in (edges, edges.T):
        np.save(tmp_path / "e.npy", array)
        assert datasets.read(tmp_path / "e.npy", as_="edges").edge_index.size(1) == 10
        assert datasets.read(tmp_path / "e.npy", as_="vectors").x.shape == array.shape
    with pytest.raises(InputError, match="may be an edge_index; expected --as edges or --as vectors"):
        datasets.read(tmp_path / "e.npy")
    np.save(tmp_path / "e.npy", np.eye(5))
    with pytest.raises(InputError, match=r"array of shape \[5, 5\]; expected edges"):
        datasets.read(tmp_path / "e.npy", as_="edges")


def test_what_is_no_adjacency(tmp_path: Path):
    rng = np.random.default_rng(0)
    for matrix in (np.eye(5), rng.normal(size=(6, 6)), rng.random((6, 6)), rng.integers(0, 2, (6, 5))):
        np.save(tmp_path / "m.npy", matrix)
        assert datasets.read(tmp_path / "m.npy").x.shape == matrix.shape
    with pytest.raises(InputError, match="expected a square matrix"):
        datasets.read(tmp_path / "m.npy", as_="adjacency")
    (tmp_path / "m.csv").write_text("a,b,c,d\n1,2,3,x\n1,2,3,4\n1,2,3,4\n1,2,3,4\n")
    with pytest.raises(InputError, match=r"column 4 \('d'\): found cells that are not numbers"):
        datasets.read(tmp_path / "m.csv", as_="adjacency")


def test_an_adjacency_with_features_and_labels(tmp_path: Path, karate: np.ndarray):
    np.save(tmp_path / "a.npy", karate)
    np.save(tmp_path / "f.npy", np.random.default_rng(0).normal(size=(34, 20)))
    np.save(tmp_path / "y.npy", np.arange(34) % 2)
    data = datasets.read(tmp_path / "a.npy", tmp_path / "f.npy", tmp_path / "y.npy", as_="adjacency")
    assert data.x.shape == (34, 20)
    assert len(data.reading.lines) == 3
