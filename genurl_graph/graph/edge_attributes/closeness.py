"""Closeness of the ends of edges that are held out: what the remaining graph, and features, tell of each edge."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

from genurl_graph.graph.evidence.held_out import Pairs, operator, projected
from genurl_graph.inputs.sparse import to_scipy_or_numpy

Array = npt.NDArray[Any]

# Parts that the edges are divided into, each held out in turn until so many edges have been scored.
FOLDS, ENOUGH = 10, 20_000
# Leading eigenvectors, and rounds of the subspace iteration for them.
COLUMNS, BESIDE, ROUNDS = 32, 8, 6


class Closeness(NamedTuple):
    """How close the ends of some edges are.

    Attributes
    ----------
    edges : int64 array, shape [m]
        Which edges were held out.
    value : float64 array, shape [m]
        In [0, 1]: the share of random pairs, without an edge and of the same degrees, that are less close.
    """

    edges: Array
    value: Array


def held_out_closeness(ends: Array, weight: Array, num_nodes: int, x: Tensor | None) -> Closeness:
    """How close the ends of edges are in the graph without these edges.

    Several witnesses are heard, each a cosine of the two ends: two steps over the graph (``A^2 R``, R random columns:
    common neighbours), the leading eigenvectors of A (communities), and propagated features ``A^2 X``. Each counts by
    the square of how far it finds edges closer than chance.

    Parameters
    ----------
    ends : int64 array, shape [2, m]
        Undirected edges, each once, without self loops.
    weight : float array, shape [m]
        Of the edges in A.
    num_nodes : int
    x : Tensor, float32, shape [n, f], or None
        Features, strided or CSR.

    Returns
    -------
    Closeness
        The same for every seed of a run: no seed enters it.
    """
    import scipy.sparse as sp

    generator = np.random.default_rng(0)
    i, j = ends
    given = [sp.identity(num_nodes, format="csr"), *([] if x is None else [to_scipy_or_numpy(x)])]
    starts = [projected(part, generator) for part in given]
    fold, known = generator.permutation(len(i)) % FOLDS, np.sort(np.minimum(i, j) * num_nodes + np.maximum(i, j))
    first = generator.standard_normal((num_nodes, COLUMNS + BESIDE), dtype=np.float32)
    edges: list[Array] = []
    found: list[list[Array]] = []
    for part in range(FOLDS):
        out = fold == part
        a = operator(i[~out], j[~out], num_nodes, weight[~out])
        pairs = Pairs.draw(i[out], j[out], num_nodes, known, generator)
        columns = [*(a @ (a @ start) for start in starts), _eigenvectors(a, first)]
        found.append([pairs.wins(each) for each in columns])
        edges.append(np.flatnonzero(out))
        if sum(map(len, edges)) >= ENOUGH:
            break
    witnesses = [np.concatenate(each) for each in zip(*found, strict=True)]
    counts = np.array([max(each.mean() - 0.5, 1e-6) ** 2 for each in witnesses])
    return Closeness(np.concatenate(edges), np.average(witnesses, axis=0, weights=counts))


def _eigenvectors(a: Any, first: Array) -> Array:
    """Eigenvectors of the largest eigenvalues by size, times these, float32 [n, `COLUMNS`] (arXiv 0909.4061)."""
    v = first
    if v.shape[1] >= v.shape[0]:
        return np.asarray(a @ np.eye(len(v), dtype=np.float32))
    for _ in range(ROUNDS):
        v = np.linalg.qr(a @ (a @ v))[0]
    inner = v.T @ (a @ v)
    values, turned = np.linalg.eigh((inner + inner.T) / 2)
    order = np.argsort(-np.abs(values))[:COLUMNS]
    found: Array = (v @ turned[:, order]) * np.abs(values[order])
    return found
