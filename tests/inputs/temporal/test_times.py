"""Times out of numbers, dates and text."""

import pandas as pd
import pytest

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.temporal.times import read_times, show_time

DAY = 86_400.0


def read(cells):
    return read_times(Table("log", pd.DataFrame({"t": cells})), "t")


@pytest.mark.parametrize(
    ("cells", "unit"),
    [
        ([1082040961, 1082155839], "seconds"),
        (["1289241911.72836", "1289241941.5"], "seconds"),
        ([1082040961000, 1082155839000], "milliseconds"),
        ([1082040961000000], "microseconds"),
        ([1082040961000000000], "nanoseconds"),
        ([1, 2, 3], "numbers"),
        ([0.5, -2.5], "numbers"),
        ([1082040961, 3], "numbers"),
        ([1999, 2004], "numbers"),
    ],
)
def test_numbers_stay_and_their_unit_is_told_by_their_size(cells, unit) -> None:
    found = read(cells)
    assert found.value.tolist() == [*map(float, cells)]
    assert found.unit == unit


@pytest.mark.parametrize(
    "cells",
    [
        ["1970-01-02", "1970-01-11"],
        ["1970/01/02", "1970/01/11"],
        ["1970-01-02T00:00:00Z", "1970-01-11T00:00:00Z"],
        ["1970-01-02 02:00:00+02:00", "1970-01-10 22:00:00-02:00"],
        ["02.01.1970", "11.01.1970"],
        ["2 Jan 1970", "11 January 1970"],
        ["Fri Jan 02 00:00:00 +0000 1970", "Sun Jan 11 00:00:00 +0000 1970"],
        pd.to_datetime(["1970-01-02", "1970-01-11"]),
        pd.to_datetime(["1970-01-02 01:00", "1970-01-11 01:00"]).tz_localize("Europe/Paris"),
        pd.PeriodIndex(["1970-01-02", "1970-01-11"], freq="D"),
    ],
    ids=["iso", "slashes", "zulu", "offsets", "dots", "words", "twitter", "datetime", "zone", "periods"],
)
def test_dates_are_seconds_since_1970(cells) -> None:
    found = read(cells)
    assert found.value.tolist() == [DAY, 10 * DAY]
    assert found.unit == "dates"


def test_whole_numbers_that_are_all_days_are_dates() -> None:
    found = read([19700102, 19700111])
    assert (found.value.tolist(), found.unit) == ([DAY, 10 * DAY], "dates")
    assert read([19700102, 19700199]).unit == "numbers"


def test_time_spans_are_seconds() -> None:
    assert read(pd.to_timedelta(["1h", "2h"])).value.tolist() == [3600.0, 7200.0]


def test_day_and_month_are_told_apart_or_refused() -> None:
    assert read(["01/31/1970", "02/01/1970"]).value.tolist() == [30 * DAY, 31 * DAY]
    assert read(["31/01/1970", "01/02/1970"]).value.tolist() == [30 * DAY, 31 * DAY]
    with pytest.raises(InputError, match="day and month cannot be told apart"):
        read(["01/02/1970", "03/04/1970"])
    with pytest.raises(InputError, match="'31/01/1970' and '01/31/1970'"):
        read(["31/01/1970", "01/31/1970"])


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["2004-01-31", ""], "1 empty cell, the first of row 1"),
        ([1.0, None, None], "2 empty cells, the first of row 1"),
        (["2004-01-31", "soon"], "row 1, column 1 .*found 'soon'"),
        (["10:15", "10:16"], "found '10:15'; expected a time"),
        (["2004-02-30"], "found '2004-02-30'"),
        (["1/2/04"], "found '1/2/04'"),
        ([1.0, float("inf")], "row 1.*no finite number"),
        ([True, False], "yes or no"),
    ],
)
def test_what_is_no_time_is_refused(cells, message) -> None:
    with pytest.raises(InputError, match=message):
        read(cells)


def test_times_are_shown_as_dates_where_they_are_some() -> None:
    assert show_time(1082040961000, "milliseconds") == "2004-04-15 14:56:01"
    assert show_time(7200, "seconds") == "7,200"
    assert show_time(-DAY, "dates") == "1969-12-31 00:00:00"
    assert show_time(2.5, "numbers") == "2.5"
