"""`GraphCollection`: taking, batching and naming kinds agree with PyG and with plain Python."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genurl_graph.inputs.collection import GraphCollection

few = settings(max_examples=30, deadline=None)


def planted(sizes: list[int], seed: int = 0, features: int = 3) -> GraphCollection:
    """Random graphs of some numbers of nodes, with features, attributes and weights of edges."""
    generator = torch.Generator().manual_seed(seed)
    ptr = torch.tensor([0, *torch.tensor(sizes, dtype=torch.long).cumsum(0).tolist()])
    n = int(ptr[-1])
    graph = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes, dtype=torch.long))
    near = (graph[:, None] == graph[None, :]) & (torch.rand(n, n, generator=generator) < 0.4)
    edges = (near | near.T).nonzero().T
    count = torch.bincount(graph[edges[0]], minlength=len(sizes))
    return GraphCollection(
        torch.rand(n, features, generator=generator),
        edges,
        torch.rand(edges.size(1), 2, generator=generator),
        torch.rand(edges.size(1), generator=generator),
        ptr,
        torch.cat([count.new_zeros(1), count.cumsum(0)]),
    )


def parts(collection: GraphCollection, g: int) -> tuple[Any, ...]:
    """One graph, cut out by slices."""
    nodes = slice(*collection.node_ptr[g : g + 2].tolist())
    edges = slice(*collection.edge_ptr[g : g + 2].tolist())
    assert collection.x is not None
    assert collection.edge_attr is not None
    assert collection.edge_weight is not None
    ends = collection.edge_index[:, edges] - collection.node_ptr[g]
    return collection.x[nodes], ends, collection.edge_attr[edges], collection.edge_weight[edges]


@few
@given(st.lists(st.integers(0, 6), min_size=1, max_size=8), st.data())
def test_taken_graphs_are_those_that_were_there(sizes: list[int], data: Any) -> None:
    collection = planted(sizes)
    index = data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=10))
    taken = collection.take(torch.tensor(index, dtype=torch.long))
    assert taken.num_graphs == len(index)
    for place, g in enumerate(index):
        assert all(map(torch.equal, parts(taken, place), parts(collection, g)))
    assert taken.graph_of_node().tolist() == [place for place, g in enumerate(index) for _ in range(sizes[g])]
    if taken.num_edges:
        key = taken.edge_index[0] * taken.num_nodes + taken.edge_index[1]
        assert (key.diff() > 0).all()


@few
@given(st.lists(st.integers(0, 30), max_size=20), st.integers(1, 25))
def test_batches_are_runs_of_bounded_size(sizes: list[int], most: int) -> None:
    ptr = torch.tensor([0, *torch.tensor(sizes, dtype=torch.long).cumsum(0).tolist()])
    collection = GraphCollection(None, torch.empty(2, 0).long(), None, None, ptr, torch.zeros_like(ptr))
    runs = collection.batches(most)
    assert [g for run in runs for g in run.tolist()] == [*range(len(sizes))]
    assert all(collection.sizes()[run].sum() <= most or len(run) == 1 for run in runs)


def test_a_giant_stands_alone() -> None:
    assert [run.tolist() for run in planted([2, 40, 3, 2]).batches(10)] == [[0], [1], [2, 3]]


@pytest.fixture
def kinds() -> GraphCollection:
    rows = torch.tensor(
        [[0.0, 1.0], [1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.5, 0.5], [1.0, 1.0], [0.0, 0.0], [-0.0, 0.0]]
    )
    return GraphCollection(rows, torch.tensor([[0, 0], [1, 2]]), None, None, torch.tensor([0, 8]), torch.tensor([0, 2]))


def test_kinds_are_columns_of_one_hot_rows_and_distinct_rows_otherwise(kinds: GraphCollection) -> None:
    found: Tensor = kinds.node_kinds()
    assert found[[0, 1, 3]].tolist() == [1, 0, 1]
    assert found[2] == found[4]
    assert found[6] == found[7]
    assert len({*found.tolist()}) == 5
    assert (found >= 0).all()


def test_kinds_do_not_depend_on_the_other_graphs(kinds: GraphCollection) -> None:
    assert kinds.x is not None
    alone = kinds._replace(x=kinds.x[4:6], node_ptr=torch.tensor([0, 2]), edge_index=torch.empty(2, 0).long())
    assert torch.equal(alone.node_kinds(), kinds.node_kinds()[4:6])


def test_without_features_the_degree_is_the_kind(kinds: GraphCollection) -> None:
    assert kinds._replace(x=None).node_kinds().tolist() == [2, 0, 0, 0, 0, 0, 0, 0]
