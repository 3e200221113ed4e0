"""Files of edges that are rows: those of OSMnx as they are."""

import pandas as pd
import pytest
import torch

from genurl_graph import datasets
from genurl_graph.datasets.readers import read_edge_rows
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.edge_rows.edge_set import EdgeSet, names_of
from genurl_graph.inputs.reading import ReadOptions

# As osmnx.save_graphml writes it: every attribute is text, the ids of edges are keys, a line only where a road bends.
GRAPHML = """<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="d11" for="edge" attr.name="geometry" attr.type="string"/>
  <key id="d10" for="edge" attr.name="lanes" attr.type="string"/>
  <key id="d9" for="edge" attr.name="length" attr.type="string"/>
  <key id="d8" for="edge" attr.name="oneway" attr.type="string"/>
  <key id="d7" for="edge" attr.name="highway" attr.type="string"/>
  <key id="d6" for="edge" attr.name="osmid" attr.type="string"/>
  <key id="d5" for="node" attr.name="street_count" attr.type="string"/>
  <key id="d4" for="node" attr.name="x" attr.type="string"/>
  <key id="d3" for="node" attr.name="y" attr.type="string"/>
  <key id="d0" for="graph" attr.name="crs" attr.type="string"/>
  <graph edgedefault="directed">
    <data key="d0">epsg:4326</data>
    <node id="24960"><data key="d3">58.41</data><data key="d4">15.62</data><data key="d5">3</data></node>
    <node id="24961"><data key="d3">58.42</data><data key="d4">15.62</data><data key="d5">3</data></node>
    <node id="24962"><data key="d3">58.42</data><data key="d4">15.64</data><data key="d5">3</data></node>
    <edge source="24960" target="24961" id="0"><data key="d6">[11, 12]</data>
      <data key="d7">['primary', 'tertiary']</data><data key="d8">False</data><data key="d9">1112.0</data></edge>
    <edge source="24960" target="24961" id="1"><data key="d6">13</data><data key="d7">residential</data>
      <data key="d8">True</data><data key="d9">1400.5</data><data key="d10">2</data>
      <data key="d11">LINESTRING (15.62 58.41, 15.63 58.415, 15.62 58.42)</data></edge>
    <edge source="24961" target="24962" id="0"><data key="d6">14</data><data key="d7">residential</data>
      <data key="d8">False</data><data key="d9">1165.0</data><data key="d10">['1', '2']</data></edge>
    <edge source="24962" target="24961" id="0"><data key="d6">14</data><data key="d7">residential</data>
      <data key="d8">False</data><data key="d9">1165.0</data><data key="d10">1</data></edge>
  </graph>
</graphml>
"""


def read(path, features=None, labels=None, **columns) -> EdgeSet:
    return read_edge_rows(path, features, labels, ReadOptions.of(columns=columns))


@pytest.fixture
def graphml(tmp_path):
    path = tmp_path / "town.graphml"
    path.write_text(GRAPHML, encoding="utf-8")
    return path


def test_graphml_of_osmnx_as_it_is(graphml) -> None:
    found = read(graphml, label="highway")
    assert names_of(found.edges) == [
        (24960, 24961, 0),
        (24960, 24961, 1),
        (24961, 24962, 0),
        (24962, 24961, 0),
    ]
    assert found.edges.directed
    assert [found.label_names[code] for code in found.y] == ["primary", *["residential"] * 3]
    # North, and twice as far east in degrees as north, which is about as far on the ground.
    assert found.edges.bearings[0, 0] == pytest.approx(1.5708, abs=1e-3)
    assert found.edges.bearings[0, 2] == pytest.approx(0, abs=1e-3)
    assert found.edges.bearings[0, 1] < 1.2
    lines = "\n".join(found.reading.lines)
    assert "read town.graphml as edges that are rows (GraphML, coordinates of epsg:4326)" in lines
    assert "1 lines, 3 straight ones between nodes, degrees, lengths in metres" in lines
    assert "street_count of the nodes" in lines
    assert {"length", "oneway", "lanes"} <= {*found.feature_table}


def test_labels_of_a_file_beside_it(graphml, tmp_path) -> None:
    (tmp_path / "kinds.csv").write_text("label\na\nb\na\na\n", encoding="utf-8")
    assert read(graphml, labels=tmp_path / "kinds.csv").y.tolist() == [0, 1, 0, 0]


def test_a_table_and_its_nodes_say_the_same(graphml, tmp_path) -> None:
    edges = "u,v,key,highway,length\n24960,24961,0,primary,1112\n24960,24961,1,residential,1400.5\n"
    edges += "24961,24962,0,residential,1165\n24962,24961,0,residential,1165\n"
    (tmp_path / "edges.csv").write_text(edges, encoding="utf-8")
    nodes = "osmid,lat,lon\n24960,58.41,15.62\n24961,58.42,15.62\n24962,58.42,15.64\n"
    (tmp_path / "nodes.csv").write_text(nodes, encoding="utf-8")
    found = read(tmp_path / "edges.csv", tmp_path / "nodes.csv", label="highway")
    whole = read(graphml, label="highway")
    assert torch.equal(found.edges.ends, whole.edges.ends)
    assert torch.allclose(found.middle[[0, 2, 3]], whole.middle[[0, 2, 3]])
    assert torch.equal(found.y, whole.y)


def test_the_reading_is_asked_for_by_name(graphml) -> None:
    assert isinstance(datasets.read(graphml, as_="edge-rows"), EdgeSet)


def test_pt_and_parquet(tmp_path) -> None:
    from torch_geometric.data import Data

    index = torch.tensor([[0, 1, 2], [1, 2, 0]])
    torch.save(
        Data(edge_index=index, edge_attr=torch.rand(3, 2), edge_label=torch.tensor([0, 1, 1]), num_nodes=3),
        tmp_path / "a.pt",
    )
    assert read(tmp_path / "a.pt").y.tolist() == [0, 1, 1]
    pd.DataFrame({"source": ["a", "b"], "target": ["b", "c"], "km": [1.5, 2.5]}).to_parquet(tmp_path / "a.parquet")
    assert names_of(read(tmp_path / "a.parquet").edges) == [("a", "b"), ("b", "c")]


def test_what_holds_no_edges_is_refused(graphml, tmp_path) -> None:
    (tmp_path / "points.csv").write_text("age,height\n1,2\n3,4\n5,6\n", encoding="utf-8")
    (tmp_path / "wide.csv").write_text("a,b,c\n1.5,2,0\n3.5,4,1\n5.5,6,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="--column source="):
        read(tmp_path / "wide.csv")
    with pytest.raises(InputError, match="has its own nodes and labels; leave out"):
        read(graphml, features=tmp_path / "points.csv")
    with pytest.raises(InputError):
        read(tmp_path / "absent.csv")


def test_a_map_of_lines(tmp_path) -> None:
    geopandas = pytest.importorskip("geopandas", reason="files of maps need the extra geo")
    shapely = pytest.importorskip("shapely")
    lines = [shapely.LineString(points) for points in ([(0, 0), (1, 0)], [(1, 0), (1, 1), (2, 1)], [(2, 1), (0, 0)])]
    frame = geopandas.GeoDataFrame({"lanes": [1, 2, 3]}, geometry=lines, crs="EPSG:32633")
    frame.to_file(tmp_path / "roads.gpkg", layer="roads")
    found = read(tmp_path / "roads.gpkg")
    assert found.num_nodes == 3
    assert found.edges.ends.sum() == 6
    assert [*found.feature_table] == ["lanes", "length", "straightness", "axis_cos", "axis_sin"]
