"""The planted graph: what it promises about edges, classes and features."""

import pytest
import torch

from genurl_graph.datasets.synthetic import COHESION, planted_graph
from genurl_graph.exceptions import InputError


@pytest.fixture(scope="module")
def data():
    return planted_graph(3000, 20_000, 16, 10, homophily=0.6, noise=0.5, train_share=0.1, seed=3)


def test_edges_are_distinct_both_ways_and_sorted(data):
    key = data.edge_index[0] * 3000 + data.edge_index[1]
    assert (key.diff() > 0).all()
    assert torch.equal((data.edge_index[1] * 3000 + data.edge_index[0]).sort().values, key)
    assert (data.edge_index[0] != data.edge_index[1]).all()
    assert data.edge_index.size(1) == 2 * 20_000


def test_edges_join_classes_as_often_as_asked(data):
    row, col = data.edge_index
    by_chance = (torch.bincount(data.y) / 3000).square().sum()
    expected = 0.6 + 0.4 * by_chance
    assert float((data.y[row] == data.y[col]).float().mean()) == pytest.approx(float(expected), abs=0.03)


def test_degrees_have_a_heavy_tail(data):
    degree = torch.bincount(data.edge_index[0]).float()
    assert degree.max() > 8 * degree.mean()


def test_classes_have_no_mean_but_groups_have(data):
    # 10 classes of 4 groups: the mean of a class is near 0, features are not.
    means = torch.stack([data.x[data.y == c].mean(0) for c in range(10)])
    assert float(means.square().mean()) < 0.1
    assert float(data.x.square().mean()) == pytest.approx(0.75 + 0.25, abs=0.15)
    assert 0 < COHESION < 1


def test_masks_split_the_nodes_and_seeds_repeat(data):
    assert (data.train_mask.int() + data.val_mask + data.test_mask == 1).all()
    assert int(data.train_mask.sum()) == pytest.approx(300, abs=60)
    again = planted_graph(3000, 20_000, 16, 10, homophily=0.6, noise=0.5, train_share=0.1, seed=3)
    assert torch.equal(again.edge_index, data.edge_index)
    assert torch.equal(again.x, data.x)
    assert not torch.equal(planted_graph(3000, 20_000, 16, 10, seed=4).x, data.x)


@pytest.mark.parametrize(
    ("name", "value"),
    [("num_nodes", 1), ("num_edges", 0), ("homophily", 1.5), ("noise", float("nan")), ("train_share", 0.5)],
)
def test_numbers_out_of_range_are_named(name, value):
    with pytest.raises(InputError, match=name):
        planted_graph(**{"num_nodes": 10, "num_edges": 5} | {name: value})


def test_more_edges_than_pairs_are_refused():
    with pytest.raises(InputError, match="num_edges: found 46; expected at most 45 for 10 nodes"):
        planted_graph(10, 46)
