"""Tests of tables of coordinates."""

import networkx as nx
import pytest
import torch

from genurl_graph.graph.merge import merge_graphs
from genurl_graph.graph.propagation import Propagation
from genurl_graph.inputs.sparse import csr_tensor, identity
from genurl_graph.nn.features import Features
from genurl_graph.nn.table import PositionTable


@pytest.fixture
def caves() -> tuple[PositionTable, torch.Tensor, torch.Tensor]:
    graph = nx.connected_caveman_graph(4, 6)
    found = merge_graphs(torch.tensor([*graph.edges]).T, None, None, None, num_nodes=24)
    table = PositionTable(24, 4)
    table.fit(found)
    return table, found.edge_index, found.edge_weight


def test_fitted_nodes_have_their_own_rows_all_of_one_length(caves):
    table, edges, weight = caves
    found = table(Features(identity(24)), table.operator(Propagation(edges, weight, 24)))
    assert torch.allclose(found, table.table, atol=1e-6)
    assert found.norm(dim=1) == pytest.approx(torch.full((24,), 2.0).numpy(), abs=1e-5)


def test_new_nodes_stand_among_their_neighbours_and_those_without_any_at_none(caves):
    table, edges, weight = caves
    # 24 hangs on the last cave, 25 on 24, 26 on nothing.
    more = torch.tensor([[20, 24, 24, 25], [24, 20, 25, 24]])
    known = csr_tensor(torch.tensor([*range(25), 24, 24, 24]), torch.arange(24), torch.ones(24), (27, 24))
    grown = Propagation(torch.cat([edges, more], 1), torch.cat([weight, torch.ones(4)]), 27)
    found = table(Features(known), table.operator(grown))
    assert torch.allclose(found[:24], table.table, atol=1e-6)
    near = torch.nn.functional.cosine_similarity(found[24:26], table.table[20:21])
    assert near.tolist() == pytest.approx([1, 1], abs=1e-5)
    assert found[26].tolist() == [0, 0, 0, 0]
