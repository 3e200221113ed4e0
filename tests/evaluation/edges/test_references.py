"""Rows without training: what they hold, and which labels they may read."""

import numpy as np
import pytest
import torch

from genurl_graph.evaluation.edges.references import label_propagation, line_means, majority, reference_embedding
from genurl_graph.evaluation.splits import Split
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.edge_rows import EdgeEnds, EdgeSet
from tests.evaluation.edges.grid import street_grid

NONE = np.zeros(0, dtype=np.int64)


def path(m: int) -> EdgeSet:
    node = torch.arange(m)
    return EdgeSet(EdgeEnds(torch.stack([node, node + 1]), m + 1), x=torch.arange(m).float()[:, None])


def test_columns_of_propagated_attributes_on_a_path() -> None:
    found = reference_embedding("propagated", path(4))
    assert found[:, 0].tolist() == [0, 1, 2, 3]
    assert found[:, 1].tolist() == [1, 1, 2, 2]  # means of the neighbours
    assert found[:, 2].tolist() == [1, 1.5, 1.5, 2]
    assert found[:, 3].tolist() == [1, 2, 2, 1]
    assert np.array_equal(reference_embedding("raw", path(4)), found[:, :1])


def test_an_edge_alone_has_no_neighbours() -> None:
    data = EdgeSet(EdgeEnds(torch.tensor([[0, 2, 2], [1, 3, 4]]), 5), x=torch.ones(3, 2))
    assert np.asarray(line_means(data).sum(1)).ravel().tolist() == [0, 1, 1]
    assert reference_embedding("propagated", data)[0].tolist() == [1, 1, 0, 0, 0, 0, 0]


def test_without_attributes_degrees_are_left() -> None:
    data = path(3)
    data.x = None
    assert reference_embedding("propagated", data)[:, 0].tolist() == [1, 2, 1]
    with pytest.raises(InputError, match="raw attributes: found edges without attributes"):
        reference_embedding("raw", data)


def test_labels_reach_the_edges_that_are_nearest() -> None:
    y = np.array([5, 0, 0, 0, 0, 0, 0, 7])
    found = label_propagation(line_means(path(8)), y, Split(np.array([0, 7]), NONE, np.arange(1, 7)))
    assert found.tolist() == [5, 5, 5, 5, 7, 7, 7, 7]


def test_where_no_label_arrives_the_most_frequent_class_is_given() -> None:
    data = EdgeSet(EdgeEnds(torch.tensor([[0, 1, 2, 5], [1, 2, 3, 6]]), 7))
    found = label_propagation(line_means(data), np.array([2, 1, 1, 2]), Split(np.arange(3), NONE, np.array([3])))
    assert found.tolist() == [2, 1, 1, 1]


def test_labels_outside_of_the_training_part_are_not_read() -> None:
    data = street_grid()
    y = data.y.numpy()
    order = np.random.default_rng(0).permutation(len(y))
    split = Split(order[:60], order[60:100], order[100:])
    other = y.copy()
    other[order[60:]] = np.random.default_rng(1).integers(0, 3, len(order) - 60)
    a = line_means(data)
    assert np.array_equal(label_propagation(a, y, split), label_propagation(a, other, split))
    assert np.array_equal(majority(y, split), majority(other, split))
    assert np.mean(label_propagation(a, y, split)[split.test] == y[split.test]) > 0.85
