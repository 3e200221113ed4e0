"""`knn` by the metrics of scikit-learn: their values, ties by index, refusals, and the approximate search."""

import warnings

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import pairwise_distances

from genurl_graph.exceptions import InputError
from genurl_graph.graph.knn import differences, knn, reranked_distances

NAMED = ["manhattan", "correlation", "chebyshev", "hamming", "jaccard"]


def root_gap(a, b):
    """A distance that is none of scikit-learn's."""
    return np.sqrt(np.abs(a - b)).sum()


def data_for(metric, n, d, seed, integers=False):
    x = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)
    if metric == "jaccard":
        return (x > 0.5).astype(np.float32)
    return np.rint(2 * x) if integers or metric == "hamming" else x


def all_distances(x, metric, query=None):
    """scikit-learn's in float64; 1 where a constant row has no correlation."""
    kind = bool if metric == "jaccard" else np.float64
    y = x if query is None else query
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        full = pairwise_distances(np.asarray(y, kind), np.asarray(x, kind), metric=metric)
    if metric == "correlation":
        full = np.nan_to_num(full, nan=1.0)
        full[full < 1e-14] = 0.0  # rows that are multiples of each other, but for rounding
    if query is None:
        np.fill_diagonal(full, np.inf)
    return full


def assert_nearest(found, full, k, ties=True):
    """The first k by (float32 distance, index); without `ties` in any order of equally near rows."""
    short = full.astype(np.float32)
    order = np.argsort(short, axis=1, kind="stable")[:, :k]
    np.testing.assert_allclose(found.distances, np.take_along_axis(short, order, 1), rtol=1e-6, atol=1e-7)
    if ties:
        np.testing.assert_array_equal(found.indices, order)
    else:
        near = np.take_along_axis(full, found.indices.numpy(), 1)
        np.testing.assert_allclose(near, np.take_along_axis(full, order, 1), rtol=1e-6, atol=1e-7)


@settings(max_examples=60, deadline=None)
@given(
    metric=st.sampled_from([*NAMED, root_gap]),
    n=st.integers(2, 80),
    d=st.integers(1, 30),
    k=st.integers(1, 12),
    integers=st.booleans(),
    joined=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_is_what_scikit_learn_computes(metric, n, d, k, integers, joined, seed):
    x, query = data_for(metric, n, d, seed, integers), None if joined else data_for(metric, 7, d, seed + 1, integers)
    k = min(k, n - joined)
    # Of whole numbers the correlations that are equal differ by rounding, in scikit-learn.
    ties = metric != "correlation" or not integers
    full = all_distances(x, metric, query)
    assert_nearest(knn(x, k, query=query, metric=metric), full, k, ties)
    # Sparse rows, a budget that cuts the tiles small, and every dtype give the same.
    sparse = scipy.sparse.csr_matrix(x), None if query is None else scipy.sparse.csr_matrix(query)
    assert_nearest(knn(sparse[0], k, query=sparse[1], metric=metric), full, k, ties)
    assert_nearest(knn(x.astype(np.float64), k, query=query, metric=metric, memory_mb=0.05), full, k, ties)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("metric", NAMED)
@pytest.mark.parametrize("shape", [(700, 4), (600, 60)])
def test_ties_across_tiles_and_threads(metric, shape, monkeypatch):
    monkeypatch.setattr(differences, "LARGEST_TILE", 256)
    x = data_for(metric, *shape, seed=0, integers=True)
    found = knn(x, 9, metric=metric)
    assert_nearest(found, all_distances(x, metric), 9, ties=metric != "correlation")
    again = knn(x, 9, metric=metric)
    assert again.indices.equal(found.indices)
    assert again.distances.equal(found.distances)


def test_float32_sums_do_not_decide_manhattan_neighbours():
    """Rows a millionth apart, far from the origin: what float32 cannot tell apart is searched in float64."""
    rng = np.random.default_rng(0)
    x = 1e4 * rng.standard_normal(40) + 1e-3 * rng.random((300, 40))
    assert_nearest(knn(x, 5, metric="manhattan"), all_distances(x, "manhattan"), 5)


@pytest.mark.parametrize("metric", ["manhattan", "chebyshev", "correlation"])
def test_the_scale_of_the_numbers_does_not_matter(metric):
    x = data_for(metric, 90, 12, 0).astype(np.float64)
    plain, tiny = knn(x, 5, metric=metric), knn(x * 1e-30, 5, metric=metric)
    assert tiny.indices.equal(plain.indices)
    factor = 1.0 if metric == "correlation" else 1e-30
    np.testing.assert_allclose(tiny.distances, plain.distances * factor, rtol=1e-5)


def test_constant_rows_correlate_with_nothing():
    x = np.array([[0.1, 0.1, 0.1], [3, 3, 3], [1, 2, 3], [2, 4, 6], [3, 2, 1]])
    found = knn(x, 4, metric="correlation")
    np.testing.assert_allclose(found.distances[:2], 1.0)
    assert found.indices[0].tolist() == [1, 2, 3, 4]
    assert found.distances[2].tolist() == [0.0, 1.0, 1.0, 2.0]


def test_empty_sets_are_equal():
    x = np.array([[0, 0], [0, 0], [1, 0]], dtype=bool)
    found = knn(x, 2, metric="jaccard")
    assert found.distances.tolist() == [[0, 1], [0, 1], [1, 1]]


@pytest.mark.parametrize("metric", [*NAMED, root_gap])
def test_reranked_distances_are_those_of_the_search(metric):
    x, query = data_for(metric, 200, 9, 0), data_for(metric, 20, 9, 1)
    found = knn(x, 5, query=query, metric=metric)
    indices, distances = reranked_distances(x, query, found.indices.flip(1), metric)
    assert indices.equal(found.indices)
    np.testing.assert_allclose(distances, found.distances, rtol=1e-6)
    alone = reranked_distances(x, query[3:4], found.indices[3:4], metric)[1]
    assert alone.equal(distances[3:4])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric": "manhatan"}, r"metric: found 'manhatan'; expected one of .* \(did you mean 'manhattan'\?\)"),
        ({"metric": "jaccard"}, "metric jaccard: found .* in the features; expected 0 and 1 alone, or booleans"),
        ({"metric": lambda a, b: -1.0}, "metric: found function <lambda> that returns -1"),
        ({"metric": lambda a, b: float("nan")}, "metric: found function <lambda> that returns nan"),
        ({"metric": lambda a: 0.0}, "metric: found function <lambda> that raises TypeError"),
        ({"metric": "function gap"}, "metric: found 'function gap' of a saved model or file; expected the function"),
        (
            {"metric": root_gap, "backend": "approximate"},
            "approximate for the metric function root_gap",
        ),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(InputError, match=message):
        knn(data_for("manhattan", 20, 4, 0), 3, **arguments)


@pytest.mark.parametrize("metric", ["correlation", "chebyshev", "hamming", root_gap])
def test_large_sparse_rows_are_refused_by_metrics_that_need_dense_ones(metric):
    x = scipy.sparse.random(50, 40_000, density=0.001, format="csr", random_state=0)
    with pytest.raises(InputError, match=r"found a sparse matrix .*; expected dense rows, or more memory"):
        knn(x, 3, metric=metric, memory_mb=1)
    if metric == "chebyshev":
        assert_nearest(knn(x, 3, metric="manhattan", memory_mb=1), all_distances(x.toarray(), "manhattan"), 3)


def test_calls_of_a_function_are_limited(monkeypatch):
    monkeypatch.setattr(differences, "MOST_CALLS", 1000)
    with pytest.raises(InputError, match=r"1,275 pairs of rows; expected at most 1,000 calls \(44 rows\), a metric by"):
        knn(np.zeros((50, 2)), 3, metric=root_gap)


def test_a_function_is_called_once_for_each_pair():
    calls = []

    def counted(a, b):
        calls.append(1)
        return abs(a - b).sum()

    knn(data_for("manhattan", 150, 3, 0), 3, metric=counted)
    assert len(calls) == 150 * 149 // 2 + 150  # each row with itself, too


@pytest.mark.parametrize("metric", ["manhattan", "chebyshev", "correlation"])
def test_approximate_neighbours_are_measured(metric):
    x = data_for(metric, 1500, 12, 0)
    found, exact = knn(x, 10, metric=metric, backend="approximate"), knn(x, 10, metric=metric)
    assert found.backend == "approximate"
    share = (found.indices[:, :, None] == exact.indices[:, None]).any(2).double().mean()
    assert float(share) > 0.9
    assert found.recall == pytest.approx(float(share), abs=0.03)
    assert bool((found.distances.diff(dim=1) >= 0).all())


@pytest.mark.parametrize("metric", NAMED)
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_agrees(metric):
    x = data_for(metric, 700, 20, 0, integers=True)
    found = knn(x, 9, metric=metric, device="cuda")
    assert_nearest(type(found)(found.indices.cpu(), found.distances.cpu(), "exact", None), all_distances(x, metric), 9)
