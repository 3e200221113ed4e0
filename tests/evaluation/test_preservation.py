"""The numbers of the protocol ``reduce`` against scikit-learn and against dense references."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from scipy.spatial.distance import cdist, pdist
from scipy.stats import spearmanr
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from genurl_graph.evaluation import preservation as module
from genurl_graph.evaluation.preservation import preservation, reduce_scores, spearman
from genurl_graph.evaluation.ranks import Points, nearest, ranks


def naive(x: np.ndarray, z: np.ndarray, k: int) -> np.ndarray:
    """Local trustworthiness written out; ties in the order of indices."""
    n = len(x)
    dx, dz = cdist(x, x), cdist(z, z)
    np.fill_diagonal(dx, np.inf)
    np.fill_diagonal(dz, np.inf)
    rank = np.empty((n, n), int)
    np.put_along_axis(rank, dx.argsort(1, kind="stable"), np.arange(1, n + 1)[None].repeat(n, 0), 1)
    near = dz.argsort(1, kind="stable")[:, :k]
    over = np.maximum(np.take_along_axis(rank, near, 1) - k, 0).sum(1)
    return 1 - 2 / (k * (2 * n - 3 * k - 1)) * over


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32)
    return x, PCA(2, random_state=0).fit_transform(x), y


@pytest.fixture(scope="module")
def whole(digits) -> dict[str, object]:
    return reduce_scores(*digits)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_agrees_with_scikit_learn(digits, metric: str) -> None:
    x, z, _ = digits
    # Whole numbers make distances equal, and equal ones come in an order that depends on the processor.
    x = x + 1e-3 * np.random.default_rng(0).standard_normal(x.shape, dtype=np.float32)
    found = preservation(x, z, 12, metric=metric)
    assert found.trustworthiness.mean().item() == pytest.approx(
        trustworthiness(x, z, n_neighbors=12, metric=metric), abs=2e-5
    )
    if metric == "euclidean":
        assert found.continuity.mean().item() == pytest.approx(trustworthiness(z, x, n_neighbors=12), abs=2e-5)


@pytest.mark.parametrize("columns", [2, 40])
@pytest.mark.parametrize("memory_mb", [256, 1e-3])
def test_each_point_agrees_with_the_formula(columns: int, memory_mb: float) -> None:
    rng = np.random.default_rng(0)
    x, z = rng.standard_normal((60, columns)) + 100, rng.standard_normal((60, 3))
    found = preservation(x, z, 5, memory_mb=memory_mb)
    np.testing.assert_allclose(found.trustworthiness, naive(x, z, 5))
    np.testing.assert_allclose(found.continuity, naive(z, x, 5))
    some = torch.tensor([7, 3, 59])
    part = preservation(torch.from_numpy(x), torch.from_numpy(z), 5, rows=some)
    assert torch.equal(part.rows, some)
    assert torch.equal(part.trustworthiness, found.trustworthiness[some])
    assert torch.equal(part.continuity, found.continuity[some])
    sparse = preservation(sp.csr_matrix(x), z, 5)
    np.testing.assert_allclose(sparse.trustworthiness, found.trustworthiness)


def test_ties_are_ordered_by_index() -> None:
    x, z = (np.random.default_rng(seed).integers(0, 4, (80, 2)).astype(np.float32) for seed in (0, 1))
    found = preservation(x, z, 9)
    np.testing.assert_allclose(found.trustworthiness, naive(x, z, 9))
    np.testing.assert_allclose(found.continuity, naive(z, x, 9))


@pytest.mark.parametrize("columns", [2, 20])
def test_the_same_points_keep_everything_and_a_single_spot_nothing(columns: int) -> None:
    x = np.random.default_rng(0).integers(0, 2, (200, columns)).astype(np.float32)
    same = preservation(x, x, 9)
    assert same.trustworthiness.min() == same.continuity.min() == 1
    x = np.random.default_rng(2).standard_normal((200, columns))
    collapsed = preservation(x, np.zeros((200, 2)), 10)
    assert collapsed.trustworthiness.mean() < 0.6
    assert collapsed.continuity.mean() < 0.6


def test_nearest_and_ranks_are_those_of_a_stable_sort() -> None:
    values = torch.from_numpy(np.random.default_rng(0).integers(0, 6, (50, 40)).astype(np.float32))
    order = values.argsort(dim=1, stable=True)
    rank = torch.empty_like(order).scatter_(1, order, torch.arange(1, 41).expand(50, 40))
    assert torch.equal(nearest(values, 7), order[:, :7])
    columns = torch.from_numpy(np.random.default_rng(1).permuted(np.tile(np.arange(40), (50, 1)), axis=1)[:, :9])
    assert torch.equal(ranks(values, columns), rank.gather(1, columns))


@pytest.mark.parametrize("columns", [3, 30])
def test_distances_from_other_points(columns: int) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((n, columns)) + 5 for n in (11, 7))
    expected = cdist(a, b, "sqeuclidean")
    for kind in (np.asarray, sp.csr_matrix):
        found = Points(kind(b), "b").distances(torch.arange(11), Points(kind(a), "a")).numpy()
        shift = (found - expected)[:, :1]  # a constant of each row
        np.testing.assert_allclose(found - shift, expected, atol=1e-9)


def test_float32_products_keep_the_numbers(digits, monkeypatch) -> None:
    x, z, _ = digits
    exact = preservation(x, z, 12)
    monkeypatch.setattr("genurl_graph.evaluation.ranks._FLOAT64_WORK", 0)
    rounded = preservation(x, z, 12)
    # Grey values from 0 to 16 leave many distances equal, which rounding puts into another order.
    assert abs(rounded.trustworthiness - exact.trustworthiness).mean() < 2e-4
    assert abs(rounded.trustworthiness.mean() - exact.trustworthiness.mean()) < 2e-5


def test_spearman_is_scipys(digits, whole) -> None:
    x, z, _ = digits
    expected = spearmanr(pdist(x[:300]), pdist(z[:300])).statistic
    assert spearman(x[:300], z[:300]) == pytest.approx(expected, abs=1e-9)
    assert spearman(x[:300], -3 * x[:300] + 1) == pytest.approx(1)
    assert spearman(x[:300], np.zeros((300, 2))) is None
    sampled = [spearman(x, z, 500, seed=seed) for seed in (0, 0, 1)]
    assert sampled[0] == sampled[1] != sampled[2]
    assert sampled[0] == pytest.approx(whole["spearman"], abs=0.05)


def test_scores_of_digits(digits, whole) -> None:
    (x, z, y), found = digits, whole
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    expected = cross_val_score(KNeighborsClassifier(10), z, y, cv=folds)
    sizes = [len(test) for _, test in folds.split(z, y)]
    assert found["knn_accuracy"] == pytest.approx(np.average(expected, weights=sizes))
    assert found["trustworthiness"] == pytest.approx(trustworthiness(x, z, n_neighbors=12), abs=2e-5)
    assert found["how"]["trustworthiness"] == "k = 12, all 1,797 points"
    assert found["how"]["spearman"] == "distances among 1,797 of 1,797 points"
    x, z, y = x[:400], z[:400], y[:400]
    assert reduce_scores(x, z)["knn_accuracy"] is None
    same = reduce_scores(x, x, y)
    assert same["trustworthiness"] == same["continuity"] == 1
    assert same["spearman"] == pytest.approx(1)


def test_a_sample_is_named_and_near_the_whole(digits, whole, monkeypatch) -> None:
    x, z, y = digits
    monkeypatch.setattr(module, "EXACT_UP_TO", 1000)
    monkeypatch.setattr(module, "SAMPLED_ROWS", 600)
    sampled = reduce_scores(x, z, y)
    assert sampled["how"]["continuity"] == "k = 12, 600 random points, each against all 1,797"
    for key in ("trustworthiness", "continuity"):
        assert sampled[key] != whole[key]
        assert sampled[key] == pytest.approx(whole[key], abs=0.01)


def test_a_budget_is_kept_by_fewer_points_and_a_projection(digits, whole) -> None:
    (x, z, y), told = digits, []
    wide = np.hstack([x, np.random.default_rng(0).standard_normal((len(x), 400)).astype(np.float32) / 1000])
    for given in (wide, sp.csr_matrix(wide)):
        quick = reduce_scores(given, z, y, budget=0.1, progress=told.append)
        assert quick["how"]["continuity"] == (
            "k = 12, 100 random points, each against all 1,797; input projected to 100 principal components"
        )
        assert "359 random of 1,797 labelled points" in quick["how"]["knn_accuracy"]
        for key, slack in {"knn_accuracy": 0.08, "trustworthiness": 0.05, "continuity": 0.03, "triplets": 0.02}.items():
            assert quick[key] == pytest.approx(whole[key], abs=slack)
        assert quick == reduce_scores(given, z, y, budget=0.1)
    assert told[0] == 0
    assert told[-1] == 1
    assert sorted(told[: len(told) // 2]) == told[: len(told) // 2]
    # A generous one changes nothing.
    assert reduce_scores(x, z, y, budget=1000) == whole


def test_effort_is_bounded_at_any_size() -> None:
    assert module.plan_effort(15_000, 784).rows == 15_000
    assert module.plan_effort(60_000, 784).rows == 5_000
    for n in (10_000, 60_000, 200_000, 1_000_000):
        for columns in (2, 50, 784, 20_000):
            whole, efforts = module.plan_effort(n, columns), [module.plan_effort(n, columns, b) for b in (60, 15, 5)]
            assert whole.rows * n <= max(module.EXACT_UP_TO**2, module.FEWEST_ROWS * n, module.SAMPLED_PAIRS)
            assert whole.seconds >= efforts[0].seconds >= efforts[1].seconds >= efforts[2].seconds
            assert efforts[2].rows >= 100


def test_projected_points_keep_distances() -> None:
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((300, 5)) @ rng.standard_normal((5, 40)) + 7).astype(np.float32)
    left, right = rng.integers(0, 300, (2, 50))
    for points in (Points(x, "x"), Points(sp.csr_matrix(x), "x")):
        expected = ((x[left].astype(np.float64) - x[right]) ** 2).sum(1)
        np.testing.assert_allclose(points.pairs(left, right), expected, rtol=1e-6)
        flat = points.projected(6)
        assert (flat.columns, flat.sparse, flat.matrix.shape) == (6, False, (300, 6))
        np.testing.assert_allclose(flat.pairs(left, right, memory_mb=1e-3), expected, rtol=1e-3)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 12, 26])
def test_few_points(n: int) -> None:
    rng = np.random.default_rng(n)
    found = reduce_scores(rng.standard_normal((n, 4)), rng.standard_normal((n, 2)), np.arange(n) % 2)
    assert (found["trustworthiness"] is None) == (n < 3)
    assert (found["spearman"] is None) == (n < 3)
    assert (found["knn_accuracy"] is None) == (n < 3)
    assert all(found[key] is None or -1 <= found[key] <= 1 for key in module.SCORES if key != "pieces")
    assert (found["pieces"] is None) == (n < 24)


def test_unlabelled_points_do_not_vote(digits) -> None:
    x, z, y = (rows[:600] for rows in digits)
    hidden = np.where(np.arange(len(y)) % 3 == 0, -1, y)
    known = hidden >= 0
    assert reduce_scores(x, z, hidden)["knn_accuracy"] == reduce_scores(x[known], z[known], y[known])["knn_accuracy"]
