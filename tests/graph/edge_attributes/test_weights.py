"""Weights are a bounded, piecewise linear function of each column."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from genurl_graph.graph.edge_attributes.weights import AttributeWeights, quantiles, ramps

NUMBERS = st.floats(-1e6, 1e6, width=32)


@given(arrays(np.float32, st.tuples(st.integers(2, 30), st.integers(1, 3)), elements=NUMBERS))
@settings(max_examples=40, deadline=None)
def test_ramps_add_up_to_every_function_between_quantiles(values):
    x = torch.from_numpy(values)
    knots = quantiles(x)
    found = ramps(x, knots).reshape(len(x), -1, knots.size(1) - 1)
    assert bool(((found >= 0) & (found <= 1)).all())
    # The identity is one of these functions.
    widths = knots.double().diff(dim=1)
    assert torch.allclose(knots[:, 0] + (found * widths).sum(2), x.double(), rtol=1e-5, atol=1e-3)


@given(
    arrays(np.float32, st.tuples(st.integers(3, 40), st.integers(1, 3)), elements=NUMBERS),
    st.floats(0, 1, width=32),
    st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None)
def test_weights_lie_between_one_minus_share_and_one(values, share, random):
    x = torch.from_numpy(values)
    model = AttributeWeights.fit(x, torch.tensor([random.random() for _ in range(len(x))]))
    found = model._replace(share=torch.tensor([share])).of(x)
    assert found.dtype == torch.float32
    assert bool(((found >= 1 - share) & (found <= 1)).all())
    assert bool((found > 0).all())
    assert torch.equal(model._replace(share=torch.zeros(1)).of(x), torch.ones(len(x)))


def test_a_file_holds_it():
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    model = AttributeWeights.fit(x, x[:, 0])
    again = AttributeWeights.stored(model.tensors())
    assert torch.equal(again.of(x), model.of(x))
    assert AttributeWeights.stored({}) is None
