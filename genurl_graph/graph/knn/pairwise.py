"""Distances between rows of one matrix by any metric: of blocks of rows and of single pairs, without a search."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from genurl_graph.config.metrics import Distance
from genurl_graph.graph.knn.metrics import PRODUCTS, block_distances, check_metric, comparable, pair_distances
from genurl_graph.graph.knn.rows import Frame, as_rows, pair_scores


class RowDistances:
    """Distances by a metric of `genurl_graph.graph.knn.knn` that is no product of rows as they are.

    Parameters
    ----------
    x : array, Tensor or sparse matrix, shape [n, d]
    metric : str or callable
        Another than "euclidean", "cosine" and "inner_product".
    memory_mb : float
        Sparse rows become dense within it, for metrics that need that.
    name : str
        Of `x`, for messages.

    Raises
    ------
    InputError
        As of `knn`.

    Examples
    --------
    >>> import numpy as np
    >>> RowDistances(np.array([[0.0, 1.0], [2.0, 2.0]]), "manhattan").block(torch.tensor([0])).tolist()
    [[0.0, 3.0]]
    """

    def __init__(self, x: Any, metric: str | Distance, memory_mb: float = 512, name: str = "x") -> None:
        named, rows = check_metric(metric), as_rows(x, name, torch.device("cpu"))
        self.rows, _ = comparable(rows, rows, named, memory_mb)
        self.rows.bring_to(Frame("cosine" if named == "correlation" else named))
        self.metric, self.n = named, rows.n

    def block(self, left: Tensor, right: Tensor | None = None) -> Tensor:
        """Distances between the rows `left` [b] and `right` [c], all by default: float64 [b, c]."""
        mine = self.rows.read(left)
        step = max(1, (1 << 22) // max(1, self.rows.entries))
        others = torch.split(torch.arange(self.n) if right is None else right, step)
        return torch.cat([self._between(mine, self.rows.read(some)) for some in others], 1)

    def pairs(self, left: Tensor, right: Tensor) -> Tensor:
        """Distances between each of the rows `left` [m] and the one of `right` [m] beside it: float64 [m]."""
        how = pair_scores if self.rows.frame.metric in PRODUCTS else pair_distances
        return how(self.rows, left, self.rows, right[:, None]).squeeze(1)

    def _between(self, left: Any, right: Any) -> Tensor:
        if self.rows.frame.metric in PRODUCTS:
            cosine: Tensor = left @ right.T
            return cosine.neg_().add_(1.0).clamp_(0.0, 2.0)
        return block_distances(left, right, self.metric)
