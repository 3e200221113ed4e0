"""`knn` by faiss: its choice of neighbours is approximate, its distances and its recall are not."""

import warnings

import numpy as np
import pytest
import scipy.sparse
import torch

from genurl_graph import _ann, neighbors
from genurl_graph.exceptions import InputError
from genurl_graph.neighbors import knn
from tests.test_neighbors import METRICS, assert_neighbors, reference, sample


@pytest.mark.parametrize("metric", METRICS)
def test_faiss_backend(metric):
    pytest.importorskip("faiss", reason="extra ann is not installed")
    centres = sample(30, 16, seed=5) * 4
    x = np.repeat(centres, 100, 0) + sample(3000, 16)
    x[1] = x[0]
    found = knn(x, 10, metric=metric, backend="faiss", seed=1)
    exact = knn(x, 10, metric=metric)
    assert found.backend == "faiss"
    assert not (found.indices == torch.arange(3000)[:, None]).any()
    assert (found.distances.diff(dim=1) >= 0).all()
    true_recall = (found.distances <= exact.distances[:, -1:] * (1 + 1e-6) + 1e-6).float().mean()
    if metric == "inner_product":
        true_recall = (found.distances <= exact.distances[:, -1:] + 1e-4).float().mean()
    assert found.recall == pytest.approx(float(true_recall), abs=0.05)
    assert found.recall > 0.8
    again = knn(x, 10, metric=metric, backend="faiss", seed=1)
    assert again.recall == found.recall
    # The distances are exact, only the choice of neighbours is not.
    _, full = reference(x, 10, metric)
    np.testing.assert_allclose(
        found.distances, np.take_along_axis(full, found.indices.numpy(), 1), rtol=2e-5, atol=1e-5
    )
    query = knn(x, 10, query=x[:100], metric=metric, backend="faiss")
    assert query.indices.shape == (100, 10)


def test_faiss_fills_every_row():
    """More neighbours than the searched cells hold: the rows left short are searched exactly."""
    pytest.importorskip("faiss", reason="extra ann is not installed")
    x = sample(1000, 4)
    found = knn(x, 900, backend="faiss")
    assert_neighbors(found, x, 900, "euclidean")


def test_auto_takes_faiss_for_large_input_only(monkeypatch):
    pytest.importorskip("faiss", reason="extra ann is not installed")
    x = sample(500, 8)
    assert knn(x, 5).backend == "exact"
    monkeypatch.setattr(neighbors, "AUTO_WORK", 1e6)
    found = knn(x, 5)
    assert found.backend == "faiss"
    assert 0 <= found.recall <= 1
    assert knn(scipy.sparse.csr_matrix(x), 5).backend == "exact"


def test_without_faiss(monkeypatch):
    monkeypatch.setattr(_ann, "faiss_installed", lambda: False)
    x = sample(100, 8)
    with pytest.raises(InputError, match="genurl-graph\\[ann\\]"):
        knn(x, 5, backend="faiss")
    monkeypatch.setattr(neighbors, "AUTO_WORK", 1e3)
    monkeypatch.setattr(neighbors, "_told_about_faiss", False)
    with pytest.warns(UserWarning, match="genurl-graph\\[ann\\]"):
        assert knn(x, 5).backend == "exact"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # said once
        assert knn(x, 5).backend == "exact"
