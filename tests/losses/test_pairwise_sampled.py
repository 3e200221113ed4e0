"""losses on samples and at the ends of the number range: unbiased, differentiable, finite."""

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from genurl_graph.losses.pairwise import LOSSES, gkl
from tests.losses.test_pairwise import N, arguments, problem, value_and_gradient


@pytest.mark.parametrize("shape", ["flat", "block"])
@pytest.mark.parametrize("name", ["gkl", "l2", "huber"])
def test_sampled_pairs_are_unbiased(name: str, shape: str) -> None:
    P, log_Q = problem()
    options = {"scale": 1.0, "gamma": 0.6}
    full = LOSSES[name](**arguments(P, log_Q, "flat"), **options).loss
    expected, expected_gradient = value_and_gradient(full, log_Q)
    generator = torch.Generator().manual_seed(0)
    trials, m = 400, 4
    values, gradients = [], []
    for _ in range(trials):
        # column j != i uniformly: one of the other N - 1
        i = torch.arange(N)[:, None] if shape == "block" else torch.randint(N, (m * N,), generator=generator)
        size = (N, m) if shape == "block" else (m * N,)
        j = (i + torch.randint(1, N, size, generator=generator)) % N
        weight = N * (N - 1) / (m * N)
        sample = arguments(P, log_Q, "flat") | {
            "log_q_neg": log_Q[i, j],
            "neg_weight": weight,
            "row_neg": None,
        }
        value, gradient = value_and_gradient(LOSSES[name](**sample, **options).loss, log_Q)
        values.append(value)
        gradients.append(gradient)
    for drawn, exact in ((torch.stack(values), expected), (torch.stack(gradients), expected_gradient)):
        standard_error = drawn.std(0) / math.sqrt(trials)
        # 73 means at 4.5 standard errors: a false alarm in 1 of 2000 seeds, and the seed is fixed.
        assert bool(((drawn.mean(0) - exact).abs() <= 4.5 * standard_error + 1e-12).all())
        assert float(standard_error.max()) < 0.1 * float(exact.abs().max())


def test_drawn_edges_have_the_right_gradient_in_expectation() -> None:
    P, log_Q = problem()
    exact = value_and_gradient(gkl(**arguments(P, log_Q, "flat"), scale=1.0).loss, log_Q)[1]
    generator = torch.Generator().manual_seed(0)
    gradients = []
    for _ in range(400):
        sparse = arguments(P, log_Q, "flat")
        e = torch.multinomial(sparse["p"], 16, replacement=True, generator=generator)
        sparse |= {"log_q_pos": sparse["log_q_pos"][e], "p": P.sum().expand(16) / 16}
        gradients.append(value_and_gradient(gkl(**sparse, scale=1.0).loss, log_Q)[1])
    mean, error = torch.stack(gradients).mean(0), torch.stack(gradients).std(0) / math.sqrt(400)
    assert bool(((mean - exact).abs() <= 4.5 * error + 1e-12).all())


@pytest.mark.parametrize("name", ["gkl", "kl", "infonce"])
def test_weight_counts_a_pair_that_often(name: str) -> None:
    P, log_Q = problem()
    full = arguments(P, log_Q, "flat")
    often = torch.randint(1, 4, full["log_q_neg"].shape, generator=torch.Generator().manual_seed(0))
    weighted = full | {"neg_weight": often.double()}
    repeated = full | {k: full[k].repeat_interleave(often) for k in ("log_q_neg", "row_neg")}
    for options in ({"per": "row"}, {"per": "global"}):
        one, two = LOSSES[name](**weighted, **options), LOSSES[name](**repeated, **options)
        torch.testing.assert_close(one.loss, two.loss)


@pytest.mark.parametrize("form", ["flat", "block"])
@pytest.mark.parametrize("per", ["global", "row"])
@pytest.mark.parametrize("name", list(LOSSES))
def test_gradcheck(name: str, per: str, form: str) -> None:
    P, log_Q = problem()

    def loss(log_Q: Tensor) -> Tensor:
        return LOSSES[name](**arguments(P, log_Q, form), gamma=0.6, per=per).loss

    assert torch.autograd.gradcheck(loss, log_Q)


@pytest.mark.parametrize("form", ["flat", "block"])
@pytest.mark.parametrize("per", ["global", "row"])
@pytest.mark.parametrize("scale", ["auto", 1.0])
@pytest.mark.parametrize("name", list(LOSSES))
def test_float32_extremes_stay_finite(name: str, scale: Any, per: str, form: str) -> None:
    P, _ = problem()
    P[0, 1], P[1, 0], P[2, 0] = 1.0, 1e-45, 0.0
    # q from exp(-1e30) to 1 exactly, in every row and also on edges
    extremes = torch.tensor([-1e30, -1e4, -90.0, -1e-7, 0.0])
    log_Q = extremes[torch.randint(5, (N, N), generator=torch.Generator().manual_seed(2))].requires_grad_()
    log_Q.data[1] = -1e30
    loss = LOSSES[name](**(arguments(P.float(), log_Q, form)), scale=scale, per=per).loss
    value, gradient = value_and_gradient(loss, log_Q)
    assert value.dtype == torch.float32
    assert torch.isfinite(value)
    assert torch.isfinite(gradient).all()


def test_an_edge_with_p_zero_changes_nothing() -> None:
    P, log_Q = problem()
    sparse = arguments(P, log_Q, "flat")
    zero = {
        "p": F.pad(sparse["p"], (0, 1)),
        "log_q_pos": F.pad(sparse["log_q_pos"], (0, 1), value=-1e30),
        "row_pos": F.pad(sparse["row_pos"], (0, 1), value=3),
    }
    for name in set(LOSSES) - {"bce"}:
        for per in ("global", "row"):
            one, two = LOSSES[name](**sparse, per=per).loss, LOSSES[name](**(sparse | zero), per=per).loss
            torch.testing.assert_close(one, two)


def test_a_row_that_met_only_itself_is_no_nan() -> None:
    log_Q = torch.zeros(3, 2, dtype=torch.float64, requires_grad=True)
    weight = torch.tensor([[1.0, 1.0], [0.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    p, row = torch.ones(2, dtype=torch.float64), torch.tensor([0, 2])
    loss = gkl(log_Q[row, 0], p, log_Q, neg_weight=weight, row_pos=row, per="row").loss
    assert loss.item() == pytest.approx(math.log(2))
    assert torch.isfinite(torch.autograd.grad(loss, log_Q)[0]).all()
