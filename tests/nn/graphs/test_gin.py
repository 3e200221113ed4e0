"""GIN on batches of graphs: PyG's own layers, one graph after the other, give the same rows."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.nn import GINConv, GINEConv

from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.inputs.collection.graph_set import as_collection_of
from genurl_graph.nn.graphs.adjacency import undirected
from genurl_graph.nn.graphs.gin import GIN
from genurl_graph.nn.graphs.operations import Exact, exact_log1p, exact_product
from genurl_graph.nn.graphs.pooling import pooled
from genurl_graph.nn.layers import evaluating, measured_norms
from genurl_graph.runtime.random import seeded_globally
from tests.nn.graphs.random_graphs import random_graphs

SIZES = [5, 0, 1, 7, 4, 12]


def of_pyg(network: GIN, k: int) -> nn.Module:
    """PyG's layer with the weights of layer k."""
    first, second = network.first[k], network.second[k]
    # PyG draws the weights of what it is given anew.
    mlp = nn.Sequential(copy.deepcopy(first), nn.ReLU(), copy.deepcopy(second))
    layer = GINEConv(mlp, edge_dim=network.edges[k].in_features) if len(network.edges) else GINConv(mlp)
    layer.nn = nn.Sequential(first, network.inner[k], nn.ReLU(), second)
    if len(network.edges):
        layer.lin = network.edges[k]
    return layer


def one_by_one(network: GIN, batch: GraphCollection, how: str) -> Tensor:
    """Rows of a loop over graphs, by PyG's layers and plain reductions."""
    rows = []
    for g in range(batch.num_graphs):
        one = batch.take(torch.tensor([g]))
        h, edge_index, levels = one.x, one.edge_index, []
        for k in range(len(network.first)):
            rest: Any = () if one.edge_attr is None else (one.edge_attr,)
            # A convolution computes at the target of an edge; the attributes of a random graph differ by direction.
            h = torch.relu(network.norms[k](of_pyg(network, k)(h, edge_index.flip(0), *rest)))
            levels.append(h)
        nodes = torch.cat(levels, 1)
        found = {
            "sum": nodes.sum(0),
            "mean": nodes.sum(0) / max(len(nodes), 1),
            "max": nodes.amax(0) if len(nodes) else nodes.new_zeros(nodes.size(1)),
        }
        if how != "all":
            rows.append(found[how])
            continue
        # Layer by layer.
        parts = (found["sum"].log1p(), found["mean"], found["max"])
        rows.append(torch.cat([part.view(len(levels), -1) for part in parts], 1).reshape(-1))
    return torch.stack(rows)


@pytest.mark.parametrize("how", ["mean", "all"])
@pytest.mark.parametrize(("columns", "attributes"), [(3, 0), (9, 0), (3, 2)])
def test_rows_are_those_of_a_loop_over_graphs(how: Any, columns: int, attributes: int) -> None:
    batch = random_graphs(SIZES, columns, attributes)
    with seeded_globally(0):
        network = GIN(columns, attributes, 6, 3, how)
    with measured_norms(network):
        network(batch)
    with evaluating(network):
        expected = one_by_one(network, batch, how)
        torch.testing.assert_close(network(batch), expected, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(network(batch, Exact()).float(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("how", "attributes", "weighted"), [("sum", 0, True), ("mean", 2, True), ("sum", 2, False), ("all", 0, False)]
)
def test_gradients_are_those_of_finite_differences(how: Any, attributes: int, weighted: bool) -> None:
    batch = random_graphs([4, 1, 3], 2, attributes)
    batch = batch._replace(edge_attr=None if batch.edge_attr is None else batch.edge_attr.double())
    if weighted:
        # Also where the two directions weigh differently.
        batch = batch._replace(edge_weight=torch.linspace(0.5, 2, batch.num_edges).double())
    with seeded_globally(0):
        network = GIN(2, attributes, 3, 2, how, norm="none").double()
    assert batch.x is not None
    x = batch.x.double().requires_grad_()

    def rows(x: Tensor) -> Tensor:
        return network(batch._replace(x=x))

    assert torch.autograd.gradcheck(rows, (x,), fast_mode=True)


def test_every_weight_has_a_gradient() -> None:
    batch = random_graphs(SIZES, 3, 2)
    with seeded_globally(0):
        network = GIN(3, 2, 16, 3)
    network(batch).square().sum().backward()
    assert all(p.grad is not None and bool((p.grad != 0).any()) for p in network.parameters())


def test_the_order_of_nodes_does_not_matter() -> None:
    batch = random_graphs([9], 3)
    assert batch.x is not None
    order = torch.randperm(9, generator=torch.Generator().manual_seed(1))
    place = order.argsort()
    turned = as_collection_of(place[batch.edge_index], torch.tensor([9]), batch.x[order])
    with seeded_globally(0):
        network = GIN(3, 0, 8, 3)
    with evaluating(network):
        torch.testing.assert_close(network(turned), network(batch), rtol=1e-4, atol=1e-4)


def test_pooling_of_nothing_is_zero() -> None:
    ptr = torch.tensor([0, 0, 2, 2])
    h = torch.tensor([[-1.0, 2.0], [-3.0, 4.0]])
    for how, row in (("sum", [-4.0, 6.0]), ("mean", [-2.0, 3.0]), ("max", [-1.0, 4.0])):
        assert pooled(h, ptr, how).tolist() == [[0.0, 0.0], row, [0.0, 0.0]]  # type: ignore[arg-type]
        assert pooled(h[:0], ptr * 0, how).tolist() == [[0.0, 0.0]] * 3  # type: ignore[arg-type]


def test_edges_of_one_direction_get_the_other() -> None:
    one_way = as_collection_of(
        torch.tensor([[0, 1, 1, 3], [1, 0, 2, 4]]),
        torch.tensor([3, 2]),
        weight=torch.tensor([1.0, 2.0, 3.0, 4.0]),
        attr=torch.arange(4.0)[:, None],
    )
    both = undirected(one_way)
    assert both.edge_index.tolist() == [[0, 1, 1, 2, 3, 4], [1, 0, 2, 1, 4, 3]]
    assert both.edge_weight is not None
    assert both.edge_weight.tolist() == [1.0, 2.0, 3.0, 3.0, 4.0, 4.0]
    assert both.edge_ptr.tolist() == [0, 4, 6]
    assert undirected(both) is both


def test_the_logarithm_is_that_of_numpy() -> None:
    x = torch.cat([torch.zeros(1), torch.logspace(-12, 12, 999)]).double()
    torch.testing.assert_close(exact_log1p(x), x.log1p(), rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("columns", [1, 3, 32, 200])
def test_a_row_of_an_exact_product_depends_on_no_other(columns: int) -> None:
    drawn = torch.Generator().manual_seed(0)
    # Numbers of every size, within a row as well.
    h = torch.randn(257, columns, generator=drawn, dtype=torch.float64) * 10 ** (
        6 * torch.rand(257, columns, generator=drawn, dtype=torch.float64) - 3
    )
    weight = torch.randn(columns, 5, generator=drawn, dtype=torch.float64)
    product = exact_product(h, weight)
    length = h.norm(dim=1)[:, None] * weight.norm(dim=0)
    assert ((product - h @ weight).abs() <= 4e-6 * length).all()
    for part in (slice(0, 1), slice(3, 90), slice(100, 257)):
        assert torch.equal(exact_product(h[part], weight), product[part])
    # Nor on the order of the columns: that is what makes it so.
    assert torch.equal(exact_product(h.flip(1), weight.flip(0)), product)
