"""Folders of graphs and lists of them: names, labels, attributes, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
import torch
from torch_geometric.data import Data

from genurl_graph import datasets
from genurl_graph.exceptions import InputError

WRITERS: dict[str, Callable[..., Any]] = {"graphml": nx.write_graphml, "gml": nx.write_gml, "gexf": nx.write_gexf}


def molecule(size: int) -> Any:
    """A ring of atoms, the last bond double."""
    graph = nx.cycle_graph(size)
    graph.graph["y"] = "even" if size % 2 == 0 else "odd"
    nx.set_node_attributes(graph, {node: "CNO"[node % 3] for node in graph}, "element")
    nx.set_edge_attributes(graph, "single", "bond")
    graph.edges[0, size - 1]["bond"] = "double"
    return graph


def write(folder: Path, suffix: str = "gml", sizes: tuple[int, ...] = (3, 4, 5)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for size in sizes:
        WRITERS[suffix](molecule(size), folder / f"ring{size}.{suffix}")
    return folder


@pytest.mark.parametrize("suffix", WRITERS)
def test_each_file_is_a_graph_by_its_name(tmp_path: Path, suffix: str) -> None:
    folder = write(tmp_path / "rings", suffix)
    (folder / "README.md").write_text("about the rings")
    found = datasets.read(folder, columns={"feature": ["element", "bond"]})
    assert found.node_id == ["ring3", "ring4", "ring5"]
    assert found.collection.sizes().tolist() == [3, 4, 5]
    assert [graph.num_edges for graph in found] == [6, 8, 10]
    assert found.feature_table["element"].tolist() == [*"CNO", *"CNOC", *"CNOCN"]
    assert (found.edge_table["bond"] == "double").sum() == 6
    if suffix != "gexf":  # networkx writes no attributes of a graph there
        assert (found.y.tolist(), found.label_names) == ([1, 0, 1], ["even", "odd"])
    plain = datasets.read(folder)
    assert plain.collection.x is None
    line, passed = plain.reading.lines
    assert "3 graphs of 3 to 5 nodes (median 4), 12 nodes in all, 12 edges (undirected)" in line
    assert "element" in line.partition("node attributes left out: ")[2]
    assert "edge attributes left out: bond" in line
    assert passed == "left out: README.md"


def test_sub_folders_are_classes_and_a_table_of_labels_wins(tmp_path: Path) -> None:
    write(tmp_path / "rings" / "big", sizes=(5, 6))
    folder = write(tmp_path / "rings" / "small", sizes=(3,)).parent
    found = datasets.read(folder)
    assert found.node_id == ["big/ring5", "big/ring6", "small/ring3"]
    assert (found.y.tolist(), found.label_names) == ([0, 0, 1], ["big", "small"])
    labels = tmp_path / "labels.csv"
    labels.write_text("graph,class\nsmall/ring3,a\nbig/ring5,b\nbig/ring6,a\n")
    found = datasets.read(folder, labels=labels)
    assert (found.y.tolist(), found.label_names) == ([1, 0, 0], ["a", "b"])
    labels.write_text("graph,class\nsmall/ring3,a\nbig/ring5,b\nbig/ring7,a\n")
    with pytest.raises(InputError, match=r"found label of graph 'big/ring7'; expected one of the 3 graphs"):
        datasets.read(folder, labels=labels)


def data(size: int, width: int = 2) -> Data:
    edges = torch.tensor([[0, 1], [1, 0]]) if size > 1 else torch.zeros(2, 0, dtype=torch.long)
    return Data(x=torch.ones(size, width), edge_index=edges, y=torch.tensor([size % 2]), charge=torch.zeros(size))


def test_a_list_of_data_and_data_one_a_file_are_the_same_graphs(tmp_path: Path) -> None:
    graphs = [data(size) for size in (4, 1, 0)]
    torch.save(graphs, tmp_path / "all.pt")
    (tmp_path / "each").mkdir()
    for name, graph in zip("abc", graphs, strict=True):
        torch.save(graph, tmp_path / "each" / f"{name}.pt")
    whole, each = datasets.read(tmp_path / "all.pt"), datasets.read(tmp_path / "each")
    assert (whole.node_id, each.node_id) == (None, ["a", "b", "c"])
    assert "(without nodes: c)" in each.reading.lines[0]
    assert each.reading.lines[0].endswith("classes from y; left out: charge")
    for one, other, graph in zip(whole, each, graphs, strict=True):
        assert one.y == other.y == graph.y
        assert torch.equal(one.x, graph.x)
        assert torch.equal(one.edge_index, other.edge_index)
    torch.save(data(3, width=5), tmp_path / "each" / "d.pt")
    with pytest.raises(InputError, match=r"graph 'd': x: found 5 columns; expected 2, as graph 'a' has"):
        datasets.read(tmp_path / "each")
    with pytest.raises(InputError, match=r"column: found 'feature'"):
        datasets.read(tmp_path / "all.pt", columns={"feature": "charge"})


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("z.graphml", r"several kinds: gml \(ring3.gml, ring4.gml, ring5.gml\) beside graphml \(z.graphml\)"),
        ("z.csv", r"beside csv \(z.csv\); expected graphs of one format alone; labels go by --labels"),
        ("z.png", r"beside images \(z.png\)"),
    ],
)
def test_files_of_other_kinds_are_not_passed_over(tmp_path: Path, other: str, message: str) -> None:
    folder = write(tmp_path / "rings")
    nx.write_graphml(nx.path_graph(2), folder / other)
    if other == "z.csv":
        (folder / other).write_text("source,target\n1,2\n")
    with pytest.raises(InputError, match=message):
        datasets.read(folder)


def test_folders_without_graphs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no graphs: an empty folder; expected images .*or graphs of one format"):
        datasets.read(tmp_path)
    write(tmp_path / "rings" / "a")
    (tmp_path / "rings" / "b").mkdir()
    with pytest.raises(InputError, match=r"no graphs in its sub-folder b"):
        datasets.read(tmp_path / "rings")
    (tmp_path / "rings" / "a" / "ring4.gml").write_text("graph [ node [ id ")
    with pytest.raises(InputError, match=r"ring4.gml: cannot be read as GML"):
        datasets.read(tmp_path / "rings" / "a")


def test_a_table_of_edges_by_its_column_of_graphs(tmp_path: Path) -> None:
    (tmp_path / "edges.csv").write_text("graph,source,target\nw,1,2\nw,1,3\ns,1,2\n")
    (tmp_path / "atoms.csv").write_text("graph,id,element\nw,1,O\nw,2,H\nw,3,H\ns,1,Na\ns,2,Cl\n")
    with pytest.raises(InputError, match=r"--column graph=graph"):
        datasets.read(tmp_path / "edges.csv")
    found = datasets.read(tmp_path / "edges.csv", tmp_path / "atoms.csv", columns={"graph": "graph"})
    assert found.node_id == ["w", "s"]
    assert found.feature_table["element"].tolist() == ["O", "H", "H", "Na", "Cl"]
