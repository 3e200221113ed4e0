"""Windows of time: runs of events that are looked at together."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.config.durations import parse_windows
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.times import PER_SECOND

# Windows where nobody says how many.
BY_DEFAULT = 20
# A window for each snapshot, as a user would ask for it.
EACH_SNAPSHOT = "1u"
# Windows that may be more than there are events: later events of a day are few, and windows of an hour have none then.
FEW = 1000


class Windows(NamedTuple):
    """W windows, one after another. Events of one time are never parted.

    Attributes
    ----------
    ptr : Tensor, int64, shape [W + 1]
        Window w has the events ``ptr[w]`` to ``ptr[w + 1] - 1``; it may have none.
    starts : Tensor, float64, shape [W + 1]
        When each begins, in the unit of the events, and the time of the last event.
    """

    ptr: Tensor
    starts: Tensor

    def __len__(self) -> int:
        return len(self.ptr) - 1

    @classmethod
    def of_equal_events(cls, edges: TemporalEdges, count: int) -> Windows:
        """Windows of about equally many events.

        Parameters
        ----------
        edges : TemporalEdges
        count : int
            From 1 to the number of different times: fewer windows come out where many events have one time.

        Raises
        ------
        InputError
            `count` out of range.
        """
        times = int(torch.unique_consecutive(edges.time).numel())
        if not 1 <= count <= times:
            raise wrong("windows", count, f"1 to {times}, the number of different times")
        wanted = torch.arange(count) * len(edges) // count
        begins = torch.unique_consecutive(edges.time[wanted])
        return cls._of(edges, begins)

    @classmethod
    def of_equal_times(cls, edges: TemporalEdges, length: float, after: float | None = None) -> Windows:
        """Windows of one length, from the first event on.

        Parameters
        ----------
        edges : TemporalEdges
        length : float
            In the unit of the events, above 0.
        after : float, optional
            When an earlier window began. Windows go on in step with it: those in which nothing happened are empty ones,
            and what is left of the earlier one is a window of its own.

        Raises
        ------
        InputError
            A length that is not above 0, or that makes more windows than there are events, and more than `FEW`.
        """
        if not length > 0:
            raise wrong("windows", f"a length of {length}", "a length above 0")
        first, last = float(edges.time[0]), float(edges.time[-1])
        begin = first if after is None else after + length
        count = int((last - begin) // length) + 1
        most = max(len(edges), FEW)
        if count > most:
            found = f"{count:,} windows of length {length:g} for {len(edges):,} events"
            raise wrong("windows", found, f"at most {most:,}, which are longer")
        begins = begin + length * torch.arange(count).double()
        rest = edges.time[:1] if first < begin else edges.time[:0]
        return cls._of(edges, torch.cat([rest, begins]))

    @classmethod
    def _of(cls, edges: TemporalEdges, begins: Tensor) -> Windows:
        ptr = torch.searchsorted(edges.time, begins)
        end = torch.tensor([len(edges)])
        return cls(torch.cat([ptr, end]), torch.cat([begins, edges.time[-1:]]))

    def events(self, edges: TemporalEdges, window: int) -> TemporalEdges:
        """The events of one window."""
        return edges.between(*self.ptr[window : window + 2].tolist())

    def before(self, edges: TemporalEdges, window: int, last: int | None = None) -> TemporalEdges:
        """All events before a window, or those of the `last` windows before it."""
        first = 0 if last is None else int(self.ptr[max(window - last, 0)])
        return edges.between(first, int(self.ptr[window]))


def cut_windows(edges: TemporalEdges, text: str | int, unit: str) -> Windows:
    """Windows as the user wants them.

    Parameters
    ----------
    edges : TemporalEdges
    text : str or int
        As `genurl_graph.config.durations.parse_windows` reads it; or "auto": each snapshot, where the events come in
        such, else 20 of equally many events, or as many as there are different times.
    unit : str
        Of the times (`genurl_graph.inputs.temporal.event_set.EventSet`).

    Raises
    ------
    InputError
        A length of time, such as "7d", where times are plain numbers; windows that the events do not fill.

    Examples
    --------
    >>> len(cut_windows(TemporalEdges.of([0, 1], [1, 2], [0.0, 86_400.0]), "12h", "seconds"))
    2
    """
    if text == "auto":
        if unit == "snapshots":
            return cut_windows(edges, EACH_SNAPSHOT, unit)
        times = int(torch.unique_consecutive(edges.time).numel())
        return Windows.of_equal_events(edges, min(BY_DEFAULT, times))
    length = duration(text, unit)
    if length is None:
        return Windows.of_equal_events(edges, int(parse_windows(text).number or 0))
    return Windows.of_equal_times(edges, length)


def duration(text: str | int, unit: str) -> float | None:
    """The length of a window in the unit of the times; None where a number of windows is asked for, or "auto".

    Raises
    ------
    InputError
        A length of time where times are plain numbers, of which nobody knows how long one is.
    """
    if text == "auto":
        return None
    wanted = parse_windows(text)
    if wanted.seconds is None:
        return wanted.units
    if unit not in PER_SECOND:
        what = "snapshots, which are counted" if unit == "snapshots" else "plain numbers without a unit"
        expected = "a number of windows, such as 12, or 5u: five of these numbers each"
        raise wrong("windows", f"{text!r} for times that are {what}", expected)
    return wanted.seconds * PER_SECOND[unit]
