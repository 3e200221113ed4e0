"""Support vector machines on whole graphs, whose penalty is chosen inside the training folds."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from genurl_graph.evaluation.graph_classification.folds import FOLDS, inner_pairs
from genurl_graph.evaluation.graph_classification.rows import Row

# From the strongest penalty to the weakest.
STRENGTHS = tuple(10.0 ** np.arange(-3, 4))
# Of the linear machine: with 1e-4, weak penalties take 50 times as long on NCI1, for the same accuracy to .003.
TOLERANCE = 1e-2
# Kernels in memory, for libsvm's own cache (MB).
CACHE = 500

Kernel = Literal["rbf", "linear"]
KERNELS: tuple[Kernel, ...] = ("rbf", "linear")


def nested_svm(row: Row, y: npt.NDArray[Any], fold: npt.NDArray[np.int64], inner: int, kernel: Kernel) -> float:
    """Accuracy of a support vector machine, mean over folds.

    Parameters
    ----------
    row : Row
        Features, for ``"linear"`` with squared hinge loss by liblinear; a kernel, and ``"rbf"``, by libsvm.
    y : array, int, shape [n]
    fold : array, int64, shape [n]
        `stratified_folds`.
    inner : int
        Other folds that choose C for each fold (`inner_pairs`): the best of `STRENGTHS` by their mean accuracy, the
        strongest penalty among equals.
    kernel : {"rbf", "linear"}

    Returns
    -------
    float
        In [0, 1].
    """
    squared = kernel == "rbf" or row.gram is not None
    given = (row.rbf() if kernel == "rbf" else row.products()) if squared else row.coordinates()

    def scores(strengths: tuple[float, ...], without: tuple[int, ...]) -> npt.NDArray[np.float64]:
        """Accuracy on each of the folds `without` of what is trained on the others, [strengths, len(without)]."""
        train = np.flatnonzero(~np.isin(fold, without))
        tests = [np.flatnonzero(fold == one) for one in without]
        seen = given[np.ix_(train, train)] if squared else given[train]
        held = [given[np.ix_(test, train)] if squared else given[test] for test in tests]
        found = np.zeros((len(strengths), len(without)))
        for k, strength in enumerate(strengths):
            model = _machine(strength, squared).fit(seen, y[train])
            found[k] = [model.score(part, y[test]) for part, test in zip(held, tests, strict=True)]
        return found

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)  # liblinear short of converging at weak penalties
        chosen = np.zeros((FOLDS, len(STRENGTHS)))
        for i, j in inner_pairs(inner):
            found = scores(STRENGTHS, (i, j))
            chosen[i] += found[:, 1]
            chosen[j] += found[:, 0]
        best = chosen.round(9).argmax(1)
        return float(np.mean([scores((STRENGTHS[best[i]],), (i,)) for i in range(FOLDS)]))


def _machine(strength: float, squared: bool) -> Any:
    from sklearn.svm import SVC, LinearSVC

    if squared:
        return SVC(kernel="precomputed", C=strength, cache_size=CACHE)
    return LinearSVC(C=strength, dual=False, tol=TOLERANCE)
