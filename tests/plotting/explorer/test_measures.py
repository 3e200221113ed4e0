"""Columns that are computed, against naive references."""

import numpy as np
import pytest
import torch
from sklearn.manifold import trustworthiness

from genurl_graph.graph.knn import knn
from genurl_graph.graph.merge import merge_graphs
from genurl_graph.plotting.explorer import measures


def test_degrees_count_given_and_added_neighbours() -> None:
    given, near = torch.tensor([[0, 1], [1, 2]]), torch.tensor([[0, 1], [1, 3]])
    merged = merge_graphs(given, None, near, torch.ones(2), num_nodes=4)
    degree, after, added = (one.values.tolist() for one in measures.degrees(merged, 4))
    assert degree == [1, 2, 1, 0]
    assert after == [1, 3, 1, 1]
    assert added == [0, 1, 0, 1]
    alone = merge_graphs(None, None, near, torch.ones(2), num_nodes=4)
    assert [one.values.tolist() for one in measures.degrees(alone, 4)] == [[1, 2, 0, 1]]


def test_clusters_are_numbered_by_size() -> None:
    z = np.repeat([[0.0, 0], [9, 0], [0, 9]], [5, 20, 10], axis=0) + np.random.default_rng(0).normal(0, 0.1, (35, 2))
    found = measures.clusters(z, 3)
    assert found.codes.tolist() == [2] * 5 + [0] * 20 + [1] * 10
    assert measures.clusters(np.zeros((4, 2)), 3).names == ["1"]  # one point, one cluster


def test_local_trustworthiness_averages_to_trustworthiness() -> None:
    rng = np.random.default_rng(0)
    x, z = rng.standard_normal((80, 5)), rng.standard_normal((80, 2))
    found = measures.local_trustworthiness(x, z, "euclidean", "features")
    assert found is not None
    assert found.values.mean() == pytest.approx(trustworthiness(x, z, n_neighbors=12), abs=1e-6)
    assert measures.local_trustworthiness(x[:2], z[:2], "euclidean", "features") is None


def test_preserved_neighbours_are_the_share_of_common_neighbours() -> None:
    rng = np.random.default_rng(0)
    wanted, shown = (knn(rng.standard_normal((5000, 3)), 6).indices for _ in range(2))
    shown[:100] = wanted[:100].flip(1)
    found = measures.preserved_neighbours(wanted, shown, "features").values
    expected = [len(set(a) & set(b)) / 6 for a, b in zip(wanted.tolist(), shown.tolist(), strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert (found[:100] == 1).all()
