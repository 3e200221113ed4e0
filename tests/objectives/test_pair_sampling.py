"""sampling and views: what is drawn is uniform, complete and reproducible."""

import pytest
import torch
from scipy.stats import chisquare

from genurl_graph.nn.features import keep_features
from genurl_graph.objectives.pair_sampling import permuted_negatives, shared_negatives


@pytest.mark.parametrize(("n", "k"), [(2, 1), (2, 3), (3, 1), (3, 2), (3, 5), (10, 4), (10, 9), (10, 25)])
def test_every_node_meets_k_others_and_is_met_k_times(n: int, k: int) -> None:
    torch.manual_seed(n * k)
    row, col = permuted_negatives(n, k)
    assert row.shape == col.shape == (n * k,)
    assert not bool((row == col).any())
    assert torch.bincount(row, minlength=n).tolist() == [k] * n
    assert torch.bincount(col, minlength=n).tolist() == [k] * n
    if k < n:
        assert torch.unique(row * n + col).numel() == n * k, "no pair twice while there are others"


@pytest.mark.parametrize(("n", "k"), [(3, 1), (6, 2), (6, 7)])
def test_ordered_pairs_are_equally_likely(n: int, k: int) -> None:
    torch.manual_seed(0)
    counts = torch.zeros(n * n)
    for _ in range(2000):
        row, col = permuted_negatives(n, k)
        counts += torch.bincount(row * n + col, minlength=n * n)
    off = ~torch.eye(n, dtype=torch.bool).reshape(-1)
    assert not bool(counts[~off].any())
    # Pairs of one draw are correlated, so the statistic is a little off chi-square: a loose bound.
    assert chisquare(counts[off].numpy() / k).pvalue > 1e-4


@pytest.mark.parametrize(("n", "m"), [(2, 1), (3, 8), (20, 5)])
def test_shared_negatives_are_distinct_nodes(n: int, m: int) -> None:
    torch.manual_seed(0)
    drawn = shared_negatives(n, m)
    assert drawn.shape == (min(n, m),)
    assert torch.unique(drawn).numel() == drawn.numel()
    assert set(drawn.tolist()) <= set(range(n))


def test_shared_negatives_are_uniform() -> None:
    torch.manual_seed(0)
    drawn = torch.cat([shared_negatives(10, 3) for _ in range(2000)])
    assert chisquare(torch.bincount(drawn, minlength=10).numpy()).pvalue > 1e-4


def test_feature_masks() -> None:
    assert keep_features(10, 0.0) is None
    torch.manual_seed(0)
    keep = keep_features(20_000, 0.3)
    assert keep is not None
    assert set(keep.tolist()) == {0.0, 1.0}
    assert abs(float(keep.mean()) - 0.7) < 5 * (0.21 / 20_000) ** 0.5


def test_torchs_seed_governs_every_draw() -> None:
    for draw in (lambda: permuted_negatives(9, 2), lambda: shared_negatives(9, 4), lambda: keep_features(50, 0.5)):
        torch.manual_seed(7)
        first, second = draw(), draw()
        torch.manual_seed(7)
        assert torch.equal(first, draw())
        assert not torch.equal(first, second)
