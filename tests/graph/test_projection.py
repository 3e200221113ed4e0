"""How many principal components are enough."""

import numpy as np
import pytest
import torch

from genurl_graph import GenURL
from genurl_graph.graph.projection import _MEASURED, ENOUGH, HELD, enough_components

rng = np.random.default_rng(0)


def matrix(n, f, rank):
    """Rows in a space of `rank` dimensions, with a little noise."""
    x = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, f)) + 0.01 * rng.normal(size=(n, f))
    return torch.from_numpy(x).float()


def test_few_columns_are_taken_as_they_are():
    assert enough_components(matrix(100, ENOUGH, 5), "euclidean") == 0


def test_few_directions_need_no_more_than_fifty():
    assert enough_components(matrix(300, 200, 20), "euclidean") == ENOUGH


def test_noise_needs_as_many_as_hold_the_share():
    x = torch.from_numpy(rng.normal(size=(_MEASURED, 300))).float()
    count = enough_components(x, "euclidean")
    values = np.linalg.svd((x - x.mean(0)).double().numpy(), compute_uv=False) ** 2
    share = np.cumsum(values) / values.sum()
    assert count > ENOUGH
    assert share[count - 1] >= HELD > share[count - 2]


@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e25])
def test_does_not_depend_on_the_scale_or_the_origin(scale):
    x = torch.from_numpy(rng.normal(size=(200, 120)))
    assert enough_components((x + 3) * scale, "euclidean") == enough_components(x, "euclidean")


def test_constant_and_sparse_features_get_fifty():
    assert enough_components(torch.ones(100, 80), "euclidean") == ENOUGH
    assert enough_components(matrix(100, 80, 3).to_sparse_csr(), "euclidean") == ENOUGH


def test_the_run_says_the_number():
    x = rng.normal(size=(400, 300)).astype(np.float32)
    model = GenURL(2, epochs=1, random_state=0).fit(x)
    assert model.config_.neighbors.pca == enough_components(torch.from_numpy(x), "euclidean") > ENOUGH
