"""Paired differences against SciPy's paired t test."""

import numpy as np
import pytest
from scipy.stats import ttest_rel

from genurl_graph.evaluation.statistics import paired_difference
from genurl_graph.exceptions import InputError


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


@pytest.mark.parametrize(("a", "b", "confidence"), [([], [], 0.95), ([1.0], [1.0, 2.0], 0.95), ([1.0], [1.0], 1.0)])
def test_bad_input(a, b, confidence):
    with pytest.raises(InputError, match="expected"):
        paired_difference(a, b, confidence)
