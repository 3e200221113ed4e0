"""Tests of the container of edges that are rows."""

import torch

from genurl_graph.inputs.edge_rows import EdgeEnds, EdgeSet


def test_parallel_and_opposite_edges_are_rows_of_one_pair():
    found = EdgeSet(EdgeEnds(torch.tensor([[0, 0, 1, 1], [1, 1, 0, 2]]), 3))
    assert len(found) == 4
    assert found.count_pairs() == 2
