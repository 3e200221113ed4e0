"""Negatives, ranks and untrained scores of the protocol temporal-links."""

import math

import networkx as nx
import numpy as np
import pytest
import torch

from genurl_graph.evaluation.temporal_links.history import (
    PairTimes,
    adamic_adar,
    degree_product,
    recency_then_degree,
)
from genurl_graph.evaluation.temporal_links.protocol import TemporalSplit, judge, references
from genurl_graph.evaluation.temporal_links.ranking import reciprocal_ranks
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.temporal import TemporalEdges, Windows


@pytest.fixture(scope="module")
def edges():
    generator = torch.Generator().manual_seed(0)
    ends = torch.randint(40, (2, 900), generator=generator)
    return TemporalEdges.of(ends[0], ends[1], torch.rand(900, generator=generator), num_nodes=40)


@pytest.fixture(scope="module")
def split(edges):
    return TemporalSplit.of(edges, Windows.of_equal_events(edges, 30))


def all_pairs(n):
    return torch.cartesian_prod(torch.arange(n), torch.arange(n)).T


def test_the_last_time_of_a_pair_is_that_of_a_loop_over_events(edges):
    last = {}
    for s, t, time in zip(edges.source.tolist(), edges.target.tolist(), edges.time.tolist(), strict=True):
        last[frozenset((s, t))] = time
    pairs = all_pairs(40)
    found = PairTimes(edges)(*pairs)
    order = {time: rank + 1 for rank, time in enumerate(edges.time.tolist())}
    wanted = [order.get(last.get(frozenset(pair)), 0) for pair in pairs.T.tolist()]
    assert found.tolist() == wanted


def test_adamic_adar_is_that_of_networkx(edges):
    few = edges.between(0, 150)
    graph = nx.Graph([*few.pairs().T.tolist()])
    graph.remove_edges_from([*nx.selfloop_edges(graph)])
    no_loops = few.source != few.target
    few = TemporalEdges.of(few.source[no_loops], few.target[no_loops], few.time[no_loops], num_nodes=40)
    pairs = [(u, v) for u in graph for v in graph if u < v]
    wanted = [score for _, _, score in nx.adamic_adar_index(graph, pairs)]
    found = adamic_adar(few)(*torch.tensor(pairs).T)
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_recency_comes_before_degree(edges):
    score = recency_then_degree(edges, edges)
    times, product = PairTimes(edges), degree_product(edges)
    pairs = all_pairs(40)
    order = score(*pairs).argsort()
    assert bool((times(*pairs)[order].diff() >= 0).all())
    unseen = torch.arange(40)[(times(torch.zeros(40).long(), torch.arange(40)) == 0)]
    source = torch.zeros_like(unseen)
    assert score(source, unseen).argsort().tolist() == product(source, unseen).argsort().tolist()


def test_ties_get_their_mean_rank_and_other_answers_do_not_count():
    n, pairs = 11, torch.tensor([[0, 0, 3], [1, 2, 4]])

    def constant(source, target):
        return torch.zeros(source.shape, dtype=torch.float64)

    # Of 11 nodes, the source and the other answer of source 0 are out: 9 and 10 candidates are left.
    found = reciprocal_ranks(constant, pairs, n)
    assert found.tolist() == [1 / (1 + 8 / 2), 1 / (1 + 8 / 2), 1 / (1 + 9 / 2)]
    perfect = reciprocal_ranks(lambda s, t: ((t == s + 1) | (t == s + 2)).double(), pairs[:, :2], n)
    assert perfect.tolist() == [1.0, 1.0]


def test_ranks_are_those_of_a_loop(edges):
    now = edges.between(800, 900).pairs()
    now = now[:, now[0] != now[1]]
    score = degree_product(edges.between(0, 800))
    answers = {frozenset(pair) for pair in now.T.tolist()}
    wanted = []
    for s, t in now.T.tolist():
        own = float(score(torch.tensor(s), torch.tensor(t)))
        rivals = [v for v in range(40) if v != s and frozenset((s, v)) not in answers]
        others = score(torch.full((len(rivals),), s), torch.tensor(rivals)).tolist()
        wanted.append(1 / (1 + sum(x > own for x in others) + sum(x == own for x in others) / 2))
    np.testing.assert_allclose(reciprocal_ranks(score, now, 40), wanted)


@pytest.mark.parametrize("kind", ["random", "historical", "inductive", "active"])
def test_negatives_are_of_their_kind_and_have_no_event_in_the_window(split, kind):
    window = len(split.windows) - 1
    sampler = split.sampler(window)
    pairs = sampler.now.pairs()
    found = sampler.draw(kind, pairs[0], torch.Generator().manual_seed(0))
    assert 0 < found.size(1) <= pairs.size(1)

    def sets(part):
        return {frozenset(pair) for pair in zip(part.source.tolist(), part.target.tolist(), strict=True)}

    drawn = {frozenset(pair) for pair in found.T.tolist()}
    assert not drawn & sets(sampler.now)
    assert all(len(pair) == 2 for pair in drawn)
    if kind == "historical":
        assert drawn <= sets(sampler.before)
    if kind == "inductive":
        train = split.edges.between(0, int(split.windows.ptr[split.first_test]))
        assert drawn <= sets(sampler.held_out)
        assert not drawn & sets(train)
    if kind in ("active", "random"):
        assert {*found[0].tolist()} <= {*pairs[0].tolist()}
    if kind == "active":
        recent = split.windows.events(split.edges, window - 1)
        assert {*found[1].tolist()} <= {*recent.source.tolist(), *recent.target.tolist()}


def test_scores_do_not_see_the_window_or_what_comes_after(split):
    """Events from a window on may be any: what is said of the window stays the same."""
    window = split.first_test
    first = int(split.windows.ptr[window])
    edges = split.edges
    other = torch.randint(40, (2, len(edges) - first), generator=torch.Generator().manual_seed(1))
    shuffled = TemporalEdges(
        torch.cat([edges.source[:first], other[0]]),
        torch.cat([edges.target[:first], other[1]]),
        edges.time,
        None,
        40,
    )
    pairs = all_pairs(40)
    changed = references(split._replace(edges=shuffled), window)
    for name, score in references(split, window).items():
        assert torch.equal(score(*pairs), changed[name](*pairs)), name


def test_parts_are_70_15_15(split):
    sizes = [int(split.windows.ptr[w]) / 900 for w in (split.first_val, split.first_test)]
    assert sizes == pytest.approx([0.7, 0.85], abs=0.02)
    with pytest.raises(InputError, match="more windows"):
        TemporalSplit.of(split.edges, Windows.of_equal_events(split.edges, 2))


def test_events_at_random_are_told_by_nothing(split):
    for name, figures in judge(split).items():
        assert figures.auc["random"] == pytest.approx(0.5, abs=0.1), name
        assert figures.mrr == pytest.approx(sum(1 / k for k in range(1, 40)) / 39, abs=0.05), name


def test_repeated_pairs_are_told_by_the_bank():
    ends = torch.stack([torch.arange(20), torch.arange(20) + 20])
    edges = TemporalEdges.of(*ends.repeat(1, 30), torch.arange(600))
    found = judge(TemporalSplit.of(edges, Windows.of_equal_events(edges, 30)))
    assert found["EdgeBank"].auc["random"] == found["EdgeBank"].mrr == 1.0
    assert found["EdgeBank"].ap["random"] == 1.0
    # A pair that was seen is in every window: there is no historical negative.
    assert "historical" not in found["EdgeBank"].auc


def test_college_messages(data_root):
    path = data_root / "dynamic" / "CollegeMsg.txt"
    if not path.is_file():
        pytest.skip("the messages of CollegeMsg are absent")
    table = torch.from_numpy(np.loadtxt(path))
    ids, ends = table[:, :2].long().unique(return_inverse=True)
    edges = TemporalEdges.of(ends[:, 0], ends[:, 1], table[:, 2])
    assert len(ids) == 1899
    found = judge(TemporalSplit.of(edges, Windows.of_equal_events(edges, 60)))
    best = found["last seen, then degree"]
    # No score of one kind is the best for all negatives.
    assert best.auc["random"] > max(found["EdgeBank"].auc["random"], 0.78)
    assert best.auc["historical"] < 0.5 < found["degree product, last 3 windows"].auc["historical"]
    assert best.mrr > 3 * found["EdgeBank"].mrr
    assert math.isfinite(best.ap["inductive"])
