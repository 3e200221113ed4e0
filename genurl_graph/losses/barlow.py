"""Barlow Twins: correlate the columns of two embeddings, decorrelate them among each other (arXiv 2103.03230)."""

from __future__ import annotations

from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.losses.terms import LossTerms, terms


def barlow(z_a: Tensor, z_b: Tensor, lambd: float = 5e-3) -> Tensor:
    """Redundancy reduction, ``sum_k (1 - C_kk)^2 + lambd sum_{k != l} C_kl^2``.

    Barlow Twins (arXiv 2103.03230, eq. 1), the objective of TLDR (arXiv 2110.09455), where `z_b` embeds a
    neighbour of each row of `z_a`. C is the correlation between their columns. It needs no Q.

    Parameters
    ----------
    z_a, z_b : Tensor, float, shape [n, d]
        Paired embeddings. A constant column correlates with nothing.
    lambd : float
        Weight of the off-diagonal part.

    Returns
    -------
    Tensor, scalar
    """
    return barlow_terms(z_a, z_b, lambd).loss


def barlow_terms(z_a: Tensor, z_b: Tensor, lambd: float = 5e-3) -> LossTerms:
    """`barlow` in its two parts: pairs agree (attraction), columns differ (repulsion)."""
    if z_a.dim() != 2 or z_a.shape != z_b.shape:
        raise wrong("barlow: z_a and z_b", f"shapes {list(z_a.shape)} and {list(z_b.shape)}", "the same [n, d]")
    a, b = (z - z.mean(0) for z in (z_a, z_b))
    # Not std(): its gradient is NaN on a constant column.
    a, b = (z * (z.square().mean(0) + 1e-12).rsqrt() for z in (a, b))
    correlation = a.T @ b / z_a.size(0)
    diagonal = correlation.diagonal()
    off_diagonal = correlation.square().sum() - diagonal.square().sum()
    return terms((1 - diagonal).square().sum(), lambd * off_diagonal)
