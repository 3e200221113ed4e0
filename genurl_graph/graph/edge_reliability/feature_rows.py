"""Rows of features that are compared pair by pair, whatever the metric and the layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.config.metrics import EUCLIDEAN_METRICS, OwnMetric
from genurl_graph.exceptions import wrong
from genurl_graph.graph.knn.pairwise import RowDistances
from genurl_graph.inputs.sparse import to_scipy_or_numpy

# Numbers of float64 held at a time.
_CELLS = 1 << 22
# Squared distances up to this share of both squared lengths are rounding of equal rows.
_ROUNDING = 1e-13


class FeatureRows:
    """Rows of a matrix [n, f], strided, CSR or (fast in `compare_all`) CSC; larger nearness means nearer.

    Nearness is the cosine or the negative distance, computed in float64 and rounded to float32: what is equal stays so
    whichever way it was added up. It does not depend on which end comes first.
    """

    def __init__(self, matrix: Any, metric: str) -> None:
        if isinstance(metric, OwnMetric):
            asked = "a metric by name, or an encoder by name, merge.weighting=given and merge.evidence=none"
            raise wrong("metric", f"{metric} where parts of the rows are compared, too (edge reliability)", asked)
        # Metrics that are no products of rows.
        self.other = None if metric in EUCLIDEAN_METRICS else RowDistances(matrix, metric)
        self.matrix, self.cosine, self.sparse = matrix, metric == "cosine", hasattr(matrix, "nnz")
        self.size = int(matrix.shape[0])
        # Numbers in a gathered row.
        self.width = max(1, int(matrix.nnz / max(self.size, 1)) if self.sparse else int(matrix.shape[1]))
        if self.other is None:
            self.squares = self._squares()
            self.lengths = np.sqrt(np.where(self.squares > 0, self.squares, 1.0))

    @classmethod
    def of(cls, x: Tensor, metric: str) -> FeatureRows:
        """The rows of a Tensor."""
        return cls(to_scipy_or_numpy(x), metric)

    def between(self, a: Any, b: Any) -> Any:
        """Nearness of the nodes `a` to the nodes `b`, float32 [len(a), len(b)]."""
        if self.other is not None:
            return -self.other.block(torch.as_tensor(a), torch.as_tensor(b)).float().numpy()
        products = self._multiply(a, b)
        if self.cosine:
            # In float64 like `pairs`: numpy would round both operands before it divides.
            return (products / (self.lengths[a][:, None] * self.lengths[b])).astype(np.float32)
        return self._negative(products, self.squares[a][:, None] + self.squares[b])

    def compare_all(self, nodes: Any) -> Any:
        """Nearness of `nodes` to all rows, float64 [len(nodes), n], that is comparable within a row only."""
        if self.other is not None:
            return -self.other.block(torch.as_tensor(nodes)).float().double().numpy()
        products = self._multiply(nodes, slice(None))
        if self.cosine:
            return np.divide(products, self.lengths, out=products)
        products *= 2
        return np.subtract(products, self.squares, out=products)

    def pairs(self, i: Any, j: Any) -> Any:
        """Nearness of each node of `i` to the one of `j` beside it, float32 [len(i)], in slices."""
        found = np.empty(len(i), dtype=np.float32)
        for part in self._slices(np.arange(len(i))):
            found[part] = self._pairs(i[part], j[part])
        return found

    def distances(self, i: Any, j: Any) -> Any:
        """Distances of the pairs, float64 [len(i)], >= 0: as in `genurl_graph.graph.knn`."""
        if self.other is not None:
            return self.other.pairs(torch.as_tensor(i), torch.as_tensor(j)).numpy()
        products = self._sums(self._take(i), self._take(j))
        if self.cosine:
            return (1 - products / (self.lengths[i] * self.lengths[j])).clip(0)
        return np.sqrt((self.squares[i] + self.squares[j] - 2 * products).clip(0))

    def _pairs(self, i: Any, j: Any) -> Any:
        if self.other is not None:
            return -self.other.pairs(torch.as_tensor(i), torch.as_tensor(j)).float().numpy()
        products = self._sums(self._take(i), self._take(j))
        if self.cosine:
            return products / (self.lengths[i] * self.lengths[j])
        return self._negative(products, self.squares[i] + self.squares[j])

    def _negative(self, products: Any, squares: Any) -> Any:
        """Negative Euclidean distances."""
        far = squares - 2 * products
        return -np.sqrt(np.where(far > _ROUNDING * squares, far, 0.0)).astype(np.float32)

    def _squares(self) -> Any:
        """Squared lengths of the rows, float64 [n]."""
        if self.sparse:
            return self.matrix.astype(np.float64).power(2).sum(1).A1
        parts = [self._take(part) for part in self._slices(np.arange(self.size))]
        return np.concatenate([self._sums(part, part) for part in parts])

    def _slices(self, index: Any) -> Any:
        pieces = max(1, -(-len(index) * self.width // _CELLS))
        return np.array_split(index, pieces)

    def _multiply(self, a: Any, b: Any) -> Any:
        """Inner products of rows, dense float64 [len(a), len(b)]."""
        left, right = self._take(a), self._take(b)
        return (left.tocsr() @ right.T).toarray() if self.sparse else left @ right.T

    def _take(self, nodes: Any) -> Any:
        return self.matrix[nodes].astype(np.float64)

    def _sums(self, a: Any, b: Any) -> Any:
        return a.multiply(b).sum(1).A1 if self.sparse else np.einsum("ed,ed->e", a, b)
