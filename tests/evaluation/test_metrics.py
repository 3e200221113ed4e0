"""Scores of a map where distances of the input are another metric's than Euclid's."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist, squareform
from scipy.stats import spearmanr

from genurl_graph.evaluation.layout import random_triplets, spearman
from genurl_graph.evaluation.preservation import plan_effort, preservation, reduce_scores
from genurl_graph.evaluation.ranks import Points
from genurl_graph.evaluation.retrieval import retrieval_scores
from genurl_graph.exceptions import InputError
from tests.graph.knn.test_metrics import NAMED, all_distances, data_for, root_gap

EVERY = pytest.mark.parametrize("metric", [*NAMED, root_gap])


def sides(metric, n=90):
    return data_for(metric, n, 12, 0), np.random.default_rng(1).standard_normal((n, 2)).astype(np.float32)


@EVERY
def test_points_have_the_distances_of_scikit_learn(metric):
    x, _ = sides(metric)
    points, full = Points(x, "input", metric), all_distances(x, metric, x)
    rows = torch.tensor([5, 0, 89])
    expected = full[rows]
    expected[[0, 1, 2], rows] = np.inf
    np.testing.assert_allclose(points.distances(rows), expected, rtol=1e-6)
    part = points.subset(torch.tensor([1, 7, 20]))
    np.testing.assert_allclose(part.distances(rows, points), full[rows][:, [1, 7, 20]], rtol=1e-6)
    np.testing.assert_allclose(points.pairs(np.array([3, 4]), np.array([9, 4])), full[[3, 4], [9, 4]], atol=1e-12)
    np.testing.assert_allclose(points.among(rows.numpy()), full[rows][:, rows], atol=1e-12)


@EVERY
def test_scores_are_those_of_the_definition(metric):
    x, z = sides(metric)
    full, shown = all_distances(x, metric).astype(np.float32), cdist(z, z)
    np.fill_diagonal(shown, np.inf)
    rank = full.argsort(1, kind="stable").argsort(1)
    near = shown.argsort(1, kind="stable")[:, :7]
    over = np.maximum(np.take_along_axis(rank, near, 1) - 6, 0).sum(1)
    expected = 1 - 2 / (7 * (2 * 90 - 21 - 1)) * over
    np.testing.assert_allclose(preservation(x, z, 7, metric=metric).trustworthiness, expected, atol=1e-12)
    np.fill_diagonal(full, 0)
    np.fill_diagonal(shown, 0)
    ranks = spearmanr(squareform(full, checks=False), squareform(shown, checks=False))
    assert spearman(x, z, metric=metric) == pytest.approx(ranks.statistic, abs=1e-4)
    assert 0.4 < random_triplets(x, z, 2000, metric=metric) < 0.6


def test_a_budget_leaves_columns_of_other_metrics_as_they_are():
    x, z = sides("manhattan", 400)
    wide = np.hstack([x] * 30)
    found = reduce_scores(wide, z, metric="manhattan", budget=0.1)
    assert "projected" not in found["how"]["trustworthiness"]
    assert found["trustworthiness"] == pytest.approx(
        reduce_scores(wide, z, metric="manhattan")["trustworthiness"], abs=0.05
    )
    # The calls of a function are dear: few points are looked at.
    assert Points(x, "input", root_gap).work > 100 * Points(x, "input", "manhattan").work
    assert plan_effort(10_000, Points(x, "input", root_gap).work, 15, False).columns is None


def test_retrieval_judges_by_the_metric_of_the_input():
    x, _ = sides("manhattan")
    assert retrieval_scores(x, x=x, metric="manhattan", input_metric="manhattan")["neighbor_recall"][1] == 1
    assert retrieval_scores(x, x=x, metric="manhattan", input_metric="chebyshev")["neighbor_recall"][1] < 1


def test_an_unknown_metric_is_named_with_the_nearest():
    with pytest.raises(InputError, match=r"metric: found 'cityblok'; expected one of euclidean, cosine, manhattan"):
        preservation(*sides("manhattan"), metric="cityblok")


def test_the_metric_is_told_beside_the_scores():
    x, z = sides("manhattan")
    found = reduce_scores(x, z, metric="manhattan")
    assert found["how"]["trustworthiness"].endswith("manhattan distance of the input")
    assert "distance" not in reduce_scores(x, z)["how"]["trustworthiness"]
