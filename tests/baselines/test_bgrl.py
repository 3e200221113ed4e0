"""BGRL: the loss against its formula, the EMA encoder, its momentum, and what no gradient reaches."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genurl_graph.baselines.bgrl import BGRL, annealed, bgrl_loss
from genurl_graph.baselines.common import make_encoder, prepare
from genurl_graph.baselines.settings import baseline_settings


def pairs(n=9, d=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(n, d, dtype=torch.float64, generator=generator) for _ in range(2))


@pytest.fixture
def objective(graph):
    prepared = prepare("bgrl", graph, "auto")
    torch.manual_seed(0)
    encoder = make_encoder("gcn", prepared.features.num_features, 6, 8, 2)
    return BGRL(encoder, prepared, baseline_settings("bgrl", None, {"dim": 6, "predictor": 5}))


@given(st.integers(0, 2**31))
def test_loss_is_the_squared_distance_of_directions(seed):
    (p1, p2), (h1, h2) = pairs(seed=seed), pairs(seed=seed + 1)
    found = bgrl_loss((p1, p2), (h1, h2)).loss
    unit = torch.nn.functional.normalize
    # |a - b|^2 = 2 - 2 cos of unit rows, as BYOL has it; both orders, halved.
    expected = ((unit(p1) - unit(h2)).square().sum(1) + (unit(p2) - unit(h1)).square().sum(1)).mean() / 2
    torch.testing.assert_close(found, expected)
    assert 0 <= float(found) <= 4


def test_loss_is_0_for_equal_directions_and_4_for_opposite_ones():
    a, b = pairs()
    assert float(bgrl_loss((3 * a, b), (b, 0.5 * a)).loss) == pytest.approx(0, abs=1e-12)
    assert float(bgrl_loss((-a, -b), (b, a)).loss) == pytest.approx(4)


def test_each_view_predicts_the_other_one():
    a, b = pairs()
    assert float(bgrl_loss((a, b), (a, b)).loss) > 0.1


def test_targets_get_no_gradient():
    predicted, targets = pairs(), pairs(seed=1)
    for tensor in (*predicted, *targets):
        tensor.requires_grad_()
    bgrl_loss(predicted, targets).loss.backward()
    assert all(p.grad is not None for p in predicted)
    assert all(h.grad is None for h in targets)


def test_momentum_rises_to_1_along_half_a_cosine():
    assert annealed(0.99, 0.0) == pytest.approx(0.99)
    assert annealed(0.99, 0.5) == pytest.approx(0.995)
    assert annealed(0.99, 1.0) == 1.0
    assert annealed(0.9, 0.25) == pytest.approx(1 - 0.1 * (math.cos(math.pi / 4) + 1) / 2)


def test_the_target_follows_by_the_momentum(objective):
    objective.train()
    objective(0.0)
    before = [p.clone() for p in objective.target.network.parameters()]
    online = list(objective.encoder.parameters())
    for own, start in zip(online, before, strict=True):
        torch.testing.assert_close(own, start)  # it starts as a copy
    with torch.no_grad():
        for p in online:
            p += 1.0
    objective(0.5)
    for own, start in zip(objective.target.network.parameters(), before, strict=True):
        torch.testing.assert_close(own, start + (1 - annealed(0.99, 0.5)))
        assert not own.requires_grad


def test_views_differ_and_all_online_weights_learn(objective):
    objective.train()
    first, second = (objective.view(*drops) for drops in objective.drops)
    assert not torch.allclose(first, second, atol=1e-3)
    objective(0.0).loss.backward()
    trained = {name for name, p in objective.named_parameters() if p.requires_grad and p.grad is not None}
    assert trained == {name for name, _ in objective.named_parameters() if not name.startswith("target.")}
