"""Columns that convolutions read: attributes where edges have them, 0 for kNN edges, kept as edges are dropped."""

from __future__ import annotations

import torch

from genurl_graph.graph.edge_attributes.columns import attribute_statistics, count_columns, described_edges
from genurl_graph.graph.propagation import Propagation
from genurl_graph.inputs.input import Input
from genurl_graph.runtime.random import seeded

GIVEN = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
MERGED = torch.tensor([[0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1]])


def test_attributes_are_standardised_and_knn_edges_marked():
    data = Input(None, GIVEN, None, 3, "torch", edge_attr=torch.tensor([[1.0], [1], [3], [3]]))
    statistics = attribute_statistics(data)
    found = described_edges(MERGED, data, statistics)
    assert found.tolist() == [[1, -1], [0, 0], [1, -1], [1, 1], [0, 0], [1, 1]]
    assert count_columns(statistics) == 3
    assert (count_columns({}), described_edges(MERGED, data, {})) == (1, None)


def test_dropped_edges_take_their_attributes_along():
    own = torch.arange(6.0)[:, None]
    propagation = Propagation(MERGED, torch.arange(1.0, 7), 3, own)
    everything = propagation.operator("attributes")
    assert everything.edge_index.tolist() == MERGED.tolist()
    assert everything.columns.tolist() == [[i + 1, i] for i in range(6)]
    with seeded(0):
        left = propagation.operator("attributes", 0.5)
    assert 0 < left.edge_index.size(1) < 6
    assert bool((left.columns[:, 0] == left.columns[:, 1] + 1).all())
    place = left.columns[:, 1].long()
    assert torch.equal(left.edge_index, MERGED[:, place])
