"""The vectors whose nearest neighbours become kNN edges, and the projection of new samples into their space."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from genurl_graph.inputs.normalize import normalize_features
from genurl_graph.inputs.sparse import to_scipy_or_numpy

# Principal components that are enough where they hold `HELD` of the variance; else as many as do. Images pass by far
# (82 % and more), expressions of genes do not (36 %): 50 components would replace their neighbours by others.
ENOUGH, HELD = 50, 0.6
# Rows that the variance is measured on.
_MEASURED = 1000
# Entries of a block of rows that is converted to float64 at a time: 32 MB.
_BLOCK = 1 << 22


class Projection(NamedTuple):
    """Principal axes of a sample."""

    axes: Tensor  # float64 [f, p]
    mean: Tensor | None  # float64 [f]; None: not centred

    def apply(self, x: Tensor) -> Tensor:
        """Coordinates float32 [m, p] of the rows of `x` [m, f], strided or CSR.

        Computed in float64, so that those of a row do not depend on the other rows.
        """
        if x.layout == torch.sparse_csr:
            if self.mean is None:
                return torch.from_numpy(to_scipy_or_numpy(x).astype("float64") @ self.axes.numpy()).float()
            # A few new rows may be nearly empty, and therefore sparse, though the fitted ones were dense and centred.
            x = x.to_dense()
        step = max(1, _BLOCK // x.size(1))
        parts = []
        for start in range(0, x.size(0), step):
            block = x[start : start + step].double()
            parts.append(((block if self.mean is None else block - self.mean) @ self.axes).float())
        return torch.cat(parts)


class FeatureSpace(NamedTuple):
    """Vectors [n, p], strided or CSR, and the steps from the features to them."""

    vectors: Tensor
    unit: bool  # rows were scaled to length 1 before the projection
    projection: Projection | None

    def place(self, x: Tensor) -> Tensor:
        """Project new features [m, f] into this space, [m, p]."""
        if self.unit:
            x = normalize_features(x, "unit", {})
        return x if self.projection is None else self.projection.apply(x)


def encoder_projection(statistics: dict[str, Tensor]) -> Projection | None:
    """The principal axes an encoder reads its input along, from `encoder_input`'s statistics; None if it has none."""
    if "axes" not in statistics:
        return None
    return Projection(statistics["axes"].double(), statistics["mean"].double() if "mean" in statistics else None)


def scale_for_axes(x: Tensor, metric: str) -> Tensor:
    """Features as principal axes are fitted to them: rows of unit length for the cosine."""
    return normalize_features(x, "unit", {}) if metric == "cosine" else x


def count_components(asked: int | str, x: Tensor, metric: str) -> int:
    """The number of principal components that ``neighbors.pca`` asks for; 0: all columns as they are."""
    return enough_components(x, metric) if isinstance(asked, str) else asked


def enough_components(x: Tensor, metric: str) -> int:
    """Principal components that keep the neighbours of `x` [n, f]: `ENOUGH`, or as many as hold `HELD` of the variance.

    Of sparse features, whose components are those of a topic model, `ENOUGH`; of no more columns than that, 0: all.
    """
    if x.size(1) <= ENOUGH:
        return 0
    if x.layout == torch.sparse_csr:
        return ENOUGH
    from sklearn.utils.extmath import randomized_svd

    n = x.size(0)
    some = scale_for_axes(x[torch.linspace(0, n - 1, min(n, _MEASURED)).round().long()].double(), metric)
    centred = some if metric == "cosine" else some - some.mean(0)
    # Divided by the largest entry: squares of numbers far from 1 overflow.
    centred = centred / centred.abs().max().clamp_min(torch.finfo(torch.float64).tiny)
    wanted = HELD * float(centred.square().sum())
    leading = randomized_svd(centred.numpy(), min(ENOUGH, *centred.shape), n_iter=2, random_state=0)[1]
    if float((leading**2).sum()) >= wanted:
        return ENOUGH
    return int((torch.linalg.svdvals(centred).square().cumsum(0) < wanted).sum()) + 1


def principal_axes(x: Tensor, n_components: int, seed: int, centre: bool = True) -> Projection:
    """Leading principal axes by scikit-learn: exact where that is cheap, else by randomised SVD.

    Sparse features are not centred, since that would make them dense. There are at most as many axes as samples and as
    features.
    """
    from sklearn.decomposition import PCA, TruncatedSVD

    n_components = min(n_components, int(x.size(0)), int(x.size(1)))
    values = x.values() if x.layout == torch.sparse_csr else x
    largest = float(values.abs().max()) if values.numel() else 0.0
    # Squares of numbers far from 1 overflow float32, and axes do not depend on the scale.
    unit = 2.0 ** round(math.log2(largest)) if largest > 0 and not 1e-9 < largest < 1e9 else 1.0
    matrix = to_scipy_or_numpy(x if unit == 1.0 else x / unit)
    if centre and x.layout == torch.strided:
        # Features of no variance have no explained-variance ratio, which is not used here.
        with np.errstate(invalid="ignore"):
            found = PCA(n_components, random_state=seed).fit(matrix)
        mean = torch.from_numpy(found.mean_).double() * unit
    else:
        found, mean = TruncatedSVD(n_components, random_state=seed).fit(matrix), None
    # Rounded to the precision of a saved model.
    axes = torch.from_numpy(found.components_.T.copy()).float().double()
    return Projection(axes, None if mean is None else mean.float().double())


def principal_components(x: Tensor, n_components: int, seed: int, centre: bool = True) -> Tensor:
    """Coordinates float32 [n, n_components] along `principal_axes`."""
    return principal_axes(x, n_components, seed, centre).apply(x)
