"""The PyG transform: what edges carry arrives, whatever graph it is; networkx beside it."""

import copy

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Data, HeteroData

import genurl_graph
from genurl_graph import LineGraph, line_graph
from genurl_graph.exceptions import InputError
from genurl_graph.graph.line_graph import line_edges

few = settings(max_examples=60, deadline=None)
kinds = st.sampled_from([nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph])
pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 2)), max_size=25)


def stored(graph, seed):
    """A networkx graph as PyG stores it, in any order of the columns: undirected edges in both directions."""
    rows = [(u, v, number, cost) for u, v, (number, cost) in graph.edges(data="told")]
    if not graph.is_directed():
        rows += [(v, u, number, cost) for u, v, number, cost in rows if u != v]
    rows = [rows[i] for i in torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed)).tolist()]
    source, target, number, cost = (list(part) for part in zip(*rows, strict=True)) if rows else ([], [], [], [])
    return Data(
        edge_index=torch.tensor([source, target], dtype=torch.long),
        edge_attr=torch.tensor([[a, a**2] for a in cost], dtype=torch.float).reshape(-1, 2),
        edge_y=torch.tensor(number, dtype=torch.long),
        street=[f"street {a}" for a in number],
        num_nodes=40,
    )


@few
@given(kinds, pairs, st.integers(0, 99))
def test_ids_and_attributes_are_those_of_networkx(kind, ends, seed):
    graph = kind()
    graph.add_nodes_from(range(7))
    for u, v, cost in ends:
        graph.add_edge(u, v, told=None, cost=cost)
    told = {}
    for number, name in enumerate(graph.edges(keys=True) if graph.is_multigraph() else graph.edges):
        graph.edges[name]["told"] = (number, graph.edges[name]["cost"])
        # What networkx calls it in the line graph.
        told[name if graph.is_directed() else (*sorted(name[:2]), *name[2:])] = graph.edges[name]["told"]
    data = stored(graph, seed)
    asked = True if graph.is_directed() else None if data.num_edges else False
    out = line_graph(data, directed=asked, hub=100)
    assert sorted(out.y.tolist()) == list(range(len(told)))
    for row, number in enumerate(out.y.tolist()):
        name = next(name for name, (other, _) in told.items() if other == number)
        assert sorted(out.ends[row].tolist()) == sorted(name[:2])
        assert out.x[row].tolist() == [told[name][1], told[name][1] ** 2]
        assert out.street[row] == f"street {number}"
        assert data.edge_y[out.edge_id[row]] == number
    # The output joins back: each column of the graph has the row of its edge.
    assert torch.equal(out.y[out.edge_row], data.edge_y)
    expected = nx.line_graph(graph, create_using=nx.DiGraph if graph.is_directed() else nx.Graph)
    expected = expected if graph.is_directed() else expected.to_directed()
    found = {(int(out.y[a]), int(out.y[b])) for a, b in out.edge_index.T}
    assert found == {(told[a][0], told[b][0]) for a, b in expected.edges}
    plain = line_edges(out.ends.T, 40, directed=graph.is_directed(), hub=100)
    assert torch.equal(out.edge_weight, plain.edge_weight)
    assert out.validate()


def roads():
    """Two parallel roads, a third road and a loop, stored in both directions; the loop once."""
    return Data(
        x=torch.ones(3, 4),
        y=torch.tensor([0, 1, 2]),
        pos=torch.tensor([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0]]),
        edge_index=torch.tensor([[0, 1, 0, 1, 1, 2, 2], [1, 0, 1, 0, 2, 1, 2]]),
        edge_attr=torch.tensor([1.0, 2.0, 2.0, 1.0, 3.0, 3.0, 4.0]),
        edge_weight=torch.tensor([7.0, 8.0, 8.0, 7.0, 9.0, 9.0, 9.0]),
        edge_label=torch.tensor([0, 1, 1, 0, 1, 1, -1]),
        edge_train_mask=torch.tensor([1, 0, 0, 1, 1, 1, 0]).bool(),
        test_mask=torch.tensor([0, 1, 1, 0, 0, 0, 0]).bool(),
        key=np.array([0, 1, 1, 0, 0, 0, 0]),
    )


def test_parallel_edges_are_told_apart_by_what_they_carry():
    data = roads()
    before = copy.deepcopy(data)
    out = data_of_rows = LineGraph()(data)
    assert out.edge_id.tolist() == [0, 1, 4, 6]
    assert out.edge_row.tolist() == [0, 1, 1, 0, 2, 2, 3]
    assert out.x.tolist() == [[1.0, 7.0], [2.0, 8.0], [3.0, 9.0], [4.0, 9.0]]
    assert out.y.tolist() == [0, 1, 1, -1]
    assert out.train_mask.tolist() == [True, False, True, False]
    assert out.test_mask.tolist() == [False, True, False, False]
    assert out.key.tolist() == [0, 1, 0, 0]
    assert out.ends.tolist() == [[0, 1], [1, 0], [1, 2], [2, 2]]
    assert out.pos[2].tolist() == [2.0, 1.0]
    assert out.is_undirected()
    first, second = data_of_rows.reading.lines[0], data_of_rows.reading.lines[1:]
    assert first.startswith("read Data as a line graph: 4 edges are its nodes (undirected, stored in both directions)")
    assert second == ("labels: edge_label", "left out: x, y (of the nodes)")
    assert data.keys() == before.keys()
    assert torch.equal(data.edge_index, before.edge_index)


def test_direction_is_that_of_the_data_or_asked_for():
    data = roads()
    assert line_graph(data, directed=True).num_nodes == 7
    data.edge_attr[0] = 5.0
    out = line_graph(data)
    assert out.num_nodes == 7
    assert "directed, as edge_attr differs between the two directions" in out.reading.lines[0]
    with pytest.raises(InputError, match="edge_attr: found other values in one direction"):
        line_graph(data, directed=False)
    once = Data(edge_index=torch.tensor([[0, 1, 2], [1, 2, 0]]), num_nodes=3)
    assert line_graph(once).edge_index.size(1) == 3
    assert line_graph(once, directed=False).edge_index.size(1) == 6
    assert line_graph(once).edge_id.tolist() == line_graph(once).edge_row.tolist() == [0, 1, 2]
    assert "x" not in line_graph(once)


def test_own_ids_of_edges_survive():
    data = roads()
    data.edge_id = torch.arange(100, 107)
    assert line_graph(data).edge_id.tolist() == [100, 101, 104, 106]


def test_labels_of_other_pairs_are_left_out():
    data = roads()
    data.edge_label_index = data.edge_index.flip(0)
    out = line_graph(data)
    assert "y" not in out
    assert "edge_label" in out.reading.lines[-1]


def test_bearings_come_from_positions():
    data = Data(
        pos=torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [1.0, 1.0]]),
        edge_index=torch.tensor([[0, 1, 1], [1, 2, 3]]),
    )
    out = line_graph(data, directed=False, straight=2.0)
    weight = {(int(a), int(b)): float(w) for (a, b), w in zip(out.edge_index.T, out.edge_weight, strict=True)}
    assert weight[0, 1] > 0.85 > 0.15 > weight[0, 2]
    assert (weight[2, 0], weight[2, 1]) == pytest.approx((0.5, 0.5))
    with pytest.raises(InputError, match="straight: found data with no pos"):
        line_graph(Data(edge_index=data.edge_index, num_nodes=4), straight=2.0)


def test_hubs_are_named():
    star = torch.stack([torch.zeros(50, dtype=torch.long), torch.arange(1, 51)])
    out = LineGraph(directed=False, hub=8)(Data(edge_index=star, num_nodes=51))
    assert "sampled at 1 nodes of more than 8" in out.reading.lines[0]
    assert int(out.edge_index[0].bincount().max()) <= 8


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (HeteroData(), "LineGraph: found HeteroData; expected a Data with edge_index"),
        (Data(x=torch.ones(3, 2)), "LineGraph: found no edge_index"),
        (Data(edge_index=torch.tensor([[0], [5]]), num_nodes=3), "edge_index: found edge 0 from 0 to 5"),
        (
            Data(edge_index=torch.tensor([[0, 1], [1, 2]]), edge_attr=["a", "b"], num_nodes=3),
            "edge_attr: found <U1 of shape",
        ),
    ],
)
def test_refusals(data, message):
    with pytest.raises(InputError, match=message):
        LineGraph()(data)


def test_it_is_public_and_has_a_name():
    assert genurl_graph.LineGraph is LineGraph
    assert repr(LineGraph()) == "LineGraph(directed=None, hub=32, straight=0)"
    once = Data(edge_index=torch.tensor([[0, 1, 2], [1, 2, 0]]), num_nodes=3)
    assert LineGraph()(once).num_nodes == 3
