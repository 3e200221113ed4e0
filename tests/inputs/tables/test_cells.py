"""Single cells, and one list of words for nothing in everything that reads tables."""

import numpy as np
import pandas as pd
import pytest

from genurl_graph.inputs.columns.cells import as_numbers
from genurl_graph.inputs.tables import values
from genurl_graph.inputs.tables.cells import MISSING, is_missing, is_number, is_whole


def test_single_cells():
    assert [is_number(cell) for cell in ("1", "-.5", "1e5", "nan", "1_0", "0x1", "")] == [True] * 4 + [False] * 3
    assert [is_whole(cell) for cell in ("1", "-12", "007", "+5", "1.0", "")] == [True, True, True, False, False, False]
    assert is_missing(" N/A ")
    assert not is_missing("none of these")


@pytest.mark.parametrize("gap", sorted(MISSING))
def test_a_gap_is_one_for_roles_and_for_features(gap: str):
    cells = pd.Series(["1.5", gap.upper(), "-2"], dtype=object)
    assert values.kind_of(cells) == "number"
    assert values.is_missing(cells).tolist() == [False, True, False]
    np.testing.assert_array_equal(as_numbers(cells), [1.5, np.nan, -2])
