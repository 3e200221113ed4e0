"""User files that are in order: every type, round trips, ids, labels, weights."""

import sys
from pathlib import Path

import networkx
import numpy as np
import pytest
import scipy.sparse
import torch
from torch_geometric.data import Data

from genurl_graph import datasets
from genurl_graph.exceptions import InputError


def write(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def graph_arrays() -> dict[str, np.ndarray]:
    return {
        "edge_index": np.array([[0, 1, 2, 2], [1, 2, 0, 3]]),
        "edge_weight": np.array([1.0, 0.5, 0.25, 2.0]),
        "x": np.arange(8, dtype=np.float64).reshape(4, 2),
        "y": np.array([0, 1, 1, 0]),
        "train_mask": np.array([True, False, False, True]),
        "node_id": np.array(["a", "b", "c", "d"]),
    }


# ---- edge lists -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("e.csv", "source,target,weight\n0,1,1\n1,2,0.5\n"),
        ("e.csv", "# a comment\nWeight,Target,Source\n1,1,0\n0.5,2,1\n"),
        ("e.csv", "# before\n\n# the rows\n0,1,1\n\n1,2,0.5\n"),
        ("e.edges", "0 1 1\n1 2 0.5\n"),
        ("e.tab", "0\t1\t1\n1\t2\t0.5\n"),
        ("e.csv", "src;dst;weight\n0;1;1\n1;2;0.5"),
        ("e.csv", "\ufeffsource,target,weight\r\n0,1,1\r\n1,2,0.5\r\n"),
        ("e.tsv", "from\tto\tweight\n0\t1\t1\n1\t2\t0.5\n"),
        ("e.txt", "0 1 1\n1   2   0.5\n"),
        ("e.txt", "0\t1\t1\n1\t2\t0.5\n"),
        ("e.csv", '"0", 1 ,1\n"1",2,0.5\n'),
    ],
)
def test_edge_list_layouts(tmp_path: Path, name: str, content: str):
    data = datasets.read(write(tmp_path / name, content))
    assert data.edge_index.tolist() == [[0, 1, 1, 2], [1, 0, 2, 1]]
    assert data.edge_weight.tolist() == [1.0, 1.0, 0.5, 0.5]
    assert datasets.read(tmp_path / name, directed=True).edge_index.tolist() == [[0, 1], [1, 2]]
    assert data.reading.lines[0].startswith(f"read {name} as edges: ")
    assert data.edge_weight.dtype == torch.float32
    assert data.num_nodes == 3
    assert "node_id" not in data
    assert data.x is None


def test_string_ids_without_features_in_order_of_appearance(tmp_path: Path):
    data = datasets.read(write(tmp_path / "e.csv", "zoë,bob\nbob,ann lee\nzoë,ann lee\n"), directed=True)
    assert data.node_id == ["zoë", "bob", "ann lee"]
    assert data.edge_index.tolist() == [[0, 0, 1], [1, 2, 2]]
    assert "edge_weight" not in data


def test_number_ids_with_gaps_are_kept_as_names(tmp_path: Path):
    data = datasets.read(write(tmp_path / "e.csv", "10,7\n7,900719925474099312\n"))
    assert data.node_id == ["7", "10", "900719925474099312"]
    assert data.edge_index.tolist() == [[0, 0, 1, 2], [1, 2, 0, 0]]


def test_padded_numbers_are_names(tmp_path: Path):
    data = datasets.read(write(tmp_path / "e.csv", "100,007\n007,7\n"))
    assert data.node_id == ["100", "007", "7"]


def test_numbers_beyond_int64_are_names(tmp_path: Path):
    data = datasets.read(write(tmp_path / "e.csv", "99999999999999999999,1\n1,2\n"))
    assert data.node_id == ["99999999999999999999", "1", "2"]


def test_late_name_among_numbers(tmp_path: Path):
    assert datasets.read(write(tmp_path / "e.csv", "1,2\n2,x\n")).node_id == ["1", "2", "x"]


def test_features_and_labels_by_id_define_nodes_and_order(tmp_path: Path):
    edges = write(tmp_path / "e.csv", "source,target\nbob,ann\ncy,bob\n")
    features = write(tmp_path / "f.csv", "id,height,age\nann,1.5,30\nbob,1.75,40\ncy,2,50\nisolated,0,0\n")
    labels = write(tmp_path / "l.csv", "id,label\ncy,red\nisolated,red\nbob,blue\nann,red\n")
    data = datasets.read(edges, features, labels)
    assert data.node_id == ["ann", "bob", "cy", "isolated"]
    assert data.edge_index.tolist() == [[0, 1, 1, 2], [1, 0, 2, 1]]
    assert data.feature_table.to_numpy().tolist() == [[1.5, 30], [1.75, 40], [2, 50], [0, 0]]
    assert torch.equal(data.x, data.feature_plan.apply(data.feature_table, "x"))
    assert data.y.tolist() == [1, 0, 1, 1]
    assert data.label_names == ["blue", "red"]
    assert data.num_nodes == 4


def test_number_ids_of_a_table_may_be_in_any_order(tmp_path: Path):
    edges = write(tmp_path / "e.csv", "5,3\n3,9\n")
    features = write(tmp_path / "f.csv", "id,a\n9,0.9\n5,0.5\n3,0.3\n")
    labels = write(tmp_path / "l.csv", "id,class\n3,3\n5,5\n9,9\n")
    data = datasets.read(edges, features, labels)
    assert data.node_id == ["9", "5", "3"]
    assert data.edge_index.tolist() == [[0, 1, 2, 2], [2, 2, 0, 1]]
    assert data.y.tolist() == [9, 5, 3]


def test_features_without_ids_are_rows(tmp_path: Path):
    edges = write(tmp_path / "e.csv", "0,2\n")
    np.save(tmp_path / "f.npy", np.eye(4))
    np.save(tmp_path / "l.npy", np.array(["b", "a", "a", "b"]))
    data = datasets.read(edges, tmp_path / "f.npy", tmp_path / "l.npy")
    assert data.num_nodes == 4
    assert data.y.tolist() == [1, 0, 0, 1]
    assert "node_id" not in data


def test_labels_alone_define_the_nodes(tmp_path: Path):
    edges = write(tmp_path / "e.csv", "0,1\n")
    assert datasets.read(edges, labels=write(tmp_path / "l.csv", "label\n1\n0\n2\n")).num_nodes == 3
    named = datasets.read(edges, labels=write(tmp_path / "m.csv", "id,label\n1,4\n0,5\n7,6\n"))
    assert named.node_id == ["1", "0", "7"]
    assert named.y.tolist() == [4, 5, 6]
    assert named.edge_index.tolist() == [[0, 1], [1, 0]]


def test_sparse_feature_tables_stay_sparse(tmp_path: Path):
    edges = write(tmp_path / "e.csv", "0,1\n")
    matrix = scipy.sparse.random(5, 30, density=0.1, format="csr", random_state=0)
    scipy.sparse.save_npz(tmp_path / "f.npz", matrix)
    x = datasets.read(edges, tmp_path / "f.npz").x
    assert x.layout == torch.sparse_csr
    np.testing.assert_allclose(x.to_dense().numpy(), matrix.toarray(), rtol=1e-6)


@pytest.mark.parametrize("ids", [["u", "v", "w"], [4, 2, 9]])
def test_parquet_features(tmp_path: Path, ids: list):
    table = pytest.importorskip("pyarrow").table({"id": ids, "a": [1.0, 2.0, 3.0], "b": [1, 0, 1]})
    pytest.importorskip("pyarrow.parquet").write_table(table, tmp_path / "f.parquet")
    data = datasets.read(write(tmp_path / "e.csv", f"{ids[2]},{ids[0]}\n"), tmp_path / "f.parquet")
    assert data.node_id == [str(name) for name in ids]
    assert data.edge_index.tolist() == [[0, 2], [2, 0]]
    assert data.feature_table.to_numpy().tolist() == [[1, 1], [2, 0], [3, 1]]


def test_parquet_without_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "f.parquet").touch()
    with pytest.raises(InputError, match=r"genurl-graph\[parquet\]"):
        datasets.read(write(tmp_path / "e.csv", "0,1\n"), tmp_path / "f.parquet")


# ---- matrices -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.csv", "1.5,2,3,4\n5,6,7,8e0\n"),
        ("m.csv", "a,b,c,d\n1.5,2,3,4\n5,6,7,8\n"),
        ("m.tsv", "1.5\t2\t3\t4\n5\t6\t7\t8\n"),
        ("m.txt", "  1.5 2 3 4\n5 6 7 8\n"),
    ],
)
def test_text_matrix(tmp_path: Path, name: str, content: str):
    data = datasets.read(write(tmp_path / name, content))
    assert data.x.tolist() == [[1.5, 2, 3, 4], [5, 6, 7, 8]]
    assert data.edge_index is None


def test_a_header_makes_two_columns_of_numbers_a_matrix(tmp_path: Path):
    assert datasets.read(write(tmp_path / "m.csv", "height,age\n0,1\n1,2\n")).x.shape == (2, 2)
    assert datasets.read(write(tmp_path / "m.csv", "0.5,1\n1,2\n")).x.shape == (2, 2)
    assert datasets.read(write(tmp_path / "e.csv", "0,1\n1,2\n")).x is None


def test_matrix_with_ids_and_labels(tmp_path: Path):
    matrix = write(tmp_path / "m.csv", ",f0,f1\ncell a,1,2\ncell b,3,4\n")
    data = datasets.read(matrix, labels=write(tmp_path / "l.csv", "id,label\ncell b,0\ncell a,1\n"))
    assert data.node_id == ["cell a", "cell b"]
    assert data.x.tolist() == [[1, 2], [3, 4]]
    assert data.y.tolist() == [1, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, bool])
def test_npy_matrix(tmp_path: Path, dtype: type):
    np.save(tmp_path / "m.npy", np.eye(3, dtype=dtype))
    data = datasets.read(tmp_path / "m.npy", labels=write(tmp_path / "l.txt", "1\n0\n1\n"))
    assert torch.equal(data.x, torch.eye(3))
    assert data.y.tolist() == [1, 0, 1]


# ---- npz, pt, GraphML, GML ------------------------------------------------------------------------------


def check_graph(data: Data) -> None:
    assert data.edge_index.tolist() == [[0, 1, 2, 2], [1, 2, 0, 3]]
    assert data.edge_weight.tolist() == [1.0, 0.5, 0.25, 2.0]
    assert data.x.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert data.x.dtype == data.edge_weight.dtype == torch.float32
    assert data.y.tolist() == [0, 1, 1, 0]
    assert data.train_mask.tolist() == [True, False, False, True]
    assert data.node_id == ["a", "b", "c", "d"]


def test_npz_with_edge_index(tmp_path: Path):
    np.savez(tmp_path / "g.npz", **graph_arrays())
    check_graph(datasets.read(tmp_path / "g.npz"))


def test_npz_with_csr_parts(tmp_path: Path):
    arrays = graph_arrays()
    edges, weight = arrays.pop("edge_index"), arrays.pop("edge_weight")
    matrices = {
        "adj": scipy.sparse.csr_matrix((weight, tuple(edges)), shape=(4, 4)),
        "attr": scipy.sparse.csr_matrix(arrays.pop("x")),
    }
    for prefix, matrix in matrices.items():
        for part in ("data", "indices", "indptr", "shape"):
            arrays[f"{prefix}_{part}"] = np.asarray(getattr(matrix, part))
    arrays["labels"] = arrays.pop("y")
    arrays["attr_names"] = np.array(["not", "asked", None], dtype=object)  # an unread key does no harm
    np.savez(tmp_path / "g.npz", **arrays)
    data = datasets.read(tmp_path / "g.npz")
    assert data.x.layout == torch.sparse_csr
    data.x = data.x.to_dense()
    check_graph(data)


def test_npz_takes_features_from_a_table(tmp_path: Path):
    arrays = graph_arrays()
    del arrays["x"], arrays["y"]
    np.savez(tmp_path / "g.npz", **arrays)
    features = write(tmp_path / "f.csv", "id,a,b\nd,6,7\nc,4,5\nb,2,3\na,0,1\n")
    data = datasets.read(tmp_path / "g.npz", features, write(tmp_path / "l.csv", "0\n1\n1\n0\n"))
    data.x = torch.tensor(data.feature_table.to_numpy(), dtype=torch.float32)
    check_graph(data)


def pyg_data() -> Data:
    arrays = graph_arrays()
    names = arrays.pop("node_id").tolist()
    return Data(**{key: torch.from_numpy(value) for key, value in arrays.items()}, node_id=names)


@pytest.mark.parametrize("form", ["Data", "dict"])
def test_pt(tmp_path: Path, form: str):
    data = pyg_data()
    torch.save(data if form == "Data" else data.to_dict(), tmp_path / "g.pt")
    check_graph(datasets.read(tmp_path / "g.pt"))


def test_pt_with_sparse_features_and_column_labels(tmp_path: Path):
    data = pyg_data()
    data.x, data.y = data.x.to_sparse_coo(), data.y[:, None]
    torch.save(data, tmp_path / "g.pt")
    read = datasets.read(tmp_path / "g.pt")
    assert read.x.layout == torch.sparse_csr
    read.x = read.x.to_dense()
    check_graph(read)


def test_pt_matrix(tmp_path: Path):
    torch.save(torch.eye(3), tmp_path / "m.pt")
    assert torch.equal(datasets.read(tmp_path / "m.pt").x, torch.eye(3))


@pytest.mark.parametrize("suffix", [".graphml", ".gml"])
@pytest.mark.parametrize("directed", [False, True])
def test_networkx_files(tmp_path: Path, suffix: str, directed: bool):
    graph = networkx.DiGraph() if directed else networkx.Graph()
    for name, age, club in (("ann", 30, "red"), ("bob", 40, "blue"), ("cy", 50, "red")):
        graph.add_node(name, age=age, **{"class": club}, height=age / 20)
    graph.add_edge("ann", "bob", weight=2.0)
    graph.add_edge("bob", "cy", weight=0.5)
    path = tmp_path / f"g{suffix}"
    (networkx.write_gml if suffix == ".gml" else networkx.write_graphml)(graph, path)
    plain = datasets.read(path)
    assert plain.x is None
    assert "left out: age, height" in plain.reading.lines[0]
    data = datasets.read(path, columns={"feature": ["age", "height"]})
    assert data.node_id == plain.node_id == ["ann", "bob", "cy"]
    assert data.feature_table.to_numpy().tolist() == [[30, 1.5], [40, 2], [50, 2.5]]
    assert torch.equal(data.x, data.feature_plan.apply(data.feature_table))
    assert data.y.tolist() == [1, 0, 1]
    assert data.label_names == ["blue", "red"]
    edges = dict(zip(map(tuple, data.edge_index.t().tolist()), data.edge_weight.tolist(), strict=True))
    one_way = {(0, 1): 2.0, (1, 2): 0.5}
    assert edges == (one_way if directed else one_way | {(v, u): w for (u, v), w in one_way.items()})


def test_networkx_karate_round_trip(tmp_path: Path):
    networkx.write_graphml(networkx.karate_club_graph(), tmp_path / "karate.graphml")
    data, expected = datasets.read(tmp_path / "karate.graphml"), datasets.load("karate")
    ours, theirs = torch.zeros(34, 34), torch.zeros(34, 34)
    ours[tuple(data.edge_index)] = data.edge_weight
    theirs[tuple(expected.edge_index)] = expected.edge_weight
    assert torch.equal(ours, theirs)
    assert "node_id" not in data


def test_graphml_label_is_a_class_unless_all_differ(tmp_path: Path):
    graph = networkx.path_graph(6)
    networkx.set_node_attributes(graph, {i: "pq"[i % 2] for i in range(6)}, "label")
    networkx.write_graphml(graph, tmp_path / "g.graphml")
    assert datasets.read(tmp_path / "g.graphml").y.tolist() == [0, 1, 0, 1, 0, 1]
    for names in ("pqrstu", "pqrstp"):  # two people of one name do not make classes
        networkx.set_node_attributes(graph, dict(enumerate(names)), "label")
        networkx.write_graphml(graph, tmp_path / "h.graphml")
        data = datasets.read(tmp_path / "h.graphml")
        assert data.y is None
        assert ("node_id" in data) == (names == "pqrstu")
