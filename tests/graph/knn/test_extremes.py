"""`knn` where float32 products lose what tells rows apart: duplicates, zeros, far from the origin, far apart."""

import numpy as np
import pytest
import scipy.sparse
import torch

from genurl_graph.graph.knn import exact as _exact
from genurl_graph.graph.knn import knn
from tests.graph.knn.test_knn import METRICS, assert_neighbors, sample


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("sparse", [False, True])
def test_duplicates_are_neighbours_at_distance_zero(metric, sparse):
    base = sample(100, 10)
    x = np.repeat(base, 4, 0)[np.random.default_rng(1).permutation(400)]
    found = knn(scipy.sparse.csr_matrix(x) if sparse else x, 5, metric=metric)
    assert (found.distances[:, :3] == 0).all()
    assert (found.distances[:, 3:] > 0).all()
    assert not (found.indices == torch.arange(400)[:, None]).any()
    np.testing.assert_array_equal(x[found.indices[:, :3].numpy()], np.repeat(x[:, None], 3, 1))


@pytest.mark.parametrize("metric", METRICS)
def test_all_rows_equal(metric, monkeypatch):
    monkeypatch.setattr(_exact, "LARGEST_TILE", 64)
    found = knn(np.full((300, 6), 1.7, dtype=np.float32), 9, metric=metric)
    assert all(len(set(row)) == 9 for row in found.indices.tolist())
    assert not (found.indices == torch.arange(300)[:, None]).any()
    expected = -6 * 1.7**2 if metric == "inner_product" else 0.0
    np.testing.assert_allclose(found.distances, expected, rtol=1e-5, atol=0)


def test_far_off_centre():
    x = sample(800, 16).astype(np.float64) + 1e4
    assert_neighbors(knn(x, 10), x, 10, "euclidean")
    x = x.astype(np.float32)
    assert_neighbors(knn(x, 10), x, 10, "euclidean")


def test_two_far_clusters_are_resolved_in_float64():
    """No centre serves both: float32 products lose the distances inside a cluster, and rows must be searched again."""
    x = sample(600, 8)
    x[::2] += 1e4
    assert_neighbors(knn(x, 10), x, 10, "euclidean")
    assert_neighbors(knn(scipy.sparse.csr_matrix(x), 10), x, 10, "euclidean")
    assert_neighbors(knn(x, 10, query=x[:50] + 0.5), x, 10, "euclidean", query=x[:50] + 0.5)


def test_nearly_parallel_rows_under_cosine():
    x = sample(400, 6).astype(np.float64) + 1e4
    found = knn(x, 5, metric="cosine")
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    exact = ((unit[:, None] - unit) ** 2).sum(-1) / 2
    np.fill_diagonal(exact, np.inf)
    np.testing.assert_allclose(found.distances, np.sort(exact, 1)[:, :5], rtol=1e-4)


@pytest.mark.parametrize("factor", [1e-25, 1e25])
def test_extreme_scales(factor):
    x = sample(200, 5).astype(np.float64)
    plain, scaled = knn(x, 4), knn(x * factor, 4)
    np.testing.assert_array_equal(plain.indices, scaled.indices)
    np.testing.assert_allclose(scaled.distances / np.float64(factor), plain.distances, rtol=1e-5)


def test_zero_rows_are_at_cosine_distance_one():
    x = sample(50, 4)
    x[:3] = 0
    for kind in (x, scipy.sparse.csr_matrix(x)):
        found = knn(kind, 49, metric="cosine")
        assert (found.distances[:3] == 1).all()
        assert_neighbors(found, x, 49, "cosine")


@pytest.mark.parametrize("kind", [np.asarray, scipy.sparse.csr_matrix], ids=["dense", "csr"])
def test_nothing_but_zeros(kind):
    """Alone, and as the rows that are in doubt among others: 20 zero rows, each at distance 1 of everything."""
    for metric, value in (("cosine", 1.0), ("euclidean", 0.0), ("inner_product", 0.0)):
        found = knn(kind(np.zeros((12, 5))), 3, metric=metric)
        assert (found.distances == value).all()
        assert found.indices[5].tolist() == [0, 1, 2]
    x = np.concatenate([np.zeros((20, 6)), sample(200, 6) + 3])
    found = knn(kind(x), 4, metric="cosine")
    assert (found.distances[:20] == 1).all()
    assert found.indices[:2].tolist() == [[1, 2, 3, 4], [0, 2, 3, 4]]
