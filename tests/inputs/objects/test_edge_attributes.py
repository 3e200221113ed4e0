"""Attributes of edges: which columns are read, and what becomes of repeats and directions."""

from __future__ import annotations

import networkx as nx
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Data

from genurl_graph.exceptions import InputError
from genurl_graph.graph.edge_attributes.columns import described_edges
from genurl_graph.inputs.columns import FeatureOptions
from genurl_graph.inputs.edges import average_attributes
from genurl_graph.inputs.hetero import as_graph
from genurl_graph.inputs.reading import ReadOptions

EDGES = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
TABLE = pd.DataFrame(
    {
        "source": ["a", "b", "a"],
        "target": ["b", "c", "b"],
        "weight": [1.0, 2, 3],
        "rating": [-1, 2, 3],
        "note": [5, 6, 7],
    }
)


def test_columns_of_data_are_read_and_one_column_stays_a_weight():
    found = as_graph(Data(edge_index=EDGES, edge_attr=torch.arange(8.0).reshape(4, 2), num_nodes=3))
    assert found.edge_weight is None
    assert found.edge_attr.tolist() == [[1, 2], [1, 2], [5, 6], [5, 6]]
    assert "edge attributes: edge_attr (2 columns)" in found.reading.lines
    one = as_graph(Data(edge_index=EDGES, edge_attr=torch.ones(4, 1), num_nodes=3))
    assert one.edge_attr is None
    assert one.edge_weight.tolist() == [1] * 4


def test_a_column_that_is_named_a_feature_is_no_weight():
    data = Data(edge_index=EDGES, edge_attr=torch.tensor([-1.0, 3, 2, 2]), num_nodes=3)
    found = as_graph(data, options=ReadOptions.of(columns={"feature": "edge_attr"}))
    assert found.edge_weight is None
    assert found.edge_attr.tolist() == [[1], [1], [2], [2]]


def test_columns_of_a_table_are_averaged_by_weight():
    found = as_graph(TABLE, options=ReadOptions.of("edges", {"feature": "rating"}))
    assert found.edge_weight.tolist() == [4, 4, 2, 2]
    assert found.edge_attr.tolist() == [[2], [2], [2], [2]]
    assert found.reading.lines[-2:] == (
        "left out: note (numbers; --column weight=note makes them weights)",
        "edge attributes: rating",
    )


def test_words_become_columns_and_new_rows_are_read_alike():
    kinds = ["walk", "drive"] * 20
    frame = pd.DataFrame({"source": range(40), "target": [*range(1, 40), 0], "kind": kinds})
    found = as_graph(frame, options=ReadOptions.of("edges", {"feature": "kind"}))
    assert found.edge_plan is not None
    assert {*map(tuple, found.edge_attr.bool().tolist())} == {(False, True), (True, False)}
    fitted = FeatureOptions.of_model(None, found.edge_plan)
    again = as_graph(frame[1:], features=fitted, options=ReadOptions.of("edges", {"feature": "kind"}))
    assert torch.equal(again.edge_attr[0], found.edge_attr[(torch.tensor([1, 2]) == found.edge_index.T).all(1)][0])


def test_attributes_of_networkx_are_read_on_request():
    graph = nx.MultiGraph(
        [("a", "b", {"r": 1.0, "weight": 1}), ("a", "b", {"r": 4.0, "weight": 2}), ("b", "c", {"r": 2.0})]
    )
    assert as_graph(graph).edge_attr is None
    found = as_graph(graph, options=ReadOptions.of(columns={"feature": "r"}))
    assert found.x is None
    assert sorted(found.edge_attr.flatten().tolist()) == [2, 2, 3, 3]
    with pytest.raises(InputError, match="found 'q'"):
        as_graph(graph, options=ReadOptions.of(columns={"feature": "q"}))


@pytest.mark.parametrize(
    ("attributes", "message"),
    [(torch.ones(3, 2), "edge_attr"), (torch.full((4, 2), torch.nan), "edge_attr")],
)
def test_attributes_that_do_not_fit_are_refused(attributes, message):
    with pytest.raises(InputError, match=message):
        as_graph(Data(edge_index=EDGES, edge_attr=attributes, num_nodes=3))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3), st.floats(-9, 9)), min_size=1))
@settings(max_examples=60, deadline=None)
def test_means_are_those_of_a_loop(lines):
    ends = torch.tensor([line[:2] for line in lines]).T
    weight, values = torch.tensor([line[2] for line in lines]).float(), torch.tensor([[line[3]] for line in lines])
    found = average_attributes(values, ends, weight, ends, 5)
    for i, (source, target, *_) in enumerate(lines):
        own = [(w, v) for a, b, w, v in lines if {a, b} == {source, target}]
        total = sum(w for w, _ in own)
        expected = sum(w * v for w, v in own) / total if total else sum(v for _, v in own) / len(own)
        assert float(found[i]) == pytest.approx(expected, abs=1e-4)


def test_a_graph_whose_edges_are_all_gone_has_attributes_of_none():
    found = as_graph(Data(edge_index=EDGES[:, :0], edge_attr=torch.empty(0, 2), x=torch.rand(3, 2), num_nodes=3))
    assert found.edge_attr.shape == (0, 2)
    statistics = {"edge_attr.mean": torch.zeros(2), "edge_attr.scale": torch.ones(2)}
    assert torch.equal(described_edges(EDGES, found, statistics), torch.zeros(4, 3))
