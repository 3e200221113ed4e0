"""Feature rows as NumPy or SciPy keeps them, and how near named pairs of them are."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from genurl_graph._csr import to_scipy_or_numpy


class FeatureRows:
    """Rows of a matrix, strided or CSR, float64; of unit length for the cosine. Larger nearness is nearer."""

    def __init__(self, matrix: Any, metric: str) -> None:
        from sklearn.preprocessing import normalize

        self.matrix = normalize(matrix) if metric == "cosine" else matrix
        self.sparse = hasattr(matrix, "nnz")
        self.size = int(matrix.shape[0])
        # Numbers that a gathered row takes.
        self.width = max(1, int(matrix.nnz / max(self.size, 1)) if self.sparse else int(matrix.shape[1]))
        self.squares = self._sums(self.matrix, self.matrix) if metric == "euclidean" else None

    @classmethod
    def of(cls, x: Tensor, metric: str) -> FeatureRows:
        return cls(to_scipy_or_numpy(x).astype(np.float64), metric)

    def to(self, nodes: Any) -> Any:
        """Nearness of all rows to `nodes`, dense [n, len(nodes)], up to a constant of the row."""
        products = self._products(nodes)
        return products if self.squares is None else 2 * products - self.squares[nodes]

    def seen_from(self, nodes: Any) -> Any:
        """Nearness of `nodes` to all rows, dense [len(nodes), n], up to a constant of the node."""
        products = self._products(nodes).T
        return products if self.squares is None else 2 * products - self.squares

    def between(self, i: Any, j: Any) -> Any:
        """Nearness of the pairs, [len(i)], on the scale of `to`."""
        products = self._sums(self.matrix[i], self.matrix[j])
        return products if self.squares is None else 2 * products - self.squares[j]

    def lengths(self, i: Any, j: Any) -> Any:
        """Distances of the pairs, [len(i)], >= 0: ``1 - cos`` or ``|x - y|``, as `genurl_graph.neighbors` has them."""
        products = self._sums(self.matrix[i], self.matrix[j])
        if self.squares is None:
            return (1 - products).clip(0)
        return np.sqrt((self.squares[i] + self.squares[j] - 2 * products).clip(0))

    def _products(self, nodes: Any) -> Any:
        products = self.matrix @ self.matrix[nodes].T
        return products.toarray() if self.sparse else products

    def _sums(self, a: Any, b: Any) -> Any:
        return a.multiply(b).sum(1).A1 if self.sparse else np.einsum("ed,ed->e", a, b)
