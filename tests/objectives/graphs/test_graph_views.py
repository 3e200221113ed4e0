"""Views of graphs: each stays within its graph, in the share that was asked for."""

import pytest
import torch
from torch import Tensor

from genurl_graph.config.views import GraphViewConfig
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.collection import GraphCollection
from genurl_graph.objectives.graphs.views import (
    KINDS,
    drop_nodes,
    mask_attributes,
    mask_guided,
    node_ranks,
    perturb_edges,
    random_views,
    subgraph,
)
from genurl_graph.runtime.random import seeded
from tests.nn.graphs.random_graphs import random_graphs

SIZES = [1, 0, 30, 2, 25, 60, 3]


@pytest.fixture(scope="module")
def graphs() -> GraphCollection:
    return random_graphs(SIZES, 3, 2)


def pairs(collection: GraphCollection) -> set[tuple[int, ...]]:
    return {tuple(pair) for pair in collection.edge_index.T.tolist()}


def names(graphs: GraphCollection, view: GraphCollection) -> Tensor:
    """Which node each node of a view was: the numbers in the last column of the features are all different."""
    assert graphs.x is not None
    assert view.x is not None
    return (view.x[:, -1][:, None] == graphs.x[:, -1]).int().argmax(1)


@pytest.mark.parametrize("kinds", [*KINDS, ",".join(KINDS)])
def test_views_are_collections_whose_edges_stay_within_their_graphs(graphs: GraphCollection, kinds: str) -> None:
    score = node_ranks(graphs)
    for seed in range(3):
        with seeded(seed):
            view = random_views(graphs, GraphViewConfig(kinds, 0.4), score, 0.3)
        assert view.num_graphs == graphs.num_graphs
        assert ((view.sizes() > 0) == (graphs.sizes() > 0)).all()
        assert (view.sizes() <= graphs.sizes()).all()
        assert view.x is not None
        assert view.edge_attr is not None
        assert len(view.x) == view.num_nodes == int(view.sizes().sum())
        assert len(view.edge_attr) == view.num_edges == int(view.edge_ptr[-1])
        graph = view.graph_of_node()
        assert (graph[view.edge_index[0]] == graph[view.edge_index[1]]).all()
        of_edge = torch.arange(view.num_graphs).repeat_interleave(view.edge_ptr.diff())
        assert torch.equal(graph[view.edge_index[0]], of_edge)
        # Sorted, each edge once, and both ways.
        assert ((view.edge_index[0] * view.num_nodes + view.edge_index[1]).diff() > 0).all()
        assert pairs(view) == {(b, a) for a, b in pairs(view)}


def test_nodes_are_dropped_with_their_edges(graphs: GraphCollection) -> None:
    with seeded(0):
        view = drop_nodes(graphs, 0.3)
    kept = names(graphs, view)
    assert (graphs.graph_of_node()[kept] == view.graph_of_node()).all()
    left = {(a, b) for a, b in pairs(graphs) if a in set(kept.tolist()) and b in set(kept.tolist())}
    assert {(int(kept[a]), int(kept[b])) for a, b in pairs(view)} == left
    assert view.edge_attr is not None
    assert graphs.edge_attr is not None
    attributes = dict(zip(map(tuple, graphs.edge_index.T.tolist()), graphs.edge_attr.tolist(), strict=True))
    found = [attributes[int(kept[a]), int(kept[b])] for a, b in view.edge_index.T.tolist()]
    assert view.edge_attr.tolist() == found


def test_the_share_is_that_which_was_asked_for() -> None:
    many = random_graphs([40] * 30, 3)
    assert many.x is not None
    with seeded(0):
        nodes, edges, masked = drop_nodes(many, 0.2), perturb_edges(many, 0.2), mask_attributes(many, 0.2)
        one = drop_nodes(many, torch.tensor([0.5, *[0.0] * 29]))
    assert masked.x is not None
    # 1,200 draws: five deviations of a share of .2 are .058.
    assert abs(nodes.num_nodes / many.num_nodes - 0.8) < 0.058
    assert abs(float((masked.x == 0).all(1).double().mean()) - 0.2) < 0.058
    assert abs(len(pairs(edges) & pairs(many)) / many.num_edges - 0.85) < 0.06  # some of the new ones were there
    # As many come as go, but for those that are there already (half of all pairs), or lead to their own node.
    assert 0.8 < edges.num_edges / many.num_edges < 0.97
    assert 8 < int(one.sizes()[0]) < 32
    assert (one.sizes()[1:] == 40).all()


def test_a_subgraph_is_connected_and_as_large_as_it_can_be() -> None:
    graphs = random_graphs([12, 1, 40, 2, 25], 3)
    for seed in range(5):
        with seeded(seed):
            view = subgraph(graphs, 0.3)
        for g in range(view.num_graphs):
            one = view.take(torch.tensor([g]))
            reached = {0}
            for _ in range(one.num_nodes):
                reached |= {b for a, b in pairs(one) if a in reached}
            assert reached == set(range(one.num_nodes))
            assert one.num_nodes in (1, int(graphs.sizes()[g]) - round(int(graphs.sizes()[g]) * 0.3))


def test_attributes_of_unimportant_nodes_are_hidden_first(graphs: GraphCollection) -> None:
    score = node_ranks(graphs)
    for g, size in enumerate(SIZES):
        ranks = score[graphs.node_ptr[g] : graphs.node_ptr[g + 1]]
        assert sorted(ranks.tolist()) == pytest.approx([k / max(size - 1, 1) for k in range(size)])
    mean = []
    for progress in (0.0, 0.5, 1.0):
        with seeded(0):
            view = mask_guided(graphs, 0.3, score, progress)
        assert view.x is not None
        hidden = (view.x == 0).all(1)
        count = torch.zeros(len(SIZES)).index_add_(0, graphs.graph_of_node(), hidden.float())
        assert count.tolist() == [round(0.3 * size) for size in SIZES]
        mean.append(float(score[hidden].mean()))
    assert mean[0] < 0.35 < mean[1] < 0.65 < mean[2]


def test_page_rank_of_one_graph_does_not_depend_on_the_others(graphs: GraphCollection) -> None:
    score = node_ranks(graphs)
    one = graphs.take(torch.tensor([5]))
    assert torch.equal(node_ranks(one), score[graphs.node_ptr[5] : graphs.node_ptr[6]])


def test_another_kind_is_refused(graphs: GraphCollection) -> None:
    with pytest.raises(InputError, match=r"^graphs.kinds: found 'node'; expected one of nodes, .*did you mean 'nodes'"):
        random_views(graphs, GraphViewConfig("node,edges", 0.2))
