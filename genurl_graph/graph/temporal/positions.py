"""Positions of nodes in the graph of all events: spectral coordinates, which averages over windows are taken of."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from genurl_graph.graph.temporal.history import BASE

# Largest number of nodes whose matrix is decomposed as a whole.
SMALL = 200


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
    value = weight.log1p().double().numpy()
    low, high = (key // BASE).numpy(), (key % BASE).numpy()
    half = sp.coo_array((value, (low, high)), shape=(n, n))
    a = (half + half.T).tocsr()
    degree = a.sum(1)
    scale = 1 / np.sqrt(degree + max(degree.mean(), np.finfo(float).tiny))
    a = sp.diags_array(scale) @ a @ sp.diags_array(scale)
    if n <= SMALL:
        values, vectors = np.linalg.eigh(a.toarray())
        values, vectors = values[::-1][:wanted], vectors[:, ::-1][:, :wanted]
    else:
        values, vectors = sp.linalg.eigsh(a, wanted, which="LA", v0=np.linspace(1, 2, n), tol=1e-4)
        order = np.argsort(-values)
        values, vectors = values[order], vectors[:, order]
    found = vectors * np.maximum(values, 0)
    found *= np.where((found**3).sum(0) < 0, -1.0, 1.0)
    size = np.sqrt(np.square(found).sum() / n)
    return torch.from_numpy(found / max(size, np.finfo(float).tiny)).float()
