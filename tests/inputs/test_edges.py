"""Repeated edges sum, wherever they come from: a list is the graph that it adds up to."""

from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.data import Data, HeteroData

from genurl_graph import GenURL
from genurl_graph.evaluation.links import link_split, training_graph
from genurl_graph.graph.merge import predefined_graph
from genurl_graph.graph.transforms import FeatureKNN, MergeFeatureEdges
from genurl_graph.inputs import edges as edge_module
from genurl_graph.inputs.edges import describe_edges, is_sorted, sum_repeats
from genurl_graph.inputs.hetero import as_graph
from genurl_graph.inputs.input import as_input

few = settings(max_examples=40, deadline=None)
lists = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=30)
SMALL: dict[str, Any] = {"encoder.hidden": 8, "sampling.n_negatives": 8}


def listed(pairs: Any) -> Tensor:
    return torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T


@few
@given(lists, st.booleans(), st.booleans(), st.integers(0, 2**31))
def test_sums_are_those_of_a_dictionary_in_any_order(pairs: Any, lengths: bool, bare: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight = torch.from_numpy(rng.random(len(pairs))).float()
    expected: dict[tuple[int, int], list[float]] = {}
    for pair, w in zip(pairs, weight.tolist(), strict=True):
        expected.setdefault(pair, []).append(1.0 if bare else w)
    edges, found = sum_repeats(listed(pairs), None if bare else weight, 7, lengths)
    found = torch.ones(edges.size(1)) if found is None else found
    assert found.dtype == torch.float32
    got = dict(zip(map(tuple, edges.T.tolist()), found.tolist(), strict=True))
    assert got == pytest.approx({pair: min(all_) if lengths else sum(all_) for pair, all_ in expected.items()})
    # The same bits whatever the order.
    turned = torch.from_numpy(rng.permutation(len(pairs)))
    again = sum_repeats(listed(pairs)[:, turned], None if bare else weight[turned], 7, lengths)
    if len(expected) < len(pairs):
        assert torch.equal(again[0], edges)
        assert torch.equal(again[1], found)
    else:
        assert torch.equal(again[0], listed(pairs)[:, turned]), "nothing repeats: the list as it came"


@few
@given(lists, st.integers(1, 3))
def test_whether_a_list_is_sorted_does_not_depend_on_the_block(pairs: Any, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edge_module, "_BLOCK", block)
        for some in (pairs, sorted(pairs), sorted(set(pairs))):
            assert is_sorted(listed(some)) == (list(some) == sorted(set(some)))


@few
@given(lists.filter(lambda pairs: any(i != j for i, j in pairs)), st.integers(0, 2**31))
def test_an_edge_written_k_times_is_the_edge_of_weight_k(pairs: Any, seed: int) -> None:
    """Through all ways in: `Data`, a multigraph, the transform; and whatever the nodes are called."""
    rng = np.random.default_rng(seed)
    counts: dict[tuple[int, int], int] = {}
    for pair in pairs:
        counts[pair] = counts.get(pair, 0) + 1
    once = Data(edge_index=listed(list(counts)), edge_weight=torch.tensor([*counts.values()]), num_nodes=7)
    expected = predefined_graph(as_input(once))
    several = nx.MultiDiGraph()
    several.add_nodes_from(range(7))
    several.add_edges_from(pairs)
    order = rng.permutation(len(pairs))
    for data in (Data(edge_index=listed(pairs)[:, order], num_nodes=7), several):
        found = predefined_graph(as_input(data))
        assert torch.equal(found.edge_index, expected.edge_index)
        assert torch.equal(found.edge_weight, expected.edge_weight)
    new = torch.from_numpy(rng.permutation(7))
    renamed = predefined_graph(as_input(Data(edge_index=new[listed(pairs)], num_nodes=7)))
    row, col = new[expected.edge_index]
    by_row = (row * 7 + col).argsort()
    assert torch.equal(renamed.edge_index, torch.stack([row, col])[:, by_row])
    assert torch.equal(renamed.edge_weight, expected.edge_weight[by_row])


EDGES = listed([(0, 1), (0, 1), (0, 1), (1, 2), (1, 0), (2, 3), (3, 3), (3, 3)])
WEIGHTED = Data(edge_index=listed([(0, 1), (1, 2), (2, 3)]), edge_weight=torch.tensor([3.0, 1.0, 1.0]), num_nodes=4)


def test_embeddings_of_repeats_and_of_weights_are_equal() -> None:
    a, b = (
        GenURL(2, epochs=3, random_state=0, config=SMALL).fit_transform(data)
        for data in (Data(edge_index=EDGES, num_nodes=4), WEIGHTED)
    )
    assert torch.equal(a, b)


def test_repeats_sum_in_the_transform_and_in_relations() -> None:
    x = torch.arange(4.0).view(-1, 1)
    twice = Data(x=x, edge_index=torch.cat([EDGES, EDGES], dim=1))
    merged = MergeFeatureEdges("union", feature_weight=1e-6, perplexity=2.5)(FeatureKNN(3)(twice))
    given = merged.edge_provenance % 2 == 1
    weights = dict(
        zip(map(tuple, merged.edge_index[:, given].T.tolist()), merged.edge_weight[given].tolist(), strict=True)
    )
    assert weights == {(0, 1): 6, (1, 0): 6, (1, 2): 2, (2, 1): 2, (2, 3): 2, (3, 2): 2}

    hetero = HeteroData()
    hetero["a"].num_nodes, hetero["b"].num_nodes = 3, 2
    hetero["a", "likes", "b"].edge_index = listed([(0, 0), (0, 0), (0, 0), (2, 1)])
    hetero["a", "likes", "b"].edge_weight = torch.tensor([1.0, 2.0, 1.0, 1.0])
    found = as_graph(hetero)
    assert found.edge_index.tolist() == [[0, 2], [3, 4]]
    assert found.edge_weight.tolist() == [1.0, 0.25]
    assert found.types.relation.tolist() == [0, 0]


def test_links_are_held_out_with_their_repeats() -> None:
    graph = nx.gnm_random_graph(30, 60, seed=0)
    edges = listed([*graph.edges]).repeat(1, 3)
    split = link_split(Data(edge_index=edges, num_nodes=30))
    assert split.graph.edge_weight.tolist() == [3.0] * split.graph.edge_index.size(1)
    held = training_graph(Data(edge_index=edges, num_nodes=30), edges[:, :1])
    assert held.edge_index.size(1) == 59


@pytest.mark.parametrize("block", [3, 1 << 22])
def test_edges_are_counted_once_where_each_has_its_inverse(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_module, "_BLOCK", block)
    there = torch.randint(0, 1 << 40, (2, 50), generator=torch.Generator().manual_seed(0))
    order = torch.randperm(100, generator=torch.Generator().manual_seed(1))
    assert describe_edges(torch.cat([there, there.flip(0)], 1)[:, order]) == "50 edges"
    assert describe_edges(there) == "50 directed edges"
    assert describe_edges(torch.tensor([[0, 1, 2], [1, 0, 2]])) == "2 edges"  # a loop is its own inverse
    # The same nodes, as often, at both ends: a circle with a direction.
    assert describe_edges(torch.tensor([[0, 1, 2], [1, 2, 0]])) == "3 directed edges"
    assert describe_edges(torch.tensor([[0], [1]])) == "1 directed edge"
