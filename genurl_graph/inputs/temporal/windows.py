"""Windows of time: runs of events that are looked at together."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.temporal.events import TemporalEdges


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
    def of_equal_times(cls, edges: TemporalEdges, length: float) -> Windows:
        """Windows of one length, from the first event on.

        Parameters
        ----------
        edges : TemporalEdges
        length : float
            In the unit of the events, above 0.

        Raises
        ------
        InputError
            A length that is not above 0, or that makes more windows than there are events.
        """
        if not length > 0:
            raise wrong("windows", f"a length of {length}", "a length above 0")
        first, last = float(edges.time[0]), float(edges.time[-1])
        count = int((last - first) // length) + 1
        if count > len(edges):
            raise wrong("windows", f"{count:,} windows of length {length:g} for {len(edges):,} events", "fewer, longer")
        return cls._of(edges, first + length * torch.arange(count).double())

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
