"""Cells: numbers and dates are found only where every cell is one."""

import datetime

import numpy as np
import pandas as pd
import pytest

from genurl_graph.inputs.tables.cells import as_dates, as_numbers, is_missing, is_number, is_whole


@pytest.mark.parametrize("gap", ["", "NA", "N/A", "nan", "NaN", "null", "None", "?", " ", None])
def test_numbers_with_gaps(gap: str | None):
    found = as_numbers(pd.Series(["1", gap, "-2.5", " .5 ", "1e3", "+7"], index=[*"abcdef"], dtype=object))
    np.testing.assert_array_equal(found, [1, np.nan, -2.5, 0.5, 1000, 7])
    assert found.index.tolist() == [*"abcdef"]


@pytest.mark.parametrize(
    "cells", [["1", "red"], ["", ""], ["1_000"], ["1,5"], ["True", "False"], ["1\n2"], ["2024-05-07"]]
)
def test_no_numbers(cells: list[str]):
    assert as_numbers(pd.Series(cells, dtype=object)) is None


def test_decimal_commas():
    assert as_numbers(pd.Series(["1,5", "2"]), decimal=",").tolist() == [1.5, 2]
    assert as_numbers(pd.Series(["1.234,5", "2"]), decimal=",") is None


def test_dtypes_of_frames():
    whole = as_numbers(pd.Series([1, None, 3], dtype="Int64"))
    np.testing.assert_array_equal(whole, [1, np.nan, 3])
    assert as_numbers(pd.Series([1.5, 2])).tolist() == [1.5, 2]
    assert as_numbers(pd.Series([1.5, "2", None], dtype=object)).tolist()[:2] == [1.5, 2]
    assert as_numbers(pd.Series([True, False])) is None
    assert as_numbers(pd.Series([1 + 2j])) is None


def test_dates():
    found = as_dates(pd.Series(["2024-05-07", "", "2024-05-07T12:30:00Z", "2024-05-07 14:30:00+02:00"]))
    assert found[0] == pd.Timestamp("2024-05-07")
    assert pd.isna(found[1])
    assert found[2] == found[3] == pd.Timestamp("2024-05-07 12:30")
    zoned = pd.Series([datetime.datetime(2024, 5, 7, 12)]).dt.tz_localize("Europe/Berlin")
    assert as_dates(zoned)[0] == pd.Timestamp("2024-05-07 10:00")
    for cells in (["2024-02-30"], ["red"], [""], ["7.5.2024", "2024-05-07"], ["20240507"]):
        assert as_dates(pd.Series(cells)) is None
    assert as_dates(pd.Series([1, 2])) is None


def test_single_cells():
    assert [is_number(cell) for cell in ("1", "-.5", "1e5", "nan", "1_0", "0x1", "")] == [True] * 4 + [False] * 3
    assert [is_whole(cell) for cell in ("1", "-12", "007", "+5", "1.0", "")] == [True, True, True, False, False, False]
    assert is_missing(" N/A ")
    assert not is_missing("none of these")
