"""Baselines of distillation against their papers' formulas, written out in float64."""

import pytest
import torch
from torch import nn

from genurl_graph.config import Config, load_preset
from genurl_graph.config.parameters import EncoderConfig
from genurl_graph.nn.build import make_encoder
from genurl_graph.nn.features import Features
from genurl_graph.objectives.distillation import MATCHING, Teacher

N, DIM, WIDTH = 24, 4, 6


def make(name, batch=N, **changes):
    generator = torch.Generator().manual_seed(0)
    x, t = (torch.randn(N, width, generator=generator) for width in (5, WIDTH))
    config = load_preset("distill").override(
        {"encoder.dim": DIM, "sampling.batch_size": batch, "loss.name": name} | changes
    )
    torch.manual_seed(1)
    return (
        MATCHING[name](
            make_encoder(Config(encoder=EncoderConfig("mlp", dim=DIM, hidden=8)), 5),
            Features(x),
            None,
            Teacher(t),
            N,
            config,
        ),
        x,
        t,
    )


def adapted(made, z):
    return z @ made.adapter.weight.double().T + made.adapter.bias.double()


def l2(made, z, t):
    return (adapted(made, z) - t).square().mean() / (t - t.mean(0)).square().mean()


def cosine(made, z, t):
    a = adapted(made, z)
    return (1 - (a * t).sum(1) / a.norm(dim=1) / t.norm(dim=1)).mean()


def rkd(made, z, t):
    # arXiv 1904.05068, eq. 5 and 6: distances over their mean; Huber's loss with delta 1.
    psi = []
    for e in (z, t):
        pairs = torch.stack([(e[i] - e[j]).norm() for i in range(N) for j in range(N) if i != j])
        psi.append(pairs / pairs.mean())
    r = (psi[0] - psi[1]).abs()
    return torch.where(r <= 1, r.square() / 2, r - 0.5).mean()


def seed(made, z, t):
    # arXiv 2101.04731, eqs. 3 to 6.
    unit = [nn.functional.normalize(part, dim=1) for part in (t, adapted(made, z))]
    queue, loss = made.queue.double(), 0.0
    for i in range(N):
        plus = torch.cat([queue, unit[0][i : i + 1]])
        p = (plus @ unit[0][i] / made.loss.teacher_temperature).softmax(0)
        q = (plus @ unit[1][i] / made.loss.temperature).softmax(0)
        loss = loss - (p * q.log()).sum() / N
    return loss


@pytest.mark.parametrize(
    ("name", "reference"), [("feature-l2", l2), ("feature-cosine", cosine), ("rkd", rkd), ("seed", seed)]
)
def test_loss_and_gradient(name, reference):
    made, _, t = make(name, **{"loss.queue": 10, "loss.teacher_temperature": 0.1})
    z = torch.randn(N, DIM, requires_grad=True)
    exact = z.detach().double().requires_grad_()
    expected = reference(made, exact, t.double())
    found = made.compare(z, t).loss
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(
        torch.autograd.grad(found, z)[0].double(), torch.autograd.grad(expected, exact)[0], rtol=1e-3, atol=1e-6
    )


def test_rkd_has_a_gradient_where_samples_coincide():
    made, _, t = make("rkd")
    z = torch.zeros(N, DIM, requires_grad=True)
    made.compare(z, t).loss.backward()
    assert torch.isfinite(z.grad).all()


def test_seed_keeps_the_last_samples():
    made, _, t = make("seed", **{"loss.queue": 10})
    unit = nn.functional.normalize(t, dim=1)
    assert made.queue.shape == (10, WIDTH)
    made.compare(torch.randn(6, DIM), t[:6])
    made.compare(torch.randn(6, DIM), t[6:12])
    # Twelve came in: the last two replaced the first two.
    torch.testing.assert_close(made.queue, torch.cat([unit[10:12], unit[2:10]]))
    assert "queue" in made.state_dict()


@pytest.mark.parametrize("name", list(MATCHING))
def test_only_the_student_is_kept(name):
    made, *_ = make(name, batch=8)
    made().loss.backward()
    assert all(p.grad is not None for p in made.parameters())
    assert made.embed().shape == (N, DIM)
    assert not any("adapter" in key for key in made.encoder.state_dict())
