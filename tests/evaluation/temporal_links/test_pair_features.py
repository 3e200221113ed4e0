"""Features of pairs: what loops over events find."""

import math

import numpy as np
import pytest
import torch

from genurl_graph.evaluation.temporal_links.ages import HALF_LIVES, Ages
from genurl_graph.evaluation.temporal_links.node_history import NODE_COLUMNS, node_history
from genurl_graph.evaluation.temporal_links.pair_features import EMBEDDING_COLUMNS, PairFeatures
from genurl_graph.evaluation.temporal_links.pair_history import directed_history, partner_history
from genurl_graph.evaluation.temporal_links.walks import WALK_HALF_LIVES, Walks
from genurl_graph.inputs.temporal import TemporalEdges

N, M, UNIT = 12, 80, 10.0


@pytest.fixture(scope="module")
def edges():
    ends = torch.randint(N - 1, (2, M), generator=torch.Generator().manual_seed(0))
    return TemporalEdges.of(ends[0], ends[1], torch.arange(float(M)), num_nodes=N)


@pytest.fixture(scope="module")
def pairs():
    return torch.cartesian_prod(torch.arange(N), torch.arange(N)).T


def events(edges):
    """(source, target, windows ago), in order."""
    ends = zip(edges.source.tolist(), edges.target.tolist(), strict=True)
    return [(s, t, (M - i) / UNIT) for i, (s, t) in enumerate(ends)]


def test_counts_of_a_direction_decay(edges, pairs):
    found = directed_history(Ages.of(edges, UNIT))(*pairs)
    assert found.shape == (N * N, 3 + len(HALF_LIVES))
    for row, (u, v) in zip(found.tolist(), pairs.T.tolist(), strict=True):
        ages = [age for s, t, age in events(edges) if (s, t) == (u, v)]
        counts = [math.log(sum(2 ** (-age / half) for age in ages) + 1e-3) for half in HALF_LIVES]
        assert row[0] == bool(ages)
        assert row[2:-1] == pytest.approx(counts, abs=1e-4)
        assert row[-1] == pytest.approx(math.log(len(ages)) if ages else -1)
        assert row[1] == pytest.approx(-math.log(min(ages, default=200) + (0.01 if ages else 0)), abs=1e-3)


def test_partners_stand_in_the_order_of_their_last_event(edges, pairs):
    found = partner_history(Ages.of(edges, UNIT))(*pairs).view(N, N, -1)
    for u in range(N):
        partners = [s + t - u for s, t, _ in reversed(events(edges)) if u in (s, t) and s != t]
        order = list(dict.fromkeys(partners))
        ranks = [order.index(v) if v in order else None for v in range(N)]
        assert found[u, :, 2].tolist() == [float(rank == 0) for rank in ranks]
        wanted = [0.0 if rank is None else 1 / (1 + rank) for rank in ranks]
        assert found[u, :, 3].tolist() == pytest.approx(wanted)


def test_nodes_are_described_by_their_own_events(edges):
    found = node_history(Ages.of(edges, UNIT))
    assert found.shape == (N, NODE_COLUMNS)
    assert found[:, -1].tolist() == [1.0] * (N - 1) + [0.0]
    sent = [sum(2 ** (-age / 0.25) for s, _, age in events(edges) if s == u) for u in range(N)]
    np.testing.assert_allclose(found[:, 0].exp() - 0.01, sent, atol=1e-5)
    oldest = [max((age for s, t, age in events(edges) if u in (s, t)), default=None) for u in range(N - 1)]
    np.testing.assert_allclose(found[:-1, -2].exp() - 0.01, oldest, rtol=1e-4)


def test_walks_are_powers_of_the_matrix_of_steps(edges, pairs, monkeypatch):
    ages = Ages.of(edges, UNIT)
    found = Walks(ages)(*pairs)
    monkeypatch.setattr("genurl_graph.evaluation.temporal_links.walks._ENTRIES", 2 * N)
    torch.testing.assert_close(Walks(ages)(*pairs), found)
    for column, half in enumerate(WALK_HALF_LIVES):
        a = torch.zeros(N, N, dtype=torch.float64)
        for s, t, age in events(edges):
            if s != t:
                a[s, t] += 2 ** (-age / half)
                a[t, s] += 2 ** (-age / half)
        step = a / a.sum(1, keepdim=True).clamp_min(1e-12)
        for steps, power in ((0, step @ step), (1, step @ step @ step)):
            wanted = (power + 1e-5).log().view(-1).float()
            torch.testing.assert_close(found[:, 2 * column + steps], wanted, rtol=1e-4, atol=1e-4)


def test_relabelled_nodes_keep_their_features(edges, pairs):
    order = torch.randperm(N, generator=torch.Generator().manual_seed(2))
    moved = TemporalEdges.of(order[edges.source], order[edges.target], edges.time, num_nodes=N)
    z, seen = torch.randn(N, 3, generator=torch.Generator().manual_seed(3)), torch.arange(N) > 1
    there = order.argsort()
    found = PairFeatures(edges, UNIT, (z, seen))(*pairs)
    torch.testing.assert_close(PairFeatures(moved, UNIT, (z[there], seen[there]))(*order[pairs]), found)
    plain = PairFeatures(edges, UNIT)(*pairs)
    assert torch.equal(found[:, :-EMBEDDING_COLUMNS], plain)
    assert found[pairs[0] == 0][:, -EMBEDDING_COLUMNS:].abs().sum() == 0


def test_turned_embeddings_make_the_same_features(edges, pairs):
    z, seen = torch.randn(N, 3, generator=torch.Generator().manual_seed(3)), torch.ones(N, dtype=torch.bool)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(4)))[0]
    found = PairFeatures(edges, UNIT, (7 * z @ turn, seen))(*pairs)
    torch.testing.assert_close(found, PairFeatures(edges, UNIT, (z, seen))(*pairs), rtol=1e-4, atol=1e-4)


def test_a_window_without_a_past_has_features(pairs):
    none = TemporalEdges.of([0], [1], [0.0], num_nodes=N).between(0, 0)
    assert bool(PairFeatures(none, UNIT)(*pairs).isfinite().all())
