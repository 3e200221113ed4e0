"""Choosing without test nodes: their labels change nothing, better embeddings score higher, few labels are refused."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from genurl_graph.evaluation import statistics as selection
from genurl_graph.evaluation.probe import standardised
from genurl_graph.evaluation.splits import Split
from genurl_graph.evaluation.statistics import inner_accuracy
from genurl_graph.exceptions import InputError

SPLIT = Split(np.arange(0, 40), np.arange(40, 140), np.arange(140, 300))


def blobs(noise, n=300, classes=4, dim=6):
    rng = np.random.default_rng(0)
    y = np.arange(n) % classes
    return (3 * rng.normal(size=(classes, dim))[y] + noise * rng.normal(size=(n, dim))).astype(np.float32), y


def test_test_nodes_have_no_say():
    z, y = blobs(4.0)
    other = y.copy()
    other[SPLIT.test] = -1
    found = inner_accuracy(z, y, SPLIT)
    assert inner_accuracy(z, other, SPLIT) == found
    other[SPLIT.val] = np.random.default_rng(1).permutation(y[SPLIT.val])
    assert inner_accuracy(z, other, SPLIT) < found - 0.1


def test_better_embeddings_score_higher(monkeypatch):
    monkeypatch.setattr(selection, "DRAWS", 4)
    exact, fair, poor = (inner_accuracy(*blobs(noise), SPLIT) for noise in (0.3, 4.0, 20.0))
    assert exact == 1.0
    assert exact > fair + 0.05
    assert fair > poor + 0.05
    assert inner_accuracy(sp.csr_matrix(blobs(0.3)[0]), blobs(0.3)[1], SPLIT) == 1.0


def test_best_of_the_strengths_over_the_same_draws():
    """As by hand: 20 nodes a class, or half of the class, are drawn; one strength serves all draws."""
    z, y = blobs(6.0)
    y[SPLIT.train[:2]] = 9  # a class of two: one is drawn, one is judged
    features, pool = standardised(z), np.concatenate([SPLIT.train, SPLIT.val])
    rows = []
    for draw in range(selection.DRAWS):
        generator = np.random.default_rng(draw)
        train = np.concatenate(
            [
                generator.permutation(pool[y[pool] == label])[: min(20, int((y[pool] == label).sum()) // 2)]
                for label in (0, 1, 2, 3, 9)
            ]
        )
        assert np.bincount(y[train])[9] == 1
        rest = np.array([node for node in pool if node not in train])
        scores = []
        for strength in selection.STRENGTHS:
            model = LogisticRegression(C=strength, max_iter=300).fit(features[train], y[train])
            scores.append(model.score(features[rest], y[rest]))
        rows.append(scores)
    expected = np.mean(rows, axis=0)
    assert expected.max() > expected.min()
    assert inner_accuracy(z, y, SPLIT) == pytest.approx(expected.max())


def test_too_few_labels_are_refused():
    z, y = blobs(1.0)
    one = Split(np.flatnonzero(y == 0)[:10], np.flatnonzero(y == 0)[10:20], SPLIT.test)
    with pytest.raises(InputError, match="fewer than two classes"):
        inner_accuracy(z, y, one)
