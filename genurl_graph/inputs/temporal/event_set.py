"""`EventSet`: events that were read, and what is known of their nodes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from genurl_graph.inputs.edges import join_directions, sum_repeats
from genurl_graph.inputs.reading import Reading
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.times import NUMBERS, show_time

if TYPE_CHECKING:
    import pandas as pd
    from torch_geometric.data import Data

    from genurl_graph.inputs.columns.plan import FeaturePlan


class NodeStates(NamedTuple):
    """What each node is in each of S spans of time, where that is known: the truth of planted events.

    Attributes
    ----------
    starts : Tensor, float64, shape [S]
        When each span begins, in the unit of the events.
    label : Tensor, int64, shape [n, S]
        -1: unknown.
    """

    starts: Tensor
    label: Tensor


@dataclasses.dataclass
class EventSet:
    """M events among n nodes, of which each has a time.

    Attributes
    ----------
    edges : TemporalEdges
        Source and target in the direction in which they came; every event stands by itself.
    x : Tensor, float32, shape [n, f], or None
        Features of the nodes.
    y : Tensor, int64, shape [n], or None
        Labels; -1: none.
    label_names : list of str, or None
    node_id : list, or None
        What the nodes are called; None: 0 to n - 1.
    unit : str
        Of the times: "seconds", "milliseconds", "microseconds" or "nanoseconds"; "dates", which are seconds since 1970;
        "snapshots", which are counted; or "numbers", of which nobody knows how long one is.
    reading : Reading
        What was read, and what was left out.
    states : NodeStates or None
    feature_table : DataFrame, n rows, or None
        Raw columns of the nodes, of which a plan makes features.
    feature_plan : FeaturePlan or None
        What `x` was made by of `feature_table`.
    name : str
        Of a data set.

    Examples
    --------
    >>> found = EventSet(TemporalEdges.of([0, 1], [1, 2], [10.0, 20.0]))
    >>> len(found), found.span()
    (3, '10 to 20')
    """

    edges: TemporalEdges
    x: Tensor | None = None
    y: Tensor | None = None
    label_names: list[str] | None = None
    node_id: Sequence[Any] | None = None
    unit: str = NUMBERS
    reading: Reading = dataclasses.field(default_factory=Reading)
    states: NodeStates | None = None
    feature_table: pd.DataFrame | None = None
    feature_plan: FeaturePlan | None = None
    name: str = ""

    def __len__(self) -> int:
        return self.edges.num_nodes

    @property
    def num_nodes(self) -> int:
        """n."""
        return self.edges.num_nodes

    @property
    def num_events(self) -> int:
        """M."""
        return len(self.edges)

    def span(self) -> str:
        """The times of the first and the last event, for the user."""
        return " to ".join(show_time(float(self.edges.time[end]), self.unit) for end in (0, -1))

    def between(self, first: int, last: int) -> EventSet:
        """Events `first` to ``last - 1`` in the order of time, among the same nodes."""
        return dataclasses.replace(self, edges=self.edges.between(first, last))

    def told(self, reading: Reading, **parts: Any) -> EventSet:
        """The same events, with more that was read, and other parts."""
        return dataclasses.replace(self, reading=self.reading + reading, **parts)

    def graph(self, directed: bool = True) -> Data:
        """One PyG ``Data`` of all events, whose times are left out: a pair of nodes once, its weights summed.

        Events with a weight below 0 count with their size. Unless `directed`, each edge stands both ways.
        """
        from torch_geometric.data import Data

        ends = torch.stack([self.edges.source, self.edges.target])
        weight = None if self.edges.weight is None else self.edges.weight.abs()
        index, weight = sum_repeats(ends, weight, self.num_nodes)
        if not directed:
            index, weight = join_directions(index, weight, self.num_nodes)
        data = Data(edge_index=index, num_nodes=self.num_nodes)
        held = {"edge_weight": weight} | {key: getattr(self, key) for key in ("x", "y", "label_names", "node_id")}
        held |= {"feature_table": self.feature_table, "feature_plan": self.feature_plan}
        for key, value in held.items():
            if value is not None:
                data[key] = value
        line = f"read as one graph: {self.num_events:,} events, their times left out, {index.size(1):,} directed edges"
        data.reading = self.reading + Reading((line,))
        return data

    def __repr__(self) -> str:
        return f"EventSet({self.num_events:,} events, {self.num_nodes:,} nodes, {self.span()})"


def describe_events(events: EventSet) -> str:
    """Size and span of the events in words."""
    edges = events.edges
    pairs = edges.count_pairs()
    parts = [f"{events.num_events:,} events among {events.num_nodes:,} nodes", f"{pairs:,} distinct pairs"]
    if edges.attr is not None:
        parts.append(f"{edges.attr.size(1):,} features of the events")
    seen = torch.zeros(events.num_nodes, dtype=torch.bool)
    seen[edges.source] = seen[edges.target] = True
    idle = int((~seen).sum())
    parts += [f"{idle:,} node{'s' * (idle > 1)} without any"] if idle else []
    unit = "" if events.unit in (NUMBERS, "snapshots") else f" ({events.unit})"
    return f"{', '.join(parts)}, from {events.span()}{unit}"
