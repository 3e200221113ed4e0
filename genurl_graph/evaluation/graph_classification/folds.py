"""Ten folds of labelled graphs, and which pairs of them choose a penalty without the fold that is tested."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FOLDS = 10
# Inner folds up to so many graphs, and beyond.
ALL_UP_TO, INNER_BEYOND = 2_000, 4

Index = npt.NDArray[np.int64]


def too_few_graphs(y: npt.NDArray[Any]) -> str | None:
    """Why labels [G] (negative: none) cannot be judged by folds, in words; None where they can."""
    found = np.sort(np.unique(y[y >= 0], return_counts=True)[1])[::-1]
    if len(found) < 2:
        return f"no classification of graphs: {len(found)} classes; it takes 2"
    if found[1] < FOLDS:
        return f"no classification of graphs: {found[1]} graphs of the second largest class; it takes {FOLDS}"
    return None


def stratified_folds(y: npt.NDArray[Any], seed: int) -> Index:
    """Fold of each graph, int64 [n]: each class is spread evenly over `FOLDS` folds."""
    import warnings

    from sklearn.model_selection import StratifiedKFold

    fold = np.zeros(len(y), dtype=np.int64)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        for number, (_, test) in enumerate(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(y, y)):
            fold[test] = number
    return fold


def inner_folds(n: int) -> int:
    """How many of the other nine folds choose the penalty for a fold that is tested: all, of many graphs fewer."""
    return FOLDS - 1 if n <= ALL_UP_TO else INNER_BEYOND


def inner_pairs(inner: int) -> list[tuple[int, int]]:
    """Pairs (i, j) of folds, each fold in `inner` of them (2, 4, ..., or 9).

    What is trained without both of a pair is scored on j to choose for i, and on i to choose for j: the fold that is
    tested never has a part in its own choice, and one training serves two folds.
    """
    steps = range(1, FOLDS // 2 + 1) if inner == FOLDS - 1 else range(1, inner // 2 + 1)
    return sorted({(min(i, j), max(i, j)) for step in steps for i in range(FOLDS) for j in [(i + step) % FOLDS]})
