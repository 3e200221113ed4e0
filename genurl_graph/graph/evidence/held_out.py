"""Held-out edges: how well the structure predicts them, and how well propagated features do. No label is read."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from genurl_graph.inputs.sparse import to_scipy_or_numpy

# Parts that the edges are divided into, each held out in turn until so many have been scored.
_FOLDS, _ENOUGH = 10, 4000
# Columns that one-hot rows and wider features are projected to at random (Johnson & Lindenstrauss, 1984).
_COLUMNS = 256
# Pairs without an edge that every held-out edge is compared with.
_AGAINST = 8
# Edges below which nothing can be said.
_FEWEST = 20


class HeldOut(NamedTuple):
    """Areas under the ROC curve of held-out edges against pairs without one, of the same degrees; 0.5 is chance.

    Attributes
    ----------
    structure, features : float
        By cosines of ``A^2 R``, R random columns (two steps over the remaining edges tell what two nodes are near to),
        and by cosines of ``A^2 X``.
    structure_error, features_error : float
        Standard errors, pairs being the units.
    """

    structure: float
    features: float
    structure_error: float
    features_error: float


def predict_held_out(edge_index: Tensor, num_nodes: int, x: Tensor) -> HeldOut:
    """How well structure and propagated features predict edges that they have not seen.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Symmetric, without self loops, each edge once.
    num_nodes : int
    x : Tensor, float32, shape [n, f]
        Features, strided or CSR.

    Returns
    -------
    HeldOut
        The same for every seed of a run. Chance for fewer than `_FEWEST` edges. Time O((E + nnz(x)) columns).
    """
    import scipy.sparse as sp

    i, j = edge_index.cpu().numpy()
    i, j = i[i < j], j[i < j]
    if len(i) < _FEWEST:
        return HeldOut(0.5, 0.5, 0.5, 0.5)
    generator = np.random.default_rng(0)
    columns = [projected(part, generator) for part in (sp.identity(num_nodes, format="csr"), to_scipy_or_numpy(x))]
    fold, known = generator.permutation(len(i)) % _FOLDS, np.sort(i * num_nodes + j)
    found: list[list[Any]] = [[], []]
    for out in (fold == part for part in range(_FOLDS)):
        averages = operator(i[~out], j[~out], num_nodes)
        pairs = Pairs.draw(i[out], j[out], num_nodes, known, generator)
        for scores, start in zip(found, columns, strict=True):
            scores.append(pairs.wins(averages @ (averages @ start)))
        if sum(map(len, found[0])) >= _ENOUGH:
            break
    structure, features = map(np.concatenate, found)
    errors = (part.std(ddof=1) / len(part) ** 0.5 for part in (structure, features))
    return HeldOut(float(structure.mean()), float(features.mean()), *map(float, errors))


class Pairs(NamedTuple):
    """Held-out edges, from both ends, and nodes to compare each of their other ends with."""

    ends: Any  # [m]
    others: Any  # [m]
    against: Any  # [_AGAINST, m]
    counted: Any  # bool [_AGAINST, m]

    @classmethod
    def draw(cls, i: Any, j: Any, n: int, known: Any, generator: Any) -> Pairs:
        """Other nodes are drawn among the ends of held-out edges, that is, by degree; edges do not count."""
        ends, others = np.concatenate([i, j]), np.concatenate([j, i])
        against = np.stack([others[generator.permutation(len(others))] for _ in range(_AGAINST)])
        key = np.minimum(ends, against) * n + np.maximum(ends, against)
        joined = known[np.searchsorted(known, key).clip(0, len(known) - 1)] == key
        return cls(ends, others, against, (ends != against) & ~joined)

    def wins(self, columns: Any) -> Any:
        """Share of the pairs whose cosine is below that of the held-out edge, for each edge; ties count one half."""
        z = columns / np.maximum(np.linalg.norm(columns, axis=1, keepdims=True), 1e-12)
        near = np.einsum("ed,ed->e", z[self.ends], z[self.others])
        won = np.zeros(len(self.ends))
        for nodes, counted in zip(self.against, self.counted, strict=True):
            # Cosines that differ by rounding are equal.
            ahead = np.sign(np.round(near - np.einsum("ed,ed->e", z[self.ends], z[nodes]), 6))
            won += np.where(counted, 0.5 + 0.5 * ahead, 0.0)
        count = self.counted.sum(0)
        share = np.where(count > 0, won / np.maximum(count, 1), 0.5)
        return share.reshape(2, -1).mean(0)


def operator(i: Any, j: Any, n: int, weight: Any = None) -> Any:
    """``D^-1/2 (A + I) D^-1/2`` of undirected edges; `weight` is 1 for each if None."""
    import scipy.sparse as sp

    both = np.concatenate([i, j]), np.concatenate([j, i])
    weights = np.ones(2 * len(i)) if weight is None else np.concatenate([weight, weight])
    a = sp.csr_matrix((weights, both), shape=(n, n)) + sp.identity(n)
    scale = sp.diags(1 / np.sqrt(np.asarray(a.sum(1)).ravel()))
    return (scale @ a @ scale).tocsr().astype(np.float32)


def projected(matrix: Any, generator: Any) -> Any:
    """Rows of a matrix, or of its random projection, dense float32 [n, `_COLUMNS` at most]."""
    import scipy.sparse as sp

    f = matrix.shape[1]
    if f > _COLUMNS:
        matrix = matrix @ generator.standard_normal((f, _COLUMNS), dtype=np.float32)
    return np.asarray(matrix.toarray() if sp.issparse(matrix) else matrix, dtype=np.float32)
