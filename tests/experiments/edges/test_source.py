"""Edges as the nodes of their line graph, as `embed` judges them."""

import torch

from genurl_graph.experiments.edges.source import line_data
from genurl_graph.inputs.edge_rows import EdgeEnds, EdgeSet

ENDS = torch.tensor([[0, 1, 1, 2, 2], [1, 0, 2, 1, 1]])


def test_a_way_back_has_no_label_in_a_random_split() -> None:
    y = torch.tensor([3, 3, 4, 4, 5])
    edges = EdgeSet(EdgeEnds(ENDS, 3, directed=True), y=y)
    assert line_data(edges, 32).y.tolist() == [3, -1, 4, -1, -1]
    assert line_data(EdgeSet(EdgeEnds(ENDS, 3), y=y), 32).y.tolist() == y.tolist()
    mask = torch.ones(5, dtype=torch.bool)
    given = EdgeSet(edges.edges, y=y, train_mask=mask, val_mask=mask, test_mask=mask)
    assert line_data(given, 32).y.tolist() == y.tolist()


def test_a_hub_is_sampled_as_in_the_run() -> None:
    star = EdgeSet(EdgeEnds(torch.stack([torch.zeros(50, dtype=torch.long), torch.arange(1, 51)]), 51))
    assert int(torch.bincount(line_data(star, 4).edge_index[0]).max()) <= 4
