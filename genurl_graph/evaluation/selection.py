"""What may choose between settings: accuracy inside the labelled nodes of a split, its test nodes unseen."""

from __future__ import annotations

from typing import Any

import numpy as np

from genurl_graph.evaluation.probe import standardised
from genurl_graph.evaluation.splits import Split
from genurl_graph.exceptions import InputError

DRAWS, PER_CLASS = 10, 20
# One strength alone favours some settings: steep spectra of the embedding want strong penalties, flat ones weak.
STRENGTHS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)


def inner_accuracy(z: Any, y: Any, split: Split) -> float:
    """Accuracy of few labels inside the training and validation nodes of a split.

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
        raise InputError("selection: found fewer than two classes with two labelled nodes each, test nodes left out")
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
