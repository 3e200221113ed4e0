"""Windows that follow those of a fit: embedded by the events so far, without touching what was embedded before."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inference.fitted import FittedModel
from genurl_graph.inference.temporal.fitted_time import FittedTime, texts
from genurl_graph.inputs.columns import FeatureOptions
from genurl_graph.inputs.input import Input
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.temporal.convert import as_events
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.objects import is_snapshots
from genurl_graph.inputs.temporal.times import PER_SECOND, show_time
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.inputs.temporal.windows import cut_windows, duration
from genurl_graph.objectives.temporal import encode_windows


class LaterWindows(NamedTuple):
    """New windows, and all that is known after them.

    Attributes
    ----------
    trajectory : Trajectory
        Of the new windows, counted from 0; nodes are numbered as in the fit, new ones after them.
    time : FittedTime
        With them.
    new : array [m]
        What the user calls the new nodes.
    """

    trajectory: Trajectory
    time: FittedTime
    new: Any


def follow(model: FittedModel, X: Any, options: ReadOptions, windows: str | int | None = None) -> LaterWindows:
    """Embed events that came after those of a model.

    Parameters
    ----------
    model : FittedModel
        Of the task temporal.
    X, options
        As of `genurl_graph.inputs.temporal.convert.as_events`. The first of a list of snapshots follows the last one
        that the model has seen.
    windows : str, int, optional
        As ``temporal.windows``; by default windows of the length of the fitted ones, or of about as many events.

    Raises
    ------
    InputError
        Events before the last fitted one, other columns than in the fit, or a model that looks ahead.
    """
    time = model.time
    assert time is not None
    if not time.reader.causal:
        raise wrong("temporal.causal", "false", "true: windows that were read with later ones have nothing after them")
    data = as_events(X, options, FeatureOptions.of_model(model.plan), at_least=1)
    assert data.events is not None
    number, new, names = _numbers(data, time)
    edges = data.events.edges
    n = time.history.num_nodes + len(new)
    moment = edges.time
    if data.events.unit == time.unit == "snapshots" and is_snapshots(X):
        # Each list counts from 0.
        moment = moment + time.trajectory.starts[-1] + 1
    edges = TemporalEdges(number[edges.source], number[edges.target], moment, edges.weight, n, edges.attr)
    _check(edges, time, data.events.unit, data.events.name or "data")
    if windows is None:
        cut = time.windows_of(edges, duration(model.config.temporal.windows, data.events.unit))
    else:
        cut = cut_windows(edges, str(windows), data.events.unit)
    past, device = time.history.grown(n), torch.device(model.device)
    trajectory, history = encode_windows(model.encoder, time.reader, time.scale, edges, cut, past, device)
    return LaterWindows(trajectory, time.after(trajectory, history, names), new)


def _numbers(data: Input, time: FittedTime) -> tuple[Tensor, Any, list[str] | None]:
    """The number in the fit of each node, int64 [n], what new ones are called, and the names of all."""
    known = time.history.num_nodes
    own = np.arange(data.num_nodes) if data.names is None else np.asarray(data.names)
    if data.names is None and time.names is None:
        new = own[known:]
        return torch.arange(data.num_nodes), new, None
    fitted = pd.Index([*map(str, range(known))] if time.names is None else time.names, dtype=object)
    at = fitted.get_indexer(pd.Index(texts(own), dtype=object)).astype(np.int64)
    absent = np.flatnonzero(at < 0)
    at[absent] = known + np.arange(len(absent))
    new = own[absent]
    return torch.from_numpy(at), new, [*fitted, *map(str, new)]


def _check(edges: TemporalEdges, time: FittedTime, unit: str, name: str) -> None:
    """InputError for events that do not go on from those of the fit."""
    if PER_SECOND.get(unit, 0) != PER_SECOND.get(time.unit, 0) and {unit, time.unit} <= {*PER_SECOND}:
        raise wrong(name, f"times in {unit}", f"{time.unit}, as in the fit")
    last = float(time.trajectory.starts[-1])
    if float(edges.time[0]) < last:
        begin, after = (show_time(moment, unit) for moment in (float(edges.time[0]), last))
        raise wrong(name, f"an event at {begin}", f"events from {after} on, the last that the model has seen")
    found = edges.weight is not None, 0 if edges.attr is None else edges.attr.size(1)
    expected = time.weighted, time.attributes
    if found != expected:
        raise wrong(name, f"events {_beside(*found)}", f"events {_beside(*expected)}, as in the fit")


def _beside(weighted: bool, attributes: int) -> str:
    """What events have beside ends and times, in words."""
    features = f"{attributes:,} feature{'s' * (attributes != 1)}" if attributes else "no features"
    return f"with{'' if weighted else 'out'} weights, with {features}"
