"""The encoder of collections: what it keeps for later graphs, and rows that no other graph changes."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.config import Config, load_preset
from genurl_graph.exceptions import InputError
from genurl_graph.graph.descriptors import GraphDescriptors
from genurl_graph.nn.graphs import GraphEncoder, embed_collection, encoder_of, make_graph_encoder, measure_norms
from genurl_graph.nn.graphs.encoder import without_edge_kinds
from genurl_graph.nn.graphs.node_input import LARGEST, NodeInput
from genurl_graph.runtime.random import seeded
from tests.nn.graphs.random_graphs import random_graphs

SIZES = [5, 0, 1, 7, 4, 12, 3, 2, 9, 6]


def small(**changes: Any) -> Config:
    return load_preset("graphs").override(
        {"encoder.hidden": 8, "encoder.dim": 24, "encoder.pooling": "sum", "encoder.skip": 0, **changes}
    )


def encoder_with_descriptors(columns: int, attributes: int, **changes: Any) -> GraphEncoder:
    """An encoder whose normalisations are not those of the start."""
    collection = random_graphs(SIZES, columns, attributes)
    descriptors = GraphDescriptors.fit(without_edge_kinds(collection), components=4)
    with seeded(0):
        encoder = make_graph_encoder(small(**{"encoder.dim": 30, **changes}), collection, descriptors)
    measure_norms(encoder, collection, 20)
    return encoder


@pytest.fixture(scope="module", params=[(3, 0, "sum"), (3, 2, "all"), (0, 0, "mean")])
def case(request: Any) -> Any:
    columns, attributes, pooling = request.param
    collection = random_graphs([*SIZES, *SIZES], columns, attributes, seed=1)
    encoder = encoder_with_descriptors(columns, attributes, **{"encoder.pooling": pooling})
    return encoder, collection, embed_collection(encoder, collection)


@settings(max_examples=6, deadline=None)
@given(index=st.lists(st.integers(0, 2 * len(SIZES) - 1), min_size=1, max_size=30), most=st.integers(9, 60))
def test_a_graph_has_the_same_bits_whatever_comes_with_it(case: Any, index: list[int], most: int) -> None:
    encoder, collection, z = case
    chosen = torch.tensor(index)
    assert torch.equal(embed_collection(encoder, collection.take(chosen), most), z[chosen])


def test_the_exact_rows_are_those_of_the_training(case: Any) -> None:
    encoder, collection, z = case
    with torch.no_grad():
        trained = encoder.eval()(encoder.prepared(collection))
    torch.testing.assert_close(z[:, : encoder.width], trained, rtol=1e-4, atol=1e-4)
    assert z.shape == (collection.num_graphs, 30)
    assert z.dtype == torch.float32
    # A graph without nodes, too, has a row: that of the constants.
    assert torch.isfinite(z).all()


def test_columns_of_descriptors_have_the_deviation_that_is_asked_for() -> None:
    collection = random_graphs(SIZES * 3, 3)
    descriptors = GraphDescriptors.fit(without_edge_kinds(collection), components=4)
    with seeded(0):
        encoder = make_graph_encoder(small(**{"encoder.dim": 28}), collection, descriptors)
    beside = embed_collection(encoder, collection)[:, encoder.width :]
    assert beside.size(1) == 4
    torch.testing.assert_close(beside.std(0, correction=0), torch.full((4,), 0.1), rtol=1e-3, atol=0)


def test_columns_of_the_network_have_deviation_1_after_the_measure() -> None:
    encoder, collection = encoder_with_descriptors(3, 0), random_graphs(SIZES, 3)
    z = embed_collection(encoder, collection)[:, : encoder.width]
    spread, mean = torch.std_mean(z, 0, correction=0)
    varied = spread > 0.01
    assert varied.sum() > encoder.width / 2
    torch.testing.assert_close(spread[varied], torch.ones(int(varied.sum())), rtol=1e-2, atol=0)
    torch.testing.assert_close(mean, torch.zeros(encoder.width), rtol=0, atol=1e-4)


def test_a_saved_state_makes_the_same_encoder(case: Any) -> None:
    encoder, collection, z = case
    state = encoder.state_dict()
    again = encoder_of(small(**{"encoder.dim": 30, "encoder.pooling": encoder.network.pooling}), state)
    again.load_state_dict(state)
    assert torch.equal(embed_collection(again, collection), z)


def test_kinds_stay_and_numbers_are_standardised() -> None:
    collection = random_graphs([200], 4)
    assert collection.x is not None
    rows = NodeInput.of(
        collection._replace(x=collection.x * torch.tensor([1, 1, 1, 50.0]) + torch.tensor([0, 0, 0, 9]))
    )
    found = rows.rows(collection._replace(x=collection.x * torch.tensor([1, 1, 1, 50.0]) + torch.tensor([0, 0, 0, 9])))
    assert torch.equal(found[:, :3], collection.x[:, :3])
    assert abs(float(found[:, 3].mean())) < 1e-5
    assert abs(float(found[:, 3].std(correction=0)) - 1) < 1e-5


def test_without_features_degrees_are_read() -> None:
    star = random_graphs([4], 0)._replace(
        edge_index=torch.tensor([[0, 0, 0, 1, 2, 3], [1, 2, 3, 0, 0, 0]]), edge_ptr=torch.tensor([0, 6])
    )
    given = NodeInput.of(star)
    assert given.rows(star).argmax(1).tolist() == [3, 1, 1, 1]
    assert given.width == 4
    # Larger degrees share the last column.
    n = 5000
    hub = torch.stack([torch.zeros(n - 1, dtype=torch.long), torch.arange(1, n)])
    large = star._replace(
        edge_index=torch.cat([hub, hub.flip(0)], 1),
        node_ptr=torch.tensor([0, n]),
        edge_ptr=torch.tensor([0, 2 * n - 2]),
    )
    assert given.rows(large)[0].argmax() == 3
    assert NodeInput.of(large).width == LARGEST + 1


def test_fewer_columns_are_a_linear_map_of_the_pooled_layers() -> None:
    collection = random_graphs(SIZES, 3)
    with seeded(0):
        encoder = make_graph_encoder(small(**{"encoder.dim": 2}), collection)
    assert embed_collection(encoder, collection).shape == (len(SIZES), 2)


def test_new_graphs_need_the_columns_of_the_fitted_ones() -> None:
    encoder = encoder_with_descriptors(3, 2)
    graphs = random_graphs(SIZES, 3, 2)
    with pytest.raises(InputError, match=r"^graphs: found 4 node features; expected 3, as in the fit"):
        embed_collection(encoder, random_graphs(SIZES, 4, 2))
    with pytest.raises(InputError, match=r"^graphs: found 0 edge attributes; expected 2, as in the fit"):
        embed_collection(encoder, graphs._replace(edge_attr=None))
    # Without nodes or edges there is nothing that could lack columns.
    nothing = graphs.take(torch.tensor([1]))
    z = embed_collection(encoder, nothing._replace(x=None, edge_attr=None))
    assert torch.equal(z, embed_collection(encoder, nothing))


def test_another_encoder_is_refused() -> None:
    with pytest.raises(InputError, match=r"^encoder: found 'gcn'; expected gin"):
        make_graph_encoder(small(**{"encoder.name": "gcn"}), random_graphs(SIZES))
