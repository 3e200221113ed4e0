"""GRACE: InfoNCE against the sum written out, kept and computed slice by slice."""

import math

import pytest
import torch
from torch.nn.functional import cosine_similarity

from genurl_graph.baselines.grace import grace_loss


def written_out(u, v, temperature):
    """Equations 1 and 2 of arXiv 2006.04131, pair by pair."""

    def e(a, b):
        return math.exp(float(cosine_similarity(a, b, dim=0)) / temperature)

    def pair(a, b, i):
        others = [k for k in range(len(a)) if k != i]
        negatives = sum(e(a[i], b[k]) for k in others) + sum(e(a[i], a[k]) for k in others)
        return -math.log(e(a[i], b[i]) / (e(a[i], b[i]) + negatives))

    n = len(u)
    return sum(pair(u, v, i) + pair(v, u, i) for i in range(n)) / (2 * n)


@pytest.fixture
def views():
    generator = torch.Generator().manual_seed(2)
    return tuple(torch.randn(7, 4, dtype=torch.float64, generator=generator).requires_grad_() for _ in range(2))


@pytest.mark.parametrize("temperature", [0.4, 0.9])
def test_loss_is_the_formula(views, temperature):
    terms = grace_loss(*views, temperature)
    assert terms.loss.item() == pytest.approx(written_out(*views, temperature), rel=1e-12)
    torch.testing.assert_close(terms.attraction + terms.repulsion, terms.loss)
    assert torch.autograd.gradcheck(lambda u, v: grace_loss(u, v, temperature).loss, views)


@pytest.mark.parametrize("entries", [1, 3 * 14])
def test_slices_change_neither_value_nor_gradient(views, entries):
    whole, sliced = grace_loss(*views, 0.4), grace_loss(*views, 0.4, entries=entries)
    torch.testing.assert_close(sliced.loss, whole.loss)
    for found, wanted in zip(
        torch.autograd.grad(sliced.loss, views), torch.autograd.grad(whole.loss, views), strict=True
    ):
        torch.testing.assert_close(found, wanted)
