"""How well an embedding preserves neighbourhoods: the numbers of the protocol ``reduce``."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genurl_graph.evaluation.probe import voters
from genurl_graph.evaluation.ranks import Points, blocks, nearest, ranks, sample_rows
from genurl_graph.evaluation.splits import check_labels
from genurl_graph.exceptions import wrong

# Trustworthiness and continuity of all points up to this many; beyond, of a sample of rows against all points.
EXACT_UP_TO = 15_000
SAMPLED_ROWS = 5_000
SPEARMAN_POINTS = 3_000
FOLDS = 5

# Numbers of `reduce_scores`, in the order of tables.
SCORES = ("knn_accuracy", "trustworthiness", "continuity", "spearman")


class Preservation(NamedTuple):
    """Trustworthiness and continuity of single points, both 1 for a perfect embedding."""

    rows: Tensor
    """int64 ``[m]``: the points."""
    trustworthiness: Tensor
    """float64 ``[m]``: 1 minus the penalty of neighbours in the embedding that are far away in the input."""
    continuity: Tensor
    """float64 ``[m]``: 1 minus the penalty of neighbours in the input that are far away in the embedding."""


@torch.no_grad()
def preservation(
    x: Any,
    z: Any,
    k: int = 12,
    *,
    rows: Tensor | None = None,
    metric: str = "euclidean",
    memory_mb: float = 256,
    device: torch.device | str = "cpu",
) -> Preservation:
    """Local trustworthiness and continuity (Venna, Kaski: Local multidimensional scaling, 2006, eqs. 1 and 2).

    Of point i, with r_x(i, j) the rank of j among the neighbours of i in the input and N_z(i) its k nearest in the
    embedding::

        T_i = 1 - 2 / (k (2n - 3k - 1)) * sum_{j in N_z(i)} max(r_x(i, j) - k, 0)

    The continuity exchanges input and embedding. Their means over all points are the usual trustworthiness and
    continuity. Equally near points are ordered by index on both sides.

    Parameters
    ----------
    x : array, Tensor or sparse matrix, shape [n, f]
        Input.
    z : array or Tensor, shape [n, d]
        Embedding, compared by Euclidean distances.
    k : int
        Neighbours, at least 1 and below n / 2.
    rows : Tensor, int64, shape [m], optional
        Points to judge, all by default. Each is ranked against all n points.
    metric : "euclidean" or "cosine"
        Of the input.
    memory_mb : float
        Bound of the blocks of distances; there is never an n x n matrix.
    device : torch.device or str

    Returns
    -------
    Preservation

    Raises
    ------
    InputError
        Inputs that are no finite matrices of as many rows, or k out of range.
    """
    given, made = Points(x, "input", metric, device), Points(z, "embedding", device=device)
    n = given.n
    if made.n != n:
        raise wrong("embedding", f"{made.n} rows", f"{n}, as in the input")
    if not 1 <= k < n / 2:
        raise wrong("k", k, f"at least 1 and below n / 2 = {n / 2:g}")
    rows = torch.arange(n) if rows is None else rows
    trustworthiness: list[Tensor] = []
    continuity: list[Tensor] = []
    unit = 2 / (k * (2 * n - 3 * k - 1))
    for part in blocks(rows, n, memory_mb):
        before, after = given.distances(part), made.distances(part)
        for judge, shown, found in ((before, after, trustworthiness), (after, before, continuity)):
            excess = ranks(judge, nearest(shown, k)) - k
            found.append(1 - unit * excess.clamp_min_(0).double().sum(1).cpu())
    return Preservation(rows, torch.cat(trustworthiness), torch.cat(continuity))


def reduce_scores(
    x: Any, z: Any, y: Any = None, *, seed: int = 0, metric: str = "euclidean", device: torch.device | str = "cpu"
) -> dict[str, Any]:
    """Compute all numbers of the protocol ``reduce``.

    * ``knn_accuracy``: vote of the 10 nearest in the embedding, 5-fold cross-validation, stratified and shuffled;
    * ``trustworthiness``, ``continuity`` with k = 12 (`preservation`): of all points up to 15,000, beyond that of
      5,000 points at random, each ranked against all points;
    * ``spearman``: rank correlation of the pairwise distances among 3,000 points at random.

    Parameters
    ----------
    x : array, Tensor or sparse matrix, shape [n, f]
        Input.
    z : array or Tensor, shape [n, d]
        Embedding.
    y : array or Tensor, int, shape [n], optional
        Labels; negative ones are left out.
    seed : int
        Of folds and samples.
    metric, device
        As in `preservation`.

    Returns
    -------
    dict
        The four numbers (`SCORES`; None where labels or points are too few), and ``how``: neighbours, folds and
        samples in words, by number. Few points lower k and the number of folds.

    Raises
    ------
    InputError
        As `preservation`, or not one label for each point.
    """
    n = Points(z, "embedding").n
    accuracy, how_accuracy = _cross_validated(z, y, seed)
    k = min(12, (n - 1) // 2)
    rows = sample_rows(n, SAMPLED_ROWS if n > EXACT_UP_TO else n, seed)
    points = f"all {n:,} points" if len(rows) == n else f"{len(rows):,} random points, each against all {n:,}"
    found = preservation(x, z, k, rows=rows, metric=metric, device=device) if k else None
    return {
        "knn_accuracy": accuracy,
        "trustworthiness": float(found.trustworthiness.mean()) if found else None,
        "continuity": float(found.continuity.mean()) if found else None,
        "spearman": spearman(x, z, seed=seed, metric=metric),
        "how": {
            "knn_accuracy": how_accuracy,
            "trustworthiness": f"k = {k}, {points}",
            "continuity": f"k = {k}, {points}",
            "spearman": f"distances among {min(n, SPEARMAN_POINTS):,} of {n:,} points",
        },
    }


def spearman(
    x: Any, z: Any, n_points: int = SPEARMAN_POINTS, *, seed: int = 0, metric: str = "euclidean"
) -> float | None:
    """Spearman's correlation of the pairwise distances in input and embedding, among `n_points` random points.

    None where it is not defined: fewer than three points, or all distances the same.
    """
    from scipy.spatial.distance import squareform
    from scipy.stats import rankdata
    from sklearn.metrics import euclidean_distances

    given, made = Points(x, "input", metric), Points(z, "embedding")
    rows = sample_rows(given.n, n_points, seed).numpy()
    if len(rows) < 3:
        return None
    # In float64, whose products are exact enough; squareform takes one triangle.
    parts = (points.matrix[rows].astype(np.float64) for points in (given, made))
    ranked = [rankdata(squareform(euclidean_distances(part), checks=False)) for part in parts]
    if any(np.ptp(one) == 0 for one in ranked):
        return None
    return float(np.corrcoef(*ranked)[0, 1])


def knn_accuracy(z: Any, y: Any, train: Any, test: Any) -> float:
    """Accuracy, in [0, 1], of the vote of the 10 nearest (`voters`) of `train` on the rows `test` (Euclidean)."""
    from sklearn.neighbors import KNeighborsClassifier

    # Of few columns a tree finds the neighbours, of many a product of matrices.
    model = KNeighborsClassifier(voters(10, len(train))).fit(z[train], y[train])
    return float(model.score(z[test], y[test]))


def _cross_validated(z: Any, y: Any, seed: int) -> tuple[float | None, str]:
    from sklearn.model_selection import StratifiedKFold

    if y is None:
        return None, "no labels"
    points, labels = np.asarray(z), check_labels(y, len(z))
    known = np.flatnonzero(labels >= 0)
    points, labels = points[known], labels[known]
    folds = min(FOLDS, int(np.unique(labels, return_counts=True)[1].max(initial=0)))
    if folds < 2:
        return None, "no two points of a class"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        parts = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(points, labels))
    shares = [knn_accuracy(points, labels, train, test) * len(test) for train, test in parts]
    voting = voters(10, len(parts[0][0]))
    return sum(shares) / len(labels), f"{voting} nearest, {folds}-fold, all {len(labels):,} labelled points"
