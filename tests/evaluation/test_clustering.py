"""Clustering scores: invariant to the names of classes, and honest about unknown labels."""

import numpy as np
import pytest

from genurl_graph.evaluation.clustering import cluster


def points(noise, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(150) % 5
    return 5 * np.eye(5)[y] + noise * rng.normal(size=(150, 5)), y


def test_names_of_the_classes_do_not_matter():
    z, y = points(2.5)
    found = cluster(z, y, seed=3)
    assert 0.3 < found["acc"] < 0.95
    assert cluster(z, np.array([30, 7, 12, 4, 99])[y], seed=3) == pytest.approx(found)
    assert cluster(z, y, seed=3) == found


def test_nodes_without_label_are_clustered_but_not_scored():
    z, y = points(0.1)
    unknown = y.copy()
    unknown[::3] = -1
    assert cluster(z, unknown) == pytest.approx({"acc": 1.0, "nmi": 1.0, "ari": 1.0})
