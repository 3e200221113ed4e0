"""Attributes count where they make held-out edges easier to find, and nowhere else."""

from __future__ import annotations

import pytest
import torch
from sklearn.metrics import roc_auc_score

from genurl_graph.graph.edge_attributes import attributes_line, judge_attributes

from .planted import planted_edges, signs

N = 400


@pytest.fixture(scope="module")
def graph():
    ends, same, _ = planted_edges(N)
    return ends, same


def judged(ends, attributes, asked=None, weight=None):
    weight = torch.ones(ends.size(1)) if weight is None else weight
    return judge_attributes(ends.numpy(), weight.double().numpy(), attributes, N, None, asked)


@pytest.fixture(scope="module")
def by_signs(graph):
    ends, same = graph
    return judged(ends, signs(same))


def test_signs_weight_edges(graph, by_signs):
    attributes, same, found = signs(graph[1]), graph[1], by_signs
    assert found.share == 1.0
    assert found.auc > 0.5 + 3 * found.error
    assert found.after > found.before
    assert roc_auc_score(same, found.weights.of(attributes)) > 0.8


def test_columns_need_not_be_monotone(graph):
    ends, same = graph
    drawn = torch.Generator().manual_seed(3)
    size = torch.where(same, 0.3, 2.0) * torch.rand(len(same), generator=drawn).add(0.5)
    column = size * torch.randint(2, size.shape, generator=drawn).mul(2).sub(1)
    found = judged(ends, column[:, None])
    assert found.share > 0
    assert roc_auc_score(same, found.weights.of(column[:, None])) > 0.8


@pytest.mark.parametrize("seed", range(2))
def test_noise_does_not_count(graph, seed):
    ends, same = graph
    drawn = torch.Generator().manual_seed(seed)
    bits = torch.randint(2, (N,), generator=drawn).float()
    for attributes in (torch.randn(len(same), 2, generator=drawn), bits[ends].sum(0)[:, None]):
        assert judged(ends, attributes).share == 0


def test_nothing_is_said_of_constants_and_few_edges(graph):
    ends, same = graph
    found = judged(ends, torch.ones(len(same), 1))
    assert (found.share, found.auc) == (0, 0.5)
    few = judged(ends[:, :50], signs(same)[:50])
    assert (few.weights, few.error) == (None, 0.5)


def test_scale_and_direction_do_not_matter(graph, by_signs):
    ends, same = graph
    attributes, scale = signs(same), torch.tensor([1000.0, -0.01])
    found, again = by_signs, judged(ends.flip(0), attributes * scale)
    assert again.auc == pytest.approx(found.auc, abs=0.01)
    both = torch.stack([found.weights.of(attributes), again.weights.of(attributes * scale)])
    assert float(torch.corrcoef(both)[0, 1]) > 0.99


def test_a_share_is_heeded_as_asked(graph):
    ends, same = graph
    noise = torch.randn(len(same), 2, generator=torch.Generator().manual_seed(0))
    assert judged(ends, noise, asked=0.25).share == 0.25
    assert judged(ends, noise, asked=0.0).weights is None


def test_the_line_says_what_is_done(graph):
    known = {"columns": 1, "share": 0.0, "auc": 0.5, "error": 0.5, "before": 0.5, "after": 0.5}
    assert "few" in attributes_line(known)
    known |= {"error": 0.01}
    assert "not weighted" in attributes_line(known)
    assert "are weighted by them by half" in attributes_line(known | {"share": 0.5, "columns": 2})
