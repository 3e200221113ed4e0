"""Weisfeiler-Lehman histograms are those of dictionaries, whatever the order of nodes and the company of a graph."""

from collections import Counter
from collections.abc import Hashable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.exceptions import InputError
from genurl_graph.graph.descriptors import WLVocabulary, wl_histogram
from genurl_graph.inputs.collection import GraphCollection
from tests.graph.descriptors.conftest import planted, renumbered

few = settings(max_examples=30, deadline=None)
sizes = st.lists(st.integers(0, 7), min_size=1, max_size=7)


def plain_kernel(collection: GraphCollection, iterations: int) -> np.ndarray:
    """Subtree kernel by labels that are nested tuples."""
    n, graph = collection.num_nodes, collection.graph_of_node().tolist()
    x, attr = collection.x, collection.edge_attr
    degree = collection.degrees().tolist()
    label: list[Hashable] = [degree[v] if x is None else tuple(x[v].tolist()) for v in range(n)]
    counts = [Counter[Hashable]() for _ in range(collection.num_graphs)]
    for t in range(iterations + 1):
        for v in range(n):
            counts[graph[v]][t, label[v]] += 1
        seen: list[list[Hashable]] = [[] for _ in range(n)]
        for e, (u, v) in enumerate(collection.edge_index.T.tolist()):
            seen[v].append((label[u], None if attr is None else tuple(attr[e].tolist())))
        label = [(label[v], tuple(sorted(seen[v], key=repr))) for v in range(n)]
    return np.array([[sum(a[key] * b[key] for key in a) for b in counts] for a in counts], dtype=float)


@few
@given(sizes, st.integers(0, 99), st.sampled_from([0, 1, 3]), st.sampled_from([0, 2]), st.integers(0, 3))
def test_histograms_are_those_of_dictionaries(size: list[int], seed: int, kinds: int, edges: int, rounds: int) -> None:
    collection = planted(size, seed, kinds, edges)
    counts, vocabulary = wl_histogram(collection, rounds)
    assert np.array_equal((counts @ counts.T).toarray(), plain_kernel(collection, rounds))
    found = vocabulary.histogram(collection)
    assert np.array_equal(found.squares.numpy(), (counts @ counts.T).diagonal())
    assert found.unknown.sum() == 0


@few
@given(sizes, st.integers(0, 99), st.sampled_from([0, 2]), st.sampled_from([0, 2]))
def test_the_order_of_nodes_does_not_matter(size: list[int], seed: int, kinds: int, edges: int) -> None:
    collection = planted(size, seed, kinds, edges)
    counts, vocabulary = wl_histogram(collection)
    again, same = wl_histogram(renumbered(collection, seed))
    assert torch.equal(vocabulary.labels, same.labels)
    assert (counts != again).nnz == 0


def test_new_graphs_have_the_same_columns_and_unknown_labels_are_counted() -> None:
    whole = planted([5, 6, 7, 8, 3], seed=4)
    counts, vocabulary = wl_histogram(whole.take(torch.tensor([0, 1, 2])), 2)
    found = vocabulary.histogram(whole.take(torch.tensor([3, 1, 4])))
    assert np.array_equal(found.counts.toarray()[1], counts.toarray()[1])
    known = found.counts.sum(1) + found.unknown.numpy()
    assert known.tolist() == [8 * 3, 6 * 3, 3 * 3]
    assert found.unknown[0] > 0
    assert found.unknown[1] == 0
    # The kernel of a graph with itself counts labels that are no columns.
    full, _ = wl_histogram(whole, 2)
    assert found.squares.tolist() == (full @ full.T).diagonal()[[3, 1, 4]].tolist()


def test_what_is_restored_has_the_same_columns() -> None:
    collection = planted([5, 6, 4], edge_kinds=3)
    counts, vocabulary = wl_histogram(collection)
    again = WLVocabulary.restored(vocabulary.tensors())
    assert again.iterations == 4
    assert (again.histogram(collection).counts != counts).nnz == 0


def test_rare_labels_are_left_out() -> None:
    collection = planted([6] * 12, kinds=1)
    every = WLVocabulary.of(collection, 2)
    graphs = (every.histogram(collection).counts > 0).sum(0)
    shared = WLVocabulary.of(collection, 2, fewest=3)
    assert set(shared.labels.tolist()) == set(every.labels[torch.from_numpy(graphs >= 3)].tolist())
    most = WLVocabulary.of(collection, 2, most=4)
    assert 0 < len(most.labels) <= 4
    kept = np.isin(every.labels.numpy(), most.labels.numpy())
    assert graphs[kept].min() > graphs[~kept].max()


def test_measurements_are_no_kinds() -> None:
    collection = planted([5, 6, 7], kinds=0)
    measured = collection._replace(x=torch.rand(18, 3), edge_attr=torch.rand(collection.num_edges, 2))
    counts, _ = wl_histogram(collection, 2)
    assert (wl_histogram(measured, 2)[0] != counts).nnz == 0


def test_a_negative_number_of_rounds_is_refused() -> None:
    with pytest.raises(InputError, match="iterations: found -1; expected an integer >= 0"):
        wl_histogram(planted([3]), -1)
