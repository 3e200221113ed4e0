"""Planted collections: sizes, edges and classes are what they say."""

import pytest
import torch

from genurl_graph.datasets.planted_graphs import planted_graphs
from genurl_graph.exceptions import InputError
from genurl_graph.graph.descriptors import label_histogram
from genurl_graph.graph.merge import count_components
from genurl_graph.nn.graphs.pooling import pooled


def test_planted_graphs_are_connected_and_of_the_size_that_was_asked_for() -> None:
    graphs = planted_graphs(300, 12)
    collection = graphs.collection
    assert (len(graphs), collection.num_graphs) == (300, 300)
    assert int(collection.sizes().min()) == 6
    assert int(collection.sizes().max()) == 18
    # As many components as graphs: each is connected, and no edge joins two.
    assert count_components(collection.edge_index, collection.num_nodes) == 300
    source, target = collection.edge_index
    assert torch.equal(collection.graph_of_node()[source], collection.graph_of_node()[target])
    assert (source != target).all()


def test_kinds_and_shapes_tell_the_classes() -> None:
    graphs = planted_graphs(400)
    collection, y = graphs.collection, graphs.y
    assert y is not None
    assert set(y.tolist()) == {0, 1, 2, 3}
    kinds = label_histogram(collection)
    second = kinds[:, 4:].sum(1) / kinds.sum(1)
    assert float(((second > 0.5) == (y >= 2)).double().mean()) > 0.9
    most = pooled(collection.degrees().float()[:, None], collection.node_ptr, "max")[:, 0]
    assert float(most[y % 2 == 1].mean()) > float(most[y % 2 == 0].mean()) + 0.5


def test_the_seed_decides_and_bad_sizes_are_refused() -> None:
    first, again, other = planted_graphs(20), planted_graphs(20), planted_graphs(20, seed=1)
    assert torch.equal(first.collection.edge_index, again.collection.edge_index)
    assert not torch.equal(first.collection.sizes(), other.collection.sizes())
    with pytest.raises(InputError, match=r"^num_nodes: found 1; expected at least 2"):
        planted_graphs(5, 1)
