"""Whether the columns of a table depend on each other, edges apart: noise in each column alone does not."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from genurl_graph.graph.evidence.autocorrelation import centred_ranks

# Consistency from which columns depend on each other, and in full: that of independent ones is 0.5 with a deviation of
# 0.003, whatever their number and that of the nodes.
FROM, FULL = 0.51, 0.53
# Probability that independent columns seem to depend on each other, and how many times the limit is in full.
CHANCE, CLEARLY = 0.001, 1.5
# Columns beyond which correlations are not computed, and rows from which on only some, at equal distances, are read.
MOST, ROWS = 2048, 10_000


def dependence(x: Tensor, live: Tensor, consistency: float) -> float:
    """How clearly columns depend on each other, in [0, 1]: by their consistency, or by their correlations.

    Consistency sees groups of nodes that are near each other, correlations see any direction in which columns vary
    together, however weak it is in each of them. Squared rank correlations of independent columns, times n, are those
    of normal variables: their sum exceeds its mean by ``2 sqrt(m t) + 2 t`` with probability ``exp(-t)`` at most, for m
    pairs (Laurent & Massart, Annals of Statistics 28, 2000, lemma 1).

    Parameters
    ----------
    x : Tensor, float32, shape [n, f]
        Correlations are read of strided columns only.
    live : Tensor, bool, shape [f]
        Columns that count.
    consistency : float
        As `genurl_graph.graph.edge_reliability.feature_consistency` has it.

    Examples
    --------
    >>> x = torch.randn(400, 8, generator=torch.Generator().manual_seed(0))
    >>> every = torch.ones(8, dtype=torch.bool)
    >>> dependence(x, every, 0.5), dependence(x + x[:, :1], every, 0.5)
    (0.0, 1.0)
    """
    by_groups = min(max((consistency - FROM) / (FULL - FROM), 0.0), 1.0)
    f = int(live.sum())
    if by_groups == 1 or not 2 <= f <= MOST or x.layout != torch.strided:
        return by_groups
    columns = centred_ranks(x[:: max(len(x) // ROWS, 1), live].numpy())
    correlation = (columns.T @ columns) / np.outer(*[np.linalg.norm(columns, axis=0)] * 2)
    pairs, log = f * (f - 1) / 2, -math.log(CHANCE)
    away = len(columns) * (float((correlation**2).sum()) - f) / 2 - pairs
    excess = away / (2 * math.sqrt(pairs * log) + 2 * log)
    return max(by_groups, min(max((excess - 1) / (CLEARLY - 1), 0.0), 1.0))
