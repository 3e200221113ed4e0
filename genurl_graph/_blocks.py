"""The repulsion of shared negatives, fused: what a row of similarities to a few columns adds up to.

Written out with autograd, ``log sum_j kappa(d(a_i, b_j))`` over a block [n, S] passes some twenty times through memory.
Here slices of rows that fit into the processor's cache are computed to the end, the derivative by each distance is
kept, one block, and the backward pass is two matrix products.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

# Cells of a slice, float32: 1 MB in a core's cache; on a GPU a slice only bounds memory.
_CELLS = {"cpu": 1 << 18}
_CELLS_ELSEWHERE = 1 << 26


class _RowTotals(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, metric: str, temperature: float, nu: float) -> Tensor:
        rows, columns = a.size(0), b.size(0)
        unit = 1.0 / (temperature * nu)
        cosine = metric == "cosine"
        # kappa = base^-(nu + 1) with base = 1 + d / (temperature nu), which is linear in the inner products.
        if cosine:
            ends_a, ends_b = a.new_full((rows, 1), 1 + unit), a.new_zeros(columns)
        else:
            ends_a, ends_b = 1 + unit * a.square().sum(1, keepdim=True), unit * b.square().sum(1)
        derivative = a.new_empty(rows, columns)
        totals = a.new_empty(rows)
        step = max(1, _CELLS.get(a.device.type, _CELLS_ELSEWHERE) // columns)
        for start in range(0, rows, step):
            part = slice(start, start + step)
            constant = ends_a[part] if cosine else ends_a[part] + ends_b
            base = torch.addmm(constant, a[part], b.t(), alpha=-unit if cosine else -2 * unit).clamp_min_(1.0)
            log_q = base.log().mul_(-(nu + 1))
            top = log_q.amax(1, keepdim=True)
            share = log_q.sub_(top).exp_()
            total = share.sum(1, keepdim=True)
            totals[part] = (top + total.log()).squeeze(1)
            # Minus the derivative by d: the share of q in its row, times (nu + 1) / (temperature nu base).
            torch.div(share, base, out=derivative[part]).mul_((nu + 1) * unit / total)
        ctx.save_for_backward(a, b, derivative)
        ctx.cosine = cosine
        return totals

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, Tensor, None, None, None]:
        a, b, derivative = ctx.saved_tensors
        weight = grads[0][:, None]
        weighted = weight * a
        grad_a, grad_b = weight * (derivative @ b), derivative.t() @ weighted
        if not ctx.cosine:
            # d = |a|^2 + |b|^2 - 2 <a, b>; for the cosine d = 1 - <a, b>.
            grad_a = 2 * (grad_a - weighted * derivative.sum(1, keepdim=True))
            grad_b = 2 * (grad_b - b * (derivative.t() @ weight))
        return grad_a, grad_b, None, None, None


def row_log_totals(a: Tensor, b: Tensor, metric: str, temperature: float, nu: float) -> Tensor:
    r"""``log sum_j kappa(d(a_i, b_j) / temperature; nu)`` for every row i of `a` over all rows j of `b`.

    The same as ``log_kernel(block_distances(a, b, metric) / temperature, nu).logsumexp(1)``, a fraction of its time.

    Parameters
    ----------
    a : Tensor, float, shape [R, d]
    b : Tensor, float, shape [S, d]
        Rows of unit length where the metric is cosine.
    metric : "cosine" or "euclidean"
    temperature, nu : float
        Both > 0; nu is the kernel's degrees of freedom (`genurl_graph.similarity.log_kernel`, normalised).

    Returns
    -------
    Tensor, float, shape [R]
        Differentiable once. Memory: one block [R, S] until the backward pass.
    """
    totals: Tensor = _RowTotals.apply(a, b, metric, temperature, nu)  # type: ignore[no-untyped-call]
    return totals


def spread(log_total: Tensor, pairs: float) -> Tensor:
    """Row totals as a block [R, 1] whose one entry stands for the whole row, each sampled pair for `pairs` of them.

    Every loss that reads q off the edges only through its sums (`genurl_graph.losses`) takes it for the block.
    """
    return (log_total + math.log(pairs))[:, None]
