"""Ties of `knn`: of equally near rows those of smallest index, whatever threads, tiles and rounding do."""

import numpy as np
import pytest
import scipy.sparse
import torch

from genurl_graph.graph.knn import exact as _exact
from genurl_graph.graph.knn import knn
from genurl_graph.graph.knn.nearest import Nearest, best_columns, decode_index, decode_score, encode
from tests.graph.knn.test_knn import METRICS, reference, sample


def few_words(n, d, seed=0):
    """Bags of one to four of `d` words: a handful of distinct distances, dozens of duplicates, a zero row."""
    rng = np.random.default_rng(seed)
    x = np.zeros((n, d), dtype=np.float32)
    for row in x[1:]:
        row[rng.choice(d, rng.integers(1, 5), replace=False)] = 1
    return x


def ranked(x, k, metric, query=None):
    """The first k by (distance, index), for whole numbers >= 0: every distance is compared exactly."""
    x = np.asarray(x, dtype=np.float64)
    y = x if query is None else np.asarray(query, dtype=np.float64)
    product, length = y @ x.T, (x * x).sum(1)
    if metric == "euclidean":
        key = length - 2 * product
    elif metric == "cosine":
        # cos^2 times the length of y: one correctly rounded division, so that equal fractions are equal.
        key = -(product**2) / np.maximum(length, 1)
    else:
        key = -product
    if query is None:
        np.fill_diagonal(key, np.inf)
    return np.argsort(key, axis=1, kind="stable")[:, :k]


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", [np.asarray, scipy.sparse.csr_matrix], ids=["dense", "csr"])
@pytest.mark.parametrize(("words", "value"), [(30, 1.0), (30, 0.1), (700, 0.1)])
def test_ties_are_ordered_by_index(metric, kind, words, value, monkeypatch):
    """Of equally near rows those of smallest index are kept, whichever thread is first and however tiles are cut.

    Whole numbers are multiplied exactly; entries of 0.1 have the same ties, but products are rounded.
    """
    x, query = few_words(220, words), few_words(60, words, seed=1)
    expected, expected_query = ranked(x, 10, metric), ranked(x, 10, metric, query)
    x, query = x * np.float32(value), query * np.float32(value)
    monkeypatch.setattr(_exact, "LARGEST_TILE", 64)
    first = knn(kind(x), 10, metric=metric)
    np.testing.assert_array_equal(first.indices, expected)
    for _ in range(2):
        again = knn(kind(x), 10, metric=metric)
        assert again.indices.equal(first.indices)
        assert again.distances.equal(first.distances)
    for largest, budget in ((2048, 512), (2048, 4), (32, 512)):
        monkeypatch.setattr(_exact, "LARGEST_TILE", largest)
        np.testing.assert_array_equal(knn(kind(x), 10, metric=metric, memory_mb=budget).indices, expected)
    np.testing.assert_array_equal(knn(kind(x), 10, query=kind(query), metric=metric).indices, expected_query)
    for threads in (1, 3):
        torch.set_num_threads(threads)
        np.testing.assert_array_equal(knn(kind(x), 10, metric=metric).indices, expected)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", [np.asarray, scipy.sparse.csr_matrix], ids=["dense", "csr"])
def test_ties_of_rounded_numbers(metric, kind, monkeypatch):
    """Duplicates of rows whose products are rounded: more at the k-th place than any margin of candidates holds."""
    monkeypatch.setattr(_exact, "LARGEST_TILE", 128)
    base = sample(40, 33)
    which = np.random.default_rng(2).permutation(np.repeat(np.arange(40), 15))
    _, between = reference(base, 1, metric)
    np.fill_diagonal(between, -(base.astype(np.float64) ** 2).sum(1) if metric == "inner_product" else 0.0)
    key = between[which][:, which]
    np.fill_diagonal(key, np.inf)
    expected = np.argsort(key, axis=1, kind="stable")[:, :20]
    for _ in range(2):
        np.testing.assert_array_equal(knn(kind(base[which]), 20, metric=metric).indices, expected)


@pytest.mark.parametrize("kind", [np.asarray, scipy.sparse.csr_matrix], ids=["dense", "csr"])
def test_ties_that_rounding_breaks_before_the_kth_place(kind):
    """Around each of 20 rows lie six shells of three, of one distance but for the rounding of products."""
    rng = np.random.default_rng(5)
    x = np.zeros((20, 19, 300))
    for block in x:
        words = rng.permutation(300)
        block[:, words[:20]] = 1
        for place, row in enumerate(block[1:]):
            exchanged = place // 3 + 1
            row[rng.choice(words[:20], exchanged, replace=False)] = 0
            row[rng.choice(words[20:], exchanged, replace=False)] = 1
    order = rng.permutation(380)
    x = x.reshape(380, 300)[order].astype(np.float32)
    centres = (order % 19 == 0).nonzero()[0]
    found = knn(kind(x * np.float32(0.1)), 9)
    np.testing.assert_array_equal(found.indices[centres], ranked(x, 9, "euclidean")[centres])


@pytest.mark.parametrize("kind", [np.asarray, scipy.sparse.csr_matrix], ids=["dense", "csr"])
def test_multiples_of_a_row_have_the_same_direction(kind):
    base = np.repeat(sample(30, 12), 9, 0).astype(np.float64)
    x = base * np.random.default_rng(4).integers(1, 50, (270, 1))
    found = knn(kind(x), 5, metric="cosine")
    assert (found.distances == 0).all()
    first = np.arange(270)[:, None] // 9 * 9
    others = first + np.arange(9)
    expected = np.stack([row[row != i][:5] for i, row in enumerate(others)])
    np.testing.assert_array_equal(found.indices, expected)


def test_candidates_in_any_order():
    """Tiles full of ties, both sides of each, offered in any order."""
    n, side, width = 160, 32, 7
    rng = np.random.default_rng(6)
    scores = np.tril(rng.integers(0, 4, (n, n)), -1).astype(np.float32)
    scores = torch.from_numpy(scores + scores.T).fill_diagonal_(torch.inf)
    expected = scores.sort(dim=1, stable=True).indices[:, :width]
    pairs = [(i, j) for i in range(0, n, side) for j in range(i, n, side)]
    for _ in range(3):
        rng.shuffle(pairs)
        found = Nearest(n, width, torch.device("cpu"))
        for i, j in pairs:
            tile = scores[i : i + side, j : j + side].contiguous()
            found.offer(tile, i, j)
            if i != j:
                found.offer(tile, i, j, transposed=True)
        found.flush()
        assert decode_index(found.code.sort(1).values).equal(expected)


def test_order_of_codes():
    """(score, index) as one number: negative scores, both zeros, infinity."""
    score = torch.tensor([-torch.inf, -3.5, -1e-40, -0.0, 0.0, 1e-40, 2.0, 2.0, torch.inf])
    index = torch.tensor([0, 5, 1, 2, 1, 0, 3, 4, 2**32 - 1])
    code = encode(score, index)
    assert code.argsort().tolist() == [0, 1, 2, 4, 3, 5, 6, 7, 8]
    assert decode_index(code).equal(index)
    assert decode_score(code).equal(score)


@pytest.mark.parametrize("values", [3, 10**6])
def test_best_columns_are_those_of_a_sort(values):
    """With few values a tile is full of ties."""
    tile = torch.from_numpy(np.random.default_rng(1).integers(0, values, (60, 700)).astype(np.float32))
    tile[:5, 9:] = torch.inf
    code = best_columns(tile, 12).sort(1).values
    assert decode_score(code).equal(tile.sort(1).values[:, :12])
    some = decode_score(code).isfinite()
    assert decode_index(code)[some].equal(tile.sort(dim=1, stable=True).indices[:, :12][some])
