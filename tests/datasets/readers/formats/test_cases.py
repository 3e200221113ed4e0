"""The small files of real users under `shared/cases`: each is read as its exporter meant it."""

import io
from pathlib import Path

import networkx
import numpy as np
import pytest
import scipy.sparse

from genurl_graph import datasets

CASES = Path(__file__).resolve().parents[4] / "shared" / "cases"
CASES = CASES if CASES.is_dir() else CASES.parents[2] / "shared" / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"no {CASES}")


def test_football_has_names_and_its_conference_is_the_label_when_asked():
    path = CASES / "attributes" / "football.gml"
    plain = datasets.read(path)
    assert (plain.num_nodes, plain.num_edges, plain.x, plain.y) == (115, 2 * 613, None, None)
    assert plain.node_id[:2] == ["BrighamYoung", "FloridaState"]
    assert "left out: value; name them by" in plain.reading.lines[0]
    labelled = datasets.read(path, columns={"label": "value"})
    assert labelled.y[:4].tolist() == [7, 0, 2, 3]
    assert labelled.x is None


def test_gephi(adjacency):
    data = datasets.read(CASES / "exporters" / "gephi.graphml")
    assert (data.num_nodes, data.num_edges, data.x, data.y) == (34, 2 * 78, None, None)
    assert data.node_id == [f"p{i}" for i in range(34)]
    graph = networkx.read_graphml(CASES / "exporters" / "gephi.graphml")
    assert np.array_equal(adjacency(data), networkx.to_numpy_array(graph))
    assert data.reading.lines == (
        "read gephi.graphml as a graph (GraphML): 34 nodes, 78 edges (undirected), weights from weight, names of the "
        "nodes from label; node attributes left out: size, r, g, b, x, y (layout), Modularity Class, Age; name them by "
        "--column feature=Age or --column label=Modularity Class",
    )
    asked = datasets.read(
        CASES / "exporters" / "gephi.graphml", columns={"feature": "age", "label": "Modularity Class"}
    )
    assert asked.x.shape == (34, 1)
    assert len(asked.y.unique()) > 1


def test_yed():
    data = datasets.read(CASES / "exporters" / "yed.graphml")
    assert data.node_id == ["Alpha", "Beta", "Gamma"]
    assert data.node_key == ["n0", "n1", "n2"]
    assert data.edge_index.tolist() == [[0, 1], [1, 2]]
    assert (data.x, data.y) == (None, None)


def test_gexf(adjacency):
    path = CASES / "formats" / "Les_Miserables.gexf"
    data = datasets.read(path)
    older = path.read_text().replace("gexf.net/1.3", "gexf.net/1.2draft")  # networkx reads no 1.3
    graph = networkx.read_gexf(io.StringIO(older))
    assert data.node_id[:2] == ["Myriel", "Napoleon"]
    assert np.array_equal(adjacency(data), networkx.to_numpy_array(graph))
    assert (data.x, data.y) == (None, None)


def test_matrix_market_without_its_banner():
    data = datasets.read(CASES / "formats" / "inf-USAir97.mtx")
    assert (data.num_nodes, data.num_edges, data.edge_weight) == (332, 2 * 2126, None)
    assert (data.edge_index[:, data.edge_index[0] == 1] == 0).any()


def test_pajek(adjacency):
    path = CASES / "formats" / "k.net"
    data, graph = datasets.read(path, columns={"label": "club"}), networkx.read_pajek(path)
    assert np.array_equal(adjacency(data), networkx.to_numpy_array(graph))
    assert data.label_names == ["Mr. Hi", "Officer"]


def test_scipy_adjacency(adjacency):
    path = CASES / "adjacency" / "adjacency.npz"
    data = datasets.read(path)
    assert (data.num_nodes, data.num_edges, data.x) == (34, 2 * 78, None)
    assert np.array_equal(adjacency(data), scipy.sparse.load_npz(path).toarray())
    assert "--as vectors takes it for features" in data.reading.lines[0]
    assert datasets.read(path, as_="vectors").x.shape == (34, 34)
