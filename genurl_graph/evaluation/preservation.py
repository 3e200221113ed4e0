"""How well an embedding preserves neighbourhoods: the numbers of the protocol ``reduce``."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genurl_graph.config.metrics import Distance
from genurl_graph.evaluation.layout import (
    CLASS_POINTS,
    PIECE_NEIGHBORS,
    SMALLEST_PIECE,
    SPEARMAN_POINTS,
    TRIPLETS,
    pieces,
    random_triplets,
    spearman,
)
from genurl_graph.evaluation.probe import voters
from genurl_graph.evaluation.ranks import Points, as_points, blocks, nearest, ranks, sample_rows
from genurl_graph.evaluation.splits import check_labels
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.sparse import to_scipy_or_numpy

# Trustworthiness and continuity of all points up to this many; beyond, of a sample of rows against all points, whose
# product with their number is bounded.
EXACT_UP_TO = 15_000
SAMPLED_ROWS, FEWEST_ROWS = 5_000, 1_000
SAMPLED_PAIRS = 300_000_000
FOLDS = 5
# Points whose vote is looked at, of more than so many.
VOTED = 200_000

# Numbers of `reduce_scores`, in the order of tables.
SCORES = ("knn_accuracy", "trustworthiness", "continuity", "triplets", "pieces", "largest_piece", "spearman")

# Called with the share of the work that is done, in [0, 1].
Progress = Callable[[float], None]

# What is done within a budget, from the most to the least: share of the rows, and whether wide inputs are projected.
_LADDER = ((1.0, False), (0.5, False), (0.35, False), (0.2, False), (0.2, True), (0.1, True), (0.04, True))
_PROJECTED_COLUMNS = 100
# Classes that the estimate reckons with.
_CLASSES = 50
# Seconds on one core, measured once, so that the same rows are drawn on every machine: of a pair of points and a
# column, of a pair's distances and ranks on both sides, of a vote, of a point's neighbours in the map, of a number to
# be projected, of a triplet and a column, and of all ranks of Spearman's correlation.
_COLUMN, _PAIR, _VOTE, _NEIGHBORS, _PROJECTED, _TRIPLET, _SPEARMAN = 5e-11, 2.2e-8, 1e-5, 4e-6, 1e-8, 1e-8, 2.5


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
    metric: str | Distance = "euclidean",
    memory_mb: float = 256,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
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
    metric : str or callable
        Of the input, as in `genurl_graph.graph.knn.knn`.
    memory_mb : float
        Bound of the blocks of distances; there is never an n x n matrix.
    device : torch.device or str
    progress : callable, optional
        Called with the share of the points that is done.

    Returns
    -------
    Preservation

    Raises
    ------
    InputError
        Inputs that are no finite matrices of as many rows, or k out of range.
    """
    given, made = as_points(x, "input", metric, device), as_points(z, "embedding", device=device)
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
        if progress is not None:
            progress(sum(map(len, trustworthiness)) / len(rows))
    return Preservation(rows, torch.cat(trustworthiness), torch.cat(continuity))


class Effort(NamedTuple):
    """How much is looked at."""

    rows: int
    """Points whose trustworthiness and continuity are computed."""
    columns: int | None
    """Principal components in whose place the columns of the input stand; None for these themselves."""
    voted: int
    """Points whose vote is looked at."""
    spearman_points: int
    triplets: int
    class_points: int
    seconds: float
    """A rough estimate for one common core."""


def plan_effort(n: int, columns: int, budget: float | None = None, projectable: bool = True) -> Effort:
    """Choose how much of n points with so many columns `reduce_scores` looks at, within a budget of seconds.

    The choice depends on nothing else, so that the same numbers come out on every machine.
    """
    whole = n if n <= EXACT_UP_TO else min(SAMPLED_ROWS, max(FEWEST_ROWS, SAMPLED_PAIRS // n))
    for share, project in _LADDER:
        to = _PROJECTED_COLUMNS if projectable and project and columns > 2 * _PROJECTED_COLUMNS else None
        rows, part, width = max(min(whole, 100), int(share * whole)), share**0.5, to or columns
        voted, triplets, class_points = (int(part * most) for most in (min(n, VOTED), TRIPLETS, CLASS_POINTS))
        seconds = (
            rows * n * (_PAIR + width * _COLUMN)
            + (n * columns * _PROJECTED if to else 0)
            + voted * _VOTE
            + (min(n, FOLDS * voted) + min(n, _CLASSES * class_points)) * _NEIGHBORS
            + triplets * width * _TRIPLET
            + share * min(1, n / SPEARMAN_POINTS) ** 2 * _SPEARMAN
        )
        effort = Effort(rows, to, voted, int(part * SPEARMAN_POINTS), triplets, class_points, seconds)
        if budget is None or effort.seconds <= budget:
            break
    return effort


def reduce_scores(
    x: Any,
    z: Any,
    y: Any = None,
    *,
    seed: int = 0,
    metric: str | Distance = "euclidean",
    device: torch.device | str = "cpu",
    budget: float | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compute all numbers of the protocol ``reduce``.

    * ``knn_accuracy``: vote of the 10 nearest in the embedding, 5-fold cross-validation, stratified and shuffled;
    * ``trustworthiness``, ``continuity`` with k = 12 (`preservation`): of all points up to 15,000, beyond that of
      5,000 points at random (of more than 60,000 points fewer, at least 1,000), each ranked against all points;
    * ``triplets``: share of random triplets whose order of distances is kept (`random_triplets`);
    * ``pieces``, ``largest_piece``: means over the classes of their number of pieces and of their share in the largest
      (`pieces`);
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
    budget : float, optional
        Seconds that this may take, about, on one core (`plan_effort`): fewer points are drawn, and wide inputs are
        projected to their principal components. The same budget gives the same numbers.
    progress : callable, optional
        Called with the share of the work that is done, from 0 to 1.

    Returns
    -------
    dict
        The numbers of `SCORES` (None where labels or points are too few), and ``how``: neighbours, folds and samples
        in words, by number. Few points lower k and the number of folds.

    Raises
    ------
    InputError
        As `preservation`, or not one label for each point.
    """
    told = progress or (lambda share: None)
    given, made = as_points(x, "input", metric, device), Points(z, "embedding", device=device)
    n = made.n
    effort = plan_effort(n, given.work, budget, given.projectable)
    told(0)
    accuracy, how_accuracy = cross_validated(z, y, seed, effort.voted)
    count, largest, how_pieces = _pieces(z, y, seed, effort.class_points)
    told(0.2)
    projected = "" if given.metric == "euclidean" else f"; {given.metric} distance of the input"
    if effort.columns:
        given = given.projected(min(effort.columns, n), seed)
        projected += f"; input projected to {given.columns} principal components"
    k = min(12, (n - 1) // 2)
    rows = sample_rows(n, effort.rows, seed)
    points = f"all {n:,} points" if len(rows) == n else f"{len(rows):,} random points, each against all {n:,}"
    found = preservation(given, made, k, rows=rows, progress=lambda share: told(0.2 + 0.6 * share)) if k else None
    told(0.8)
    triplets = random_triplets(given, made, effort.triplets, seed=seed)
    told(0.9)
    correlation = spearman(given, made, effort.spearman_points, seed=seed)
    told(1)
    return {
        "knn_accuracy": accuracy,
        "trustworthiness": float(found.trustworthiness.mean()) if found else None,
        "continuity": float(found.continuity.mean()) if found else None,
        "triplets": triplets,
        "pieces": count,
        "largest_piece": largest,
        "spearman": correlation,
        "how": {
            "knn_accuracy": how_accuracy,
            "trustworthiness": f"k = {k}, {points}{projected}",
            "continuity": f"k = {k}, {points}{projected}",
            "triplets": f"{effort.triplets:,} triplets{projected}",
            "pieces": how_pieces,
            "largest_piece": how_pieces,
            "spearman": f"distances among {min(n, effort.spearman_points):,} of {n:,} points{projected}",
        },
    }


def knn_accuracy(z: Any, y: Any, train: Any, test: Any) -> float:
    """Accuracy, in [0, 1], of the vote of the 10 nearest (`voters`) of `train` on the rows `test` (Euclidean)."""
    from sklearn.neighbors import KNeighborsClassifier

    # Of few columns a tree finds the neighbours, of many a product of matrices.
    model = KNeighborsClassifier(voters(10, len(train))).fit(z[train], y[train])
    return float(model.score(z[test], y[test]))


def _pieces(z: Any, y: Any, seed: int, most: int) -> tuple[float | None, float | None, str]:
    if y is None:
        return None, None, "no labels"
    found = pieces(z, y, most=most, seed=seed)
    if not len(found.pieces):
        return None, None, f"no class of more than {PIECE_NEIGHBORS + 1} points"
    how = f"mutual {PIECE_NEIGHBORS}-NN graph of each class, components from {SMALLEST_PIECE:.0%} on"
    how += f"; mean of {len(found.pieces):,} classes"
    if found.sampled:
        how += f"; {most:,} random points of a larger class"
    if found.left_out:
        how += f"; {found.left_out:,} of at most {PIECE_NEIGHBORS + 1} points left out"
    return float(found.pieces.mean()), float(found.largest.mean()), how


def cross_validated(z: Any, y: Any, seed: int, most: int) -> tuple[float | None, str]:
    """Accuracy of the vote of the 10 nearest (Euclidean) in five folds, of at most so many points, and how, in words.

    `z` may be a sparse matrix. None where there are no labels, or no two points of a class.
    """
    from sklearn.model_selection import StratifiedKFold

    if y is None:
        return None, "no labels"
    points, labels = to_scipy_or_numpy(z), check_labels(y, z.shape[0])
    known = np.flatnonzero(labels >= 0)
    points, labels = points[known], labels[known]
    folds = min(FOLDS, int(np.unique(labels, return_counts=True)[1].max(initial=0)))
    if folds < 2:
        return None, "no two points of a class"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        parts = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(labels, labels))
    n = len(labels)
    if n > most:
        # Voters stay as many; folds, and those who get a vote, are fewer.
        parts = parts[: math.ceil(folds * most / n)]
        seen = np.zeros(n, bool)
        tested = np.concatenate([test for _, test in parts])
        seen[tested[sample_rows(len(tested), most, seed).numpy()]] = True
        parts = [(train, test[seen[test]]) for train, test in parts]
    shares = [knn_accuracy(points, labels, train, test) * len(test) for train, test in parts if len(test)]
    voting = voters(10, len(parts[0][0]))
    votes = sum(len(test) for _, test in parts)
    judged = f"all {n:,}" if votes == n else f"{votes:,} random of {n:,}"
    folded = f"{folds}-fold" if len(parts) == folds else f"{len(parts)} of {folds} folds"
    return sum(shares) / votes, f"{voting} nearest, {folded}, {judged} labelled points"
