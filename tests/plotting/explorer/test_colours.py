"""Columns are categories or numbers by what they hold."""

import numpy as np
import pytest

from genurl_graph.exceptions import InputError
from genurl_graph.plotting.explorer.colours import Categories, Numbers, column, labels
from genurl_graph.plotting.explorer.scene import Scene


def test_few_whole_numbers_are_categories_in_their_own_order() -> None:
    found = column("c", "", [10.0, 9.0, np.nan, 10.0])
    assert isinstance(found, Categories)
    assert found.names == ["9", "10"]
    assert found.codes.tolist() == [1, 0, -1, 1]


def test_many_or_fractional_numbers_are_numbers() -> None:
    assert isinstance(column("c", "", np.arange(21)), Numbers)
    assert isinstance(column("c", "", np.arange(20)), Categories)
    found = column("c", "", [0.5, np.nan, 2.0])
    assert isinstance(found, Numbers)
    np.testing.assert_array_equal(found.values, np.array([0.5, np.nan, 2.0], dtype=np.float32))


def test_text_is_categories_and_nothing_is_unknown() -> None:
    found = column("c", "", ["b", "", "a"])
    assert isinstance(found, Categories)
    assert (found.names, found.codes.tolist()) == (["a", "b"], [1, -1, 0])


def test_labels_are_categories_however_many() -> None:
    found = labels("Label", "", np.arange(-1, 40))
    assert isinstance(found, Categories)
    assert len(found.names) == 40
    assert found.codes[0] == -1  # a negative label is none


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InputError, match="infinite"):
        column("c", "", [1.0, np.inf])
    with pytest.raises(InputError, match=r"\[n\]"):
        column("c", "", np.zeros((2, 2)))
    with pytest.raises(InputError, match=r"column c: found 2 entries; expected 3"):
        Scene("t", np.zeros((3, 2)), columns=[column("c", "", [1, 2])])
    with pytest.raises(InputError, match="NaN"):
        Scene("t", np.full((3, 2), np.nan))


def test_dates_are_days_with_their_time() -> None:
    moments = np.array(["1970-01-02T06:00", "NaT", "2024-05-31T23:59:59"], dtype="datetime64[s]")
    found = column("Seen", "", moments)
    assert isinstance(found, Numbers)
    assert found.dates
    assert found.values.dtype == np.float64
    np.testing.assert_allclose(found.values, [1.25, np.nan, 19874 + 86399 / 86400], rtol=1e-12)


def test_text_is_sorted_by_its_numbers() -> None:
    found = column("Kind", "", ["c10", "c2", "", "c1"])
    assert isinstance(found, Categories)
    assert (found.names, found.codes.tolist()) == (["c1", "c2", "c10"], [2, 1, -1, 0])
