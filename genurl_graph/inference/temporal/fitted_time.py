"""`FittedTime`: what a model of events keeps, so that later windows can follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from genurl_graph.graph.temporal.history import History
from genurl_graph.graph.temporal.profiles import PROFILE
from genurl_graph.graph.temporal.window_rows import RowScale, WindowReader
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.times import NUMBERS
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.inputs.temporal.windows import Windows
from genurl_graph.objectives.temporal import TemporalObjective


class FittedTime(NamedTuple):
    """The trajectory so far, and what a further window is read by.

    Attributes
    ----------
    reader, scale
        What rows are made by.
    history : History
        After the last window.
    trajectory : Trajectory
    size : float
        Mean number of events of a window of the fit.
    names : list of str, or None
        What the nodes are called, as text; None: 0 to n - 1.
    unit : str
        Of the times (`genurl_graph.inputs.temporal.event_set.EventSet`).
    weighted : bool
        Whether the fitted events had weights.
    """

    reader: WindowReader
    scale: RowScale
    history: History
    trajectory: Trajectory
    size: float
    names: list[str] | None
    unit: str = NUMBERS
    weighted: bool = False

    @classmethod
    def of(cls, objective: TemporalObjective, names: Any, unit: str = NUMBERS) -> FittedTime:
        """Of a trained objective, whose nodes have `names` [n], or None, and whose times a unit."""
        trajectory, history = objective.trajectory()
        size, weighted = len(objective.edges) / len(objective.windows), objective.edges.weight is not None
        return cls(objective.reader, objective.scale, history, trajectory, size, texts(names), unit, weighted)

    def windows_of(self, edges: TemporalEdges, length: float | None) -> Windows:
        """Later events in windows like those of the fit: in step with them, or of about as many events."""
        if length is not None:
            return Windows.of_equal_times(edges, length, float(self.trajectory.starts[-2]))
        times = int(torch.unique_consecutive(edges.time).numel())
        return Windows.of_equal_events(edges, min(max(round(len(edges) / self.size), 1), times))

    @property
    def attributes(self) -> int:
        """Features that each fitted event had."""
        known = 0 if self.reader.x is None else self.reader.x.size(1)
        return len(self.scale.mean) - known - len(PROFILE) - 2 * self.weighted

    def after(self, trajectory: Trajectory, history: History, names: list[str] | None) -> FittedTime:
        """The same with later windows, and the names of all nodes."""
        return self._replace(history=history, trajectory=self.trajectory.joined(trajectory), names=names)

    def tensors(self) -> dict[str, Tensor]:
        """Its tensors by name, for a file."""
        t, h = self.trajectory, self.history
        found = {
            "positions": self.reader.positions,
            "mean": self.scale.mean,
            "deviation": self.scale.deviation,
            **{f"history.{name}": getattr(h, name) for name in ("key", "weight", "first", "last", "ends")},
            **{f"trajectory.{name}": getattr(t, name) for name in ("node", "window", "embedding", "events", "starts")},
        }
        if self.reader.x is not None:
            found["x"] = self.reader.x
        return found

    def record(self) -> dict[str, Any]:
        """The rest, for JSON."""
        r = self.reader
        how = {"hops": r.hops, "half_life": r.half_life, "unit": r.unit, "causal": r.causal}
        how["weighted"] = self.weighted
        return how | {"windows": self.history.windows, "size": self.size, "names": self.names, "time_unit": self.unit}

    @classmethod
    def stored(cls, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> FittedTime:
        """What `tensors` and `record` describe; KeyError or ValueError where they do not fit together."""
        node, window, z, events, starts = (
            tensors[f"trajectory.{name}"] for name in ("node", "window", "embedding", "events", "starts")
        )
        key, weight, first, last, ends = (
            tensors[f"history.{name}"] for name in ("key", "weight", "first", "last", "ends")
        )
        n, rows = len(first), len(node)
        if not len(window) == len(z) == len(events) == rows or not len(last) == len(ends) == n:
            raise ValueError("its trajectory does not fit together")
        if rows and (int(node.max()) >= n or int(node.min()) < 0 or len(tensors["positions"]) > n):
            raise ValueError("its trajectory has other nodes than its history")
        hops, half_life, unit = int(record["hops"]), float(record["half_life"]), float(record["unit"])
        reader = WindowReader(tensors["positions"], hops, half_life, unit, tensors.get("x"), bool(record["causal"]))
        history = History(key, weight, first, last, ends, int(record["windows"]))
        trajectory = Trajectory(node, window, z, events, starts, n)
        scale, names = RowScale(tensors["mean"], tensors["deviation"]), record["names"]
        if names is not None and len({*names}) != n:
            raise ValueError("its nodes are not as many as their names")
        size, unit_of_time, weighted = float(record["size"]), str(record["time_unit"]), bool(record["weighted"])
        return cls(reader, scale, history, trajectory, size, names, unit_of_time, weighted)


def texts(names: Any) -> list[str] | None:
    """Names of nodes as text; None where they have none."""
    return None if names is None else [*map(str, names)]
