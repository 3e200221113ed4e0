"""From points of a map back to inputs: means of the inputs of the samples around them.

A point z gets the weighted mean of its k nearest embedded samples, by the kernel of the fit::

    x(z) = sum_j w_j x_j / sum_j w_j        w_j = kappa(z - z_j; nu, temperature)        k = neighbors.n_neighbors

A map of two columns cannot restore hundreds of columns: the mean is a typical input at that position, not a copy of a
sample. Far from all samples there is nothing to average, and the result is NaN. `LIMIT` says how far that is; none of
4,500 held-out samples of four data sets lies beyond it (``tests/benchmarks/bench_inverse.py``).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from genurl_graph.exceptions import InputError, wrong
from genurl_graph.graph.affinity import kernel
from genurl_graph.graph.knn import knn, reranked_distances
from genurl_graph.graph.projection import FeatureSpace
from genurl_graph.inference.fitted import FittedModel
from genurl_graph.inputs.columns.decode import decode
from genurl_graph.inputs.sparse import to_scipy_or_numpy
from genurl_graph.inputs.validation import check_matrix

# A point belongs to the map up to this many times the distance within which 99 % of the samples have their nearest one.
LIMIT, SHARE = 4.0, 0.99
# Samples whose nearest one is looked for, evenly spaced.
ROWS = 1000
# Numbers computed at a time: what a processor keeps near.
_CELLS = 1 << 17


class Inverse:
    """``inverse_transform`` of `genurl_graph.estimator.GenURL`."""

    model_: FittedModel

    def inverse_transform(self, Z: Any) -> Any:
        """Inputs of points of the map: the weighted means of the inputs of the samples nearest to them.

        Parameters
        ----------
        Z : array, Tensor or DataFrame, shape [m, d]
            Points of the map, such as those that `transform` returns.

        Returns
        -------
        array, Tensor or DataFrame, shape [m, n_features_in_]
            As `Z` is, in the units of the fitted inputs; float32, or float64 where columns were scaled. NaN in rows of
            points that lie off the map, with a warning, and in columns that were left out. A row does not depend on the
            others.

        Raises
        ------
        NotFittedError
        InputError
            Other columns than the map's, or a model that has no way back: any encoder but an embedding table
            (`encoder` "free"), graphs, precomputed distances, categories, dates, and rows scaled to length 1.

        Examples
        --------
        >>> model = GenURL(random_state=0).fit(vectors)  # doctest: +SKIP
        >>> model.inverse_transform([[0.0, 0.0]])  # doctest: +SKIP
        """
        check_is_fitted(self)
        found = invert(self.model_, Z)
        if isinstance(Z, Tensor):
            return torch.from_numpy(found).to(Z.device)
        if isinstance(Z, pd.DataFrame):
            return pd.DataFrame(found, index=Z.index, columns=getattr(self, "feature_names_in_", None))
        return found


def invert(model: FittedModel, points: Any) -> np.ndarray[Any, Any]:
    """`Inverse.inverse_transform` of a fitted model, as an array."""
    space = _space(model)
    points = check_matrix(points, "Z", columns=model.embedding.size(1), sparse=False)
    # A copy: arrays may be read-only, or run backwards.
    z = points.float().cpu() if isinstance(points, Tensor) else torch.tensor(np.array(points, dtype=np.float32))
    table, c = model.embedding, model.config
    k = min(c.neighbors.n_neighbors, len(table))
    indices, distances = reranked_distances(
        table, z, knn(table, k, query=z, backend="exact", seed=model.seed).indices, "euclidean"
    )
    weights = kernel(distances.double().square() / c.loss.temperature, c.loss.nu).numpy()
    off = distances[:, 0].numpy() > reach(model)
    width = model.n_features if space.projection is not None else int(space.vectors.size(1))
    step = max(1, _CELLS // width)
    parts = [_means(space, indices.numpy()[i : i + step], weights[i : i + step]) for i in range(0, len(z), step)]
    found = np.concatenate(parts)
    found = found.astype(np.float32) if model.plan is None else decode(model.plan, found, "inverse_transform")
    if off.any():
        found[off] = np.nan
        warnings.warn(
            f"inverse_transform: {int(off.sum())} of {len(off)} points lie off the map, far from all samples; their "
            "rows are NaN",
            stacklevel=3,
        )
    return found


def reach(model: FittedModel) -> float:
    """Distance from the nearest sample up to which a point belongs to the map."""
    table, loss = model.embedding, model.config.loss
    rows = torch.linspace(0, len(table) - 1, min(ROWS, len(table))).long()
    found = knn(table, 2, query=table[rows], backend="exact", seed=model.seed).distances[:, -1]
    # Of samples that all lie in one place the width of the kernel is what is left.
    width: float = (loss.temperature * loss.nu) ** 0.5
    return max(LIMIT * float(found.double().quantile(SHARE)), width)


def _space(model: FittedModel) -> FeatureSpace:
    """Where the fitted vectors lie; InputError where there is no way back from them to the inputs."""
    c, space = model.config, model.space
    if c.encoder.name != "free":
        raise wrong(
            "inverse_transform: encoder", repr(c.encoder.name), "free, whose model keeps the samples; networks do not"
        )
    if c.neighbors.metric == "precomputed":
        raise InputError("inverse_transform: distances (metric precomputed) hold no inputs to go back to")
    if space is None:
        raise InputError("inverse_transform: this map was fitted on a graph, and the model keeps no inputs of it")
    if c.loss.metric != "euclidean":
        raise wrong("inverse_transform: loss.metric", c.loss.metric, "euclidean")
    hashed = int(c.input.hash_columns)
    if space.projection is not None and 0 < hashed < model.n_features:
        raise InputError(
            f"inverse_transform: {model.n_features:,} columns were hashed to {hashed:,} (input.hash_columns), from "
            "which there is no way back"
        )
    if space.unit:
        raise InputError(
            "inverse_transform: rows were scaled to length 1 for the cosine, and their lengths are not kept; "
            "neighbors.pca=0 keeps the rows as they are"
        )
    return space


def _means(space: FeatureSpace, indices: np.ndarray[Any, Any], weights: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Weighted means [b, f] of fitted rows in float64, before the projection of these if they were projected.

    Row by row, in one order whatever comes with a row.
    """
    import scipy.sparse as sp

    used, at = np.unique(indices, return_inverse=True)
    at = at.reshape(indices.shape)
    shares = (weights / _row_sums(weights)).ravel()
    starts = np.arange(0, indices.size + 1, indices.shape[1])
    mean = sp.csr_array((shares, at.ravel(), starts), shape=(len(indices), len(used)))
    vectors = space.vectors
    held = (
        vectors[torch.from_numpy(used)].numpy() if vectors.layout == torch.strided else to_scipy_or_numpy(vectors)[used]
    )
    found = mean @ held.astype(np.float64)
    found = found.toarray() if sp.issparse(found) else found
    if space.projection is None:
        return np.asarray(found)
    axes = space.projection.axes.numpy()
    out = np.zeros((len(found), len(axes)))
    if space.projection.mean is not None:
        out += space.projection.mean.numpy()
    for j in range(axes.shape[1]):
        out += found[:, j : j + 1] * axes[:, j]
    return out


def _row_sums(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Sums [b, 1] in one order: NumPy's own depends on the shape."""
    return values.cumsum(1)[:, -1:]
