"""GKL and its relatives: every loss reads similarities of edges and of sampled pairs, never n x n.

A loss over all ordered pairs ``i != j`` splits into a part that lives on the edges of P and a part that needs
no P and is estimated from sampled pairs::

    sum_{i != j} l(p, q)  =  sum_edges [l(p, q) - l(0, q)]  +  sum_{i != j} l(0, q)
                                attraction                       repulsion

The sampled pairs ("negatives") are therefore **uniform over all ordered pairs i != j, edges included**;
each stands for ``neg_weight`` pairs (``n (n - 1) / M`` for M flat pairs, ``(n - 1) / S`` for S negatives of
each row), which makes the repulsion unbiased. A pair with weight 0 does not count: use it for a row that
met itself in a shared block. `bce` is the one exception, see there.

The caller computes ``log q`` from the embedding, for instance ``similarity.log_kernel(squared_distance, nu)``
or a cosine similarity over a temperature. All sums are sums over pairs (not means), as in the equations.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from genurl_graph.exceptions import unknown
from genurl_graph.losses.terms import Loss, LossTerms, Per, Scale, check, masses, pairwise, row_sum, terms, weighted

# Residuals q - p lie in [-1, 1]; at 0.1 both the quadratic and the linear part of Huber's function are used.
HUBER_DELTA = 0.1


def gkl(
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
    r"""General Kullback-Leibler divergence (I-divergence), GenURL's loss (arXiv 2110.14553, reconstructed).

    ``sum_{i != j} p log(p / q) + gamma (q - p)``, smallest at ``q = p / gamma``.

    With ``scale="profile"`` q is replaced by c q and the best c > 0 substituted. Setting the derivative
    ``-P / c + gamma Q`` to zero (``P = sum p``, ``Q = sum q``) gives ``c = P / (gamma Q)`` and the value
    ``sum p log(p / q) + P (log Q - log P + log gamma + 1 - gamma)``: t-SNE's normalised KL times P plus a
    constant, so that here gamma moves the value but no gradient. ``per="row"`` gives every row its own c
    (SNE's form; InfoNCE's where a row of p is one-hot). log Q of a sample is biased by O(1 / M), unlike Q.

    Parameters
    ----------
    log_q_pos : Tensor, float, shape [E]
        log q of the edges of P.
    p : Tensor, float, shape [E]
        Their target similarity, a constant. Edges drawn with probability proportional to p: pass
        ``sum(p) / E`` for each; the value is then right up to a constant, the gradient in expectation.
    log_q_neg : Tensor, float, shape [M] or [R, S]
        log q of sampled pairs: a flat list, or R rows against S negatives each.
    neg_weight : float or Tensor broadcastable to ``log_q_neg``
        How many ordered pairs each sampled pair stands for; all pairs listed once have weight 1.
    row_pos, row_neg : Tensor, int64, shape [E] and [M]
        Row of each edge and of each flat pair. Needed per row only; in a block [R, S] the row of a
        pair is its first index and `row_neg` stays None.
    num_rows : int
        Number of rows; read off a block.
    gamma : float
        Weight of the repulsion, > 0.
    scale : "auto", "profile" or float
        "profile" as above; a float c > 0 multiplies q. "auto" is the loss's own choice: "profile" here.
    per : "global" or "row"
        One c for all pairs, or one for each row. Without "profile" both are the same sum.

    Returns
    -------
    LossTerms

    Raises
    ------
    InputError
        Shapes that do not match, an unknown option, or a row that has edges but no sampled pair.
    """
    c = check(log_q_pos, p, log_q_neg, gamma, scale, per)
    attraction = (torch.xlogy(p, p) - p * log_q_pos).sum()
    if c is None:
        sums = masses(p, log_q_neg, neg_weight, row_pos, row_neg, num_rows, per)
    else:
        sums = p.sum().view(1), weighted(log_q_neg, neg_weight).reshape(-1).logsumexp(0, keepdim=True)
    return gkl_of_sums(attraction, *sums, gamma=gamma, scale=c)


def gkl_of_sums(
    divergence: Tensor, mass: Tensor, log_total: Tensor, *, gamma: float = 1.0, scale: float | None = None
) -> LossTerms:
    """`gkl` read off the sums that it consists of, however they were added up.

    Parameters
    ----------
    divergence : Tensor, float, scalar
        ``sum p log(p / q)``.
    mass, log_total : Tensor, float, shape [R]
        ``sum p`` and ``log sum q`` of all pairs (R = 1), or of each row.
    gamma : float
        Weight of the repulsion, > 0.
    scale : float or None
        As in `gkl`; None is its "profile".

    Returns
    -------
    LossTerms
    """
    if scale is None:
        repulsion = mass * (log_total + math.log(gamma) + 1.0 - gamma) - torch.xlogy(mass, mass)
        return terms(divergence, repulsion.sum())
    shift = math.log(scale)
    total = mass.sum()
    return terms(divergence - shift * total, gamma * ((log_total + shift).exp().sum() - total))


def kl(
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
    """KL of the normalised similarities, ``sum p' log(p' / q')`` (t-SNE, JMLR 9:2579, eq. 3).

    ``p' = p / sum p`` and ``q' = q / sum q`` over all pairs, or within each row (SNE). Normalising cancels
    any `scale` and any `gamma`, which are accepted so that losses can be exchanged. See `gkl` for arguments.
    """
    check(log_q_pos, p, log_q_neg, gamma, scale, per)
    mass = row_sum(p, row_pos, log_q_neg, num_rows) if per == "row" else p.sum()
    share = mass[row_pos] if per == "row" else mass
    # KL(P' || Q') is the profiled GKL of an already normalised P: its constants vanish.
    return gkl(
        log_q_pos,
        p / share.clamp_min(torch.finfo(p.dtype).tiny),
        log_q_neg,
        neg_weight=neg_weight,
        row_pos=row_pos,
        row_neg=row_neg,
        num_rows=num_rows,
        per=per,
    )


def infonce(
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
    """InfoNCE, ``-sum_edges p log(q / (q + sum_{negatives of its row} q))`` (GRACE, arXiv 2006.04131, eq. 1).

    The positive stands in its own denominator, so it need not be among the negatives. Always by row; any
    `scale` cancels and `gamma` has no place in it. See `gkl` for arguments: `row_pos` is needed here.
    """
    check(log_q_pos, p, log_q_neg, gamma, scale, per)
    _, log_total = masses(p, log_q_neg, neg_weight, row_pos, row_neg, num_rows, "row")
    assert row_pos is not None  # `masses` has refused that
    # Not by indexing: the gradient of that adds up in no fixed order.
    denominator = torch.logaddexp(log_q_pos, log_total.index_select(0, row_pos))
    return terms(-(p * log_q_pos).sum(), (p * denominator).sum())


@pairwise
def bce(log_q_pos: Tensor, p: Tensor, log_q_neg: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Fuzzy cross-entropy, ``p log(p / q) + gamma (1 - p) log((1 - p) / (1 - q))`` (UMAP, arXiv 1802.03426).

    Edges carry both terms here and sampled pairs count as p = 0: taking ``l(0, q)`` off the edges, as the
    other losses do, would be unbounded below (``log(1 - q)`` at q = 1). The sum over all pairs is thus
    unbiased if sampled pairs that are edges have weight 0; keeping them repels each edge once too often.
    q must be a probability (log q <= 0, the normalised kernel); 1 - q is kept above the dtype's epsilon, so
    that coincident points have a finite loss and no (undefined) direction. Arguments as in `gkl`.
    """
    attraction = torch.xlogy(p, p) - p * log_q_pos
    return attraction, torch.xlogy(1 - p, 1 - p) - (1 - p) * log1m(log_q_pos), -log1m(log_q_neg)


@pairwise
def huber(log_q_pos: Tensor, p: Tensor, log_q_neg: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Huber's function of the residual, ``sum h(q - p)`` (Huber 1964), quadratic below `HUBER_DELTA`.

    q should be bounded (log q <= 0), for the attraction falls linearly in q. Arguments as in `gkl`.
    """
    q_pos = log_q_pos.exp()
    return _huber(q_pos - p) - _huber(q_pos), torch.zeros_like(p), _huber(log_q_neg.exp())


@pairwise
def l2(log_q_pos: Tensor, p: Tensor, log_q_neg: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Squared residual, ``sum (q - p)^2``, split as ``p^2 - 2 p q`` on edges and ``gamma q^2`` on all pairs.

    q should be bounded (log q <= 0), for the attraction falls linearly in q. Arguments as in `gkl`.
    """
    return p * (p - 2 * log_q_pos.exp()), torch.zeros_like(p), log_q_neg.exp().square()


LOSSES: dict[str, Loss] = {
    "gkl": gkl,
    "kl": kl,
    "bce": bce,
    "huber": huber,
    "l2": l2,
    "infonce": infonce,
}


SUM_LOSSES = ("gkl", "kl", "infonce")
"""Losses that read the sampled pairs only through sums of q over rows: a block may come already added up."""


def get_loss(name: str) -> Loss:
    """The loss called `name` in `LOSSES`; InputError with the nearest name if there is none."""
    if name not in LOSSES:
        raise unknown("loss", name, LOSSES)
    return LOSSES[name]


def gkl_dense(P: Tensor, log_Q: Tensor, gamma: float = 1.0, scale: Scale = "profile", per: Per = "global") -> Tensor:
    """`gkl` written out over all ordered pairs of a small set, in float64: the reference of the sparse form.

    Parameters
    ----------
    P, log_Q : Tensor, float, shape [n, n]
        The diagonals are ignored. Memory is O(n^2): for tests and small n.
    gamma, scale, per
        As in `gkl`.

    Returns
    -------
    Tensor, float64, scalar
    """
    c = check(log_Q.reshape(-1), P.reshape(-1), log_Q, gamma, scale, per)
    n = P.size(0)
    off = ~torch.eye(n, dtype=torch.bool, device=P.device)
    # One group for everything, or one for each row; every group has its own scale c.
    p, log_q = (m.double()[off].view(n if per == "row" else 1, -1) for m in (P, log_Q))
    mass = p.sum(1, keepdim=True)
    profiled = (mass / gamma).log() - log_q.logsumexp(1, keepdim=True)
    log_q = log_q + (profiled if c is None else math.log(c))
    # A group without p has c = 0, that is log q = -inf; p log(p / q) is 0 wherever p is.
    log_ratio = torch.where(p > 0, torch.xlogy(1.0, p) - log_q, 0.0)
    return (p * log_ratio + gamma * (log_q.exp() - p)).sum()


def log1m(log_q: Tensor) -> Tensor:
    """log(1 - q), accurate for q -> 0 and q -> 1."""
    return (-torch.expm1(log_q)).clamp_min(torch.finfo(log_q.dtype).eps).log()


def _huber(residual: Tensor) -> Tensor:
    return F.huber_loss(residual, torch.zeros_like(residual), reduction="none", delta=HUBER_DELTA)
