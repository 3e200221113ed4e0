"""Positions of nodes in the graph of all events: spectral coordinates, which averages over windows are taken of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch
from torch import Tensor

from genurl_graph.graph.temporal.history import BASE

# Largest number of nodes whose matrix is decomposed as a whole, and whose vectors are found by Lanczos' method.
SMALL, MEDIUM = 200, 8192
# Of subspace iteration: products with the matrix, columns more than are wanted, and what is added to each eigenvalue,
# so that those below 0 count less.
PRODUCTS, MORE, SHIFT = 10, 10, 0.25


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
    if n <= SMALL:
        values, vectors = np.linalg.eigh(a.toarray())
        values, vectors = values[::-1][:wanted], vectors[:, ::-1][:, :wanted]
    elif n > MEDIUM:
        values, vectors = leading_vectors(a, wanted)
    else:
        values, vectors = sp.linalg.eigsh(a, wanted, which="LA", v0=np.linspace(1, 2, n), tol=1e-4)
        order = np.argsort(-values)
        values, vectors = values[order], vectors[:, order]
    found = vectors * np.maximum(values, 0)
    found *= np.where((found**3).sum(0) < 0, -1.0, 1.0)
    size = np.sqrt(np.square(found).sum() / n)
    return torch.from_numpy(found / max(size, np.finfo(float).tiny)).float()


def leading_vectors(a: Any, wanted: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Largest eigenvalues and their vectors, [wanted] and [n, wanted], of a large sparse symmetric matrix of norm 1.

    By subspace iteration with a fixed number of products and a Rayleigh-Ritz step (Halko, Martinsson & Tropp, SIAM
    Review 53, 2011): time and memory in proportion to the entries of the matrix. Vectors of eigenvalues that lie close
    together, as those of noise do, may be mixed with one another.
    """
    basis = np.random.default_rng(0).standard_normal((a.shape[0], min(wanted + MORE, a.shape[0])), dtype=np.float32)
    for _ in range(PRODUCTS):
        basis = np.linalg.qr(a @ basis + SHIFT * basis)[0]
    values, turn = np.linalg.eigh(basis.T @ (a @ basis))
    return values[::-1][:wanted], basis @ turn[:, ::-1][:, :wanted]
