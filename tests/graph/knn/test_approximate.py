"""Approximate `knn`: its choice of neighbours is approximate, its distances and its recall are not."""

import numpy as np
import pytest
import scipy.sparse
import torch

from genurl_graph.graph import knn as neighbors
from genurl_graph.graph.knn import approximate as _ann
from genurl_graph.graph.knn import knn
from tests.conftest import threads
from tests.graph.knn.test_knn import METRICS, assert_neighbors, reference, sample


@pytest.mark.parametrize("metric", METRICS)
def test_most_neighbours_are_found(metric, monkeypatch):
    monkeypatch.setattr(_ann, "CELL", 100)
    centres = sample(30, 16, seed=5) * 4
    x = np.repeat(centres, 100, 0) + sample(3000, 16)
    x[1] = x[0]
    found = knn(x, 10, metric=metric, backend="approximate", seed=1)
    exact = knn(x, 10, metric=metric)
    assert found.backend == "approximate"
    assert not (found.indices == torch.arange(3000)[:, None]).any()
    assert (found.distances.diff(dim=1) >= 0).all()
    true_recall = (found.distances <= exact.distances[:, -1:] * (1 + 1e-6) + 1e-6).float().mean()
    if metric == "inner_product":
        true_recall = (found.distances <= exact.distances[:, -1:] + 1e-4).float().mean()
    assert found.recall == pytest.approx(float(true_recall), abs=0.05)
    assert found.recall > 0.8
    again = knn(x, 10, metric=metric, backend="approximate", seed=1)
    assert again.recall == found.recall
    # The distances are exact, only the choice of neighbours is not.
    _, full = reference(x, 10, metric)
    np.testing.assert_allclose(
        found.distances, np.take_along_axis(full, found.indices.numpy(), 1), rtol=2e-5, atol=1e-5
    )
    query = knn(x, 10, query=x[:100], metric=metric, backend="approximate")
    assert query.indices.shape == (100, 10)


def test_every_row_is_filled(monkeypatch):
    """More neighbours than the searched cells hold: the rows left short are searched exactly."""
    x = sample(1000, 4)
    monkeypatch.setattr(_ann, "SCANNED", 300)
    found = knn(x, 900, backend="approximate")
    assert_neighbors(found, x, 900, "euclidean")


def test_auto_approximates_large_input_only(monkeypatch):
    x = sample(500, 8)
    assert knn(x, 5).backend == "exact"
    monkeypatch.setattr(neighbors, "AUTO_WORK", 1e6)
    found = knn(x, 5)
    assert found.backend == "approximate"
    assert 0 <= found.recall <= 1
    assert knn(scipy.sparse.csr_matrix(x), 5).backend == "exact"


def test_cells_are_added_until_the_sample_has_its_share(monkeypatch):
    """Few rows are compared where neighbours are together, many where they are not, up to a limit."""
    monkeypatch.setattr(_ann, "CELL", 32)
    seen = []
    monkeypatch.setattr(_ann, "_probes", lambda *args, real=_ann._probes: seen.append(real(*args)) or seen[-1])
    near = np.repeat(sample(64, 16, seed=1) * 20, 64, 0) + sample(4096, 16, seed=2)
    assert knn(near, 5, backend="approximate").recall >= 0.93
    spread = sample(4096, 16, seed=3)
    assert knn(spread, 5, backend="approximate").recall >= 0.93
    monkeypatch.setattr(_ann, "SCANNED", 64)
    assert knn(spread, 5, backend="approximate").recall < 0.6
    assert seen[0] < seen[1] // 3
    assert seen[2] == 2


def test_the_timing_of_threads_changes_nothing(monkeypatch):
    monkeypatch.setattr(_ann, "CELL", 64)
    x = sample(3000, 8)
    one, two = (with_threads(number, lambda: knn(x, 10, backend="approximate", seed=3)) for number in (2, 2))
    assert torch.equal(one.indices, two.indices)
    assert torch.equal(one.distances, two.distances)


def with_threads(number, work):
    with threads(number):
        return work()


def test_the_smallest_by_groups_are_those_of_topk():
    scores = torch.from_numpy(sample(40, 1003))
    found = _ann._smallest(scores, 7)
    assert torch.equal(found, scores.topk(7, largest=False).indices)
