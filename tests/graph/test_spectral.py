"""Tests of leading eigenvectors and of positions by where a walk stays."""

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
import torch

from genurl_graph.graph import spectral
from genurl_graph.graph.merge import merge_graphs
from genurl_graph.graph.spectral import leading_eigenvectors, walk_positions


def matrix(n: int) -> sp.csr_array:
    graph = nx.random_regular_graph(4, n, seed=0)
    return sp.csr_array(nx.to_scipy_sparse_array(graph, dtype=float) / 4)


@pytest.mark.parametrize(("small", "medium"), [(200, 8192), (0, 8192), (0, 0)])
def test_all_solvers_find_the_leading_vectors(monkeypatch, small, medium):
    monkeypatch.setattr(spectral, "SMALL", small)
    monkeypatch.setattr(spectral, "MEDIUM", medium)
    ring = sp.csr_array(nx.to_scipy_sparse_array(nx.barbell_graph(20, 30), dtype=float))
    scale = sp.diags_array(ring.sum(1) ** -0.5)
    a = (scale @ ring @ scale).tocsr()
    values, vectors = leading_eigenvectors(a, 4, products=400)
    exact = np.linalg.eigvalsh(a.toarray())[::-1][:4]
    assert values == pytest.approx(exact, abs=2e-3)
    assert np.linalg.norm(a @ vectors - vectors * values, axis=0) == pytest.approx(0, abs=0.03)


def test_nodes_of_one_part_of_the_graph_lie_together():
    graph = nx.connected_caveman_graph(6, 8)
    edges = merge_graphs(torch.tensor([*graph.edges]).T, None, None, None, num_nodes=48)
    found = walk_positions(*edges[:2], 48, 6)
    cosine = found @ found.T
    same = torch.arange(48)[:, None] // 8 == torch.arange(48) // 8
    assert float(cosine[same].mean()) > 0.9
    assert float(cosine[~same].mean()) < 0.3


@pytest.mark.parametrize(("small", "medium"), [(200, 8192), (0, 8192), (0, 0)])
def test_small_parts_of_the_graph_take_no_columns_from_large_ones(monkeypatch, small, medium):
    monkeypatch.setattr(spectral, "SMALL", small)
    monkeypatch.setattr(spectral, "MEDIUM", medium)
    caves = nx.connected_caveman_graph(4, 12)
    caves.add_edges_from((48 + 2 * pair, 49 + 2 * pair) for pair in range(60))
    edges = merge_graphs(torch.tensor([*caves.edges]).T, None, None, None, num_nodes=168)
    found = walk_positions(*edges[:2], 168, 4)[:48]
    cosine, cave = found @ found.T, torch.arange(48) // 12
    same = cave[:, None] == cave
    # 61 parts, and four columns: without larger degrees each pair is worth one.
    assert float(cosine[same].mean()) > 0.9
    assert float(cosine[~same].mean()) < 0.3


def test_positions_do_not_depend_on_the_order_of_the_nodes():
    graph = nx.random_geometric_graph(60, 0.3, seed=1)
    edges = merge_graphs(torch.tensor([*graph.edges]).T, None, None, None, num_nodes=60)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(0))
    back = order.argsort()
    turned = merge_graphs(back[edges.edge_index], edges.edge_weight, None, None, num_nodes=60)
    first, second = walk_positions(*edges[:2], 60, 8), walk_positions(*turned[:2], 60, 8)
    # Vectors of one eigenvalue are any basis of theirs: cosines are the same.
    assert torch.allclose((first @ first.T)[order][:, order], second @ second.T, atol=1e-4)


def test_a_node_without_an_edge_has_no_position():
    found = walk_positions(torch.tensor([[0, 1], [1, 0]]), torch.ones(2), 3, 1)
    assert found.norm(dim=1).tolist() == pytest.approx([1, 1, 0])


@pytest.mark.parametrize("n", [20, 300])
def test_a_graph_without_edges_has_no_positions(n):
    found = walk_positions(torch.empty(2, 0, dtype=torch.long), torch.empty(0), n, 8)
    assert torch.equal(found, torch.zeros(n, 8))
