"""Pieces of classes and random triplets against references written out."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from genurl_graph.evaluation.layout import pieces, random_triplets
from genurl_graph.evaluation.ranks import Points
from genurl_graph.exceptions import InputError


def naive_pieces(z: np.ndarray, k: int) -> tuple[int, float]:
    """Pieces of one class, and its share in the largest: a flood fill over pairs that are near in both directions."""
    n = len(z)
    d = cdist(z, z)
    np.fill_diagonal(d, np.inf)
    near = [set(row[:k]) for row in d.argsort(1, kind="stable")]
    left, sizes = set(range(n)), []
    while left:
        front, found = [left.pop()], 1
        while front:
            i = front.pop()
            joined = [j for j in near[i] if i in near[j] and j in left]
            left -= set(joined)
            front += joined
            found += len(joined)
        sizes.append(found)
    return sum(size >= 0.02 * n for size in sizes), max(sizes) / n


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.lists(st.integers(3, 70), min_size=1, max_size=4), st.integers(1, 10))
def test_pieces_are_those_of_a_flood_fill(seed: int, sizes: list[int], k: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    z = rng.standard_normal((len(y), 2)) + 6 * rng.integers(0, 3, (len(y), 1))
    found = pieces(z, y, k=k)
    judged = [label for label, size in enumerate(sizes) if size > k + 1]
    expected = [naive_pieces(z[y == label], k) for label in judged]
    assert found.classes.tolist() == judged
    assert found.left_out == len(sizes) - len(judged)
    assert found.pieces.tolist() == [count for count, _ in expected]
    np.testing.assert_allclose(found.largest, [share for _, share in expected])


def test_classes_in_parts_and_points_at_one_position() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(400) // 100
    z = rng.standard_normal((400, 2))
    z[:30] += 50  # class 0 in two parts
    z[100:150], z[150:200] = 0, 9  # class 1 at two positions
    z[200] += 80  # a single point is no piece
    y[300:] = -1  # unlabelled
    found = pieces(torch.from_numpy(z.astype(np.float32)), torch.from_numpy(y))
    assert found.classes.tolist() == [0, 1, 2]
    assert found.pieces.tolist() == [2, 2, 1]
    np.testing.assert_allclose(found.largest, [0.7, 0.5, 0.99], atol=0.011)
    # 60 points twice are as many pieces, with twice the weight.
    twice = np.repeat(rng.standard_normal((60, 2)), 2, axis=0)
    twice[:40] += 50
    doubled = pieces(twice, np.zeros(120, int))
    assert doubled.pieces.tolist() == [2]
    assert doubled.largest.tolist() == pytest.approx([2 / 3], abs=0.07)


def test_large_classes_are_sampled_and_many_columns_searched_by_products() -> None:
    rng = np.random.default_rng(0)
    z = rng.standard_normal((3000, 40))
    z[:900] += 30
    found = pieces(z, np.zeros(3000, int), most=500)
    assert found.sampled
    assert found.pieces.tolist() == [2]
    assert found.largest[0] == pytest.approx(0.7, abs=0.12)  # hubs leave some points alone
    assert pieces(z, np.zeros(3000, int), most=500).largest[0] == found.largest[0]
    assert not pieces(z, np.zeros(3000, int)).sampled


def naive_triplets(x: np.ndarray, z: np.ndarray) -> float:
    """Share over all triplets of different points."""
    dx, dz = cdist(x, x), cdist(z, z)
    n = len(x)
    agree = [
        (dx[i, j] < dx[i, m]) == (dz[i, j] < dz[i, m])
        for i in range(n)
        for j in range(n)
        for m in range(n)
        if len({i, j, m}) == 3
    ]
    return float(np.mean(agree))


@pytest.mark.parametrize("columns", [2, 30])
def test_triplets_are_a_sample_of_all(columns: int) -> None:
    rng = np.random.default_rng(0)
    x, z = rng.standard_normal((12, columns)) + 1000, rng.standard_normal((12, 2))
    z[:, 0] += x[:, 0]
    found = random_triplets(x, z, 200_000)
    assert found == pytest.approx(naive_triplets(x, z), abs=0.004)
    assert random_triplets(sp.csr_matrix(x), torch.from_numpy(z), 200_000) == pytest.approx(found, abs=1e-4)
    assert random_triplets(x, 3 * x[:, ::-1] - 5) == 1


def test_triplets_of_noise_and_of_few_points() -> None:
    rng = np.random.default_rng(0)
    x, z = rng.standard_normal((500, 5)), rng.standard_normal((500, 2))
    assert random_triplets(x, z) == pytest.approx(0.5, abs=0.02)
    # The cosine knows nothing of lengths.
    assert (
        random_triplets(x * rng.uniform(1, 9, (500, 1)), x / np.linalg.norm(x, axis=1)[:, None], metric="cosine") == 1
    )
    assert random_triplets(x[:2], z[:2]) is None
    assert random_triplets(x[:3], x[:3]) == 1
    with pytest.raises(InputError, match="found 2 rows; expected 3"):
        random_triplets(x[:3], z[:2])


@settings(max_examples=20, deadline=None)
@given(st.integers(3, 9), st.integers(0, 2**31))
def test_triplets_have_three_different_points(n: int, seed: int) -> None:
    drawn = []

    class Watched(Points):
        def pairs(self, left, right, memory_mb=64):
            drawn.append((left, right))
            return super().pairs(left, right, memory_mb)

    x = np.random.default_rng(seed).standard_normal((n, 2))
    random_triplets(Watched(x, "x"), Watched(x, "z"), 300, seed=seed)
    (first, second), (also, third) = drawn[:2]
    assert (first == also).all()
    assert ((first != second) & (first != third) & (second != third)).all()
    assert min(map(np.min, (first, second, third))) >= 0
    assert max(map(np.max, (first, second, third))) < n
