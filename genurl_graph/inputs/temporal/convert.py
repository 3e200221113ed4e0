"""Whatever holds events with a time, as one checked `Input`."""

from __future__ import annotations

from typing import Any

import pandas as pd

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.columns import AS_THEY_ARE, FeatureOptions, read_data_features
from genurl_graph.inputs.input import Input, as_names, check_input
from genurl_graph.inputs.objects.networks import is_networkx
from genurl_graph.inputs.reading import NOTHING_SAID, Reading, ReadOptions
from genurl_graph.inputs.temporal.event_set import EventSet
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.objects import (
    from_data,
    from_networkx,
    from_snapshots,
    from_temporal_data,
    is_data_set,
    is_snapshots,
    is_temporal_data,
)
from genurl_graph.inputs.temporal.tables import events_of_frames

TAKEN = (
    "events with a time: a DataFrame of them, or (events, nodes), two DataFrames; a PyG TemporalData; a list of PyG "
    "Data, one a snapshot, or one Data whose edges have a time; a networkx graph whose edges have one; TemporalEdges; "
    "what datasets.load or datasets.read give"
)


def is_events(X: Any) -> bool:
    """Whether `X` is nothing else than events with a time: what `genurl_graph.datasets` reads of them."""
    return isinstance(X, EventSet | TemporalEdges)


def as_events(
    data: Any,
    options: ReadOptions = NOTHING_SAID,
    features: FeatureOptions = AS_THEY_ARE,
    at_least: int = 2,
) -> Input:
    """Events among n nodes as one input.

    Parameters
    ----------
    data : EventSet, TemporalEdges, TemporalData, list of Data, Data, DataFrame, (events, nodes) or networkx graph
        Of ``TemporalData``: ``src``, ``dst``, ``t``, ``msg`` as features of the events. Of a list of ``Data``: edges of
        the same nodes, whose time is the place in the list. Of one ``Data``: times in ``time``, ``t`` or ``edge_time``.
        Of networkx graphs: the edge attribute of the times.
    options : ReadOptions
        ``columns``: which column is the time, the weight, an end; columns of the events that are features of theirs.
    features : FeatureOptions
        What is to be done with features of the nodes.
    at_least : int
        Nodes that there must be.

    Returns
    -------
    Input
        With `Input.events`; x are features of the nodes, edge_index is None. The answer is in NumPy for frames and
        networkx, else in torch.

    Raises
    ------
    InputError
        What holds no events, or times that are missing or can be read in two ways.

    Examples
    --------
    >>> as_events(EventSet(TemporalEdges.of([0, 1], [1, 2], [10.0, 20.0]))).num_nodes
    3
    """
    events, kind = _read(data, options)
    x, plan = _features(events, features)
    n = events.num_nodes
    if n < at_least:
        raise wrong("data", f"{n} nodes", f"at least {at_least}")
    reading = events.reading
    if plan is not None and plan is not events.feature_plan:
        reading += Reading((plan.summary(),), {"features": plan.lines()})
    names = None if events.node_id is None else as_names(events.node_id)
    found = Input(x, None, None, n, kind, plan=plan, names=names, reading=reading, events=events)
    return found if x is None else check_input(found, at_least)


def _read(data: Any, options: ReadOptions) -> tuple[EventSet, str]:
    if isinstance(data, EventSet):
        return data, "torch"
    if isinstance(data, TemporalEdges):
        return EventSet(data), "torch"
    if is_data_set(data) and len(data) == 1:
        data = data[0]
    if is_temporal_data(data):
        return from_temporal_data(data, options), "torch"
    if is_networkx(data):
        return from_networkx(data, options), "numpy"
    if is_snapshots(data):
        return from_snapshots(data, options), "torch"
    if hasattr(data, "num_node_features") and not hasattr(data, "node_types"):
        return from_data(data, options), "torch"
    if not isinstance(data, pd.DataFrame | tuple | list) and hasattr(data, "to_pandas"):
        data = data.to_pandas()  # of polars or pyarrow
    pair = isinstance(data, tuple | list) and len(data) == 2 and all(isinstance(each, pd.DataFrame) for each in data)
    if isinstance(data, pd.DataFrame) or pair:
        return events_of_frames(data, options), "numpy"
    raise wrong("data", type(data).__name__, TAKEN)


def _features(events: EventSet, options: FeatureOptions) -> Any:
    from torch_geometric.data import Data

    if events.x is None and events.feature_table is None:
        return None, None
    held = Data(events.x, num_nodes=events.num_nodes)
    if events.feature_table is not None:
        held.feature_table, held.feature_plan = events.feature_table, events.feature_plan
    return read_data_features(held, options, graph=True)
