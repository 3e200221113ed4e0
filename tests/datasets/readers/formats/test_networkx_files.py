"""GraphML, GEXF and GML: what networkx writes is read as networkx reads it, what others write as they mean it."""

from pathlib import Path

import networkx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genurl_graph import datasets
from genurl_graph.exceptions import InputError

WRITERS = {".graphml": networkx.write_graphml, ".gexf": networkx.write_gexf, ".gml": networkx.write_gml}


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@st.composite
def graphs(draw: st.DrawFn) -> networkx.Graph:
    """A small graph of any of networkx's classes, with names, weights, loops and isolated nodes."""
    kind = draw(
        st.sampled_from([networkx.Graph, networkx.DiGraph, networkx.MultiGraph, networkx.MultiDiGraph]), label="class"
    )
    graph = kind()
    names = draw(st.lists(st.text("abcäß&<\" #'", min_size=1, max_size=4), min_size=2, max_size=6, unique_by=str.strip))
    graph.add_nodes_from(name.strip() or "z" for name in names)
    nodes = [*graph]
    ends = st.tuples(st.sampled_from(nodes), st.sampled_from(nodes), st.floats(0.125, 8, width=16))
    for u, v, weight in draw(st.lists(ends, min_size=1, max_size=8)):
        graph.add_edge(u, v, weight=weight)
    return graph


@pytest.mark.parametrize("suffix", WRITERS)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=graphs())
def test_what_networkx_writes(tmp_path: Path, adjacency, suffix: str, graph: networkx.Graph):
    path = tmp_path / f"g{suffix}"
    WRITERS[suffix](graph, path)
    data = datasets.read(path)
    ids = data.get("node_id") or [*map(str, range(data.num_nodes))]
    assert ids == [*map(str, graph)]
    found, right = adjacency(data), networkx.to_numpy_array(graph, multigraph_weight=sum)
    if not graph.is_directed():
        # Parallel edges that networkx writes in both directions, with equal totals, are one list in both directions.
        assert np.allclose(found, right) or (graph.is_multigraph() and np.allclose(2 * found, right))
    else:
        assert np.allclose(found, right)
    assert f"({'directed' if graph.is_directed() else 'undirected'})" in data.reading.lines[0]


YED = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:y="http://www.yworks.com/xml/graphml">
<key for="node" id="d5" yfiles.type="nodegraphics"/><key for="node" id="d4" attr.name="url" attr.type="string"/>
<key for="edge" id="d9" yfiles.type="edgegraphics"/>
<graph edgedefault="directed" id="G">
{nodes}
<edge id="e0" source="n0" target="n1">
<data key="d9"><y:PolyLineEdge><y:EdgeLabel>pays</y:EdgeLabel></y:PolyLineEdge></data></edge>
<edge id="e1" source="n1" target="n2"/>
</graph></graphml>
"""


@pytest.mark.parametrize("shape", ["ShapeNode", "GenericNode", "SVGNode", "UMLClassNode", "ProxyAutoBoundsNode"])
def test_yed_keeps_names_in_node_labels(tmp_path: Path, shape: str):
    drawn = (
        f'<node id="n{i}"><data key="d4">u{i % 2}</data><data key="d5"><y:{shape}><y:Geometry x="{i}.0" y="1.0"/>'
        f"<y:NodeLabel/><y:NodeLabel> {name}\n</y:NodeLabel></y:{shape}></data></node>"
        for i, name in enumerate(("A & B".replace("&", "&amp;"), "Beta\nTwo", "Gamma"))
    )
    data = datasets.read(write(tmp_path / "g.graphml", YED.format(nodes="".join(drawn))))
    assert data.node_id == ["A & B", "Beta Two", "Gamma"]
    assert data.node_key == ["n0", "n1", "n2"]
    assert data.edge_index.tolist() == [[0, 1], [1, 2]]
    assert (data.x, data.y) == (None, None)
    assert "(layout), url" in data.reading.lines[0]
    assert "edge attributes left out: label" in data.reading.lines[0]


def test_yed_without_labels_goes_by_its_ids(tmp_path: Path):
    nodes = "".join(f'<node id="n{i}"><data key="d5"><y:ShapeNode/></data></node>' for i in range(3))
    data = datasets.read(write(tmp_path / "g.graphml", YED.format(nodes=nodes)))
    assert data.node_id == ["n0", "n1", "n2"]


def test_yed_groups(tmp_path: Path):
    inner = '<graph id="n0:" edgedefault="directed"><node id="n0::n0"/><edge source="n0::n0" target="n1"/></graph>'
    nodes = f'<node id="n0" yfiles.foldertype="group">{inner}</node><node id="n1"/><node id="n2"/>'
    data = datasets.read(write(tmp_path / "g.graphml", YED.format(nodes=nodes)))
    assert sorted(data.node_id) == ["n0", "n0::n0", "n1", "n2"]
    assert data.num_edges == 3


def test_igraph_graphml_takes_names_and_defaults(tmp_path: Path):
    text = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
    <key id="v_name" for="node" attr.name="name" attr.type="string"/>
    <key id="e_weight" for="edge" attr.name="weight" attr.type="double"><default>3</default></key>
    <graph id="G" edgedefault="undirected"><node id="n0"><data key="v_name">ann</data></node>
    <node id="n1"><data key="v_name">bob</data></node><edge source="n0" target="n1"/>
    <edge source="n1" target="n0"><data key="e_weight">0.5</data></edge></graph></graphml>"""
    data = datasets.read(write(tmp_path / "g.graphml", text))
    assert data.node_id == ["ann", "bob"]
    assert data.edge_weight.tolist() == [3.5, 3.5]
    assert "1 repeated edge summed, weights from weight" in data.reading.lines[0]


@pytest.mark.parametrize(
    ("head", "edge"),
    [
        ('xmlns="http://graphml.graphdrawing.org/xmlns/1.0rc"', ""),
        ("", ""),
        ('xmlns="http://graphml.graphdrawing.org/xmlns"', 'directed="true"'),
    ],
)
def test_graphml_of_other_versions_and_mixed_edges(tmp_path: Path, head: str, edge: str):
    text = f"""<?xml version="1.0"?>\n<!DOCTYPE graphml SYSTEM "http://graphml.graphdrawing.org/dtds/graphml.dtd">
    <graphml {head}><graph edgedefault="undirected"><node id="a"/><node id="b"/><node id="c"/>
    <edge source="a" target="b" {edge}/><edge source="b" target="c"/></graph></graphml>"""
    data = datasets.read(write(tmp_path / "g.graphml", text))
    assert data.num_edges == 4
    assert ("some edges are directed" in data.reading.lines[0]) == bool(edge)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('<graph edgedefault="directed"/><graph edgedefault="directed"/>', "found 2 graphs"),
        ('<graph edgedefault="directed"/>', "zero nodes"),
        ('<graph edgedefault="directed"><node id="a"/><hyperedge/></graph>', "hyperedges"),
        ('<graph edgedefault="directed"><node id="a"><data key="k">1</data></node></graph>', "no key k"),
        (
            '<key id="w" for="edge" attr.name="weight" attr.type="double"/><graph edgedefault="directed"><node id="a"/>'
            '<node id="b"/><edge source="a" target="b"><data key="w">-2</data></edge></graph>',
            "1 negative weight .*signed graph; expected weights >= 0; .*--column ignore=weight",
        ),
    ],
)
def test_graphml_that_is_refused(tmp_path: Path, body: str, message: str):
    text = f'<graphml xmlns="http://graphml.graphdrawing.org/xmlns">{body}</graphml>'
    with pytest.raises(InputError, match=rf"g\.graphml: .*{message}"):
        datasets.read(write(tmp_path / "g.graphml", text))


GEXF = """<?xml version="1.0" encoding="UTF-8"?>
<gexf xmlns="{space}" version="1.2" xmlns:viz="{space}/viz">
<graph defaultedgetype="{kind}" mode="{mode}" timeformat="date">
<attributes class="node" mode="static"><attribute id="0" title="Age" type="integer"/>
<attribute id="1" title="big" type="bigdecimal"/></attributes>
<attributes class="node" mode="dynamic"><attribute id="2" title="mood" type="float"/></attributes>
<nodes>
<node id="a" label="Ann" start="2001-01-01"><attvalues><attvalue for="0" value="30"/><attvalue for="1" value="1e99"/>
<attvalue for="2" value="0.5" start="2001-01-01" end="2002-01-01"/></attvalues>
<viz:color r="1.5" g="2" b="3"/><viz:position x="1.0" y="2.0"/><viz:size value="3"/></node>
<node id="b" label="Bob"><spells><spell start="2001-01-01"/></spells>
<attvalues><attvalue for="0" value=""/></attvalues></node>
<node id="c"/></nodes>
<edges><edge id="0" source="a" target="b" weight="2.5"/><edge id="0" source="b" target="c" {edge}/>
<edge id="1" source="b" target="a"/></edges></graph></gexf>
"""


@pytest.mark.parametrize("version", ["1.0", "1.1draft", "1.2draft", "1.2", "1.3"])
@pytest.mark.parametrize("mode", ["static", "dynamic"])
def test_gexf_with_drawing_and_time(tmp_path: Path, adjacency, version: str, mode: str):
    text = GEXF.format(space=f"http://www.gexf.net/{version}", kind="undirected", mode=mode, edge="")
    data = datasets.read(write(tmp_path / "g.gexf", text))
    assert data.node_id == ["Ann", "Bob", "c"]
    # Two edges of one id are two edges, and a-b repeats.
    assert adjacency(data).tolist() == [[0, 3.5, 0], [3.5, 0, 1], [0, 1, 0]]
    assert (data.x, data.y) == (None, None)
    line = data.reading.lines[0]
    assert "weight 1 for 2 edges without weight" in line
    assert "attributes that change with time are left out: mood" in line
    assert "color, position, size (layout), Age, big" in line


def test_gexf_directed_mutual_and_mixed(tmp_path: Path, adjacency):
    space = "http://www.gexf.net/1.2draft"
    text = GEXF.format(space=space, kind="directed", mode="static", edge='type="mutual"')
    assert adjacency(datasets.read(write(tmp_path / "g.gexf", text))).tolist() == [[0, 2.5, 0], [1, 0, 1], [0, 1, 0]]
    text = GEXF.format(space=space, kind="directed", mode="static", edge='type="undirected"')
    data = datasets.read(write(tmp_path / "h.gexf", text))
    assert "some edges are directed and some are not" in data.reading.lines[0]
    assert adjacency(data).tolist() == [[0, 3.5, 0], [3.5, 0, 1], [0, 1, 0]]


POLBOOKS = """Creator "Mark Newman on Wed Oct 18 15:23:03 2006"
graph
[
  directed 0
  node
  [
    id 10
    label "1000 Years for Revenge"
    value "n"
  ]
  node
  [
    id 11
    label "Bush vs. the Beltway"
    value "c"
  ]
  node
  [
    id 17
    label "Charlie Wilson's War"
    value "c"
  ]
  edge
  [
    source 11
    target 10
    value 3
  ]
  edge
  [
    source 10
    target 17
    value 1
  ]
]
"""


def test_gml_of_newman(tmp_path: Path):
    path = write(tmp_path / "polbooks.gml", POLBOOKS)
    data = datasets.read(path)
    assert data.node_id == ["1000 Years for Revenge", "Bush vs. the Beltway", "Charlie Wilson's War"]
    assert data.node_key == ["10", "11", "17"]
    assert (data.x, data.y) == (None, None)
    assert data.edge_weight.tolist() == [3, 1, 3, 1]
    assert "weights from value" in data.reading.lines[0]
    labelled = datasets.read(path, columns={"label": "value", "ignore": "label"})
    assert labelled.label_names == ["c", "n"]
    assert labelled.y.tolist() == [1, 0, 0]
    assert labelled.node_id == ["10", "11", "17"]


def test_gml_left_without_its_weights(tmp_path: Path):
    path = write(tmp_path / "g.gml", POLBOOKS.replace("value 3", "since 1999").replace("value 1\n", "since 2004\n"))
    data = datasets.read(path)
    assert data.edge_weight is None
    assert "edge attributes left out: since; name them by --column label=value" in data.reading.lines[0]
    assert datasets.read(path, columns={"weight": "since"}).edge_weight.tolist() == [1999, 2004, 1999, 2004]
    path = write(tmp_path / "h.gml", POLBOOKS)
    assert datasets.read(path, columns={"ignore": "value"}).get("edge_weight") is None


@pytest.mark.parametrize("flag", ["", "multigraph 0", "multigraph 1"])
def test_gml_whose_edges_and_labels_repeat(tmp_path: Path, adjacency, flag: str):
    nodes = "".join(f'node [\n id {i}\n label "{name}"\n ]\n' for i, name in enumerate(["x", "x", "y", "é"]))
    edges = "".join(f"edge [\n source {u}\n target {v}\n ]\n" for u, v in [(0, 1), (0, 1), (1, 2), (2, 3)])
    path = tmp_path / "g.gml"
    path.write_bytes(f"graph [\n directed 1\n {flag}\n{nodes}\n\n{edges}]\n".encode("latin-1"))
    data = datasets.read(path)
    assert "node_id" not in data
    assert data.y is None
    assert adjacency(data)[0, 1] == 2
    assert adjacency(data)[1, 0] == 0
    assert "label" in data.reading.lines[0]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"feature": "heigth"}, "node attribute: found 'heigth'; expected one of age, club .did you mean|one of"),
        ({"source": "a"}, "column: found 'source'; expected one of weight, id, label, feature, ignore"),
        ({"weight": "kind"}, "edge attribute 'kind': found text"),
        ({"label": "late"}, "late"),
    ],
)
def test_attributes_that_are_not_there(tmp_path: Path, columns: dict, message: str):
    graph = networkx.path_graph(4)
    networkx.set_node_attributes(graph, 3, "age")
    networkx.set_node_attributes(graph, "x", "club")
    networkx.set_edge_attributes(graph, "y", "kind")
    networkx.write_graphml(graph, tmp_path / "g.graphml")
    with pytest.raises(InputError, match=message):
        datasets.read(tmp_path / "g.graphml", columns=columns)


def test_options_that_mean_nothing_here(tmp_path: Path):
    networkx.write_gml(networkx.path_graph(3), tmp_path / "g.gml")
    with pytest.raises(InputError, match="as: found 'vectors'; expected one of graph, edges"):
        datasets.read(tmp_path / "g.gml", as_="vectors")
    with pytest.raises(InputError, match="separator: found ';'; expected none"):
        datasets.read(tmp_path / "g.gml", separator=";")


def test_directed_can_be_said(tmp_path: Path, adjacency):
    networkx.write_gml(networkx.DiGraph([(0, 1), (1, 2)]), tmp_path / "g.gml")
    assert datasets.read(tmp_path / "g.gml").num_edges == 2
    assert datasets.read(tmp_path / "g.gml", directed=False).num_edges == 4


def test_attributes_become_features_by_a_plan(tmp_path: Path):
    graph = networkx.path_graph(12)
    for node in graph:
        graph.nodes[node].update(age=20.0 + 3 * node, club="abc"[node % 3], team="xy"[node % 2], tags=[node])
    del graph.nodes[4]["age"], graph.nodes[5]["team"]
    networkx.write_gml(graph, tmp_path / "g.gml")
    data = datasets.read(tmp_path / "g.gml", columns={"feature": ["age", "club"], "label": "team"})
    assert [*data.feature_table] == ["age", "club"]
    assert data.x.size(1) == 2 + 3  # age, whether it is missing, three clubs
    assert data.y.tolist()[:6] == [0, 1, 0, 1, 0, -1]
    assert "no label for 1 of 12 nodes, which have no team" in data.reading.lines[0]
    assert any(line.startswith("club: 3 categories") for line in data.reading.lines[1:])
