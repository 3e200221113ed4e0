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
# Share of the largest variance, and of the squared mean, below which a component is rounding.
_ROUNDING, _ROUNDING_OF_MEAN = 1e-9, 1e-12
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
    centred = centre and x.layout == torch.strided
    if not centred and matrix.shape[1] == 1:
        # TruncatedSVD refuses a single column, which is its own axis.
        return Projection(torch.ones(1, n_components, dtype=torch.float64), None)
    # Features of no variance have no explained-variance ratio, which is not used here.
    with np.errstate(invalid="ignore"):
        found = (PCA if centred else TruncatedSVD)(n_components, random_state=seed).fit(matrix)
    mean = torch.from_numpy(found.mean_).double() * unit if centred else None
    # Rounded to the precision of a saved model.
    axes = torch.from_numpy(found.components_.T.copy()).float().double()
    return Projection(axes, None if mean is None else mean.float().double())


def principal_components(x: Tensor, n_components: int, seed: int, centre: bool = True) -> Tensor:
    """Coordinates float32 [n, n_components] along `principal_axes`."""
    return principal_axes(x, n_components, seed, centre).apply(x)


def equal_variance_axes(h: Tensor, columns: int) -> tuple[Tensor, Tensor]:
    """Axes on which rows have their leading principal components, rotated and scaled to one variance.

    Along each axis the rows have deviation 1 (0 if they have no variance); together, distances between rows are those
    between their leading components, times one factor.

    Parameters
    ----------
    h : Tensor, float, shape [n, p]
    columns : int
        At most p.

    Returns
    -------
    Tensor, float64, shape [p, columns]
        The axes.
    Tensor, float64, shape [columns]
        The mean of the rows along them.
    """
    mean = h.double().mean(0)
    h = h.double() - mean
    value, vector = torch.linalg.eigh(h.T @ h / h.size(0))
    value, vector = value.flip(0)[:columns].clamp_min(0), vector.flip(1)[:, :columns]
    vector = vector * torch.where(vector.sum(0) < 0, -1.0, 1.0)
    least = torch.maximum(_ROUNDING * value[:1], _ROUNDING_OF_MEAN * mean.square().sum())
    value = torch.where(value > least, value, 0.0)
    turn = equal_variance_rotation(value.cpu()).to(h.device)
    scale = value.mean().clamp_min(torch.finfo(torch.float64).tiny).rsqrt()
    turned = (vector * (value > 0) @ turn) * scale
    return turned, mean @ turned


def equal_variance_rotation(variance: Tensor) -> Tensor:
    """Orthogonal matrix [k, k] after which uncorrelated columns of variances [k] have one variance, their mean.

    One Givens rotation a column: of the columns that are left, the widest and the narrowest are turned until one of
    them has the mean (Bendel & Mickey, Commun. Stat. B7, 1978).

    Examples
    --------
    >>> turn = equal_variance_rotation(torch.tensor([4.0, 2.0, 0.0]).double())
    >>> (turn.T @ torch.diag(torch.tensor([4.0, 2.0, 0.0]).double()) @ turn).diagonal()
    tensor([2., 2., 2.], dtype=torch.float64)
    """
    k = variance.numel()
    turn, left = torch.eye(k, dtype=torch.float64), torch.diag(variance.double())
    mean, open_ = float(variance.double().mean()), torch.ones(k, dtype=torch.bool)
    for _ in range(k - 1):
        own = left.diagonal()
        wide = int(torch.where(open_, own, -math.inf).argmax())
        narrow = int(torch.where(open_, own, math.inf).argmin())
        above, below, between = (float(part) for part in (own[wide] - mean, own[narrow] - mean, left[wide, narrow]))
        if above <= 1e-12 * mean or below >= -1e-12 * mean:
            break
        # tan of the angle at which the wide column has the mean: below t^2 - 2 between t + above = 0.
        tangent = (between - math.sqrt(between * between - below * above)) / below
        cosine = 1 / math.hypot(1.0, tangent)
        givens = torch.tensor([[1.0, tangent], [-tangent, 1.0]], dtype=torch.float64) * cosine
        pair = [wide, narrow]
        turn[:, pair] = turn[:, pair] @ givens
        left[pair] = givens.T @ left[pair]
        left[:, pair] = left[:, pair] @ givens
        open_[wide] = False
    return turn
