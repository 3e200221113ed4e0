"""Propagation computed once: powers of the normalised adjacency, in blocks, in memory or in a file."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.graph import propagation as module
from genurl_graph.graph.merge import merge_graphs
from genurl_graph.graph.propagation import Propagation, propagated


def graph(n, seed, isolated=True):
    generator = torch.Generator().manual_seed(seed)
    edges = torch.randint(n - isolated, (2, 3 * n), generator=generator)
    weight = torch.rand(3 * n, generator=generator)
    found = merge_graphs(edges, weight, None, None, num_nodes=n)
    return found.edge_index, found.edge_weight, torch.randn(n, 5, generator=generator)


def dense(edges, weight, x, hops):
    n = len(x)
    a = torch.zeros(n, n, dtype=torch.float64)
    a[edges[0], edges[1]] = weight.double()
    a += torch.eye(n)
    scale = a.sum(1).rsqrt()
    a = scale[:, None] * a * scale
    parts = [x.double()]
    for _ in range(hops):
        parts.append(a @ parts[-1])
    return torch.cat(parts, 1)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(3, 30), seed=st.integers(0, 1000), hops=st.integers(0, 4))
def test_equals_dense_powers(n, seed, hops):
    edges, weight, x = graph(n, seed)
    torch.testing.assert_close(
        propagated(edges, weight, x, hops).double(), dense(edges, weight, x, hops), rtol=0, atol=1e-5
    )


def test_blocks_and_files_change_nothing(monkeypatch):
    edges, weight, x = graph(200, 0)
    expected = propagated(edges, weight, x, 3)
    monkeypatch.setattr(module, "_EDGES", 17)
    monkeypatch.setattr(module, "_CELLS", 400)
    found = propagated(edges, weight, x, 3, memory_mb=0.001)
    assert module.is_mapped(found.shape, 0.001)
    torch.testing.assert_close(found, expected)
    # One hop is the product that GCN's convolutions use.
    operator = Propagation(edges, weight, 200).operator("sym")
    torch.testing.assert_close(found[:, 5:10], operator @ x)


def test_order_of_nodes_does_not_matter():
    edges, weight, x = graph(50, 1)
    order = torch.randperm(50, generator=torch.Generator().manual_seed(2))
    place = order.argsort()
    moved = merge_graphs(place[edges], weight, None, None, num_nodes=50)
    found = propagated(moved.edge_index, moved.edge_weight, x[order], 2)
    torch.testing.assert_close(found[place], propagated(edges, weight, x, 2))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_same_on_the_gpu():
    edges, weight, x = graph(500, 0)
    torch.testing.assert_close(propagated(edges, weight, x, 3, device="cuda"), propagated(edges, weight, x, 3))
