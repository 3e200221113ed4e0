"""Line graphs of edge lists: networkx's, the weights, hubs, directions of roads, and refusals."""

from itertools import combinations
from math import pi

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from genurl_graph.exceptions import InputError
from genurl_graph.graph.line_graph import edges as module
from genurl_graph.graph.line_graph import line_edges

few = settings(max_examples=40, deadline=None)
kinds = st.sampled_from([nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph])
pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=25)


def numbered(kind, ends):
    """A graph of these edges, their list in its order, and what networkx calls each."""
    graph = kind()
    graph.add_nodes_from(range(7))
    graph.add_edges_from(ends)
    named = list(graph.edges(keys=True)) if graph.is_multigraph() else list(graph.edges)
    if not graph.is_directed():
        named = [(*sorted(name[:2]), *name[2:]) for name in named]
    listed = torch.tensor([name[:2] for name in named], dtype=torch.long).reshape(-1, 2).T
    return graph, listed, named


def dense(found, m):
    out = torch.zeros(m, m, dtype=torch.float64)
    out[found.edge_index[0], found.edge_index[1]] = found.edge_weight.double()
    return out


def slow_weights(ends, n, directed):
    """Weights by their definition, pair by pair."""
    m = ends.size(1)
    out = torch.zeros(m, m, dtype=torch.float64)
    for node in range(n):
        if directed:
            after = [e for e in range(m) if ends[0, e] == node]
            for e in range(m):
                if ends[1, e] == node:
                    for f in after:
                        out[e, f] += 1 / len(after)
        else:
            here = [e for e in range(m) if node in ends[:, e]]
            for e, f in combinations(here, 2):
                out[e, f] += 1 / (len(here) - 1)
                out[f, e] += 1 / (len(here) - 1)
    return out


@few
@given(kinds, pairs)
def test_it_is_the_line_graph_of_networkx(kind, ends):
    graph, listed, named = numbered(kind, ends)
    found = line_edges(listed, 7, directed=graph.is_directed(), hub=100)
    expected = nx.line_graph(graph, create_using=nx.DiGraph if graph.is_directed() else nx.Graph)
    assert set(expected) == set(named)
    assert expected.number_of_nodes() == len(named)
    number = {name: place for place, name in enumerate(named)}
    if not graph.is_directed():
        expected = expected.to_directed()
    assert {(number[a], number[b]) for a, b in expected.edges} == {*map(tuple, found.edge_index.T.tolist())}
    assert len({*map(tuple, found.edge_index.T.tolist())}) == found.edge_index.size(1)


@few
@given(st.booleans(), pairs)
def test_weights_are_those_of_the_definition(directed, ends):
    listed = torch.tensor(ends, dtype=torch.long).reshape(-1, 2).T
    found = line_edges(listed, 7, directed=directed, hub=100)
    torch.testing.assert_close(dense(found, len(ends)), slow_weights(listed, 7, directed), rtol=1e-6, atol=0)


@few
@given(st.booleans(), pairs, st.integers(1, 9))
def test_blocks_change_nothing(directed, ends, block):
    listed = torch.tensor(ends, dtype=torch.long).reshape(-1, 2).T
    whole = line_edges(listed, 7, directed=directed, hub=2)
    kept, module._BLOCK = module._BLOCK, block
    try:
        parts = line_edges(listed, 7, directed=directed, hub=2)
    finally:
        module._BLOCK = kept
    assert torch.equal(whole.edge_index, parts.edge_index)
    assert torch.equal(whole.edge_weight, parts.edge_weight)


@few
@given(st.booleans(), pairs, st.sampled_from([2, 4]), st.integers(0, 99))
def test_sums_of_rows_stay_where_hubs_are_sampled(directed, ends, hub, seed):
    listed = torch.tensor(ends, dtype=torch.long).reshape(-1, 2).T
    found = line_edges(listed, 7, directed=directed, hub=hub, seed=seed)
    every = line_edges(listed, 7, directed=directed, hub=100)
    sampled, whole = dense(found, len(ends)), dense(every, len(ends))
    torch.testing.assert_close(sampled.sum(1), whole.sum(1))
    assert not bool((sampled > 0)[whole == 0].any())
    assert int((sampled > 0).sum(1).max() if len(ends) else 0) <= (1 if directed else 2) * hub
    if not directed:
        assert torch.equal(sampled, sampled.T)


@pytest.mark.parametrize("directed", [False, True])
def test_samples_of_a_hub_are_unbiased(directed):
    """The mean over 4,000 hubs of a kind is the whole, within 4 deviations of each pair."""
    hub, d, copies = 4, 9, 4000
    # Node 0 is the hub; parallel edges and a self loop are among its edges, and nodes 1 and 2 have an edge more.
    one = torch.tensor([[0] * d + [1], [0, 1, 1, 2, 3, 4, 5, 6, 7, 2]])
    one = torch.cat([one, one[:, 3:9].flip(0)], dim=1) if directed else one
    m = one.size(1)
    many = (one[:, None] + 8 * torch.arange(copies)[:, None]).reshape(2, -1)
    found = line_edges(many, 8 * copies, directed=directed, hub=hub)
    copy, pair = found.edge_index[0] // m, found.edge_index % m
    assert torch.equal(copy, found.edge_index[1] // m)
    drawn = torch.zeros(copies, m, m, dtype=torch.float64)
    drawn[copy, pair[0], pair[1]] = found.edge_weight.double()
    error = drawn.std(0) / copies**0.5
    whole = dense(line_edges(one, 8, directed=directed, hub=100), m)
    assert bool(((drawn.mean(0) - whole).abs() <= 4 * error + 1e-6).all())
    assert float(error.max()) < 0.005


def test_a_hub_stays_in_one_piece_and_its_edges_are_shared_out():
    star = torch.stack([torch.zeros(500, dtype=torch.long), torch.arange(1, 501)])
    found = line_edges(star, 501, hub=8)
    assert found.edge_index.size(1) <= 500 * 8
    matrix = csr_array((found.edge_weight, found.edge_index), shape=(500, 500))
    assert connected_components(matrix)[0] == 1
    # Directed, through a hub: all that arrive, and all that leave, have as much.
    through = torch.cat([star.flip(0), star], dim=1)
    counts = dense(line_edges(through, 501, directed=True, hub=8), 1000)
    torch.testing.assert_close(counts[:500].sum(1), torch.ones(500).double())
    torch.testing.assert_close(counts[:500, 500:].sum(0), torch.ones(500).double())


@pytest.mark.parametrize("directed", [False, True])
def test_edges_may_come_in_any_order(directed):
    pairs = torch.combinations(torch.arange(12)).T
    order = torch.randperm(pairs.size(1), generator=torch.Generator().manual_seed(0))
    found = dense(line_edges(pairs, 12, directed=directed, hub=4), pairs.size(1))
    moved = dense(line_edges(pairs[:, order], 12, directed=directed, hub=4), pairs.size(1))
    assert torch.equal(found[order][:, order], moved)
    if not directed:
        turned = dense(line_edges(pairs.flip(0), 12, hub=4), pairs.size(1))
        assert torch.equal(found, turned)
    assert not torch.equal(found, dense(line_edges(pairs, 12, directed=directed, hub=4, seed=1), pairs.size(1)))


def test_streets_go_straight_on():
    # A road from west over a junction (node 1) to east, and a side street to the north whose bearing is known or not.
    ends = torch.tensor([[0, 1, 1], [1, 2, 3]])
    bearings = torch.tensor([[0.0, 0.0, pi / 2], [pi, pi, -pi / 2]])
    weight = dense(line_edges(ends, 4, bearings=bearings, straight=2.0), 3)
    torch.testing.assert_close(weight.sum(1), torch.ones(3).double())
    e = torch.tensor(2.0).double().exp()
    torch.testing.assert_close(weight[0, 1], e / (e + 1))
    torch.testing.assert_close(weight[2, 0], torch.tensor(0.5).double())
    directed = dense(line_edges(ends, 4, directed=True, bearings=bearings, straight=2.0), 3)
    torch.testing.assert_close(directed[0], weight[0])
    assert not bool(directed[1:].any())
    none = line_edges(ends, 4, bearings=torch.full((2, 3), torch.nan), straight=2.0)
    assert torch.equal(none.edge_weight, line_edges(ends, 4).edge_weight)


@few
@given(st.booleans(), pairs, st.sampled_from([2, 100]), st.integers(0, 9))
def test_straight_weights_keep_sums_and_neighbours(directed, ends, hub, seed):
    listed = torch.tensor(ends, dtype=torch.long).reshape(-1, 2).T
    bearings = torch.rand(2, len(ends), generator=torch.Generator().manual_seed(seed)) * 2 * pi
    plain = line_edges(listed, 7, directed=directed, hub=hub, seed=seed)
    found = line_edges(listed, 7, directed=directed, hub=hub, seed=seed, bearings=bearings, straight=10.0)
    assert torch.equal(found.edge_index, plain.edge_index)
    assert bool((found.edge_weight > 0).all())
    torch.testing.assert_close(dense(found, len(ends)).sum(1), dense(plain, len(ends)).sum(1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hub": 3}, "hub: found 3; expected an even number"),
        ({"hub": 0}, "hub: found 0"),
        ({"straight": -1.0}, "straight: found -1.0; expected a number from 0 to 10"),
        ({"straight": float("nan")}, "straight: found nan"),
        ({"straight": 1.0}, "straight: found 1 without bearings"),
        ({"bearings": torch.zeros(2, 3)}, r"bearings: found shape \[2, 3\]"),
        ({"num_nodes": 2}, "ends: found edge 1 from 1 to 2"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(InputError, match=message):
        line_edges(torch.tensor([[0, 1], [1, 2]]), **{"num_nodes": 3, **options})


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_gpu_draws_the_same():
    ends = torch.randint(0, 50, (2, 2000), generator=torch.Generator().manual_seed(0))
    for directed in (False, True):
        here = line_edges(ends, 50, directed=directed)
        there = line_edges(ends.cuda(), 50, directed=directed)
        assert torch.equal(there.edge_index.cpu(), here.edge_index)
        torch.testing.assert_close(there.edge_weight.cpu(), here.edge_weight)
