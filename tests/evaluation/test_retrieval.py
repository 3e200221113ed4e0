"""Retrieval scores against scikit-learn's average precision and written-out neighbour lists."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import average_precision_score

from genurl_graph.evaluation import retrieval
from genurl_graph.evaluation.retrieval import retrieval_scores


@pytest.fixture
def cloud() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 70)
    x = rng.standard_normal((70, 30)) + 2 * np.eye(30)[y]
    return x, (x @ rng.standard_normal((30, 4))).astype(np.float32), y


def naive(x, z, y, queries, database, k, metric):
    """mAP, label recall and neighbour recall at k, one query at a time."""
    precision, label, neighbor = [], [], []
    for q in queries:
        others = np.array([j for j in database if j != q])
        near, true = cdist(z[[q]], z[others], metric)[0], cdist(x[[q]], x[others])[0]
        same = y[others] == y[q]
        precision.append(average_precision_score(same, -near))
        first = np.argsort(near, kind="stable")[:k]
        label.append(same[first].any())
        neighbor.append(len(np.intersect1d(first, np.argsort(true, kind="stable")[:k])) / k)
    return np.mean(precision), np.mean(label), np.mean(neighbor)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("memory_mb", [256, 1e-3])
def test_agrees_with_one_query_at_a_time(cloud, metric: str, apart: bool, memory_mb: float) -> None:
    x, z, y = cloud
    queries, database = (range(20), range(20, 70)) if apart else (range(70), range(70))
    parts = {"queries": np.arange(70) < 20, "database": np.arange(20, 70)} if apart else {}
    found = retrieval_scores(z, y, x, metric=metric, recall_at=(1, 5, 100), memory_mb=memory_mb, **parts)
    assert list(found["label_recall"]) == list(found["neighbor_recall"]) == [1, 5]  # no 100 in the database
    for k in (1, 5):
        mean, label, neighbor = naive(x, z, y, queries, database, k, metric)
        assert found["map"] == pytest.approx(mean)
        assert found["label_recall"][k] == pytest.approx(label)
        assert found["neighbor_recall"][k] == pytest.approx(neighbor)
    assert (found["n_queries"], found["n_database"]) == ((20, 50) if apart else (70, 69))


def test_limits() -> None:
    y = np.repeat([0, 1], 20)
    perfect = retrieval_scores(np.eye(2)[y], y, recall_at=(1,))
    assert perfect["map"] == perfect["label_recall"][1] == 1
    # On one spot all are equally near: the precision is the share of the relevant.
    assert retrieval_scores(np.zeros((40, 2)), y)["map"] == pytest.approx(19 / 39)
    x = np.random.default_rng(0).standard_normal((40, 3))
    same = retrieval_scores(2 * x, x=x, recall_at=(1, 10))
    assert same["neighbor_recall"] == {1: 1.0, 10: 1.0}
    assert same["map"] is None
    assert same["label_recall"] == {}


def test_unlabelled_items_are_relevant_to_nothing(cloud) -> None:
    _, z, y = cloud
    hidden = np.where(np.arange(70) < 10, -1, y)
    found = retrieval_scores(z, hidden, queries=np.arange(70), database=np.arange(70))
    some = retrieval_scores(z, hidden, queries=np.arange(10, 70), database=np.arange(70))
    assert found["map"] == pytest.approx(some["map"])


def test_a_sample_of_queries_is_named(cloud, monkeypatch) -> None:
    x, z, y = cloud
    whole = retrieval_scores(z, y, x)
    assert whole["how"] == "leave-one-out, euclidean, all 70 of 70 queries"
    monkeypatch.setattr(retrieval, "MAX_QUERIES", 50)
    found = retrieval_scores(z, y, x)
    assert found["how"] == "leave-one-out, euclidean, random 50 of 70 queries"
    assert found["n_database"] == 69
    assert found["map"] == pytest.approx(whole["map"], abs=0.05)
