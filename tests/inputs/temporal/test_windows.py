"""Events in the order of time, and windows of them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.temporal import TemporalEdges, Windows
from genurl_graph.inputs.temporal.windows import cut_windows, duration

TIMES = st.lists(st.integers(0, 30), min_size=1, max_size=60)


def events(times):
    m = len(times)
    return TemporalEdges.of(torch.arange(m), torch.arange(m) + 1, torch.tensor(times).double())


@given(TIMES)
@settings(max_examples=50, deadline=None)
def test_events_are_sorted_and_none_is_lost(times):
    found = events(times)
    assert found.time.tolist() == sorted(times)
    assert sorted(found.source.tolist()) == [*range(len(times))]
    # Those of one time keep their order.
    assert found.source.tolist() == sorted(range(len(times)), key=lambda i: (times[i], i))


@given(TIMES, st.data())
@settings(max_examples=50, deadline=None)
def test_windows_part_all_events_and_never_those_of_one_time(times, data):
    found = events(times)
    if data.draw(st.booleans()):
        windows = Windows.of_equal_events(found, data.draw(st.integers(1, len({*times}))))
    else:
        # At most as many windows as events.
        windows = Windows.of_equal_times(found, max(30 / len(times), 1) + data.draw(st.floats(0.5, 40)))
    assert windows.ptr[0] == 0
    assert windows.ptr[-1] == len(times)
    assert bool((windows.ptr.diff() >= 0).all())
    for w in range(len(windows)):
        part = windows.events(found, w).time
        assert bool(((windows.starts[w] <= part) & (part <= windows.starts[w + 1])).all())
        later = found.time[windows.ptr[w + 1] :]
        assert not torch.isin(part, later).any()
        assert len(windows.before(found, w)) + len(part) + len(later) == len(times)


def test_windows_of_equal_times_have_one_length_and_may_be_empty():
    windows = Windows.of_equal_times(events([0, 1, 2, 20, 21, 22]), 5.0)
    assert windows.ptr.tolist() == [0, 3, 3, 3, 3, 6]
    assert windows.starts[:-1].diff().unique().tolist() == [5.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TemporalEdges.of([], [], []), "no events"),
        (lambda: TemporalEdges.of([0, 1], [1, 0], [1.0]), "time: found shape"),
        (lambda: TemporalEdges.of([0], [1], [float("nan")]), "time: found NaN"),
        (lambda: TemporalEdges.of([0], [3], [1.0], num_nodes=3), "0 to 2"),
        (lambda: TemporalEdges.of([0], [1], [1.0], weight=[float("inf")]), "weight"),
        (lambda: TemporalEdges.of([0], [1], [1.0], weight=[1.0, 2.0]), "weight: found shape"),
        (lambda: Windows.of_equal_events(events([1, 1, 1]), 2), "windows: found 2; expected 1 to 1"),
        (lambda: Windows.of_equal_times(events([0, 9_999]), 1.0), "10,000 windows"),
        (lambda: Windows.of_equal_times(events([0, 9]), 0.0), "length above 0"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_negative_weights_are_kept():
    assert TemporalEdges.of([0, 1], [1, 0], [2.0, 1.0], weight=[-3.0, 5.0]).weight.tolist() == [5.0, -3.0]


DAY = 86_400.0


@pytest.mark.parametrize(
    ("text", "unit", "length"),
    [
        ("2d", "seconds", 2 * DAY),
        ("2d", "dates", 2 * DAY),
        ("36h", "milliseconds", 1.5 * DAY * 1e3),
        ("5u", "numbers", 5),
    ],
)
def test_a_length_is_told_in_the_unit_of_the_times(text, unit, length) -> None:
    assert duration(text, unit) == length


def test_windows_are_cut_as_the_user_says() -> None:
    week = TemporalEdges.of(torch.arange(70) % 5, torch.arange(70) % 5 + 1, torch.arange(70) * DAY / 10)
    assert len(cut_windows(week, "1d", "seconds")) == 7
    assert cut_windows(week, "1d", "seconds").ptr.diff().tolist() == [10] * 7
    assert cut_windows(week, 14, "seconds").ptr.diff().tolist() == [5] * 14
    assert len(cut_windows(week, "auto", "seconds")) == 20


def test_by_default_every_snapshot_is_a_window() -> None:
    shots = events([0, 0, 0, 1, 3])
    assert cut_windows(shots, "auto", "snapshots").ptr.tolist() == [0, 3, 4, 4, 5]


@pytest.mark.parametrize("unit", ["numbers", "snapshots"])
def test_a_length_of_time_needs_times_with_a_unit(unit) -> None:
    with pytest.raises(InputError, match=r"'7d' for times that are .*a number of windows, such as 12"):
        cut_windows(events([1, 2, 3]), "7d", unit)


def test_later_windows_go_on_in_step_and_silence_is_empty_windows() -> None:
    later = TemporalEdges.of([0, 0, 0], [1, 1, 1], [12.0, 35.0, 38.0])
    found = Windows.of_equal_times(later, 7.0, after=7.0)
    # The window that began at 7 has not ended at 12; nothing happens from 14 to 35.
    assert found.starts.tolist() == [12.0, 14.0, 21.0, 28.0, 35.0, 38.0]
    assert found.ptr.tolist() == [0, 1, 1, 1, 1, 3]
    next_week = TemporalEdges.of([0], [1], [15.0])
    assert Windows.of_equal_times(next_week, 7.0, after=7.0).starts.tolist() == [14.0, 15.0]
    assert Windows.of_equal_times(TemporalEdges.of([0], [1], [9.0]), 7.0, after=7.0).ptr.tolist() == [0, 1]
