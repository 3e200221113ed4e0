"""barlow: the redundancy reduction of Barlow Twins, against the paper's pseudo-code."""

import pytest
import torch

from genurl_graph.exceptions import InputError
from genurl_graph.losses.barlow import barlow


def test_barlow_is_the_paper_s_pseudo_code() -> None:
    generator = torch.Generator().manual_seed(0)
    z_a = torch.randn(50, 6, generator=generator, dtype=torch.float64).requires_grad_()
    z_b = (3 * z_a.detach() + torch.randn(50, 6, generator=generator) + 5).requires_grad_()
    a, b = ((z - z.mean(0)) / z.std(0, unbiased=False) for z in (z_a, z_b))
    expected = torch.zeros((), dtype=torch.float64)
    for k in range(6):
        for m in range(6):
            c = (a[:, k] * b[:, m]).sum() / 50
            expected = expected + ((1 - c) ** 2 if k == m else 0.01 * c**2)
    torch.testing.assert_close(barlow(z_a, z_b, 0.01), expected)
    torch.testing.assert_close(
        torch.autograd.grad(barlow(z_a, z_b, 0.01), (z_a, z_b)), torch.autograd.grad(expected, (z_a, z_b))
    )


def test_barlow_of_a_constant_column_has_a_gradient() -> None:
    z = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    z[:, 1] = 2.0
    z.requires_grad_()
    loss = barlow(z, z)
    assert loss.item() == pytest.approx(1.0, abs=0.01)  # the constant column's missing 1
    assert torch.isfinite(torch.autograd.grad(loss, z)[0]).all()


def test_barlow_refuses_unpaired_embeddings() -> None:
    with pytest.raises(InputError, match="barlow"):
        barlow(torch.zeros(3, 2), torch.zeros(4, 2))
