"""Tests of edges as nodes of their line graph: `GenURL` on an `EdgeSet`."""

import networkx as nx
import pytest
import torch

from genurl_graph import GenURL
from genurl_graph.config.edges import EdgesConfig
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.edge_rows import EdgeEnds, EdgeSet
from genurl_graph.inputs.edge_rows.convert import as_edges
from genurl_graph.inputs.input import Input
from genurl_graph.tasks import size
from genurl_graph.tasks.edges import edge_settings, on_line_graph

QUICK = {"epochs": 3, "n_components": 16, "random_state": 0}


@pytest.fixture
def street() -> EdgeSet:
    """A grid of streets, some of them doubled, with two attributes and bearings."""
    grid = nx.convert_node_labels_to_integers(nx.grid_2d_graph(5, 6), label_attribute="place")
    pairs = [*grid.edges, *[*grid.edges][::7]]
    place = torch.tensor([grid.nodes[v]["place"] for v in grid], dtype=torch.float64)
    ends = torch.tensor(pairs).T
    step = place[ends[1]] - place[ends[0]]
    bearing = torch.atan2(step[:, 1], step[:, 0])
    bearings = torch.stack([bearing, bearing + torch.pi]).float()
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(len(pairs), 2, generator=generator)
    return EdgeSet(EdgeEnds(ends, len(grid), bearings=bearings), x=x, middle=place[ends].mean(0))


def dense(found: Input, m: int) -> torch.Tensor:
    matrix = torch.zeros(m, m)
    matrix[tuple(found.edge_index)] = found.edge_weight
    return matrix


def test_every_edge_gets_a_row_parallel_ones_too(street):
    model = GenURL(**QUICK).fit(street)
    assert model.task_ == "edges"
    assert model.embedding_.shape == (len(street), 16)
    assert len(street) > street.count_pairs()


def test_geometry_decides_whether_edges_go_straight_on(street):
    assert GenURL(**QUICK).resolve(street).edges.straight > 0
    ends = EdgeEnds(street.edges.ends, street.num_nodes)
    assert GenURL(**QUICK).resolve(EdgeSet(ends, x=street.x)).edges.straight == 0
    with pytest.raises(InputError, match=r"edges\.straight: found 3 for edges without a geometry"):
        GenURL(**QUICK, config={"edges.straight": 3.0}).fit(EdgeSet(ends, x=street.x))


def test_straight_edges_count_more(street):
    data, m = as_edges(street), len(street)
    turned, straight = (dense(on_line_graph(data, EdgesConfig(straight=value)), m) for value in (0.0, 4.0))
    a, b = street.edges.bearings
    ends = street.edges.ends
    # An edge that begins where another ends, and goes on in the same direction.
    onward = [(e, f) for e in range(m) for f in range(m) if ends[1, e] == ends[0, f] and torch.isclose(a[e], a[f])]
    assert onward
    assert all(straight[e, f] > turned[e, f] for e, f in onward)
    assert torch.allclose(straight.sum(1), turned.sum(1), atol=1e-5)
    assert not torch.equal(a, b)


def test_the_order_of_edges_makes_no_difference(street):
    order = torch.randperm(len(street), generator=torch.Generator().manual_seed(1))
    turned = EdgeSet(
        EdgeEnds(street.edges.ends[:, order], street.num_nodes, bearings=street.edges.bearings[:, order]),
        x=street.x[order],
    )
    first, second = (on_line_graph(as_edges(each), EdgesConfig(straight=2.0)) for each in (street, turned))
    m = len(street)
    whole, other = (dense(each, m) for each in (first, second))
    assert torch.allclose(whole[order][:, order], other, atol=1e-6)


def test_fitted_edges_are_embedded_alike_again_and_after_loading(street, tmp_path):
    model = GenURL(**QUICK).fit(street)
    assert torch.equal(model.transform(street), model.embedding_)
    model.save(tmp_path / "model")
    assert torch.equal(GenURL.load(tmp_path / "model").transform(street), model.embedding_)


def test_edges_without_attributes_are_told_apart_by_their_place_in_the_graph(street):
    found = GenURL(**QUICK).fit(EdgeSet(street.edges)).embedding_
    assert found.shape == (len(street), 16)
    assert bool(torch.isfinite(found).all())


def test_settings_of_the_line_graph_are_checked():
    assert edge_settings({"edges.hub": "8", "loss.gamma": 2}).hub == 8
    with pytest.raises(InputError, match=r"edges\.straight"):
        edge_settings({"edges.straight": 11})


def test_another_task_is_refused(street):
    with pytest.raises(InputError, match="found EdgeSet; expected many graphs"):
        GenURL(task="graphs").fit(street)


def test_strokes_stand_beside_the_attributes_where_the_geometry_is_known(street):
    config = {**QUICK, "n_components": 32, "config": {"merge.evidence": 1.0}}
    located = GenURL(**config).fit(street)
    assert "mean." in located.statistics_
    assert len(located.statistics_["mean."]) == 85 + 3 + 2
    bare = EdgeSet(EdgeEnds(street.edges.ends, street.num_nodes), x=street.x)
    assert len(GenURL(**config).fit(bare).statistics_["mean."]) == 85


@pytest.mark.parametrize("bare", [False, True])
def test_many_edges_are_embedded_in_batches(street, bare, monkeypatch):
    monkeypatch.setattr(size, "FULL_BATCH_EDGES", len(street))
    edges = EdgeSet(street.edges) if bare else street
    assert GenURL(**QUICK).resolve(edges).encoder.name == "gcn"
    monkeypatch.setattr(size, "FULL_BATCH_EDGES", len(street) - 1)
    model = GenURL(**QUICK).fit(edges)
    assert model.config_.encoder.name == "sign"
    assert model.embedding_.shape == (len(street), 16)
    assert bool(torch.isfinite(model.embedding_).all())
