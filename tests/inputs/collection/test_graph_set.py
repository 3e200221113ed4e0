"""Graphs as a data set of PyG: what a graph holds by itself, and what a subset keeps."""

import pandas as pd
import pytest
import torch
from torch_geometric.loader import DataLoader

from genurl_graph.inputs.collection.graph_set import GraphFacts, GraphSet, as_collection_of

# A triangle, nothing, a pair, a single node; edges in no order.
EDGES = torch.tensor([[4, 0, 1, 2, 1, 3, 2, 0], [3, 1, 0, 0, 2, 4, 1, 2]])
SIZES = torch.tensor([3, 0, 2, 1])


@pytest.fixture(params=[True, False], ids=["features", "bare"])
def graphs(request: pytest.FixtureRequest) -> GraphSet:
    x = torch.arange(6.0)[:, None] if request.param else None
    weight = (EDGES[0] + 10 * EDGES[1]).float()
    found = as_collection_of(EDGES, SIZES, x, weight, weight[:, None])
    table = pd.DataFrame({"row": range(6)})
    return GraphSet.of(
        found, GraphFacts(["tri", "none", "pair", "one"], torch.tensor([1, -1, 0, 0]), ["a", "b"], table)
    )


def test_each_graph_stands_by_itself(graphs: GraphSet) -> None:
    assert [graph.num_nodes for graph in graphs] == [3, 0, 2, 1]
    assert graphs[0].edge_index.tolist() == [[0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1]]
    pair = graphs[2]
    assert pair.edge_index.tolist() == [[0, 1], [1, 0]]
    assert pair.edge_weight.tolist() == pair.edge_attr.flatten().tolist() == [43, 34]
    assert pair.y.tolist() == [0]
    assert graphs.collection.x is None or pair.x.tolist() == [[3], [4]]
    assert graphs[1].num_edges == graphs[3].num_edges == 0
    batch = next(iter(DataLoader(graphs, batch_size=4)))
    assert torch.equal(batch.edge_index, graphs.collection.edge_index)


def test_a_subset_keeps_names_labels_and_rows(graphs: GraphSet) -> None:
    some = graphs[[2, 1, 0]]
    assert (len(some), some.node_id, some.y.tolist()) == (3, ["pair", "none", "tri"], [0, -1, 1])
    assert some.collection.sizes().tolist() == [2, 0, 3]
    assert some.feature_table["row"].tolist() == [3, 4, 0, 1, 2]
    assert some.collection.edge_index[:, :2].tolist() == [[0, 1], [1, 0]]
    bare = GraphSet.of(graphs.collection)
    assert (bare.node_id, bare.y, bare[1:3].node_id) == (None, None, ["1", "2"])


def test_one_graph_is_a_set_too() -> None:
    one = GraphSet.of(as_collection_of(torch.tensor([[0, 1], [1, 0]]), torch.tensor([2])))
    assert (len(one), one[0].num_nodes, one[0].edge_index.tolist()) == (1, 2, [[0, 1], [1, 0]])
