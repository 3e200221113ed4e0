"""Graphs as other programs write them."""

import bz2
import gzip
import json
import zipfile
from pathlib import Path

import networkx
import numpy as np
import pytest
import scipy.io
import scipy.sparse

from genurl_graph import GenURL, datasets
from genurl_graph.exceptions import InputError
from tests.cases.conftest import arcs, edges, names, said

# ---------------------------------------------------------------- attributes


@pytest.mark.usefixtures("one_thread")
def test_football(cases: Path, run) -> None:
    path = cases / "attributes" / "football.gml"
    data = datasets.read(path)
    assert data.get("x") is None
    assert data.get("y") is None
    assert data.num_nodes == 115
    assert names(data)[0] == "BrighamYoung"
    assert "value" in said(data)
    words = ("embed", "--input", path, "--column", "label=value", "--seed", 0, "--metrics", "m.json")
    run(*words)
    metrics = json.loads(Path("m.json").read_text())
    assert metrics["n_features"] == 0
    assert metrics["cluster"]["nmi"] >= 0.85
    assert datasets.read(path, columns={"label": "value"}).y.unique().numel() == 12
    assert datasets.read(path, columns={"feature": "value"}).x.shape[0] == 115


def attributed() -> networkx.Graph:
    """The karate club with what people keep at nodes."""
    graph = networkx.karate_club_graph()
    for node, attributes in graph.nodes(data=True):
        attributes |= {"score": node / 7, "community": node % 3, "comment": f"member {node}"}
    return graph


@pytest.mark.parametrize("suffix", [".graphml", ".gml", ".gexf"])
def test_attributes_are_features_only_where_asked_for(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"karate{suffix}"
    getattr(networkx, f"write_{suffix[1:]}")(attributed(), path)
    data = datasets.read(path)
    assert data.get("x") is None
    assert data.get("y") is None
    assert len(edges(data)) == 78
    assert [name for name in ("club", "score", "community", "comment") if name not in said(data)] == []
    assert datasets.read(path, columns={"label": "club"}).y.unique().numel() == 2
    chosen = datasets.read(path, columns={"feature": "score", "label": "club"})
    assert chosen.x.shape[0] == 34
    assert chosen.x.unique(dim=0).shape[0] == 34


def test_attributes_in_python_are_named(recwarn: pytest.WarningsRecorder) -> None:
    settings = {"n_components": 4, "epochs": 3, "random_state": 0, "device": "cpu"}
    plain = networkx.karate_club_graph()
    for _, attributes in plain.nodes(data=True):
        attributes.clear()
    expected = GenURL(**settings).fit_transform(plain)
    recwarn.clear()
    found = GenURL(**settings).fit_transform(attributed())
    np.testing.assert_array_equal(found, expected)
    assert any("score" in str(warning.message) for warning in recwarn)


# ---------------------------------------------------------------- exporters


def test_gephi(cases: Path) -> None:
    graph = networkx.read_graphml(cases / "exporters" / "gephi.graphml")
    data = datasets.read(cases / "exporters" / "gephi.graphml")
    assert data.num_nodes == len(graph)
    assert len(edges(data)) == graph.number_of_edges()
    assert {"p0", "p1"} <= set(names(data)) or {"0", "1"} <= set(names(data))
    assert data.get("x") is None
    assert data.get("y") is None
    for attribute in ("Modularity Class", "Age", "size"):
        assert attribute in said(data)
    assert datasets.read(cases / "exporters" / "gephi.graphml", columns={"feature": "Age"}).x.shape[0] == len(graph)


def test_yed(cases: Path) -> None:
    data = datasets.read(cases / "exporters" / "yed.graphml")
    assert data.num_nodes == 3
    assert data.get("x") is None
    assert len(names(data)) == 3
    assert {frozenset(pair) for pair in arcs(data)} == {frozenset(names(data)[:2]), frozenset(names(data)[1:])}


@pytest.mark.parametrize("suffix", [".graphml", ".gml", ".gexf"])
@pytest.mark.parametrize("layout", [{"x": 0.5, "y": 1.5}, {"r": 10, "g": 20, "b": 30, "size": 4.5}])
def test_layouts_and_colours_are_no_features(tmp_path: Path, suffix: str, layout: dict[str, float]) -> None:
    graph = networkx.path_graph(6)
    for node, attributes in graph.nodes(data=True):
        attributes |= {key: value + node for key, value in layout.items()}
    graph.add_edge(0, 3, weight=2.5)
    path = tmp_path / f"g{suffix}"
    getattr(networkx, f"write_{suffix[1:]}")(graph, path)
    data = datasets.read(path)
    assert data.get("x") is None
    assert data.get("y") is None
    assert edges(data)["0", "3"] == 2.5
    assert data.num_nodes == 6


# ---------------------------------------------------------------- adjacency


def test_karate(cases: Path) -> None:
    path = cases / "adjacency" / "adjacency.npz"
    expected = scipy.sparse.load_npz(path)
    try:
        data = datasets.read(path)
    except InputError:
        with pytest.raises(InputError, match="--as"):
            datasets.read(path)
    else:
        assert "adjacency" in said(data)
        assert data.edge_index.size(1) == 156
    data = datasets.read(path, as_="adjacency")
    assert data.num_nodes == 34
    assert len(edges(data)) == 78
    assert data.get("x") is None
    weighted = data.get("edge_weight")
    assert expected.sum() == (156 if weighted is None else weighted.sum())


def weighted_ring(n: int = 20) -> scipy.sparse.coo_array:
    ends = np.arange(n), (np.arange(n) + 1) % n
    half = scipy.sparse.coo_array((np.arange(n) % 3 + 1.0, ends), shape=(n, n))
    return (half + half.T).tocoo()


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_sparse_files(tmp_path: Path, form: str) -> None:
    scipy.sparse.save_npz(tmp_path / "a.npz", weighted_ring().asformat(form))
    data = datasets.read(tmp_path / "a.npz", as_="adjacency")
    assert len(edges(data)) == 20
    assert edges(data)["0", "1"] == 1
    assert edges(data)["1", "2"] == 2
    assert datasets.read(tmp_path / "a.npz", as_="vectors").x.shape == (20, 20)


@pytest.mark.parametrize("name", ["a.npy", "a.csv", "a.mtx"])
def test_other_files_of_square_matrices(tmp_path: Path, name: str) -> None:
    dense = weighted_ring().toarray()
    if name.endswith(".npy"):
        np.save(tmp_path / name, dense)
    elif name.endswith(".csv"):
        np.savetxt(tmp_path / name, dense, delimiter=",", fmt="%g")
    else:
        scipy.io.mmwrite(tmp_path / name, weighted_ring())
    data = datasets.read(tmp_path / name, as_="adjacency")
    assert len(edges(data)) == 20
    assert data.get("x") is None


def test_matrices_in_python() -> None:
    settings = {"n_components": 4, "epochs": 3, "random_state": 0, "device": "cpu"}
    ring = weighted_ring()
    expected = GenURL(**settings).fit(networkx.from_scipy_sparse_array(ring))
    for matrix in (ring.tocsr(), ring.toarray()):
        found = GenURL(**settings).fit(matrix, as_="adjacency")
        assert found.task_ == "graph"
        assert found.graph_summary_["n_predefined"] == expected.graph_summary_["n_predefined"]
        np.testing.assert_allclose(found.embedding_, expected.embedding_, atol=1e-5)
    with pytest.raises(InputError, match="square"):
        GenURL(**settings).fit(ring.toarray()[:10], as_="adjacency")


# ---------------------------------------------------------------- formats


def test_matrix_market(cases: Path) -> None:
    data = datasets.read(cases / "formats" / "inf-USAir97.mtx")
    assert data.num_nodes == 332
    assert data.edge_index.size(1) == 2 * 2126


def test_gexf(cases: Path) -> None:
    data = datasets.read(cases / "formats" / "Les_Miserables.gexf")
    assert data.num_nodes == 77
    assert data.edge_index.size(1) == 2 * 254
    assert "Myriel" in names(data) or "0" in names(data)
    assert data.get("x") is None
    assert "Modularity Class" in said(data)


def test_pajek(cases: Path) -> None:
    data = datasets.read(cases / "formats" / "k.net")
    assert data.num_nodes == 34
    assert data.edge_index.size(1) == 2 * 78
    assert data.edge_weight.max() == 7


def test_gzip(cases: Path) -> None:
    data = datasets.read(cases / "formats" / "snap.txt.gz")
    assert data.num_nodes == 4
    assert set(edges(data)) == {("0", "1"), ("1", "2"), ("2", "3"), ("0", "3")}


def test_parquet(cases: Path) -> None:
    data = datasets.read(cases / "formats" / "edges.parquet")
    assert data.num_nodes == 34
    assert len(edges(data)) == 78
    assert "source -> target" in said(data)


TEXT = "source,target,weight\na,b,1\nb,c,2\nc,a,3\n"
TRIANGLE = {("a", "b"): 1, ("b", "c"): 2, ("a", "c"): 3}


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".zip"])
def test_compressed(tmp_path: Path, suffix: str, run) -> None:
    path = tmp_path / f"e.csv{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("e.csv", TEXT)
    else:
        path.write_bytes({".gz": gzip, ".bz2": bz2}[suffix].compress(TEXT.encode()))
    assert edges(datasets.read(path)) == TRIANGLE
    run("embed", "--input", path, "--dim", 2, "--epochs", 2, "--output", "z.npz")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("g.edgelist", "a b {'weight': 1}\nb c {'weight': 2}\nc a {'weight': 3}\n"),
        ("g.net", '*Vertices 3\n1 "a"\n2 "b"\n3 "c"\n*Edges\n1 2 1\n2 3 2\n3 1 3\n'),
    ],
)
def test_text_formats(write, name: str, text: str) -> None:
    assert edges(datasets.read(write(name, text))) == TRIANGLE


def test_konect(write) -> None:
    data = datasets.read(write("out.friends", "% sym positive\n% 3 3 3\n1 2 1\n2 3 2\n3 1 3\n"))
    assert edges(data) == {("1", "2"): 1, ("2", "3"): 2, ("1", "3"): 3}


def test_metis_and_adjacency_lists(write) -> None:
    metis = datasets.read(write("g.metis", "% a triangle with a tail\n4 4\n2 3\n1 3\n1 2 4\n3\n"))
    assert metis.num_nodes == 4
    assert len(edges(metis)) == 4
    adjacency = datasets.read(write("g.adjlist", "a b c\nb c\nc d\nd\n"))
    assert set(edges(adjacency)) == {("a", "b"), ("a", "c"), ("b", "c"), ("c", "d")}


@pytest.mark.parametrize("symmetry", ["symmetric", "general"])
def test_matrix_market_by_hand(write, symmetry: str) -> None:
    rows = ["2 1 1", "3 2 2", "3 1 3"]
    if symmetry == "general":
        rows += ["1 2 1", "2 3 2", "1 3 3"]
    text = f"%%MatrixMarket matrix coordinate real {symmetry}\n3 3 {len(rows)}\n" + "\n".join(rows) + "\n"
    data = datasets.read(write("g.mtx", text))
    assert data.num_nodes == 3
    assert sorted(edges(data).values()) == [1, 2, 3]


def test_matlab(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "g.mat", {"A": weighted_ring().tocsc()})
    data = datasets.read(tmp_path / "g.mat", as_="adjacency")
    assert data.num_nodes == 20
    assert len(edges(data)) == 20


def test_libsvm(write) -> None:
    data = datasets.read(write("v.svm", "1 1:0.5 3:2\n0 2:1\n1 1:1.5 2:0.5\n"))
    assert data.x.shape == (3, 3)
    assert data.y.tolist() == [1, 0, 1]


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_columns(tmp_path: Path, suffix: str) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"from_id": ["a", "b", "c"], "to_id": ["b", "c", "a"], "weight": [1.0, 2.0, 3.0]})
    getattr(frame, f"to_{suffix[1:]}")(tmp_path / f"e{suffix}")
    assert edges(datasets.read(tmp_path / f"e{suffix}")) == TRIANGLE
