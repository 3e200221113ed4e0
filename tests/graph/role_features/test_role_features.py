"""Role features: references of each count, symmetries, small and odd graphs, and the estimate for large ones."""

import networkx as nx
import pytest
import torch
from torch_geometric.utils import from_networkx

from genurl_graph.datasets.role_graphs import planted_airports, planted_hierarchy, planted_roles
from genurl_graph.graph import role_features as module
from genurl_graph.graph.merge import merge_graphs
from genurl_graph.graph.role_features import KERNEL_COLUMNS, ROLE_COLUMNS, kernel_columns, role_features, role_weights
from genurl_graph.graph.role_features import counts as counting
from genurl_graph.graph.role_features.counts import h_index, page_rank, triangles
from genurl_graph.graph.role_features.share import role_share
from genurl_graph.graph.role_features.walks import return_probabilities, sampled_return_probabilities


def edges_of(graph):
    n = graph.number_of_nodes()
    edges = from_networkx(graph).edge_index if graph.number_of_edges() else torch.empty(2, 0, dtype=torch.long)
    return (*merge_graphs(edges, None, None, None, num_nodes=n)[:2], n)


CLUSTERED = nx.powerlaw_cluster_graph(300, 4, 0.5, seed=0)


def test_counts_are_those_of_networkx(monkeypatch):
    edge_index, _, n = edges_of(CLUSTERED)
    expected = list(nx.triangles(CLUSTERED).values())
    assert triangles(edge_index, n).tolist() == expected
    monkeypatch.setattr(counting, "_PATHS", 100)  # in blocks of rows
    assert triangles(edge_index, n).tolist() == expected
    core = torch.tensor(list(nx.core_number(CLUSTERED).values()))
    assert torch.equal(h_index(edge_index, n, 60), core)
    assert (h_index(edge_index, n, 3) >= core).all()
    rank = torch.tensor(list(nx.pagerank(CLUSTERED, tol=1e-12, max_iter=500).values()), dtype=torch.float64)
    torch.testing.assert_close(page_rank(edge_index, n), rank, rtol=1e-6, atol=1e-9)


def test_estimated_walks_are_near_the_exact_ones(monkeypatch):
    edge_index, weight, n = edges_of(CLUSTERED)
    exact = return_probabilities(edge_index, weight, n, 8)
    found = sampled_return_probabilities(edge_index, weight, n, 8)
    error = ((found - exact) / exact.clamp_min(1e-9))[:, ::2].square().mean(0).sqrt()
    assert error.max() < 0.2
    assert (found - exact).mean(0).abs().max() < 0.1 * exact.mean(0).max()
    monkeypatch.setattr(module, "EXACT", 0)
    assert torch.equal(role_features(edge_index, weight, n), role_features(edge_index, weight, n))


def test_nodes_may_come_in_any_order():
    edge_index, weight, n = edges_of(CLUSTERED)
    found = role_features(edge_index, weight, n)
    assert found.shape == (n, ROLE_COLUMNS)
    place = torch.randperm(n, generator=torch.Generator().manual_seed(0))
    moved = merge_graphs(place[edge_index], weight, None, None, num_nodes=n)
    torch.testing.assert_close(role_features(*moved[:2], n)[place], found, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("graph", "roles"),
    [
        (nx.star_graph(5), 2),
        (nx.path_graph(2), 1),
        (nx.path_graph(7), 4),
        (nx.complete_graph(6), 1),
        (nx.cycle_graph(9), 1),
        (nx.empty_graph(3), 1),
        (nx.disjoint_union(nx.cycle_graph(4), nx.empty_graph(2)), 2),
    ],
)
def test_nodes_of_one_role_have_one_row(graph, roles):
    found = role_features(*edges_of(graph))
    assert torch.isfinite(found).all()
    assert len(found.mul(1e3).round().unique(dim=0)) == roles


def test_roles_are_known_again_far_apart():
    """Two copies of a graph, not connected, and the same nodes of both."""
    n = CLUSTERED.number_of_nodes()
    found = role_features(*edges_of(nx.disjoint_union(CLUSTERED, CLUSTERED)))
    torch.testing.assert_close(found[:n], found[n:], rtol=1e-4, atol=1e-4)


def test_what_is_farther_away_counts_less():
    weights = role_weights()
    assert weights.shape == (ROLE_COLUMNS,)
    assert weights.square().mean() == pytest.approx(1, abs=1e-5)
    values, counts = weights.unique(return_counts=True)
    assert (values[1:] / values[:-1]).tolist() == pytest.approx([2, 2])
    assert counts.tolist() == [34, 34, 17]
    assert weights.argmax() == 0


def test_cosines_are_a_gaussian_kernel():
    rows = torch.randn(50, 20, generator=torch.Generator().manual_seed(0))
    found = kernel_columns(rows)
    assert found.shape == (50, KERNEL_COLUMNS)
    expected = (-torch.cdist(rows, rows).square() / 2 / 20).exp()
    assert (found @ found.T - expected).abs().max() < 0.3
    assert (found @ found.T - expected).square().mean().sqrt() < 0.08


def test_hubs_are_roles_and_blocks_are_communities():
    found = []
    for data in (planted_hierarchy(seed=0), planted_roles(15, seed=0), planted_airports(300, 15.0, seed=0)):
        edges = merge_graphs(data.edge_index, None, None, None, num_nodes=data.num_nodes)
        roles = role_features(*edges[:2], data.num_nodes)
        found.append(role_share(roles, edges.edge_index))
        assert role_share(roles, edges.edge_index) == found[-1]
    blocks, motifs, airports = found
    assert blocks.of_edges < 0.25 < 0.35 < motifs.of_edges < 0.6 < 0.85 < airports.of_edges <= 1
    # Motifs of each kind lie all around the ring; how dense a block is goes with where it is.
    assert motifs.by_communities < 0.05 < 0.07 < blocks.by_communities


def test_roles_of_one_community_each_are_told_by_communities():
    """Beside each other, a graph of triangles and one of trees: most of a role is where it is."""
    edges = edges_of(nx.disjoint_union(nx.ring_of_cliques(30, 4), nx.balanced_tree(2, 6)))
    assert role_share(role_features(*edges), edges[0]).by_communities > 0.15


@pytest.mark.parametrize("graph", [nx.empty_graph(30), nx.cycle_graph(5), nx.cycle_graph(40), nx.complete_graph(20)])
def test_a_share_of_graphs_that_tell_nothing_is_a_number(graph):
    edge_index, weight, n = edges_of(graph)
    found = role_share(role_features(edge_index, weight, n), edge_index)
    assert 0 <= found.of_edges <= 1
    assert 0 <= found.by_communities <= 1
