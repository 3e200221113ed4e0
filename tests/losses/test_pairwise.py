"""losses: each is compared with its equation written once more, naively, over all pairs in float64."""

import inspect
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from torch import Tensor

from genurl_graph.exceptions import InputError
from genurl_graph.losses.pairwise import HUBER_DELTA, LOSSES, get_loss, gkl, gkl_dense, infonce, kl

N = 9
OFF = ~torch.eye(N, dtype=torch.bool)


def problem(seed: int = 0) -> tuple[Tensor, Tensor]:
    """Sparse P (one empty row, not symmetric) and log Q [N, N] in float64."""
    generator = torch.Generator().manual_seed(seed)
    P = torch.rand(N, N, generator=generator, dtype=torch.float64)
    P = P * (torch.rand(N, N, generator=generator) < 0.4) * OFF
    P[3] = 0
    log_Q = -5 * torch.rand(N, N, generator=generator, dtype=torch.float64) - 0.05
    return P, log_Q.requires_grad_()


def arguments(P: Tensor, log_Q: Tensor, form: str) -> dict[str, Any]:
    """The sparse arguments with every pair as a negative, as a flat list or as a block of rows."""
    row, column = P.nonzero().T
    common = {"log_q_pos": log_Q[row, column], "p": P[row, column], "row_pos": row, "num_rows": len(P)}
    if form == "block":
        return common | {"log_q_neg": log_Q, "neg_weight": OFF.double()}
    order = torch.randperm(int(OFF.sum()), generator=torch.Generator().manual_seed(1))
    i, j = OFF.nonzero()[order].T
    return common | {"log_q_neg": log_Q[i, j], "row_neg": i}


def value_and_gradient(value: Tensor, log_Q: Tensor) -> tuple[Tensor, Tensor]:
    return value.detach(), torch.autograd.grad(value, log_Q)[0]


# ---------------------------------------------------------------- naive references (loops over pairs)


def pairs(P: Tensor, log_Q: Tensor) -> list[tuple[int, int, Tensor, Tensor]]:
    return [(i, j, P[i, j], log_Q[i, j].exp()) for i in range(N) for j in range(N) if i != j]


def xlogx(x: Tensor, y: Tensor) -> Tensor:
    return x * torch.log(x / y) if x > 0 else torch.zeros_like(x)


def naive_gkl(P: Tensor, log_Q: Tensor, gamma: float, c: float | list[float]) -> Tensor:
    scale = c if isinstance(c, list) else [c] * N
    return sum(xlogx(p, scale[i] * q) + gamma * (scale[i] * q - p) for i, _, p, q in pairs(P, log_Q))  # type: ignore[return-value]


def naive_kl(P: Tensor, log_Q: Tensor, gamma: float) -> Tensor:
    total = sum(q for *_, q in pairs(P, log_Q))
    return sum(xlogx(p / P.sum(), q / total) for _, _, p, q in pairs(P, log_Q))  # type: ignore[return-value]


def naive_bce(P: Tensor, log_Q: Tensor, gamma: float) -> Tensor:
    return sum(xlogx(p, q) + gamma * xlogx(1 - p, 1 - q) for _, _, p, q in pairs(P, log_Q))  # type: ignore[return-value]


def naive_l2(P: Tensor, log_Q: Tensor, gamma: float) -> Tensor:
    return sum(p**2 - 2 * p * q + gamma * q**2 for _, _, p, q in pairs(P, log_Q))  # type: ignore[return-value]


def h(r: Tensor) -> Tensor:
    size = r.abs()
    return r**2 / 2 if size <= HUBER_DELTA else HUBER_DELTA * (size - HUBER_DELTA / 2)


def naive_huber(P: Tensor, log_Q: Tensor, gamma: float) -> Tensor:
    return sum(h(q - p) - h(q) + gamma * h(q) for _, _, p, q in pairs(P, log_Q))  # type: ignore[return-value]


def naive_infonce(P: Tensor, log_Q: Tensor, gamma: float) -> Tensor:
    Q = log_Q.exp()
    rows = [sum(Q[i, k] for k in range(N) if k != i) for i in range(N)]
    return sum(-p * torch.log(q / (q + rows[i])) for i, _, p, q in pairs(P, log_Q))  # type: ignore[return-value]


def best_scale(P: Tensor, log_Q: Tensor, gamma: float) -> float:
    return float(P.sum() / gamma / log_Q.detach().exp()[OFF].sum())


NAIVE: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {
    "gkl": lambda P, log_Q, gamma: naive_gkl(P, log_Q, gamma, best_scale(P, log_Q, gamma)),
    "kl": naive_kl,
    "bce": naive_bce,
    "huber": naive_huber,
    "l2": naive_l2,
    "infonce": naive_infonce,
}


@pytest.mark.parametrize("form", ["flat", "block"])
@pytest.mark.parametrize("gamma", [1.0, 0.6])
@pytest.mark.parametrize("name", list(LOSSES))
def test_every_loss_is_its_equation_over_all_pairs(name: str, gamma: float, form: str) -> None:
    P, log_Q = problem()
    sparse = arguments(P, log_Q, form)
    if name == "bce":  # counts sampled pairs as p = 0: those that are edges have weight 0
        weight = (OFF & (P == 0)).double()
        if form == "flat":
            i, j = OFF.nonzero()[torch.randperm(int(OFF.sum()), generator=torch.Generator().manual_seed(1))].T
            weight = weight[i, j]
        sparse["neg_weight"] = weight
    terms = LOSSES[name](**sparse, gamma=gamma)
    value, gradient = value_and_gradient(terms.loss, log_Q)
    expected, expected_gradient = value_and_gradient(NAIVE[name](P, log_Q, gamma), log_Q)
    torch.testing.assert_close(value, expected, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(terms.attraction + terms.repulsion, terms.loss)


@pytest.mark.parametrize("form", ["flat", "block"])
@pytest.mark.parametrize("per", ["global", "row"])
@pytest.mark.parametrize("scale", [1.0, 0.3, "profile"])
@pytest.mark.parametrize("gamma", [1.0, 0.6])
def test_sparse_gkl_with_all_pairs_is_the_dense_form(gamma: float, scale: Any, per: Any, form: str) -> None:
    P, log_Q = problem()
    loss = gkl(**arguments(P, log_Q, form), gamma=gamma, scale=scale, per=per).loss
    value, gradient = value_and_gradient(loss, log_Q)
    expected, expected_gradient = value_and_gradient(gkl_dense(P, log_Q, gamma, scale, per), log_Q)
    torch.testing.assert_close(value, expected, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_dense_gkl_is_its_equation(scale: float) -> None:
    P, log_Q = problem()
    torch.testing.assert_close(gkl_dense(P, log_Q, 0.6, scale), naive_gkl(P, log_Q, 0.6, scale))


@pytest.mark.parametrize("per", ["global", "row"])
@pytest.mark.parametrize("gamma", [1.0, 0.6])
def test_profile_is_the_minimum_over_the_scale(gamma: float, per: Any) -> None:
    P, log_Q = (t.detach() for t in problem())

    def minimum(p: Tensor, log_q: Tensor) -> float:
        def plain(log_c: float) -> float:
            log_cq = log_q + log_c
            return float((torch.xlogy(p, p) - p * log_cq + gamma * (log_cq.exp() - p)).sum())

        return float(minimize_scalar(plain, bracket=(-1.0, 1.0), tol=1e-12).fun)

    if per == "global":
        expected = minimum(P[OFF], log_Q[OFF])
    else:  # the empty row has its infimum 0 at c -> 0
        expected = sum(minimum(P[i][OFF[i]], log_Q[i][OFF[i]]) for i in range(N) if P[i].sum() > 0)
    for form in ("flat", "block"):
        loss = gkl(**arguments(P, log_Q, form), gamma=gamma, scale="profile", per=per).loss
        assert float(loss) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("gamma", [1.0, 0.6])
def test_minimiser_is_p_over_gamma(gamma: float) -> None:
    P = problem()[0] + 0.01
    log_Q = (P / gamma).log().requires_grad_()
    # p log(p / (p / gamma)) + gamma (p / gamma - p) = p (log gamma + 1 - gamma), summed
    expected = P[OFF].sum() * (math.log(gamma) + 1 - gamma)
    for scale in (1.0, "profile"):
        value, gradient = value_and_gradient(gkl_dense(P, log_Q, gamma, scale), log_Q)
        torch.testing.assert_close(value, expected)
        assert float(gradient.abs().max()) < 1e-12
        nearby = log_Q.detach() + 0.1 * torch.randn(N, N, dtype=torch.float64)
        assert gkl_dense(P, nearby, gamma, scale) > value


def test_profile_ignores_the_scale_of_q_and_gamma_only_adds_a_constant() -> None:
    P, log_Q = problem()
    for per in ("global", "row"):
        one = value_and_gradient(gkl(**arguments(P, log_Q, "flat"), per=per).loss, log_Q)
        two = value_and_gradient(gkl(**arguments(P, log_Q + 7.0, "flat"), per=per).loss, log_Q)
        three = value_and_gradient(gkl(**arguments(P, log_Q, "flat"), gamma=0.5, per=per).loss, log_Q)
        torch.testing.assert_close(one, two)
        torch.testing.assert_close(one[1], three[1])
        torch.testing.assert_close(three[0] - one[0], P.sum() * (math.log(0.5) + 1 - 0.5))


def test_kl_per_row_is_a_sum_of_torch_kl_divergences() -> None:
    P, log_Q = problem()
    loss = kl(**arguments(P, log_Q, "block"), per="row").loss
    log_q = log_Q.masked_fill(~OFF, -math.inf).log_softmax(1)
    expected = sum(F.kl_div(log_q[i][OFF[i]], P[i][OFF[i]] / P[i].sum(), reduction="sum") for i in range(N) if i != 3)
    torch.testing.assert_close(loss, expected)


# ---------------------------------------------------------------- identities


def test_row_profile_of_one_hot_rows_is_cross_entropy() -> None:
    _, log_Q = problem()
    target = torch.tensor([4, 0, 1, 2, 0, 8, 7, 6, 5])
    P = F.one_hot(target, N).double()
    expected = F.cross_entropy(log_Q.masked_fill(~OFF, -math.inf), target, reduction="sum")
    for form in ("flat", "block"):
        for loss in (gkl, kl):
            torch.testing.assert_close(loss(**arguments(P, log_Q, form), per="row").loss, expected)


def test_infonce_is_cross_entropy_of_positive_against_negatives() -> None:
    generator = torch.Generator().manual_seed(0)
    positive, negative = torch.randn(5, generator=generator), torch.randn(5, 7, generator=generator)
    logits = torch.cat([positive[:, None], negative], dim=1)
    expected = F.cross_entropy(logits, torch.zeros(5, dtype=torch.long), reduction="sum")
    row = torch.arange(5)
    block = infonce(positive, torch.ones(5), negative, row_pos=row)
    flat = infonce(
        positive,
        torch.ones(5),
        negative.T.reshape(-1),
        row_pos=row,
        row_neg=row.repeat(7),
        num_rows=5,
    )
    torch.testing.assert_close(block.loss, expected)
    torch.testing.assert_close(flat.loss, expected)


def test_bce_is_torch_binary_cross_entropy_less_the_entropy_of_p() -> None:
    P, log_Q = problem()
    sparse = arguments(P, log_Q, "block") | {"neg_weight": (OFF & (P == 0)).double()}
    q = log_Q.exp()
    entropy = F.binary_cross_entropy(P[OFF], P[OFF], reduction="sum")
    expected = F.binary_cross_entropy(q[OFF], P[OFF], reduction="sum") - entropy
    torch.testing.assert_close(LOSSES["bce"](**sparse).loss, expected)
    assert expected > 0


# ---------------------------------------------------------------- the shared interface


def test_all_losses_have_one_signature_and_their_own_words() -> None:
    signatures = {str(inspect.signature(loss)) for loss in LOSSES.values()}
    assert len(signatures) == 1
    assert len({loss.__doc__ for loss in LOSSES.values()}) == len(LOSSES)
    assert [get_loss(name).__name__ for name in LOSSES] == list(LOSSES)


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(InputError, match=r"'infonec'.*did you mean 'infonce'"):
        get_loss("infonec")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("gkl", {"gamma": 0.0}, "gamma"),
        ("gkl", {"scale": "best"}, "scale: found 'best'"),
        ("gkl", {"scale": -1.0}, "scale"),
        ("bce", {"scale": "profile"}, "scale: .* bce does not have"),
        ("gkl", {"per": "column"}, "per"),
        ("gkl", {"neg_weight": 0.0}, "neg_weight"),
        ("l2", {"neg_weight": 0.0}, "neg_weight"),
        ("gkl", {"p": torch.ones(1)}, "log_q_pos and p"),
        ("gkl", {"log_q_neg": torch.zeros(0)}, "log_q_neg"),
        ("gkl", {"per": "row", "row_pos": None}, "row_pos"),
        ("infonce", {"row_pos": None}, "row_pos"),
        ("kl", {"per": "row", "row_neg": None}, "row_neg"),
        ("gkl", {"per": "row", "num_rows": None}, "num_rows"),
        ("gkl", {"per": "row", "log_q_neg": torch.zeros(4, 2)}, "num_rows: found 9; expected 4"),
        ("gkl", {"per": "row", "num_rows": 9, "row_neg": torch.zeros(72, dtype=torch.long)}, "7 of 9 rows"),
    ],
)
def test_bad_arguments_are_named(name: str, change: dict[str, Any], message: str) -> None:
    P, log_Q = problem()
    with pytest.raises(InputError, match=message):
        LOSSES[name](**(arguments(P, log_Q, "flat") | change))
