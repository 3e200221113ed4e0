"""Choosing without test nodes, and paired differences against SciPy's paired t test."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import ttest_rel
from sklearn.linear_model import LogisticRegression

from genurl_graph.evaluation import statistics
from genurl_graph.evaluation.probe import standardised
from genurl_graph.evaluation.splits import Split
from genurl_graph.evaluation.statistics import inner_accuracy, paired_difference
from tests.evaluation.blobs import blobs

SPLIT = Split(np.arange(0, 40), np.arange(40, 140), np.arange(140, 300))


def test_test_nodes_have_no_say():
    z, y = blobs(300, noise=4.0)
    other = y.copy()
    other[SPLIT.test] = -1
    found = inner_accuracy(z, y, SPLIT)
    assert inner_accuracy(z, other, SPLIT) == found
    other[SPLIT.val] = np.random.default_rng(1).permutation(y[SPLIT.val])
    assert inner_accuracy(z, other, SPLIT) < found - 0.1


def test_best_of_the_strengths_over_the_same_draws(monkeypatch):
    """As by hand: 20 nodes a class, or half of the class, are drawn; one strength serves all draws."""
    monkeypatch.setattr(statistics, "DRAWS", 4)
    z, y = blobs(300, noise=6.0)
    y[SPLIT.train[:2]] = 9  # a class of two: one is drawn, one is judged
    features, pool = standardised(z), np.concatenate([SPLIT.train, SPLIT.val])
    rows = []
    for draw in range(statistics.DRAWS):
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
        for strength in statistics.STRENGTHS:
            model = LogisticRegression(C=strength, max_iter=300).fit(features[train], y[train])
            scores.append(model.score(features[rest], y[rest]))
        rows.append(scores)
    expected = np.mean(rows, axis=0)
    assert expected.max() > expected.min()
    assert inner_accuracy(z, y, SPLIT) == pytest.approx(expected.max())
    z, y = blobs(300)
    assert inner_accuracy(sp.csr_matrix(z), y, SPLIT) == inner_accuracy(z, y, SPLIT) == 1.0


@pytest.mark.parametrize("count", [2, 3, 10])
@pytest.mark.parametrize("confidence", [0.95, 0.8])
def test_interval_is_that_of_the_paired_t_test(count, confidence):
    a, b = np.random.default_rng(count).normal(0.8, 0.1, (2, count))
    expected = ttest_rel(a, b).confidence_interval(confidence)
    found = paired_difference(a, list(b), confidence)
    assert found["mean"] == pytest.approx(np.mean(a - b))
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))


def test_one_pair_has_no_interval_and_equal_differences_a_point():
    assert paired_difference([0.75], [0.5]) == {"mean": 0.25, "low": None, "high": None}
    assert paired_difference([0.75, 1.0], [0.5, 0.75]) == {"mean": 0.25, "low": 0.25, "high": 0.25}
