"""Numbers and lengths of windows, as users write them."""

import pytest

from genurl_graph.config.durations import WindowSize, parse_windows
from genurl_graph.exceptions import InputError


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("12", WindowSize(number=12)),
        (12, WindowSize(number=12)),
        ("7d", WindowSize(seconds=604_800.0)),
        ("2w", WindowSize(seconds=1_209_600.0)),
        ("36h", WindowSize(seconds=129_600.0)),
        ("1.5 H", WindowSize(seconds=5_400.0)),
        ("30min", WindowSize(seconds=1_800.0)),
        ("90 seconds", WindowSize(seconds=90.0)),
        ("500ms", WindowSize(seconds=0.5)),
        ("5u", WindowSize(units=5.0)),
    ],
)
def test_a_number_counts_windows_and_a_unit_makes_it_a_length(text, found) -> None:
    assert parse_windows(text) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0", "more than 0"),
        ("-3", "a number of windows"),
        ("0d", "more than 0"),
        ("2.5", "a whole number of windows"),
        ("5m", "minutes or months; expected 5min"),
        ("1M", "minutes or months"),
        ("1 month", "not of one length"),
        ("2 fortnights", "30min"),
        ("", "a number of windows"),
        ("d7", "a number of windows"),
    ],
)
def test_what_is_neither_is_refused(text, message) -> None:
    with pytest.raises(InputError, match=message):
        parse_windows(text)
