"""What labels are: classes, numbers or dates, of everything that a user may have them in."""

import datetime

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genurl_graph.exceptions import InputError
from genurl_graph.plotting.labels import Classes, Values, read_labels

NAT = np.datetime64("NaT")
NEW_YEAR = 18262.0  # days from 1970


@pytest.mark.parametrize(
    ("labels", "keys", "codes"),
    [
        (["c10", "c2", "", None, "c2"], ["c2", "c10"], [1, 0, -1, -1, 0]),
        (np.array(["b", "a"]), ["a", "b"], [1, 0]),
        (np.array([b"b", b"a"]), ["a", "b"], [1, 0]),
        (pd.Series(["x", None], dtype="string", index=[7, 7]), ["x"], [0, -1]),
        (["a", 1, (2, 3)], ["1", "(2, 3)", "a"], [2, 0, 1]),
        ([True, False, True], [False, True], [1, 0, 1]),
        (pd.array([True, None, False]), [False, True], [1, -1, 0]),
        (torch.tensor([2, 0, 2]), [0, 2], [1, 0, 1]),
        (range(3), [0, 1, 2], [0, 1, 2]),
        (pd.array([1, None, 3], dtype="Int64"), [1, 3], [0, -1, 1]),
        (np.array([2.0, np.nan, 1.0]), [1, 2], [1, -1, 0]),
        (np.array([2**60, 2**60 + 1]), [2**60, 2**60 + 1], [0, 1]),
        ([None, None], [], [-1, -1]),
        (np.full(2, np.nan), [], [-1, -1]),
        (pd.Categorical(["x", "y", None], categories=["z", "y", "x"]), ["z", "y", "x"], [2, 1, -1]),
        (pd.Series(pd.Categorical([9, 5], ordered=True)), [5, 9], [1, 0]),
        (pd.CategoricalIndex(["x"]), ["x"], [0]),
    ],
    ids=str,
)
def test_classes(labels, keys: list, codes: list[int]) -> None:
    found = read_labels(labels, len(codes))
    assert isinstance(found, Classes)
    assert found.keys == keys
    assert found.codes.tolist() == codes


def test_minus_one_beside_numbers_of_classes_is_missing_and_keeps_its_name() -> None:
    assert read_labels([0, -1, 1, 2], 4).codes.tolist() == [0, -1, 1, 2]
    assert read_labels([0, -1, 1, 2], 4).missing == "-1"
    assert read_labels([-1, 1, 1], 3).keys == [-1, 1]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (np.arange(20) * 7, True),
        (np.arange(21), False),  # one point each
        (np.arange(40).repeat(10), True),
        (np.arange(1, 41).repeat(10), True),
        (np.arange(40).repeat(10).astype(np.float32), True),
        (np.arange(2, 42).repeat(10), False),  # counts from 2
        (np.arange(40).repeat(10) * 2, False),
        (np.arange(101).repeat(10), False),
        (np.linspace(0, 1, 5), False),
    ],
)
def test_whole_numbers_are_classes_where_they_look_like_them(labels: np.ndarray, classes: bool) -> None:
    assert isinstance(read_labels(labels, len(labels)), Classes) is classes
    numbers = read_labels(labels, len(labels), numbers=True)
    assert isinstance(numbers, Values)
    np.testing.assert_allclose(numbers.values, labels)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["2020-01-01", NAT], dtype="datetime64[D]"),
        [datetime.date(2020, 1, 1), None],
        [datetime.datetime(2020, 1, 1), pd.NaT],
        pd.Series([pd.Timestamp("2020-01-01"), pd.NaT]),
        pd.DatetimeIndex(["2020-01-01", None], tz="Europe/Berlin"),
        pd.PeriodIndex(["2020-01", None], freq="M"),
    ],
    ids=str,
)
def test_dates(labels) -> None:
    found = read_labels(labels, 2)
    assert isinstance(found, Values)
    assert found.dates
    np.testing.assert_array_equal(found.values, [NEW_YEAR, np.nan])


def test_numbers_and_spans_of_time() -> None:
    found = read_labels(torch.tensor([0.5, torch.nan, torch.inf], dtype=torch.bfloat16), 3)
    np.testing.assert_array_equal(found.values, [0.5, np.nan, np.nan])
    np.testing.assert_allclose(read_labels(pd.to_timedelta(["36h", "2h"]), 2).values, [1.5, 1 / 12])


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (np.zeros(2), r"shape \(2,\)"),
        (np.zeros((3, 1)), r"shape \(3, 1\)"),
        ([[1], [2], [3]], r"shape \(3, 1\)"),
        ("abc", r"shape \(\)"),
        ({"a": 1, "b": 2, "c": 3}, r"shape \(\)"),
        (pd.DataFrame({"a": [1, 2, 3]}), r"shape \(3, 1\)"),
        (np.array([1j, 2, 3]), "complex"),
    ],
    ids=str,
)
def test_bad_labels(labels, found: str) -> None:
    with pytest.raises(InputError, match=f"labels: found {found}"):
        read_labels(labels, 3)


@given(st.lists(st.none() | st.text(), min_size=1))
def test_text_comes_back_by_its_codes(labels: list[str | None]) -> None:
    found = read_labels(labels, len(labels))
    assert [None if code < 0 else found.keys[code] for code in found.codes] == [one or None for one in labels]
