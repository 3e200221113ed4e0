"""Whatever holds edges: the same roads by every road come out the same."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data, HeteroData

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.columns import FeatureOptions
from genurl_graph.inputs.edge_rows import EdgeEnds
from genurl_graph.inputs.edge_rows.convert import as_edges
from genurl_graph.inputs.reading import ReadOptions

NOTHING = ReadOptions()


def roads(seed: int = 0) -> nx.MultiDiGraph:
    """As OSMnx makes them: lists, missing tags, words among numbers, lines as text where a road is bent."""
    rng = np.random.default_rng(seed)
    graph = nx.MultiDiGraph(crs="epsg:4326")
    for node in range(30):
        graph.add_node(100 + node, x=15 + rng.random() / 100, y=58 + rng.random() / 100, street_count=3)
    for number in range(80):
        u, v = (rng.choice(30, 2, replace=False) + 100).tolist()
        told = {"osmid": [number, 900] if number % 7 == 0 else number, "length": number + 0.5, "reversed": False}
        told["highway"] = ["residential", "tertiary"] if number % 5 == 0 else ("primary", "residential")[number % 2]
        told |= {"maxspeed": "walk" if number == 40 else str(number % 3 * 10 + 30)} if number % 4 else {}
        if number % 3 == 0:
            a, b = graph.nodes[u], graph.nodes[v]
            told["geometry"] = f"LINESTRING ({a['x']} {a['y']}, {(a['x'] + b['x']) / 2} {a['y']}, {b['x']} {b['y']})"
        graph.add_edge(u, v, **told)
    return graph


def test_a_graph_of_osmnx_is_read_as_it_is() -> None:
    graph = roads()
    found = as_edges(graph, NOTHING, FeatureOptions())
    assert [*found.names] == [*graph.edges(keys=True)]
    assert found.kind == "numpy"
    assert found.ends.directed
    assert bool(found.ends.bearings.isfinite().all())
    lines = "\n".join(found.reading.lines)
    for told in (
        "highway: 16 lists, of which the first entry counts",
        "degrees, lengths in metres",
        "27 lines, 53 str",
    ):
        assert told in lines
    assert "maxspeed" in found.plan.groups
    assert "osmid" not in found.plan.groups


def test_a_label_is_named() -> None:
    found = as_edges(roads(), ReadOptions.of(columns={"label": "highway"}), FeatureOptions())
    assert "highway" not in found.plan.groups


def test_frames_give_the_same_as_the_graph_they_were_made_of() -> None:
    graph = roads()
    edges = nx.to_pandas_edgelist(graph, "u", "v", edge_key="key")
    indexed = edges.set_index(["u", "v", "key"])
    nodes = pd.DataFrame.from_dict(dict(graph.nodes(data=True)), orient="index").rename_axis("osmid")
    whole = as_edges(graph, ReadOptions.of(directed=False), FeatureOptions())
    spoken = ReadOptions.of(columns={"ignore": ["maxspeed"]})
    for given in ((edges, nodes), (indexed, nodes), (nodes, indexed)):
        found = as_edges(given, spoken, FeatureOptions())
        assert [*found.names] == [*whole.names]
        # Nothing says that x and y are degrees: bearings differ by the shrinking of longitudes.
        assert float((found.ends.bearings - whole.ends.bearings).cos().min()) > 0.8
    named = as_edges((edges, nodes.rename(columns={"x": "lon", "y": "lat"})), spoken)
    assert torch.allclose(named.ends.bearings, whole.ends.bearings, atol=1e-5)


@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph])
def test_networkx_keeps_order_keys_and_directions(kind) -> None:
    graph = kind([("a", "b"), ("b", "c"), ("b", "c"), ("c", "c")])
    nx.set_edge_attributes(graph, {edge: i / 7 for i, edge in enumerate(graph.edges)}, "width")
    found = as_edges(graph)
    assert [*found.names] == [*graph.edges]
    assert found.ends.directed == graph.is_directed()
    assert len(found.x) == graph.number_of_edges()


def test_nodes_that_are_points_tell_where_they_are() -> None:
    found = as_edges(nx.Graph([((0.0, 0.0), (3.0, 0.0)), ((3.0, 0.0), (3.0, 4.0))]))
    assert found.ends.bearings[0].tolist() == pytest.approx([0, np.pi / 2])
    assert found.names[0] == ((0.0, 0.0), (3.0, 0.0))


EDGES = torch.tensor([[0, 1, 2, 2, 3], [1, 2, 3, 3, 3]])
ATTRIBUTES = torch.rand(5, 2, generator=torch.Generator().manual_seed(0))


def both_ways(order: list[int]) -> Data:
    index = torch.cat([EDGES, EDGES[:, :4].flip(0)], 1)[:, order]
    rows = torch.tensor([0, 1, 2, 3, 4, 0, 1, 2, 3])[order]
    kinds = torch.tensor([0, 1, 0, 1, 2])[rows]
    return Data(edge_index=index, edge_attr=ATTRIBUTES[rows], edge_label=kinds, train_mask=rows < 2, num_nodes=4)


@pytest.mark.parametrize("order", [[*range(9)], [8, 0, 3, 5, 4, 1, 7, 6, 2]])
def test_both_directions_of_an_edge_are_one_row_that_finds_its_columns(order) -> None:
    from genurl_graph.inputs.edge_rows.pyg import from_data

    data = both_ways(order)
    found = from_data(data, NOTHING)
    assert len(found) == 5
    assert not found.edges.directed
    assert torch.equal(found.y[found.edge_row], data.edge_label)
    assert torch.equal(found.train_mask[found.edge_row], data.train_mask)
    ends = found.edges.ends[:, found.edge_row]
    assert torch.equal(ends.sort(0).values, data.edge_index.sort(0).values)
    kept = torch.tensor(found.feature_table.to_numpy()).float()
    assert torch.equal(kept[found.edge_row], data.edge_attr)


def test_directed_data_keeps_a_row_for_each_column() -> None:
    data = both_ways([*range(9)])
    whole = as_edges(data, ReadOptions.of(directed=True))
    assert whole.num_nodes == 9
    assert whole.ends.directed
    data.edge_attr[0] += 1  # one street is another one on the way back
    assert as_edges(data).num_nodes == 9
    assert torch.equal(as_edges(data).ends.ends, data.edge_index)


def test_attributes_of_nodes_are_left_out_and_named() -> None:
    data = Data(edge_index=EDGES, x=torch.rand(4, 3), y=torch.arange(4), pos=torch.rand(4, 2))
    found = as_edges(data)
    assert found.plan is None or "x" not in found.plan.groups
    assert "left out: x (of the nodes, or of the graph), y (of the nodes, or of the graph)" in found.reading.lines[-1]
    assert found.ends.bearings is not None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Data(x=torch.rand(4, 2)), "no edge_index"),
        (HeteroData(), 'task="triples"'),
        (np.zeros((4, 4)), "expected edges that are rows"),
        (nx.Graph(), "no edges"),
        (EdgeEnds(torch.tensor([[0], [1]]), 2), "1 edge; expected at least 2"),
    ],
)
def test_what_holds_no_edges_is_refused(data, message) -> None:
    with pytest.raises(InputError, match=message):
        as_edges(data)


def test_an_attribute_that_is_not_there_is_refused() -> None:
    data = Data(edge_index=EDGES, edge_attr=ATTRIBUTES, num_nodes=4)
    with pytest.raises(InputError, match="'edge_kind'"):
        as_edges(data, ReadOptions.of(columns={"label": "edge_kind"}))
    with pytest.raises(InputError, match="whole numbers, one an edge"):
        as_edges(data, ReadOptions.of(columns={"label": "edge_attr"}))


def test_new_edges_have_the_columns_of_the_fitted_ones() -> None:
    graph = roads()
    fitted = as_edges(graph, NOTHING, FeatureOptions())
    # Two streets alone: every column is constant or empty here.
    few = graph.edge_subgraph([*graph.edges(keys=True)][1:3])
    again = as_edges(few, NOTHING, FeatureOptions.of_model(fitted.plan))
    assert again.x.shape == (2, fitted.x.size(1))
    rows = [[*fitted.names].index(name) for name in again.names]
    assert torch.allclose(again.x, fitted.x[rows], atol=1e-5)
    bare = few.copy()
    for *_, told in bare.edges(data=True):
        told.pop("highway")
    lone = graph.edge_subgraph([*graph.edges(keys=True)][1:2])
    assert as_edges(lone, NOTHING, FeatureOptions.of_model(fitted.plan), 1).x.shape == (1, fitted.x.size(1))
    with pytest.raises(InputError, match="1 edge; expected at least 2"):
        as_edges(lone)
    with pytest.raises(InputError, match="highway"):
        as_edges(bare, NOTHING, FeatureOptions.of_model(fitted.plan))


def test_ids_of_the_edges_of_data_are_no_features() -> None:
    data = Data(edge_index=EDGES, edge_attr=ATTRIBUTES, edge_id=torch.arange(EDGES.size(1)), num_nodes=4)
    found = as_edges(data, ReadOptions(directed=True))
    assert found.x.shape == ATTRIBUTES.shape
    assert "edge_id (id of the edge)" in found.reading.lines[-1]


def test_cells_that_are_no_values_are_left_out_and_named() -> None:
    graph = nx.path_graph(4)
    for number, (*_, told) in enumerate(graph.edges(data=True)):
        told |= {"tags": {"ref": number}, "size": np.array([number, 9.0]), "lanes": number}
    found = as_edges(graph)
    assert found.x.shape == (3, 2)
    assert torch.equal(found.x[:, 0], found.x[:, 1])
    assert bool((found.x.diff(dim=0) > 0).all())
    assert "tags: left out, as cells hold dictionaries or sets" in found.reading.lines
