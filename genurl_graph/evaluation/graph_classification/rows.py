"""One row of a table of graph classification: an embedding, or a kernel."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from genurl_graph.evaluation.probe import standardised
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.validation import check_matrix

Array = npt.NDArray[np.float64]
# Of a kernel, the components that a logistic regression reads.
COMPONENTS = 512
# Singular values that are 0, as a share of the largest, and the share of columns above which a basis saves little.
RANK, LEAST_GAIN = 1e-6, 0.8


class Row(NamedTuple):
    """What a classifier of graphs reads; one of both is None.

    Attributes
    ----------
    features : array, float64, shape [G, d]
        Standardised over all graphs, without labels.
    gram : array, float64, shape [G, G]
        A kernel.
    """

    features: Array | None
    gram: Array | None = None

    @classmethod
    def of(cls, z: Any, y: npt.NDArray[Any]) -> Row:
        """The row of an embedding [G, d]; InputError if it has not one row for each label."""
        return cls(standardised(np.asarray(check_matrix(z, "embedding", rows=len(y)), dtype=np.float64)))

    @classmethod
    def of_kernel(cls, gram: Any) -> Row:
        """The row of a kernel [G, G], scaled so that each graph has 1 with itself; a graph without nodes has 0."""
        found = np.asarray(gram, dtype=np.float64)
        if found.ndim != 2 or found.shape[0] != found.shape[1]:
            raise wrong("kernel", f"shape {found.shape}", "[G, G]")
        length = np.sqrt(np.diagonal(found))
        scale = np.divide(1, length, out=np.zeros_like(length), where=length > 0)
        return cls(None, found * scale[:, None] * scale[None, :])

    def take(self, index: npt.NDArray[np.int64]) -> Row:
        """The row of some of the graphs."""
        if self.gram is not None:
            return Row(None, self.gram[np.ix_(index, index)])
        assert self.features is not None
        return Row(self.features[index])

    def coordinates(self) -> Array:
        """The features in a basis of the space that their rows span, [G, rank].

        Inner products stay, and with them what a linear machine with an L2 penalty learns. Collections with many equal
        graphs have a rank far below the number of columns.
        """
        assert self.features is not None
        _, values, axes = np.linalg.svd(self.features, full_matrices=False)
        rank = max(int((values > values[:1] * RANK).sum()), 1)
        if rank > LEAST_GAIN * self.features.shape[1]:
            return self.features
        found: Array = self.features @ axes[:rank].T
        return found

    def products(self) -> Array:
        """The kernel, or inner products of the features divided by the number of columns that vary."""
        if self.gram is not None:
            return self.gram
        assert self.features is not None
        products: Array = self.features @ self.features.T
        return products / max(1e-300, float(np.trace(products)) / len(products))

    def rbf(self) -> Array:
        """``exp(-d²/v)`` with distances d of the kernel, and v the mean squared distance from the mean of all graphs.

        Of standardised features that is ``gamma="scale"`` of scikit-learn.
        """
        products = self.products()
        own = np.diagonal(products)
        spread = max(1e-300, float(own.mean() - products.mean()))
        found = 2 * products
        found -= own[:, None]
        found -= own[None, :]
        found /= spread
        np.minimum(found, 0, out=found)
        kernel: Array = np.exp(found, out=found)
        return kernel

    def components(self) -> Array:
        """Features for a logistic regression: of a kernel, its leading principal components, scaled all alike."""
        if self.features is not None:
            return self.features
        from sklearn.utils.extmath import randomized_svd

        assert self.gram is not None
        centred = self.gram - self.gram.mean(0) - self.gram.mean(1)[:, None] + self.gram.mean()
        left, values, _ = randomized_svd(centred, min(COMPONENTS, len(centred)), n_iter=3, random_state=0)
        found: Array = left * np.sqrt(values)
        # As long as a standardised row of that many columns.
        found *= np.sqrt(found.shape[1] / max(1e-300, float(np.square(found).sum(1).mean())))
        return found
