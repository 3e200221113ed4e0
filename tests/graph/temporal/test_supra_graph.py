"""Edges between rows: inside windows, and between the windows of a node."""

import pytest
import torch

from genurl_graph.graph.temporal import supra_graph
from genurl_graph.graph.temporal.supra_graph import identity_edges


def test_identity_edges_join_consecutive_rows_of_a_node_and_fade_with_the_gap() -> None:
    node, window = torch.tensor([0, 1, 0, 1, 2, 0]), torch.tensor([0, 0, 1, 3, 3, 3])
    edges, decay = identity_edges(node, window, 2.0)
    found = {tuple(pair): value for pair, value in zip(edges.T.tolist(), decay.tolist(), strict=True)}
    assert found == pytest.approx({(0, 2): 1.0, (2, 5): 2**-0.5, (1, 3): 0.5})


def test_pairs_of_a_window_are_between_its_rows() -> None:
    parts = [(torch.tensor([[0], [1]]), torch.tensor([1.0])), (torch.tensor([[0], [1]]), torch.tensor([3.0]))]
    found = supra_graph(parts, torch.tensor([4, 5, 4, 6]), torch.tensor([0, 0, 2, 2]), 1.0)
    assert found.interaction.tolist() == [[0, 2], [1, 3]]
    assert found.weight.tolist() == [1.0, 2.0]
    assert found.identity.tolist() == [[0], [2]]
