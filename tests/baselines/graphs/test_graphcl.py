"""GraphCL: its loss against the formula, and what the encoder learns of it."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.baselines.graphs.common import prepare
from genurl_graph.baselines.graphs.graphcl import GraphCL, nt_xent
from genurl_graph.baselines.settings import baseline_settings
from genurl_graph.config.parameters import TrainingConfig
from genurl_graph.runtime.random import seeded
from genurl_graph.training.loop import train


def rows(seed: int, n: int = 6, d: int = 4) -> torch.Tensor:
    return torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 6), st.sampled_from([0.2, 1.0]))
def test_loss_is_the_formula(seed, n, temperature):
    u, v = rows(seed, n), rows(seed + 1, n)

    def e(a, b):
        return math.exp(float(a @ b / a.norm() / b.norm()) / temperature)

    each = [-math.log(e(u[i], v[i]) / sum(e(u[i], v[j]) for j in range(n) if j != i)) for i in range(n)]
    found = nt_xent(u, v, temperature)
    assert float(found.loss) == pytest.approx(sum(each) / n)
    assert float(found.attraction + found.repulsion) == pytest.approx(float(found.loss))


def test_loss_reads_angles_alone_and_has_gradients_everywhere():
    u, v = rows(0).requires_grad_(), rows(1)
    loss = nt_xent(u, v, 0.2).loss
    torch.testing.assert_close(nt_xent(3 * u, 5 * v, 0.2).loss, loss)
    (grad,) = torch.autograd.grad(loss, u)
    assert torch.isfinite(grad).all()
    assert (grad.abs().sum(1) > 0).all()


def test_loss_falls_and_all_weights_learn(rings_and_stars):
    given_ = prepare("graphcl", rings_and_stars, "ones", "cpu")
    with seeded(0):
        torch.manual_seed(0)
        objective = GraphCL(given_, baseline_settings("graphcl", None, {"hidden": 8, "batch": 30}, task="graphs"))
        history = train(objective, TrainingConfig(epochs=30, lr=1e-2))
    assert sum(history[-5:]) < sum(history[:5]) - 1
    assert [name for name, p in objective.named_parameters() if p.grad is None] == []
