"""Graphs of planted roles: what they promise about edges, labels, seeds and bad numbers."""

import pytest
import torch
from torch_geometric.utils import contains_isolated_nodes, contains_self_loops, is_undirected

from genurl_graph.datasets.role_graphs import planted_airports, planted_hierarchy, planted_levels, planted_roles
from genurl_graph.exceptions import InputError

MAKERS = {
    "ring": lambda seed: planted_roles(6, seed=seed),
    "tree": lambda seed: planted_roles(6, "tree", seed=seed),
    "levels": lambda seed: planted_levels(4, seed=seed),
    "hierarchy": lambda seed: planted_hierarchy(200, 2, seed=seed),
    "airports": lambda seed: planted_airports(120, 12.0, seed=seed),
}


@pytest.mark.parametrize("name", MAKERS)
def test_graphs_are_simple_and_repeat_by_their_seed(name):
    data, again, other = MAKERS[name](1), MAKERS[name](1), MAKERS[name](2)
    assert is_undirected(data.edge_index)
    assert not contains_self_loops(data.edge_index)
    assert len(data.y) == data.num_nodes > int(data.edge_index.max())
    assert torch.equal(data.edge_index, again.edge_index)
    assert torch.equal(data.y, again.y)
    assert not torch.equal(data.edge_index, other.edge_index)
    assert data.y.unique().tolist() == list(range(int(data.y.max()) + 1))


def test_nodes_of_a_role_have_one_degree_where_there_is_no_noise():
    data = planted_roles(5, noise=0.0, seed=0)
    degree = torch.bincount(data.edge_index[0])
    assert [sorted({*degree[data.y == role].tolist()}) for role in (0, 1)] == [[2], [3]]
    for role in range(2, int(data.y.max()) + 1):
        assert len(degree[data.y == role].unique()) == 1
    assert not contains_isolated_nodes(data.edge_index, data.num_nodes)


def test_levels_are_a_step_apart():
    data = planted_levels(5, noise=0.0, seed=0)
    row, col = data.edge_index
    assert ((data.y[row] - data.y[col]).abs() == 1).all()
    assert data.edge_index.size(1) == 2 * (data.num_nodes - 1)
    assert int((data.y == 0).sum()) == 1


def test_blocks_are_denser_the_more_levels_they_share():
    data = planted_hierarchy(600, 2, 3, 20.0, 5.0, seed=0)
    row, col = data.edge_index
    same, near = data.y[row] == data.y[col], data.y[row] // 3 == data.y[col] // 3
    within, beside, apart = float(same.sum()), float((near & ~same).sum()), float((~near).sum())
    # A ninth, two ninths and six ninths of the pairs.
    assert within / 1 > 3 * beside / 2 > 9 * apart / 6
    assert float(torch.bincount(row).float().mean()) == pytest.approx(20, abs=1.5)


def test_busy_airports_have_many_edges():
    data = planted_airports(seed=0)
    degree = torch.bincount(data.edge_index[0], minlength=600).float()
    means = [float(degree[data.y == quarter].mean()) for quarter in range(4)]
    assert means == sorted(means)
    assert torch.bincount(data.y).tolist() == [150] * 4


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: planted_roles(0), "copies"),
        (lambda: planted_roles(noise=2.0), "noise"),
        (lambda: planted_roles(1, "line"), "base"),
        (lambda: planted_levels(1), "depth"),
        (lambda: planted_levels(leaves=float("inf")), "leaves"),
        (lambda: planted_hierarchy(ratio=0.0), "ratio"),
        (lambda: planted_hierarchy(10, degree=10.0), "degree"),
        (lambda: planted_airports(5), "num_nodes"),
    ],
)
def test_numbers_out_of_range_are_named(make, name):
    with pytest.raises(InputError, match=name):
        make()
