"""What the losses share: the arguments they accept, and sums over rows of edges and of sampled pairs."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from genurl_graph.exceptions import wrong

Scale = float | Literal["auto", "profile"]
Per = Literal["global", "row"]


class LossTerms(NamedTuple):
    """Scalars ``loss = attraction + repulsion``; gradients flow through all three."""

    loss: Tensor
    attraction: Tensor
    repulsion: Tensor


Loss = Callable[..., LossTerms]


def pairwise(form: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]) -> Loss:
    """Turn a form ``(log_q_pos, p, log_q_neg) -> (attraction [E], repulsion [E], repulsion of pairs)`` into a
    loss. A sum over rows is the sum over pairs, so rows and `per` change nothing.
    """

    # Name and docstring are those of the form, the signature is that of the loss.
    @functools.wraps(form, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    def loss(
        log_q_pos: Tensor,
        p: Tensor,
        log_q_neg: Tensor,
        *,
        neg_weight: float | Tensor = 1.0,
        row_pos: Tensor | None = None,
        row_neg: Tensor | None = None,
        num_rows: int | None = None,
        gamma: float = 1.0,
        scale: Scale = "auto",
        per: Per = "global",
    ) -> LossTerms:
        c = check(log_q_pos, p, log_q_neg, gamma, scale, per)
        if scale == "profile":
            raise wrong("scale", f'"profile", which {form.__name__} does not have', '"auto" (1) or a number')
        shift = math.log(c or 1.0)
        attraction, on_edges, off_edges = form(log_q_pos + shift, p, log_q_neg + shift)
        repulsion = on_edges.sum() + (weight(neg_weight, off_edges) * off_edges).sum()
        return terms(attraction.sum(), gamma * repulsion)

    vars(loss).pop("__wrapped__")
    return loss


def row_logsumexp(log_q: Tensor, row: Tensor, num_rows: int) -> Tensor:
    """``log sum exp`` of the entries [M] of each row, shape [num_rows]; -inf for a row without entries."""
    from torch_geometric.utils import scatter

    # A shift is a constant: it cancels in the value and must not be differentiated through.
    top = scatter(log_q.detach(), row, dim_size=num_rows, reduce="max")
    total = scatter((log_q - top[row]).exp(), row, dim_size=num_rows, reduce="sum")
    empty = total == 0
    return torch.where(empty, -math.inf, total.masked_fill(empty, 1.0).log() + top)


def masses(
    p: Tensor,
    log_q_neg: Tensor,
    neg_weight: float | Tensor,
    row_pos: Tensor | None,
    row_neg: Tensor | None,
    num_rows: int | None,
    per: Per,
) -> tuple[Tensor, Tensor]:
    """``sum p`` and ``log sum w q``, [1] or [num_rows]; the second is 0 where there is no p."""
    log_wq = weighted(log_q_neg, neg_weight)
    if per == "global":
        mass, log_total = p.sum().view(1), log_wq.reshape(-1).logsumexp(0, keepdim=True)
    else:
        mass = row_sum(p, row_pos, log_q_neg, num_rows)
        if log_q_neg.dim() == 2:
            log_total = log_wq.logsumexp(1)
        elif row_neg is None or row_neg.shape != log_q_neg.shape:
            given = None if row_neg is None else list(row_neg.shape)
            raise wrong("row_neg", given, f"the row of each pair, {log_q_neg.numel()} in all, for a loss by row")
        else:
            log_total = row_logsumexp(log_wq, row_neg, mass.numel())
    bare = (mass > 0) & (log_total <= torch.finfo(log_total.dtype).min / 4)
    if bool(bare.any()):
        bad = f"{int(bare.sum())} of {bare.numel()} rows with edges but no sampled pair of positive weight"
        raise wrong("log_q_neg", bad, "at least one each")
    return mass, torch.where(mass > 0, log_total, 0.0)


def row_sum(p: Tensor, row_pos: Tensor | None, log_q_neg: Tensor, num_rows: int | None) -> Tensor:
    """``sum p`` of each row; a block of negatives says by itself how many rows there are."""
    from torch_geometric.utils import scatter

    if row_pos is None or row_pos.shape != p.shape:
        given = None if row_pos is None else list(row_pos.shape)
        raise wrong("row_pos", given, f"the row of each edge, {p.numel()} in all, for a loss by row")
    expected = log_q_neg.size(0) if log_q_neg.dim() == 2 else num_rows
    if expected is None:
        raise wrong("num_rows", None, "the number of rows, for a loss by row with flat pairs")
    if num_rows not in (None, expected):
        raise wrong("num_rows", num_rows, f"{expected}, the rows of the block of negatives")
    return torch.as_tensor(scatter(p, row_pos, dim_size=expected, reduce="sum"))


def weight(neg_weight: float | Tensor, like: Tensor) -> Tensor:
    """The weights of sampled pairs as a tensor of the dtype of `like`, [] or as given."""
    if not isinstance(neg_weight, Tensor) and not 0 < neg_weight < math.inf:
        raise wrong("neg_weight", neg_weight, "a finite number > 0 or a tensor")
    return torch.as_tensor(neg_weight, dtype=like.dtype, device=like.device)


def weighted(log_q_neg: Tensor, neg_weight: float | Tensor) -> Tensor:
    """log (w q); a weight of 0 is a huge negative number, since -inf has NaN gradients in a logsumexp."""
    floor = torch.finfo(log_q_neg.dtype).min / 2
    return log_q_neg + weight(neg_weight, log_q_neg).log().clamp_min(floor)


def terms(attraction: Tensor, repulsion: Tensor) -> LossTerms:
    return LossTerms(attraction + repulsion, attraction, repulsion)


def check(log_q_pos: Tensor, p: Tensor, log_q_neg: Tensor, gamma: float, scale: Scale, per: Per) -> float | None:
    """Validate what all losses share; returns the number that multiplies q, None if the loss chooses it."""
    if log_q_pos.dim() != 1 or log_q_pos.shape != p.shape:
        raise wrong("log_q_pos and p", f"shapes {list(log_q_pos.shape)} and {list(p.shape)}", "[E] both")
    if log_q_neg.dim() not in (1, 2) or log_q_neg.numel() == 0:
        raise wrong("log_q_neg", f"shape {list(log_q_neg.shape)}", "[M] or [R, S], not empty")
    if not (math.isfinite(gamma) and gamma > 0):
        raise wrong("gamma", gamma, "a finite number > 0")
    if per not in ("global", "row"):
        raise wrong("per", repr(per), '"global" or "row"')
    if scale == "auto" or scale == "profile":
        return None
    if isinstance(scale, str) or not 0 < scale < math.inf:
        raise wrong("scale", repr(scale), '"auto", "profile" or a finite number > 0')
    return float(scale)
