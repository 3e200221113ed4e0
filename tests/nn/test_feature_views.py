"""Views of features: the products and gradients of each view's own masked matrix."""

import pytest
import torch
from torch import Tensor

from genurl_graph.nn.feature_views import FeatureView, feature_views
from genurl_graph.nn.features import Features, InputLayer

N, F, D = 40, 30, 6


def matrix() -> Tensor:
    x = torch.rand(N, F, generator=torch.Generator().manual_seed(0))
    return torch.where(x < 0.3, x, 0.0)


def masks(*hidden: list[int]) -> list[Tensor]:
    keeps = [torch.ones(F) for _ in hidden]
    for keep, columns in zip(keeps, hidden, strict=True):
        keep[columns] = 0
    return keeps


@pytest.mark.parametrize("layout", ["dense", "sparse"])
@pytest.mark.parametrize("hidden", [([0, 7, 9], [7, 29]), ([], [3]), ([], [])])
def test_each_view_is_the_product_without_its_hidden_columns(layout, hidden):
    x, keeps = matrix(), masks(*hidden)
    layer = InputLayer(F, D, bias=True)
    views = feature_views(Features(x if layout == "dense" else x.to_sparse_csr()), keeps)
    assert all(isinstance(view, FeatureView) for view in views)
    found = [layer(view, keep) for view, keep in zip(views, keeps, strict=True)]
    expected = [(x * keep) @ layer.weight + layer.bias for keep in keeps]
    weights = torch.randn(2, N, D, generator=torch.Generator().manual_seed(1))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
    gradients = [
        torch.autograd.grad(sum((h * w).sum() for h, w in zip(hs, weights, strict=True)), layer.parameters())
        for hs in (found, expected)
    ]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_two_layers_read_their_own_products():
    x, keeps = matrix(), masks([1], [2])
    layers = [InputLayer(F, D, bias=False) for _ in range(2)]
    for view, keep in zip(feature_views(Features(x), keeps), keeps, strict=True):
        for layer in layers:
            torch.testing.assert_close(layer(view, keep), (x * keep) @ layer.weight)


def test_features_stay_whole_where_a_product_for_each_view_is_cheaper():
    features, half = Features(matrix()), list(range(F // 2))
    for keeps in (masks(half, half), [None, None], [None, masks([1])[0]], masks([1])):
        assert all(view is features for view in feature_views(features, keeps))


def test_lower_precision_multiplies_view_by_view():
    x, keeps = matrix(), masks([1], [2])
    layer = InputLayer(F, D, bias=False)
    with torch.autocast("cpu", torch.bfloat16):
        found = [layer(view, keep) for view, keep in zip(feature_views(Features(x), keeps), keeps, strict=True)]
    assert found[0].dtype == torch.bfloat16
    torch.testing.assert_close(found[0].float(), (x * keeps[0]) @ layer.weight, rtol=0.05, atol=0.05)
