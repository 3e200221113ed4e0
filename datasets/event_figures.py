"""Figures of events with a time, and the first of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from genurl_graph.inputs.temporal.event_set import EventSet
from genurl_graph.inputs.temporal.times import PER_SECOND, show_time

# Events of a preview, and spans of equal time that events are counted in.
ROWS, SPANS = 5, 10
QUANTILES = {"least": 0.0, "lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75, "most": 1.0}
# Seconds of a unit that a span is told in, the largest of which there are two or more.
UNITS = {"days": 86_400.0, "hours": 3_600.0, "minutes": 60.0, "seconds": 1.0}


def event_figures(events: EventSet) -> dict[str, Any]:
    """Figures of events.

    Parameters
    ----------
    events : EventSet

    Returns
    -------
    dict
        events; nodes; idle, nodes without any; pairs, distinct ordered ones; reciprocal, share of the pairs whose
        inverse has events too; times, different ones; unit; first, last, as `show_time` writes them; span, in words;
        spans, events in each of ten spans of equal length; of_a_node, quantiles of the events of a node that has some;
        weight, quantiles, or None; features, columns of the events.
    """
    edges = events.edges
    n, time = events.num_nodes, edges.time.numpy()
    pairs = edges.pairs()
    key, inverse = pairs[0] * n + pairs[1], pairs[1] * n + pairs[0]
    ends = torch.bincount(torch.cat([edges.source, edges.target]), minlength=n).numpy()
    some = ends[ends > 0]
    weight = None if edges.weight is None else edges.weight.numpy()
    return {
        "events": events.num_events,
        "nodes": n,
        "idle": int((ends == 0).sum()),
        "pairs": len(key),
        "reciprocal": float(torch.isin(inverse, key).float().mean()),
        "times": int((np.diff(time) > 0).sum()) + 1,
        "unit": events.unit,
        "first": show_time(float(time[0]), events.unit),
        "last": show_time(float(time[-1]), events.unit),
        "span": span_of(float(time[-1] - time[0]), events.unit),
        "spans": np.histogram(time, SPANS)[0].tolist(),
        "of_a_node": {name: float(np.quantile(some, q)) for name, q in QUANTILES.items()},
        "weight": None if weight is None else {name: float(np.quantile(weight, q)) for name, q in QUANTILES.items()},
        "features": 0 if edges.attr is None else edges.attr.size(1),
    }


def first_events(events: EventSet) -> list[list[Any]]:
    """The first events below a header, by the names of their ends."""
    edges, names = events.edges, events.node_id
    rows: list[list[Any]] = [["source", "target", "time", *([] if edges.weight is None else ["weight"])]]
    for place in range(min(ROWS, len(edges))):
        ends = [int(side[place]) for side in (edges.source, edges.target)]
        row: list[Any] = [str(end) if names is None else str(names[end]) for end in ends]
        row.append(show_time(float(edges.time[place]), events.unit))
        rows.append([*row, *([] if edges.weight is None else [float(edges.weight[place])])])
    return rows


def span_of(length: float, unit: str) -> str:
    """A length of time in words.

    Examples
    --------
    >>> span_of(172_800, "seconds"), span_of(7, "numbers")
    ('2 days', '7')
    """
    if unit not in PER_SECOND:
        return f"{length:,.6g}"
    seconds = length / PER_SECOND[unit]
    name, size = next((pair for pair in UNITS.items() if seconds >= 2 * pair[1]), ("seconds", 1.0))
    return f"{seconds / size:,.4g} {name}"
