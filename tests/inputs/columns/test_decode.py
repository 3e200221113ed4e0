"""The way back from encoded columns."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.columns import FeaturePlan
from genurl_graph.inputs.columns.decode import decode


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.float64, st.tuples(st.integers(4, 12), st.integers(1, 4)), elements=st.floats(-1e6, 1e6, width=32)),
    st.sampled_from(["auto", "columns", "none"]),
)
def test_what_was_not_clipped_comes_back(x, scale):
    plan = FeaturePlan.fit(x, scale=scale)
    if plan is None or not plan.used:
        return
    encoded = plan.apply(x).to_dense().double().numpy()
    found = decode(plan, encoded)
    for place, column in enumerate(plan.columns):
        if not column.is_used:
            assert np.isnan(found[:, place]).all()
            continue
        inside = (
            np.abs(x[:, place] - column.centre) <= 4.99 * column.scale if column.how == "standardised" else slice(None)
        )
        tolerance = 1e-5 * max(
            np.ptp(x[:, place]), column.scale, np.abs(x[:, place]).max() * (column.how == "as it is")
        )
        np.testing.assert_allclose(found[inside, place], x[inside, place], rtol=1e-6, atol=tolerance)


def test_missing_cells_and_yes_or_no():
    frame = pd.DataFrame({"a": [1.0, np.nan, 3.0, 4.0, 9.0], "b": ["yes", "no", "no", "yes", "no"], "c": [7] * 5})
    plan = FeaturePlan.fit(frame)
    found = decode(plan, plan.apply(frame).numpy())
    np.testing.assert_allclose(found[:, 0], [1, 3.5, 3, 4, 9], rtol=1e-5)  # the median stands in
    np.testing.assert_allclose(found[:, 1], [1, 0, 0, 1, 0], atol=1e-5)
    assert np.isnan(found[:, 2]).all()


def test_categories_have_no_mean():
    plan = FeaturePlan.fit(pd.DataFrame({"n": [1.0, 2.0, 4.0] * 4, "land": ["DE", "FR", "IT"] * 4}))
    with pytest.raises(InputError, match="column 'land': found 3 categories; expected numbers or yes/no"):
        decode(plan, np.zeros((1, len(plan.names))))
