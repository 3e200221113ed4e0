"""Pajek, METIS, networkx's lists and KONECT: the graph that was written is the graph that is read."""

import bz2
import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import networkx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genurl_graph import datasets
from genurl_graph.exceptions import InputError

FIXTURES = [HealthCheck.function_scoped_fixture]


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@st.composite
def graphs(draw: st.DrawFn, directed: bool | None = None) -> networkx.Graph:
    """A small graph of nodes 0 to n - 1 with weights, isolated nodes and loops."""
    n = draw(st.integers(2, 7))
    directed = draw(st.booleans()) if directed is None else directed
    graph = networkx.DiGraph() if directed else networkx.Graph()
    graph.add_nodes_from(range(n))
    ends = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), st.integers(1, 9))
    graph.add_weighted_edges_from(draw(st.lists(ends, min_size=1, max_size=12)))
    return graph


# ---- Pajek ----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60, suppress_health_check=FIXTURES)
@given(graph=graphs())
def test_pajek_that_networkx_writes(tmp_path: Path, adjacency, graph: networkx.Graph):
    networkx.write_pajek(networkx.relabel_nodes(graph, lambda i: f"node {i}"), tmp_path / "g.net")
    data = datasets.read(tmp_path / "g.net")
    assert data.node_id == [f"node {i}" for i in graph]
    assert np.array_equal(adjacency(data), networkx.to_numpy_array(graph))


PAJEK = """\ufeff% a comment
*Vertices 4
1 "Ann ""A"" Lee" 0.1 0.2 0.5 ic Red bc Black
2 "Bob"\t0.3 0.4
4 Dan

*Arcs
1 2 3 c Blue
2 1
*Edges
 3  4  2.5
"""


def test_pajek_of_pajek(tmp_path: Path, adjacency):
    data = datasets.read(write(tmp_path / "g.NET", PAJEK))
    assert "node_id" in data
    assert data.node_id[1] == "2"  # vertex 3 has no label
    assert adjacency(data).tolist() == [[0, 3, 0, 0], [1, 0, 0, 0], [0, 0, 0, 2.5], [0, 0, 2.5, 0]]
    line = data.reading.lines[0]
    assert "each edge counts in both directions" in line
    assert "coordinates, colours and sizes (layout)" in line
    assert "weight 1 for 1 edge without weight" in line


def test_pajek_with_lists_matrices_modes_and_partitions(tmp_path: Path, adjacency):
    text = "*Network x\n*Vertices 3\n*Edgeslist\n1 2 3\n*Partition club\n*Vertices 3\n1\n2\n2\n"
    data = datasets.read(write(tmp_path / "g.paj", text), columns={"label": "club"})
    assert adjacency(data).tolist() == [[0, 1, 1], [1, 0, 0], [1, 0, 0]]
    assert data.y.tolist() == [1, 2, 2]
    data = datasets.read(write(tmp_path / "g.net", "*Vertices 2\n*Matrix\n0 2\n0 1\n"))
    assert adjacency(data).tolist() == [[0, 2], [0, 1]]
    data = datasets.read(write(tmp_path / "g.net", "*vertices 3 1\n*edges\n1 2\n1 3\n"))
    assert "two modes: 1 vertices, then 2" in data.reading.lines[0]
    data = datasets.read(write(tmp_path / "g.net", "*vertices 3\n*arcs :1 'a'\n1 2 1\n*arcs :2 'b'\n1 2 1\n"))
    assert adjacency(data)[0, 1] == 2
    assert "2 relations together" in data.reading.lines[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("*Vertices 2\n*Arcs\n1 3\n", "an edge of the vertices 1, 3; expected 1 to 2"),
        ("*Vertices 2\n*Arcs\n1 b\n", "line 3: found '1 b'; expected two vertices and a weight"),
        ("*Vertices 2\n*Arcs\n1\n", "line 3: found '1'"),
        ("*Vertices 2\n*Arcs\n1 2 -1\n", "negative weight"),
        ("*Vertices 2\n*Banana\n1 2\n", "Banana"),
        ("*Arcs\n1 2\n", "expected .Vertices before it"),
        ("*Vertices x\n", "the number of vertices"),
        ("*Vertices 999999999999\n*Arcs\n1 2\n", "999,999,999,999 vertices in a file of 3 lines"),
        ("*Vertices 2 3\n", "3 of 2 vertices"),
        ("*Vertices ³\n", "the number of vertices"),
        ("*Vertices 2\n² a\n", "a number from 1 to 2"),
        ("*Vertices 1\n1 a\n2 b\n", "1 vertices, then 2 lines"),
        ("*Vertices 2\n3 a\n", "a number from 1 to 2"),
        ("*Vertices 2\n*Vertices 2\n", "a second network"),
        ("1 2\n3 4\n", "begins with|no .Vertices"),
    ],
)
def test_bad_pajek(tmp_path: Path, text: str, message: str):
    with pytest.raises(InputError, match=message):
        datasets.read(write(tmp_path / "g.net", text))


# ---- METIS ----------------------------------------------------------------------------------------------


def as_metis(graph: networkx.Graph, flags: str) -> str:
    """The graph in METIS' format, by hand."""
    lines = [f"{len(graph)} {graph.number_of_edges()} {flags}"]
    for node in graph:
        own = (["7"] if flags[0] == "1" else []) + ([str(node + 5)] if flags[1] == "1" else [])
        ends = [
            word
            for end, attributes in graph[node].items()
            for word in ([end + 1, attributes["weight"]] if flags[2] == "1" else [end + 1])
        ]
        lines.append(" ".join(map(str, [*own, *ends])))
    return "\n".join(["% by hand", *lines, ""])


@settings(deadline=None, max_examples=60, suppress_health_check=FIXTURES)
@given(graph=graphs(directed=False), flags=st.sampled_from(["000", "001", "010", "011", "100", "111"]))
def test_metis(tmp_path: Path, adjacency, graph: networkx.Graph, flags: str):
    graph.remove_edges_from([*networkx.selfloop_edges(graph)])
    if not graph.number_of_edges():
        graph.add_edge(0, 1, weight=2)
    data = datasets.read(write(tmp_path / "g.graph", as_metis(graph, flags)))
    weight = "weight" if flags[2] == "1" else None
    assert np.array_equal(adjacency(data), networkx.to_numpy_array(graph, weight=weight))
    assert "repeated" not in data.reading.lines[0]
    assert ("size" in data.reading.lines[0]) == (flags[0] == "1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2 1\n2\n", "2 nodes, then 1 lines"),
        ("2 1\n3\n1\n", "line 2: found neighbour 3; expected 1 to 2"),
        ("2 2\n2\n1\n", "2 edges, then 2 neighbours"),
        ("2 1 1\n2\n1 1\n", "line 2: found 1 numbers; expected what the flags 001 say"),
        ("2 1 7\n2\n1\n", "flags 007"),
        ("a b\n", "the header of METIS"),
        ("2 1\nx\n1\n", "not a number"),
        ("", "empty"),
    ],
)
def test_bad_metis(tmp_path: Path, text: str, message: str):
    with pytest.raises(InputError, match=message):
        datasets.read(write(tmp_path / "g.graph", text))


# ---- networkx's lists -----------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40, suppress_health_check=FIXTURES)
@given(graph=graphs(directed=False))
def test_lists_that_networkx_writes(tmp_path: Path, adjacency, graph: networkx.Graph):
    networkx.write_adjlist(graph, tmp_path / "g.adjlist")
    data = datasets.read(tmp_path / "g.adjlist")
    assert np.array_equal(adjacency(data), networkx.to_numpy_array(graph, weight=None))
    networkx.write_edgelist(graph, tmp_path / "g.edgelist")
    kept = networkx.read_edgelist(tmp_path / "g.edgelist", nodetype=int)
    data = datasets.read(tmp_path / "g.edgelist")
    assert np.array_equal(adjacency(data), networkx.to_numpy_array(kept, nodelist=sorted(kept)))
    assert "weights from weight" in data.reading.lines[0]


def test_edge_lists_with_other_attributes(tmp_path: Path):
    text = "# a b\n#x y {'kind': 'k', 'since': 3}\n#x z {'since': 4}\n"
    with pytest.raises(InputError, match="the file is empty"):
        datasets.read(write(tmp_path / "g.edgelist", text))
    data = datasets.read(write(tmp_path / "g.edgelist", "x #y {'kind': 'k', 'since': 3}\n#x z {'since': 4}\n"))
    assert data.node_id == ["x", "#y", "#x", "z"]
    assert "edge attributes left out: kind, since; name them by --column weight=since" in data.reading.lines[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b {'weight': __import__('os').system('true')}\n", "a dictionary of numbers and text"),
        ("a b {'weight': 'x'}\n", "edge attribute 'weight': found text"),
        ("a b {'weight': 1}\na {'weight': 1}\n", "line 2: found 1 nodes"),
        ("a b {'weight': 1}\na b\n", "line 2: found 'a b'"),
        ("a b {1, 2}\n", "expected a dictionary"),
        ("a b " + "{" * 3000 + "}" * 3000 + "\n", "a dictionary"),
    ],
)
def test_bad_edge_lists(tmp_path: Path, text: str, message: str):
    with pytest.raises(InputError, match=message):
        datasets.read(write(tmp_path / "g.edgelist", text))


# ---- KONECT ---------------------------------------------------------------------------------------------


def test_konect(tmp_path: Path, adjacency):
    text = "% sym positive\n% 3 3 3\n1 2 1 1100000000\n1 2 3 1100000001\n2\t3\t1\n"
    data = datasets.read(write(tmp_path / "out.moreno", text))
    assert adjacency(data).tolist() == [[0, 4, 0], [4, 0, 1], [0, 1, 0]]
    assert data.node_id == ["1", "2", "3"]
    assert "1 repeated edge summed, weights from weight; edge attributes left out: time" in data.reading.lines[0]
    assert datasets.read(write(tmp_path / "out.x", "% asym unweighted\n1 2\n2 3\n")).num_edges == 2
    data = datasets.read(write(tmp_path / "out.y", "% bip weighted\n1 1 5\n1 2 3\n3 2 4\n"))
    assert data.node_id == ["a1", "a3", "b1", "b2"]
    assert adjacency(data)[0].tolist() == [0, 0, 5, 3]
    assert "the weights are ratings; two kinds of nodes: 2 a..., 2 b..." in data.reading.lines[0]


def test_konect_folders_and_archives(tmp_path: Path):
    folder = tmp_path / "moreno"
    folder.mkdir()
    write(folder / "out.moreno", "% sym unweighted\n1 2\n2 3\n")
    write(folder / "README.moreno", "read me")
    write(folder / "meta.moreno", "name: m")
    with tarfile.open(tmp_path / "moreno.tar.bz2", "w:bz2") as archive:
        archive.add(folder, "moreno")
    for path in (folder, tmp_path / "moreno.tar.bz2"):
        assert datasets.read(path).num_edges == 4
    write(folder / "out.second", "% sym unweighted\n1 2\n")
    with pytest.raises(InputError, match=r"found out.moreno, out.second named out"):
        datasets.read(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("% sym signed\n1 2 -1\n", "a signed network"),
        ("% sym positive\n1 2 -1\n", "negative weight"),
        ("% sym positive\n0 2 1\n", "node 0; expected numbers from 1"),
        ("% sym positive\n1 x\n", "line 2: found '1 x'"),
    ],
)
def test_bad_konect(tmp_path: Path, text: str, message: str):
    with pytest.raises(InputError, match=message):
        datasets.read(write(tmp_path / "out.g", text))


# ---- names, compression, speed --------------------------------------------------------------------------


def contents() -> dict[str, bytes]:
    """The same path of three nodes in every text format."""
    graph, found = networkx.path_graph(3), {}
    for suffix, writer in (
        (".graphml", networkx.write_graphml),
        (".gexf", networkx.write_gexf),
        (".gml", networkx.write_gml),
        (".net", networkx.write_pajek),
        (".adjlist", networkx.write_adjlist),
        (".edgelist", networkx.write_edgelist),
    ):
        stream = io.BytesIO()
        writer(graph, stream)
        found[suffix] = stream.getvalue()
    found[".graph"] = b"3 2\n2\n1 3\n2\n"
    found[".mtx"] = b"%%MatrixMarket matrix coordinate pattern symmetric\n3 3 2\n2 1\n3 2\n"
    return found


@pytest.mark.parametrize("suffix", contents())
@pytest.mark.parametrize("packed", ["", ".gz", ".bz2", ".zip"])
def test_every_text_format_compressed(tmp_path: Path, suffix: str, packed: str):
    content, path = contents()[suffix], tmp_path / f"g{suffix}{packed}"
    if packed == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"g{suffix}", content)
    else:
        write(path, {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress}[packed](content))
    data = datasets.read(path)
    assert sorted(map(tuple, data.edge_index.t().tolist())) == [(0, 1), (1, 0), (1, 2), (2, 1)]


@pytest.mark.parametrize("suffix", [".graphml", ".gexf", ".gml", ".net", ".mtx"])
@pytest.mark.parametrize("name", ["g.xml", "g.txt", "g.dat", "g", "g.csv"])
def test_a_format_is_known_by_what_it_begins_with(tmp_path: Path, suffix: str, name: str):
    assert datasets.read(write(tmp_path / name, contents()[suffix])).num_edges == 4


def test_many_edges_take_no_time(tmp_path: Path):
    import time

    rng = np.random.default_rng(0)
    ends = rng.integers(1, 100_000, (200_000, 2))
    body = "\n".join(f"{u} {v}" for u, v in ends.tolist())
    write(tmp_path / "g.mtx", f"%%MatrixMarket matrix coordinate pattern general\n100000 100000 200000\n{body}\n")
    write(tmp_path / "bare.mtx", body)
    write(tmp_path / "out.g", f"% asym unweighted\n{body}")
    write(tmp_path / "g.net", f"*Vertices 100000\n*Arcs\n{body}")
    for name in ("g.mtx", "bare.mtx", "out.g", "g.net"):
        start = time.process_time()
        assert datasets.read(tmp_path / name, directed=True).num_edges > 199_000
        assert time.process_time() - start < 4


@pytest.mark.parametrize("name", ["g", "g.lst", "g.xyz", "out.edges2"])
@pytest.mark.parametrize("text", ["# edges\n1 2\n2 3\n", "source,target\na,b\nb,c\n", "a\tb\nb\tc\n"])
def test_a_table_may_have_any_name(tmp_path: Path, name: str, text: str):
    assert datasets.read(write(tmp_path / name, text)).num_edges == 4


@pytest.mark.parametrize("content", [b"\0\1\2", b"<html><body>", b'{"a": 1}', b"word\n", b"\xff\xfe\xfd"])
def test_what_is_no_table_is_refused_by_its_name(tmp_path: Path, content: bytes):
    with pytest.raises(InputError, match=r"found suffix '\.xyz'; expected one of \.npz, \.csv.*\.graphml.*\.mtx"):
        datasets.read(write(tmp_path / "g.xyz", content))


def test_tables_go_by_the_names_or_the_ids_of_a_graph_file(tmp_path: Path):
    graph = networkx.relabel_nodes(networkx.path_graph(3), lambda i: f"n{i}")
    networkx.set_node_attributes(graph, dict(zip(graph, ["Ann", "Bob", "Cy"], strict=True)), "name")
    networkx.write_graphml(graph, tmp_path / "g.graphml")
    for ids in (["n2", "n1", "n0"], ["Cy", "Bob", "Ann"]):
        rows = "".join(f"{name},{club}\n" for name, club in zip(ids, "pqp", strict=True))
        labels = write(tmp_path / "l.csv", "id,club\n" + rows)
        data = datasets.read(tmp_path / "g.graphml", labels=labels)
        assert data.y.tolist() == [0, 1, 0]
        assert data.node_id == ["Ann", "Bob", "Cy"]
        assert "read g.graphml as a graph" in data.reading.lines[0]
    with pytest.raises(InputError, match="Zoe"):
        datasets.read(tmp_path / "g.graphml", labels=write(tmp_path / "l.csv", "id,club\nZoe,p\nBob,q\nCy,p\n"))
