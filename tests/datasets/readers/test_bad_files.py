"""Bad user files: each is refused with the place of the first fault, and no code in it runs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.data import Data, HeteroData

from genurl_graph import datasets
from genurl_graph.datasets.readers.tables import read_table
from genurl_graph.exceptions import InputError

EDGES = "source,target\na,b\nb,c\n"
FEATURES = "id,f,g\na,1,2\nb,3,4\nc,5,6\n"


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("e.csv", "", "e.csv: the file is empty"),
        ("e.csv", "# only\n\n# comments\n", "e.csv: the file is empty"),
        ("e.csv", "source,target\n", "found only a header; expected rows of data"),
        ("e.csv", "source,target\n0,1\n2\n", "line 3: found 1 columns; expected 2"),
        ("e.csv", "# c\nsource,target\n0,1\n\n2,3,4\n", "line 5: found 3 columns; expected 2"),
        ("e.csv", "source,target,weight\n0,1\n", "found 2 columns in the first row; expected 3"),
        ("e.csv", "source,target,weight\n0,1,1\n1,2,heavy\n", "line 3, column 3 .'weight'.: found 'heavy'"),
        ("e.csv", "source,target,weight\n0,1,1\n1,2,\n", "line 3, column 3 .'weight'.: found an empty cell"),
        (
            "e.csv",
            "source,target,weight\n0,1,1\n1,2,-0.5\n",
            ".'weight'.: found 1 negative weight, the first .-0.5. of line 3; ",
        ),
        (
            "e.csv",
            "source,target,weight\n0,1,1\n0,2,nan\n",
            "line 3, column 3 .'weight'.: found an empty cell; expected a finite weight",
        ),
        ("e.csv", "source,target,weight\n0,1,inf\n", "line 2, column 3 .'weight'.: found inf"),
        ("e.txt", "0 1 1082040961\n1 2 1082155839\n", "times or weights; expected --column time=3 or"),
        ("e.csv", "5,100\n6,101\n7,102\n", "edges, or vectors such as points; expected --as edges or --as vectors"),
        ("e.csv", "source,target\na,b\n,c\n", "line 3, column 1 .'source'.: found an empty cell"),
        ("e.txt", "0 1\n1 2 3\n", "line 2: found 3 columns; expected 2"),
        ("e.csv", b"0,1\n\xff\xfe,2\n", "expected a text file in UTF-8"),
        ("e.csv", "0,1\n1,2\n\n1\0,2\n", "found a NUL byte in line 4; expected text"),
        ("m.csv", "1,2,3,4\n5,6,x,8\n", "m.csv: line 2, column 3: found 'x'; expected a finite number"),
        ("m.csv", "a,b,c,d\n1,2,3,4\n5,6,7\n", "m.csv: line 3: found 3 columns; expected 4"),
        ("m.csv", "1,2,3,4\n5,6,-inf,8\n", "line 2, column 3: found '-inf'"),
        ("m.csv", "1,2,3,4\n5,6,1e300,8\n", "line 2, column 3: found '1e.300'"),
        ("g.graphml", "<graphml", "g.graphml: cannot be read as GraphML"),
        ("g.gml", "graph [ node", "g.gml: cannot be read as GML"),
        ("g.gml", "graph [\n]\n", "g.gml: found zero nodes"),
        ("g.npz", "not an archive", "g.npz: found a file that cannot be read as a NumPy archive"),
        ("g.npz", "", "g.npz: found a file that cannot be read as a NumPy archive"),
        ("g.npy", "not an array", "g.npy: found a file that cannot be read as a NumPy array"),
        ("g.pt", "not torch", "g.pt: "),
        ("g.pt", "", "g.pt: found a file that cannot be read as a PyTorch file"),
        ("g.xlsx", "x", "g.xlsx: found suffix '.xlsx'; expected one of .npz, .csv"),
        ("g", "x", "found no suffix; expected one of"),
    ],
)
def test_one_bad_file(tmp_path: Path, name: str, content: str | bytes, message: str):
    with pytest.raises(InputError, match=message):
        datasets.read(write(tmp_path / name, content))


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (
            "id,f\na,1\nb,2\n",
            r"e.csv: line 3: found edge b -> c, .* 'c' is missing; expected .* the ids of .*f.csv",
        ),
        (
            "f\n1\n2\n3\n",
            r"line 2: found edge a -> b, .* 'a' is missing; expected .* rows 0 to 2 of .*no ids",
        ),
        ("id,f\na,1\nb,2\na,3\n", r"found node id 'a' more than once"),
        ("id,f\na,1\nb,red\nc,3\n", r"f.csv: line 3, column 2 \('f'\): found 'red'; expected a finite number"),
        ("id,f\na,1\nb,2,3\n", r"f.csv: line 3: found 3 columns; expected 2"),
        ("id\na\nb\nc\n", r"no feature columns beside the ids"),
        ("", r"f.csv: the file is empty"),
    ],
)
def test_bad_feature_table(tmp_path: Path, features: str, message: str):
    with pytest.raises(InputError, match=message):
        datasets.read(write(tmp_path / "e.csv", EDGES), write(tmp_path / "f.csv", features))


@pytest.mark.parametrize("edge", ["1,3", "-1,0"])
def test_edge_outside_the_rows(tmp_path: Path, edge: str):
    np.save(tmp_path / "f.npy", np.eye(3))
    with pytest.raises(InputError, match=rf"e.csv: line 2: found edge {edge.replace(',', ' -> ')}, .* rows 0 to 2"):
        datasets.read(write(tmp_path / "e.csv", f"0,1\n{edge}\n"), tmp_path / "f.npy")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("id,label\na,1\nb,2\n", "l.csv: found no label of node 'c'"),
        ("id,label\na,1\nb,2\nc,3\nd,4\n", "l.csv: found label of node 'd'; expected one of the ids of .*f.csv"),
        ("label\n1\n2\n", "l.csv: found 2 label rows; expected 3"),
        ("id,label\na,1.5\nb,2\nc,3\n", "line 2, column 2 .'label'.: found label 1.5; expected whole numbers or names"),
        ("id,label\na,\nb,\nc,\n", r"column 2 \('label'\): found no label in any row"),
        ("id,p,q\na,1,2\nb,1,2\nc,1,2\n", "2 columns that can be the labels: p, q; expected --column label=NAME"),
    ],
)
def test_bad_label_table(tmp_path: Path, labels: str, message: str):
    edges, features = write(tmp_path / "e.csv", EDGES), write(tmp_path / "f.csv", FEATURES)
    with pytest.raises(InputError, match=message):
        datasets.read(edges, features, write(tmp_path / "l.csv", labels))


def test_missing_file_folder_and_wrong_table_suffix(tmp_path: Path):
    edges = write(tmp_path / "e.csv", EDGES)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=r"no.csv does not exist"):
        datasets.read(tmp_path / "no.csv")
    with pytest.raises(InputError, match=r"found a folder; expected a file"):
        datasets.read(tmp_path / "folder.csv")
    with pytest.raises(InputError, match=r"features: .*f.xlsx: found suffix '.xlsx'"):
        datasets.read(edges, write(tmp_path / "f.xlsx", "x"))
    with pytest.raises(InputError, match=r"labels: .*l.npz: found suffix '.npz'"):
        datasets.read(edges, labels=write(tmp_path / "l.npz", "x"))
    with pytest.raises(InputError, match=r"f.parquet: (found damage, or what pyarrow cannot read|.* needs)"):
        datasets.read(edges, write(tmp_path / "f.parquet", "x"))


GOOD = {"edge_index": np.array([[0, 1], [1, 2]]), "x": np.eye(3), "y": np.arange(3)}
CSR = {"adj_data": np.ones(2), "adj_indices": np.array([1, 2]), "adj_indptr": np.array([0, 1, 2, 2])}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            GOOD | {"edge_index": np.array([[0, 1], [1, 3]])},
            "edge_index: found edge 1 from 1 to 3; expected nodes 0 to 2",
        ),
        (GOOD | {"edge_index": np.array([[0, -1], [1, 2]])}, "found edge 1 from -1 to 2"),
        (GOOD | {"edge_index": np.zeros((2, 2))}, r"edge_index: found torch.float64 of shape \[2, 2\]"),
        (GOOD | {"edge_weight": np.array([1.0, -2.0])}, r"edge_weight: found 1 negative .* \(-2\) of edge 1"),
        (
            GOOD | {"edge_weight": np.ones(3)},
            r"edge_weight: found .* of shape \[3\]; expected numbers \[2\]",
        ),
        (GOOD | {"y": np.arange(4)}, "y: found 4 entries; expected 3"),
        (GOOD | {"train_mask": np.ones(2, bool)}, "train_mask: found 2 entries; expected 3"),
        (GOOD | {"train_mask": np.arange(3)}, "train_mask: .*expected boolean"),
        (GOOD | {"node_id": np.array(["a", "b"])}, "node_id: found 2 entries; expected 3"),
        (GOOD | {"node_id": np.array(["a", "b", "a"])}, "found node id 'a' more than once"),
        (
            GOOD | {"x": np.array([[1.0], [np.inf], [0]])},
            r"1 NaN or infinite values, the first \(inf\) at row 1, column 0",
        ),
        (GOOD | {"x": np.empty((0, 2))}, "expected at least one row"),
        (GOOD | {"x": np.array([{}, {}, {}])}, "found Object arrays"),
        (GOOD | {"x": np.eye(3, dtype=complex)}, "dtype complex128; expected real numbers"),
        (GOOD | CSR | {"adj_shape": np.array([3, 3])}, "both 'adj_data' and 'edge_index'"),
        (CSR, "found no key 'adj_shape'"),
        (CSR | {"adj_shape": np.array([3, 2])}, "adj_.*: found no CSR matrix"),
        (CSR | {"adj_shape": np.array([3, 5])}, r"shape \[3, 5\]; expected a square matrix"),
        (CSR | {"adj_shape": np.array([3, 3]), "adj_data": np.array([1, -1])}, r"\(-1\) of edge 1"),
        (CSR | {"adj_shape": np.array([3, 3]), "x": np.eye(4)}, "x: found 4 entries; expected 3"),
        ({"edge_index": np.empty((2, 0), int)}, "zero nodes"),
        ({"embedding": np.eye(3)}, "none of the keys of a graph"),
    ],
)
def test_bad_npz(tmp_path: Path, arrays: dict, message: str):
    np.savez(tmp_path / "g.npz", **arrays)
    with pytest.raises(InputError, match=message) as caught:
        datasets.read(tmp_path / "g.npz")
    assert "g.npz" in str(caught.value)


def test_nodes_without_edges_or_features(tmp_path: Path):
    np.savez(tmp_path / "g.npz", edge_index=np.empty((2, 0), int), node_id=np.array(["a", "b"]))
    with pytest.raises(InputError, match=r"found neither features nor edges"):
        datasets.read(tmp_path / "g.npz")


@pytest.mark.parametrize("name", ["g.npz", "g.pt", "g.npy"])
def test_truncated_binary_file(tmp_path: Path, name: str):
    path = tmp_path / name
    big = np.random.default_rng(0).normal(size=(50, 20))
    if name == "g.npz":
        np.savez_compressed(path, x=big)
    elif name == "g.npy":
        np.save(path, big)
    else:
        torch.save(Data(x=torch.from_numpy(big)), path)
    content = path.read_bytes()
    for length in (10, len(content) // 2, len(content) - 10):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match=name):
            datasets.read(path)


def test_flipped_byte_in_npz(tmp_path: Path):
    np.savez_compressed(tmp_path / "g.npz", x=np.random.default_rng(0).normal(size=(50, 20)))
    content = bytearray((tmp_path / "g.npz").read_bytes())
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(InputError, match=r"g.npz: found a file that cannot be read"):
        datasets.read(write(tmp_path / "g.npz", bytes(content)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HeteroData(), "zero nodes"),
        ([1, 2], "graph 0: found int; expected a PyG Data, or a list of them"),
        (Data(x=torch.eye(3)[0]), r"x: found shape \[3\]; expected \[n, f\]"),
        (Data(x=torch.eye(3), y=torch.ones(2, dtype=torch.long)), "y: found 2 entries; expected 3"),
        (Data(x=[1, 2]), "x: found a list; expected a tensor"),
        (Data(x=torch.eye(3), edge_index=torch.tensor([[0], [7]])), "found edge 0 from 0 to 7"),
        (Data(x=torch.tensor([[1.0], [float("nan")]])), r"\(nan\) at row 1"),
        (Data(), "zero nodes"),
    ],
)
def test_bad_pt(tmp_path: Path, content, message: str):
    torch.save(content, tmp_path / "g.pt")
    with pytest.raises(InputError, match=message):
        datasets.read(tmp_path / "g.pt")


def test_pt_of_a_data_without_its_parts(tmp_path: Path):
    data = Data(x=torch.rand(3, 2))
    del data.__dict__["_store"]
    torch.save(data, tmp_path / "g.pt")
    with pytest.raises(InputError, match=r"g\.pt: its Data is damaged, or of another version of PyG"):
        datasets.read(tmp_path / "g.pt")


def test_features_or_labels_given_twice(tmp_path: Path):
    np.savez(tmp_path / "g.npz", **GOOD)
    np.save(tmp_path / "t.npy", np.eye(3))
    np.save(tmp_path / "l.npy", np.arange(3))
    with pytest.raises(InputError, match=r"already holds features"):
        datasets.read(tmp_path / "g.npz", features=tmp_path / "t.npy")
    with pytest.raises(InputError, match=r"already holds labels"):
        datasets.read(tmp_path / "g.npz", labels=tmp_path / "l.npy")
    with pytest.raises(InputError, match=r"is itself a feature matrix"):
        datasets.read(tmp_path / "t.npy", features=tmp_path / "t.npy")


@pytest.mark.parametrize("comment", ["", "# c\n"])
@pytest.mark.parametrize("header", ["", "source,target\n"])
def test_line_number_in_a_long_file(tmp_path: Path, comment: str, header: str):
    body = "".join(f"{i},{i + 1}\n" for i in range(2000))
    path = write(tmp_path / "e.csv", f"{header}{comment}{body}\n1,2,3\n")
    line = 2002 + bool(comment) + bool(header)
    with pytest.raises(InputError, match=f"line {line}: found 3 columns"):
        datasets.read(path)
    path.write_text(path.read_text().removesuffix("1,2,3\n"))
    assert read_table(path).where(1999) == f"line {line - 2}"
