"""Leading eigenvectors of large sparse symmetric matrices, and positions of nodes that they make."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch
from torch import Tensor

# Largest number of nodes whose matrix is decomposed as a whole, and whose vectors are found by Lanczos' method.
SMALL, MEDIUM = 200, 8192
# Of subspace iteration: products with the matrix, columns more than are wanted, and what is added to each eigenvalue,
# so that those below 0 count less.
PRODUCTS, MORE, SHIFT = 10, 10, 0.25
# Of positions: a walk goes on with this probability, products that tell eigenvalues near 1 from one another, and what
# is added to each degree, as a share of their mean.
GOES_ON, MANY_PRODUCTS, REGULARIZER = 0.9, 40, 0.1


def leading_eigenvectors(a: Any, wanted: int, products: int = PRODUCTS) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Largest eigenvalues, descending, and their vectors, of a sparse symmetric matrix of norm 1.

    Parameters
    ----------
    a : SciPy sparse array, shape [n, n]
    wanted : int
        Less than n.
    products : int
        With the matrix, where it is large.

    Returns
    -------
    values, vectors : arrays, [wanted] and [n, wanted]
        The sum of the cubes of a vector is not negative. Repeatable on one machine.
    """
    n = a.shape[0]
    if n <= SMALL:
        values, vectors = np.linalg.eigh(a.toarray())
        values, vectors = values[::-1][:wanted], vectors[:, ::-1][:, :wanted]
    elif n > MEDIUM:
        values, vectors = subspace_iteration(a, wanted, products)
    else:
        values, vectors = sp.linalg.eigsh(a, wanted, which="LA", v0=np.linspace(1, 2, n), tol=1e-4)
        order = np.argsort(-values)
        values, vectors = values[order], vectors[:, order]
    return values, vectors * np.where((vectors**3).sum(0) < 0, -1.0, 1.0).astype(vectors.dtype)


def subspace_iteration(a: Any, wanted: int, products: int = PRODUCTS) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Largest eigenvalues and their vectors, [wanted] and [n, wanted], of a large sparse symmetric matrix of norm 1.

    By subspace iteration with a fixed number of products and a Rayleigh-Ritz step (Halko, Martinsson & Tropp, SIAM
    Review 53, 2011): time and memory in proportion to the entries of the matrix. Vectors of eigenvalues that lie close
    together, as those of noise do, may be mixed with one another.
    """
    basis = np.random.default_rng(0).standard_normal((a.shape[0], min(wanted + MORE, a.shape[0])), dtype=np.float32)
    for _ in range(products):
        basis = np.linalg.qr(a @ basis + SHIFT * basis)[0]
    values, turn = np.linalg.eigh(basis.T @ (a @ basis))
    return values[::-1][:wanted], basis @ turn[:, ::-1][:, :wanted]


def walk_positions(
    edge_index: Tensor, edge_weight: Tensor, num_nodes: int, columns: int, regularizer: float = REGULARIZER
) -> Tensor:
    """Positions of nodes by where a walk from each of them stays, as rows of length 1.

    The leading eigenvectors u of ``D^-1/2 A D^-1/2``, each times ``1 / (1 - 0.9 lambda)``: the leading part of the
    resolvent of a random walk that goes on with probability 0.9 (personalised PageRank, Page et al., 1999), whose rows
    are compared by their cosine (spherical spectral clustering, Qin & Rohe, NeurIPS 2013, arXiv 1309.4111). Degrees in
    D are larger by a tenth of their mean, as there: else small connected components would take most columns.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Symmetric, each edge once.
    edge_weight : Tensor, float32, shape [E]
    num_nodes : int
    columns : int
        At most ``num_nodes - 1``.
    regularizer : float
        What is added to each degree, as a share of their mean.

    Returns
    -------
    Tensor, float32, shape [num_nodes, columns], on the CPU
        Rows of nodes without an edge are 0. Repeatable on one machine. Memory O(E + n columns).

    Examples
    --------
    >>> edges = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    >>> walk_positions(edges, torch.ones(4), 3, 2).norm(dim=1).round(decimals=4).tolist()
    [1.0, 1.0, 1.0]
    """
    row, column = edge_index.cpu().numpy()
    dtype = np.float64 if num_nodes <= MEDIUM else np.float32
    a = sp.csr_array((edge_weight.cpu().numpy().astype(dtype), (row, column)), shape=(num_nodes, num_nodes))
    degree = a.sum(1)
    grown = degree + regularizer * degree.mean()
    scale = np.where(degree > 0, 1 / np.sqrt(np.maximum(grown, np.finfo(np.float32).tiny)), 0.0).astype(dtype)
    a = sp.diags_array(scale) @ a @ sp.diags_array(scale)
    found = np.zeros((num_nodes, columns), dtype=np.float32)
    # Lanczos' method takes no matrix of zeros, and vectors of the eigenvalue 0 may be of nodes without an edge alone.
    if degree.any():
        values, vectors = leading_eigenvectors(a.tocsr(), columns, MANY_PRODUCTS)
        found = vectors / (1 - GOES_ON * np.minimum(values, 1.0)) * (degree > 0)[:, None]
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return torch.from_numpy(found / np.maximum(length, np.finfo(np.float32).tiny)).float()
