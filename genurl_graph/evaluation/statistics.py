"""Statistics of runs: accuracy without test nodes, to choose settings by, and paired differences of methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from genurl_graph.evaluation.probe import standardised
from genurl_graph.evaluation.splits import Split
from genurl_graph.exceptions import wrong

DRAWS, PER_CLASS = 10, 20
# One strength alone favours some settings: steep spectra of the embedding want strong penalties, flat ones weak.
STRENGTHS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)


def inner_accuracy(z: Any, y: Any, split: Split) -> float:
    """Compute the accuracy of few labels inside the training and validation nodes of a split.

    A single validation accuracy moves by a point with the seed of the training. Here `PER_CLASS` nodes a class (at most
    half of its labelled ones) are drawn `DRAWS` times from all nodes that are not test nodes, a logistic regression is
    fitted on them and judged on the rest; the strength of its penalty is the best of `STRENGTHS`, one for all draws.

    Parameters
    ----------
    z : array or sparse matrix, float, shape [n, d]
        Frozen embedding; columns are standardised over all nodes, as in the protocol "public".
    y : array, int, shape [n]
    split : Split
        Its test nodes are not looked at.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    InputError
        Fewer than two classes with two labelled nodes each.
    """
    from sklearn.linear_model import LogisticRegression

    y = np.asarray(y).reshape(-1)
    pool = np.concatenate([split.train, split.val])
    labels, counts = np.unique(y[pool], return_counts=True)
    if int((counts > 1).sum()) < 2:
        raise wrong(
            "selection", "fewer than two classes with two labelled nodes each, test nodes left out", "at least two"
        )
    features = standardised(z)
    found = np.zeros((DRAWS, len(STRENGTHS)))
    for draw in range(DRAWS):
        generator = np.random.default_rng(draw)
        members = [generator.permutation(pool[y[pool] == label]) for label in labels]
        train = np.concatenate([nodes[: min(PER_CLASS, len(nodes) // 2)] for nodes in members])
        rest = np.setdiff1d(pool, train)
        for column, strength in enumerate(STRENGTHS):
            model = LogisticRegression(C=strength, max_iter=300).fit(features[train], y[train])
            found[draw, column] = model.score(features[rest], y[rest])
    return float(found.mean(0).max())


def paired_difference(
    values: Sequence[float], reference: Sequence[float], confidence: float = 0.95
) -> dict[str, float | None]:
    """Mean of ``values - reference`` and its confidence interval by the paired t test (Student 1908).

    ``mean ± t((1 + confidence) / 2; m - 1) s / sqrt(m)`` with the unbiased deviation s of the m differences.

    Parameters
    ----------
    values, reference : sequence of float, the same length m
        Results of two methods, seed by seed.
    confidence : float
        In (0, 1).

    Returns
    -------
    dict
        ``mean``, ``low`` and ``high``; the last two are None for a single pair, which has no spread.

    Raises
    ------
    InputError
        No values, other lengths, or a confidence outside (0, 1).
    """
    if len(values) != len(reference) or not len(values):
        raise wrong("paired difference", f"{len(values)} and {len(reference)} values", "as many of both, at least 1")
    if not 0 < confidence < 1:
        raise wrong("confidence", confidence, "a number between 0 and 1")
    differences = np.asarray(values, dtype=np.float64) - np.asarray(reference, dtype=np.float64)
    mean = float(differences.mean())
    if len(differences) == 1:
        return {"mean": mean, "low": None, "high": None}
    from scipy.stats import sem, t

    half = float(t.ppf((1 + confidence) / 2, len(differences) - 1) * sem(differences))
    return {"mean": mean, "low": mean - half, "high": mean + half}
