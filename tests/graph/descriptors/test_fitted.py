"""Descriptors of graphs: the same bits alone and in company, near for like graphs, counted as PyG and NumPy count."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.graph.descriptors import GraphDescriptors, degree_histogram, label_histogram, size_and_degree
from genurl_graph.inputs.collection import GraphCollection
from tests.graph.descriptors.conftest import planted, renumbered

SIZES = [5, 0, 7, 1, 12, 9, 3, 20, 6, 6]


@pytest.fixture(scope="module")
def collection() -> GraphCollection:
    return planted(SIZES, seed=1, kinds=3, edge_kinds=2)


@pytest.fixture(scope="module")
def fitted(collection: GraphCollection) -> GraphDescriptors:
    return GraphDescriptors.fit(collection, iterations=2, components=8)


@settings(max_examples=25, deadline=None)
@given(index=st.lists(st.integers(0, len(SIZES) - 1), min_size=1, max_size=15))
def test_a_row_does_not_depend_on_its_company(
    collection: GraphCollection, fitted: GraphDescriptors, index: list[int]
) -> None:
    chosen = torch.tensor(index)
    assert torch.equal(fitted.rows(collection.take(chosen)), fitted.rows(collection)[chosen])


def test_rows_are_the_same_for_other_orders_of_nodes_and_after_saving(
    collection: GraphCollection, fitted: GraphDescriptors
) -> None:
    rows = fitted.rows(collection)
    assert torch.equal(GraphDescriptors.restored(fitted.tensors()).rows(collection), rows)
    assert torch.equal(fitted.rows(renumbered(collection, 3)), rows)
    assert torch.equal(GraphDescriptors.fit(renumbered(collection, 3), 2, 8).rows(collection), rows)


def test_both_blocks_weigh_the_same(collection: GraphCollection, fitted: GraphDescriptors) -> None:
    rows = fitted.rows(collection)
    assert rows.dtype == torch.float32
    for columns in fitted.blocks.values():
        block = rows[:, columns]
        assert block.square().sum(1).mean().item() == pytest.approx(1, abs=1e-4)
        assert block.var(0, correction=0).tolist() == pytest.approx([1 / block.size(1)] * block.size(1), rel=1e-3)


def test_graphs_of_one_kind_are_near() -> None:
    """Sparse and dense graphs of the same sizes, half of them new to the descriptors."""
    sparse, dense = (planted([12] * 20, seed, kinds=0, share=share) for seed, share in ((0, 0.1), (1, 0.5)))
    some = torch.arange(10)
    both = joined(sparse.take(some), dense.take(some))
    fitted = GraphDescriptors.fit(both)
    new = fitted.rows(joined(sparse.take(some + 10), dense.take(some + 10)))
    nearest = torch.cdist(new, fitted.rows(both)).argmin(1)
    assert ((nearest >= 10) == (torch.arange(20) >= 10)).float().mean() == 1


def joined(first: GraphCollection, second: GraphCollection) -> GraphCollection:
    n, e = first.num_nodes, first.num_edges
    return GraphCollection(
        None,
        torch.cat([first.edge_index, second.edge_index + n], 1),
        None,
        None,
        torch.cat([first.node_ptr, second.node_ptr[1:] + n]),
        torch.cat([first.edge_ptr, second.edge_ptr[1:] + e]),
    )


def test_unknown_labels_are_told(collection: GraphCollection) -> None:
    fitted = GraphDescriptors.fit(planted([6] * 5, seed=2, kinds=3), iterations=0)
    strange = collection._replace(x=7 * torch.ones(collection.num_nodes, 3))
    assert fitted.unknown(strange).tolist() == [float(size > 0) for size in SIZES]
    assert fitted.unknown(collection).sum() == 0


def test_sizes_degrees_and_kinds_are_counted(collection: GraphCollection) -> None:
    assert collection.x is not None
    found, kinds = size_and_degree(collection), label_histogram(collection)
    degrees = degree_histogram(collection)
    for g, size in enumerate(SIZES):
        nodes = slice(*collection.node_ptr[g : g + 2].tolist())
        degree = collection.degrees()[nodes].double()
        assert kinds[g].tolist() == collection.x[nodes].sum(0).tolist()
        assert degrees[g, :8].tolist() == [int((degree == d).sum()) for d in range(8)]
        assert degrees[g].sum() == size
        expected = (
            [size, degree.sum(), *(0, 0, 0)]
            if size == 0
            else [size, degree.sum(), degree.mean(), degree.std(correction=0), degree.max()]
        )
        assert found[g].tolist() == pytest.approx([*map(float, expected), float((degree == 0).sum())])


def test_bins_of_large_degrees_grow() -> None:
    star = torch.stack([torch.zeros(1000, dtype=torch.long), torch.arange(1, 1001)])
    edges = torch.cat([star, star.flip(0)], 1)
    graph = GraphCollection(None, edges, None, None, torch.tensor([0, 1001]), torch.tensor([0, 2000]))
    found = degree_histogram(graph)[0]
    # One by one below 16, then four bins a doubling: 16 * 2^(23 / 4) < 1000 < 16 * 2^(24 / 4).
    assert found.nonzero().squeeze(1).tolist() == [1, 39]
