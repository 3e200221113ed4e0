"""A score that is fitted to validation windows: what it knows, what it must not know, what it is better at."""

import pytest
import torch

from genurl_graph.evaluation.temporal_links import fitted_score
from genurl_graph.evaluation.temporal_links.fitted_score import ABLATED, OWN, FittedScore, own_scores
from genurl_graph.evaluation.temporal_links.protocol import TemporalSplit, judge
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.temporal import TemporalEdges, Windows

N, WINDOWS, TOPICS = 60, 15, 5


def topics():
    """What each node talks about in each window: history does not tell."""
    return torch.randint(TOPICS, (WINDOWS, N), generator=torch.Generator().manual_seed(1))


def drawn(seed=0):
    """Nodes talk to others of their topic, some more than others."""
    generator = torch.Generator().manual_seed(seed)
    busy = torch.rand(N, generator=generator) ** 2 + 0.05
    topic = topics().repeat_interleave(100, 0)
    source = torch.multinomial(busy, 100 * WINDOWS, replacement=True, generator=generator)
    chance = busy * (topic == topic.gather(1, source[:, None])).float().scatter_(1, source[:, None], 0)
    target = torch.multinomial(chance, 1, generator=generator)[:, 0]
    return TemporalEdges.of(source, target, torch.arange(100.0 * WINDOWS), num_nodes=N)


@pytest.fixture(scope="module", autouse=True)
def few_steps():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitted_score, "STEPS", 40)
        patch.setattr(fitted_score, "BATCH", 64)
        yield


@pytest.fixture(scope="module")
def split():
    edges = drawn()
    return TemporalSplit.of(edges, Windows.of_equal_events(edges, WINDOWS))


def positions(window):
    """An embedding that tells the topics, of all nodes but the last."""
    return torch.nn.functional.one_hot(topics()[window], TOPICS).float(), torch.arange(N) < N - 1


@pytest.fixture(scope="module")
def fitted(split):
    return FittedScore.fit(split, positions)


def all_pairs():
    return torch.cartesian_prod(torch.arange(N), torch.arange(N)).T


def test_seeds_make_the_same_score_and_shapes_stay(split, fitted):
    again = FittedScore.fit(split, positions)
    pairs = all_pairs().view(2, N, N)
    score = fitted.scorer(split.first_test)
    assert torch.equal(score(*pairs), again.scorer(split.first_test)(*pairs))
    assert score(*pairs).shape == (N, N)
    assert score(*pairs).dtype == torch.float64
    torch.testing.assert_close(score(*pairs[:, 3, 4:7]), score(*pairs)[3, 4:7], rtol=1e-4, atol=1e-4)


def test_weights_do_not_depend_on_test_windows_and_scores_not_on_the_future(split, fitted):
    """From the first test window on, events may be any: weights, and scores of that window, stay the same."""
    first = int(split.windows.ptr[split.first_test])
    other = torch.randint(N, (2, len(split.edges) - first), generator=torch.Generator().manual_seed(1))
    source, target = (torch.cat([end[:first], new]) for end, new in zip(split.edges[:2], other, strict=True))
    shuffled = split._replace(edges=TemporalEdges.of(source, target, split.edges.time, num_nodes=N))
    found = FittedScore.fit(shuffled, positions)
    for mine, theirs in zip(fitted.nets.parameters(), found.nets.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    pairs = all_pairs()
    assert torch.equal(fitted.scorer(split.first_test)(*pairs), found.scorer(split.first_test)(*pairs))


def test_an_embedding_that_knows_the_topics_helps(split):
    figures = judge(split, own_scores(split, positions))
    assert figures[OWN].auc["random"] > figures[ABLATED].auc["random"] + 0.03
    assert figures[OWN].mrr > figures[ABLATED].mrr
    assert figures[ABLATED].auc["random"] > figures["degree product"].auc["random"]
    assert "last seen, then degree" in figures


def test_windows_without_pairs_cannot_be_fitted_to(split):
    loops = TemporalEdges.of(split.edges.source, split.edges.source, split.edges.time, num_nodes=N)
    with pytest.raises(InputError, match="no pair of different nodes"):
        FittedScore.fit(split._replace(edges=loops))
