"""Features as the views of one step see them: each without some columns, all from one product of the whole.

``(x * keep) w = x w - x' w'`` where x' are the columns that a view hides, and w' their rows of w. Where few are hidden,
two views cost little more than one; so do their gradients.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from genurl_graph.inputs.sparse import csr_columns, csr_rows, product
from genurl_graph.nn.features import Features


def feature_views(features: Features, keeps: Sequence[Tensor | None]) -> Sequence[Features | FeatureView]:
    """The features for each of several views, which hide other columns.

    Parameters
    ----------
    features : Features
    keeps : sequence of Tensor, float32, shape [f], or None
        1 for the columns that a view keeps, 0 for the others (`genurl_graph.nn.features.keep_features`); None: it keeps
        all.

    Returns
    -------
    sequence of Features or FeatureView
        `features` itself where a product for each view is cheaper.

    Examples
    --------
    >>> first, second = feature_views(features, keeps)
    >>> h = first.matmul(w, keeps[0]), second.matmul(w, keeps[1])
    """
    hidden = [_Hidden.of(features, keep) for keep in keeps if keep is not None]
    columns = sum(part.number.numel() for part in hidden)
    if len(hidden) < len(keeps) or columns >= (len(keeps) - 1) * features.num_features:
        return [features] * len(keeps)
    products = _Products(features, hidden)
    return [FeatureView(products, i) for i in range(len(keeps))]


class FeatureView:
    """What one view sees of the features (`feature_views`): read by an input layer in place of them."""

    def __init__(self, products: _Products, view: int) -> None:
        self.products, self.view = products, view

    def matmul(self, w: Tensor, keep: Tensor | None = None) -> Tensor:
        """``(x * keep) @ w`` with gradients for w, shape [n, columns of w]; `keep` is that of this view."""
        if torch.is_autocast_enabled(w.device.type):
            return self.products.features.matmul(w, keep)
        return self.products.of(w)[self.view]


class _Hidden(NamedTuple):
    """Columns that a view hides: their numbers, the features there and the transpose of these."""

    number: Tensor
    x: Tensor
    x_t: Tensor

    @classmethod
    def of(cls, features: Features, keep: Tensor) -> _Hidden:
        hidden = keep == 0
        number = hidden.nonzero().squeeze(1)
        if features.x_t is None:
            x = features.x.index_select(1, number)
            return cls(number, x, x.t())
        return cls(number, csr_columns(features.x, hidden), csr_rows(features.x_t, number))


class _Products:
    """Products of the features and weights, for all views at once: the first that asks has them computed."""

    def __init__(self, features: Features, hidden: list[_Hidden]) -> None:
        self.features, self.hidden = features, hidden
        # By the weights' identity; the weights are kept, so that no other tensor can have it.
        self.found: dict[int, tuple[Tensor, tuple[Tensor, ...]]] = {}

    def of(self, w: Tensor) -> tuple[Tensor, ...]:
        if id(w) not in self.found:
            self.found[id(w)] = w, _ViewProducts.apply(self.features, self.hidden, w)  # type: ignore[no-untyped-call]
        return self.found[id(w)][1]


class _ViewProducts(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Features, hidden: list[_Hidden], w: Tensor) -> tuple[Tensor, ...]:
        ctx.features, ctx.hidden = features, hidden
        whole = features.matmul(w)
        return tuple(torch.addmm(whole, part.x, w.index_select(0, part.number), alpha=-1) for part in hidden)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[None, None, Tensor]:
        features: Features = ctx.features
        total = functools.reduce(torch.add, grads)
        found = features.x.t() @ total if features.x_t is None else product(features.x_t, total)
        for part, grad in zip(ctx.hidden, grads, strict=True):
            found.index_add_(0, part.number, part.x_t @ grad, alpha=-1)
        return None, None, found
