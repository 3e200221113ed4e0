"""Positions of nodes in the graph of all events: spectral coordinates, which averages over windows are taken of."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from genurl_graph.graph.spectral import MEDIUM, leading_eigenvectors
from genurl_graph.graph.temporal.history import BASE


def spectral_positions(key: Tensor, weight: Tensor, num_nodes: int, columns: int) -> Tensor:
    """Leading eigenvectors of the regularised normalised adjacency matrix, each times its eigenvalue.

    ``D_t^-1/2 A D_t^-1/2`` with ``D_t = D + mean degree`` (Qin & Rohe, NeurIPS 2013, arXiv 1309.4111): without the
    regularisation each small component, of which streams of events have many, takes an eigenvector for itself.

    Parameters
    ----------
    key, weight : Tensor, int64 and float32, shape [m]
        Unordered pairs, as in `genurl_graph.graph.temporal.history.History`; A holds ``log(1 + weight)``.
    num_nodes : int
    columns : int
        Fewer where there are fewer nodes.

    Returns
    -------
    Tensor, float32, shape [n, min(columns, n - 1)]
        The mean square of a row is 1; rows of nodes without a pair are 0. The sum of the cubes of a column is not
        negative. Repeatable on one machine.
    """
    n, wanted = num_nodes, min(columns, num_nodes - 1)
    value = weight.log1p().numpy().astype(np.float64 if n <= MEDIUM else np.float32)
    if not value.any():
        return torch.zeros(n, wanted)
    low, high = (key // BASE).numpy(), (key % BASE).numpy()
    half = sp.coo_array((value, (low, high)), shape=(n, n))
    a = (half + half.T).tocsr()
    degree = a.sum(1)
    scale = 1 / np.sqrt(degree + max(degree.mean(), np.finfo(float).tiny))
    a = sp.diags_array(scale.astype(a.dtype)) @ a @ sp.diags_array(scale.astype(a.dtype))
    values, vectors = leading_eigenvectors(a, wanted)
    found = vectors * np.maximum(values, 0)
    size = np.sqrt(np.square(found).sum() / n)
    return torch.from_numpy(found / max(size, np.finfo(float).tiny)).float()
