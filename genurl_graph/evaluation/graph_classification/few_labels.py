"""Semi-supervised figure: logistic regression on the frozen embedding with a tenth of the labels."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from genurl_graph.evaluation.graph_classification.rows import Row

SHARE, REPEATS, INNER = 0.1, 10, 5
STRENGTHS = tuple(10.0 ** np.arange(-4, 2))


def few_labels(row: Row, y: npt.NDArray[Any], seed: int, repeats: int = REPEATS) -> float:
    """Accuracy on 90 % of the graphs of a logistic regression that learns from the others, mean over repeats.

    The graphs that are learned from are drawn stratified. One-vs-rest, by liblinear as in the protocol random-10; C by
    5-fold cross-validation among them, with fewer folds where a class has fewer graphs, the strongest penalty among
    equals.

    Parameters
    ----------
    row : Row
    y : array, int, shape [n]
    seed : int
        Of the draws.
    repeats : int

    Returns
    -------
    float
        In [0, 1].
    """
    from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit

    features = row.components()
    # Two graphs of each class, on average, are the fewest to choose anything by.
    count = max(round(SHARE * len(y)), 2 * len(np.unique(y)))
    draws = StratifiedShuffleSplit(repeats, train_size=count, test_size=len(y) - count, random_state=seed)
    found = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)  # rare classes, and slow ends at weak penalties
        for train, test in draws.split(features, y):
            folds = int(np.clip(np.unique(y[train], return_counts=True)[1].min(), 2, INNER))
            parts = [*StratifiedKFold(folds, shuffle=True, random_state=seed).split(train, y[train])]
            scores = [sum(_score(features, y, train[a], train[b], C) for a, b in parts) / folds for C in STRENGTHS]
            best = STRENGTHS[int(np.round(scores, 9).argmax())]
            found.append(_score(features, y, train, test, best))
    return float(np.mean(found))


def _score(features: Any, y: npt.NDArray[Any], train: Any, test: Any, strength: float) -> float:
    """Accuracy on some graphs of what is learned from others."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    classes = np.unique(y[train])
    if len(classes) == 1:
        return float(np.mean(y[test] == classes[0]))
    model = LogisticRegression(C=strength, solver="liblinear")
    chosen = model if len(classes) == 2 else OneVsRestClassifier(model)
    return float(chosen.fit(features[train], y[train]).score(features[test], y[test]))
