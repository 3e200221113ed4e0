"""Which windows the encoder is trained on."""

import pytest
import torch

from genurl_graph.graph.temporal.supra_graph import SupraGraph
from genurl_graph.tasks.temporal.recipe import given_edges, training_windows


@pytest.mark.parametrize(("most", "expected"), [(100, 10), (40, 4), (1, 2)])
def test_windows_of_many_rows_are_chosen_in_pairs(most: int, expected: int) -> None:
    chosen = training_windows([10] * 10, most)
    assert len(chosen) == expected
    assert all(window + 1 in chosen or window - 1 in chosen for window in chosen)


def test_identity_edges_weigh_a_share_of_the_interactions_of_a_row() -> None:
    supra = SupraGraph(torch.tensor([[0], [1]]), torch.tensor([4.0]), torch.tensor([[0], [2]]), torch.tensor([0.5]))
    graph = given_edges(supra, 4, 0.5)
    weight = {
        tuple(pair): value for pair, value in zip(graph.edge_index.T.tolist(), graph.edge_weight.tolist(), strict=True)
    }
    assert weight == {(0, 1): 4.0, (1, 0): 4.0, (0, 2): 0.5, (2, 0): 0.5}
