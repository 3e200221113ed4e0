"""What a viewer sees of a 2-d map as a whole: classes in one piece or in several, and the order of distances."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from genurl_graph.config.metrics import Distance
from genurl_graph.evaluation.ranks import as_points, sample_rows
from genurl_graph.evaluation.splits import check_labels
from genurl_graph.exceptions import wrong

SPEARMAN_POINTS = 3_000
# Triplets of `random_triplets`; the error by the sample is at most 0.0016 (one standard deviation).
TRIPLETS = 100_000

PIECE_NEIGHBORS = 10
# A component counts as a piece from this share of its class on.
SMALLEST_PIECE = 0.02
# Points that are looked at of a larger class.
CLASS_POINTS = 20_000
# Up to so many columns a tree finds the neighbours.
_TREE_COLUMNS = 15

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


class Pieces(NamedTuple):
    """Pieces of the classes of a map."""

    classes: npt.NDArray[Any]
    """Labels ``[c]`` of the classes that are large enough to be judged."""
    pieces: Index
    """int64 ``[c]``: components that hold at least 2 % of the class."""
    largest: Floats
    """float64 ``[c]``: share of the class in its largest component."""
    left_out: int
    """Number of classes that are too small."""
    sampled: bool
    """Whether a class was too large to be looked at as a whole."""


def pieces(z: Any, y: Any, *, k: int = PIECE_NEIGHBORS, most: int = CLASS_POINTS, seed: int = 0) -> Pieces:
    """Count the pieces in which each class of a map comes.

    Each class is looked at by itself. Two of its points are joined if each is among the k nearest of the other, among
    the points of the class; points at the same position are always joined. A piece is a connected component with at
    least 2 % of the class. One piece a class, with all of its points, is the best that a map can
    show, unless the data themselves fall apart.

    Parameters
    ----------
    z : array or Tensor, shape [n, d]
        Map, compared by Euclidean distances.
    y : array or Tensor, int, shape [n]
        Labels; negative ones are left out.
    k : int
        Neighbours, at least 1. A class of at most k + 1 points is left out: all would be neighbours of all.
    most : int
        Points of a class that are looked at; of a larger one so many at random.
    seed : int
        Of that sample.

    Returns
    -------
    Pieces

    Raises
    ------
    InputError
        No finite matrix, not one label for each row, or k below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from genurl_graph.evaluation.layout import pieces
    >>> z = np.random.default_rng(0).standard_normal((200, 2))
    >>> z[:80] += 20  # a part of the first class is far away
    >>> found = pieces(z, np.arange(200) // 100)
    >>> found.pieces.tolist(), found.largest.tolist()
    ([2, 1], [0.8, 1.0])
    """
    points = as_points(z, "embedding")
    if k < 1:
        raise wrong("k", k, "at least 1")
    labels = check_labels(y, points.n)
    # Rows in the order of their class, each class a slice of them.
    order = np.argsort(labels, kind="stable")
    classes, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    judged = np.flatnonzero((classes >= 0) & (sizes > k + 1))
    found = []
    for start, size in zip(starts[judged], sizes[judged], strict=True):
        rows = order[start : start + size][sample_rows(int(size), most, seed).numpy()]
        found.append(_components(np.asarray(points.matrix)[rows], k))
    counts = np.array([int((sizes >= SMALLEST_PIECE * sizes.sum()).sum()) for sizes in found], dtype=np.int64)
    largest = np.array([sizes.max() / sizes.sum() for sizes in found], dtype=np.float64)
    return Pieces(
        classes[judged], counts, largest, int((classes >= 0).sum()) - len(judged), bool((sizes[judged] > most).any())
    )


def _components(z: npt.NDArray[Any], k: int) -> Index:
    """Points in each connected component of the mutual k-nearest-neighbour graph of some points."""
    import scipy.sparse as sp
    from scipy.sparse.csgraph import connected_components

    z, weights = np.unique(z, axis=0, return_counts=True)
    n, k_positions = len(z), min(k, len(z) - 1)
    if not k_positions:
        return weights
    near = _nearest_others(z, k_positions)
    # A position is among the k nearest if fewer points than k are nearer, those at the point's own one among them.
    nearer = np.cumsum(weights[near], axis=1) - weights[near] + weights[:, None] - 1
    kept = (nearer < k).ravel()
    rows = np.repeat(np.arange(n), k_positions)[kept]
    edges = sp.csr_matrix((np.ones(len(rows), np.int8), (rows, near.ravel()[kept])), (n, n))
    count, component = connected_components(edges.multiply(edges.T), directed=False)
    return np.bincount(component, weights, count).astype(np.int64)


def _nearest_others(z: npt.NDArray[Any], k: int) -> Index:
    """The k nearest other points [n, k] of each of more than k different points, nearest first."""
    from scipy.spatial import cKDTree
    from sklearn.neighbors import NearestNeighbors

    if z.shape[1] > _TREE_COLUMNS:
        found: Index = NearestNeighbors(n_neighbors=k).fit(z).kneighbors(return_distance=False)
        return found
    # Points differ, so that each is the nearest of itself.
    near: Index = cKDTree(z).query(z, range(2, k + 2), workers=-1)[1]
    return near


def random_triplets(
    x: Any, z: Any, n_triplets: int = TRIPLETS, *, seed: int = 0, metric: str | Distance = "euclidean"
) -> float | None:
    """Share of random triplets (i, j, l) whose order of distances from i is the same in input and embedding.

    The random-triplet accuracy of Wang, Huang, Rudin, Shaposhnik: Understanding how dimension reduction tools work
    (JMLR 22, 2021), which tells how far the arrangement of the whole is kept: 1/2 for a random map. Triplets are the
    same for all embeddings of as many points.

    Parameters
    ----------
    x : array, Tensor or sparse matrix, shape [n, f]
        Input.
    z : array or Tensor, shape [n, d]
        Embedding, compared by Euclidean distances.
    n_triplets : int
        Triplets that are drawn, with replacement; the points of one differ.
    seed : int
    metric : str
        Of the input, as in `preservation`.

    Returns
    -------
    float or None
        In [0, 1], of distances in float64; None for fewer than three points.

    Raises
    ------
    InputError
        Inputs that are no finite matrices of as many rows.
    """
    given, made = as_points(x, "input", metric), as_points(z, "embedding")
    n = given.n
    if made.n != n:
        raise wrong("embedding", f"{made.n} rows", f"{n}, as in the input")
    if n < 3:
        return None
    rng = np.random.default_rng(seed)
    first, second, third = (rng.integers(0, n - less, n_triplets) for less in range(3))
    # Each number is moved past those that are taken: all triplets of three different points are equally likely.
    second += second >= first
    third += third >= np.minimum(first, second)
    third += third >= np.maximum(first, second)
    nearer = [points.pairs(first, second) < points.pairs(first, third) for points in (given, made)]
    return float((nearer[0] == nearer[1]).mean())


def spearman(
    x: Any, z: Any, n_points: int = SPEARMAN_POINTS, *, seed: int = 0, metric: str | Distance = "euclidean"
) -> float | None:
    """Spearman's correlation of the pairwise distances in input and embedding, among `n_points` random points.

    None where it is not defined: fewer than three points, or all distances the same.
    """
    from scipy.spatial.distance import squareform
    from scipy.stats import rankdata

    given, made = as_points(x, "input", metric), as_points(z, "embedding")
    rows = sample_rows(given.n, n_points, seed).numpy()
    if len(rows) < 3:
        return None
    # squareform takes one triangle.
    ranked = [rankdata(squareform(points.among(rows), checks=False)) for points in (given, made)]
    if any(np.ptp(one) == 0 for one in ranked):
        return None
    return float(np.corrcoef(*ranked)[0, 1])
