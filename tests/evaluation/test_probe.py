"""Probes against what they claim: separable data, the strongest penalty among equals, GRACE's rule, a vote by hand."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score

from genurl_graph.evaluation import probe
from genurl_graph.evaluation.probe import STRENGTHS, knn_probe, linear_probe
from genurl_graph.evaluation.splits import Split
from tests.evaluation.blobs import blobs

SPLIT = Split(np.arange(0, 40), np.arange(40, 100), np.arange(100, 240))
NO_VAL = Split(np.arange(0, 60), np.arange(0), np.arange(60, 240))


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_matrix])
def test_separable_classes_are_told_apart(convert):
    z, y = blobs()
    assert linear_probe(convert(z), y, SPLIT, "public") == {"train": 1.0, "val": 1.0, "test": 1.0}
    assert knn_probe(convert(z), y, SPLIT, n_neighbors=5) == 1.0  # there are 10 of a class


def test_random_10_has_no_validation_and_chance_is_chance():
    z, y = blobs()
    assert linear_probe(sp.csr_matrix(z), y, NO_VAL, "random-10") == {"train": 1.0, "val": None, "test": 1.0}
    shuffled = np.random.default_rng(1).permutation(y)
    assert linear_probe(z, shuffled, SPLIT, "public")["test"] < 0.45
    assert knn_probe(z, shuffled, SPLIT) < 0.45


def test_strongest_penalty_among_equals_is_kept():
    z, y = blobs(noise=2.0, seed=4)
    model, features = probe._validated(probe.standardised(z), y, SPLIT)
    assert features.mean(0) == pytest.approx(np.zeros(6), abs=1e-5)
    assert features.std(0) == pytest.approx(np.ones(6), abs=1e-4)
    scores = []
    for strength in STRENGTHS:
        alone = LogisticRegression(C=strength, max_iter=3000).fit(features[SPLIT.train], y[SPLIT.train])
        scores.append(alone.score(features[SPLIT.val], y[SPLIT.val]))
    assert scores[0] < max(scores)  # there is something to choose, and a tie to break
    assert scores.count(max(scores)) > 1
    assert STRENGTHS.index(model.C) == int(np.argmax(scores))


def test_strength_does_not_see_the_test_nodes():
    z, y = blobs(noise=4.0)
    other = y.copy()
    other[SPLIT.test] = np.random.default_rng(2).permutation(y[SPLIT.test])
    first, second = (linear_probe(z, labels, SPLIT, "public") for labels in (y, other))
    assert (first["train"], first["val"]) == (second["train"], second["val"])


def test_graces_rule():
    """Rows of unit length, one-vs-rest, C among 2**-10 ... 2**9 by cross-validation inside the training nodes."""
    z, y = blobs(noise=4.0)
    lengths = np.linspace(0.1, 9, 240, dtype=np.float32)[:, None]
    model, features = probe._cross_validated(z * lengths, y, NO_VAL)
    assert np.linalg.norm(features, axis=1) == pytest.approx(np.ones(240), abs=1e-5)
    assert len(model.estimators_) == 4
    assert np.log2(model.estimator.C) in range(-10, 10)
    # The one chosen is the best of the grid by its own folds, which only training nodes are in.
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    scores = [
        cross_val_score(clone(model).set_params(estimator__C=2.0**power), features[:60], y[:60], cv=folds).mean()
        for power in (-10, np.log2(model.estimator.C), 9)
    ]
    assert scores[1] == max(scores)


def test_nearest_neighbours_vote_as_by_hand():
    z, y = blobs(noise=4.0)
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    similarity = unit[SPLIT.test] @ unit[SPLIT.train].T
    for k, told in ((1, 1), (7, 7), (8, 20)):  # at most a fifth of 40
        nearest = np.argsort(-similarity, axis=1)[:, :k]
        votes = [np.bincount(row, minlength=4).argmax() for row in y[SPLIT.train][nearest]]
        assert knn_probe(z, y, SPLIT, told) == pytest.approx(np.mean(votes == y[SPLIT.test]))
    few = Split(SPLIT.train[:8], SPLIT.val, SPLIT.test)
    assert knn_probe(z, y, few, 20) == knn_probe(z, y, few, 1)
