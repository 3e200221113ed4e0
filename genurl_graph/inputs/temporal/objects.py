"""Events of PyG's ``TemporalData``, of a list of snapshots, and of networkx graphs."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.objects.frames import in_python
from genurl_graph.inputs.objects.parts import WEIGHTS
from genurl_graph.inputs.objects.pyg import edges_of
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.tables import names as column_names
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.temporal.event_set import EventSet, describe_events
from genurl_graph.inputs.temporal.tables import assemble_events
from genurl_graph.inputs.temporal.times import read_times, unit_of

# Larger numbers of nodes, in few events, are no positions.
SPARE_NODES = 1_000_000
# Attributes of a ``Data`` that hold the times of its edges.
TIMES = ("time", "t", "edge_time")
# What PyG's data sets of events keep beside these: labels of states, and parts of the loader.
PARTS = ("src", "dst", "t", "msg", "num_nodes", "x", "edge_weight", "weight")


def is_temporal_data(X: Any) -> bool:
    """Whether it is a ``TemporalData`` of PyG, or whatever has its parts."""
    return all(hasattr(X, name) for name in ("src", "dst", "t"))


def is_snapshots(X: Any) -> bool:
    """Whether it is a list or tuple of PyG ``Data``, or a data set of several."""
    several = isinstance(X, list | tuple) or (is_data_set(X) and len(X) > 1)
    return several and len(X) > 0 and all(hasattr(each, "num_node_features") for each in X)


def is_data_set(X: Any) -> bool:
    """Whether it is a data set of PyG's."""
    from torch_geometric.data import Dataset

    return isinstance(X, Dataset)


def from_temporal_data(data: Any, options: ReadOptions) -> EventSet:
    """Events of a ``TemporalData``: ``msg`` [M, a] are features of the events, ``weight`` their weights.

    ``y`` is left out: PyG's data sets keep labels of events there.

    Raises
    ------
    InputError
        Parts of different lengths, times that are not finite; a role of a column that it does not have.
    """
    _check_columns(options, "TemporalData")
    time = torch.as_tensor(data.t).reshape(-1).double().cpu().numpy()
    sides = torch.stack([torch.as_tensor(data.src).reshape(-1), torch.as_tensor(data.dst).reshape(-1)], 1)
    ends = sides.long().cpu().numpy()
    if len(time) != len(ends):
        raise wrong("TemporalData: t", f"{len(time):,} times", f"{len(ends):,}, one for each event")
    weight = next((held for name in WEIGHTS if (held := getattr(data, name, None)) is not None), None)
    value = None if weight is None else torch.as_tensor(weight).reshape(-1).double().cpu().numpy()
    attr = getattr(data, "msg", None)
    attr = None if attr is None else torch.as_tensor(attr).float().cpu().reshape(len(ends), -1)
    n = int(ends.max(initial=-1)) + 1
    if ends.min(initial=0) < 0 or n > SPARE_NODES + 100 * len(ends):
        found = f"nodes from {int(ends.min(initial=0)):,} to {n - 1:,} in {len(ends):,} events"
        raise wrong("TemporalData: src and dst", found, "nodes numbered from 0")
    x = getattr(data, "x", None)
    if isinstance(x, Tensor):
        if len(x) < n:
            raise wrong("TemporalData: x", f"{len(x):,} rows", f"{n:,}, one for each node")
        n = len(x)
    attr = attr if attr is not None and attr.size(1) else None
    edges, loops = assemble_events(ends, time, value, attr, n, both=options.directed is False)
    left = [str(name) for name in data.keys() if name not in PARTS]  # noqa: SIM118 - no mapping
    events = EventSet(edges, x=x.float() if isinstance(x, Tensor) else None, unit=unit_of(time))
    return _told(events, "TemporalData", loops, left)


def from_data(data: Any, options: ReadOptions) -> EventSet:
    """Events of one ``Data`` whose edges have a time each, in ``time``, ``t``, ``edge_time`` or what the user names.

    Weights are those that a graph has; ``edge_attr`` of several columns are features of the events.

    Raises
    ------
    InputError
        No such attribute [E], or times that are not finite.
    """
    others = [role for role in options.columns if role not in ("time", "weight")]
    if others:
        raise wrong("columns", f"{others[0]} for Data", "time, or weight")
    index = None if data.get("edge_index") is None else data.edge_index.cpu()
    count = 0 if index is None else index.size(1)
    said = options.names("time")
    held = [name for name in said or TIMES if isinstance(data.get(name), Tensor) and data[name].numel() == count > 0]
    if index is None or len(held) != 1:
        found = ", ".join(held) or f"none of {', '.join(said or TIMES)}"
        raise wrong(
            "Data: times of the edges", found, f'one attribute [{count:,}] (columns={{"time": "..."}} names it)'
        )
    parts = edges_of(data, ReadOptions(columns={key: v for key, v in options.columns.items() if key == "weight"}))
    attr = data.get("edge_attr")
    attr = None if attr is None or parts.weight is not None else attr.float().cpu().reshape(count, -1)
    weight = None if parts.weight is None else parts.weight.double().cpu().reshape(-1).numpy()
    time = data[held[0]].double().cpu().reshape(-1).numpy()
    both = options.directed is False
    edges, loops = assemble_events(index.T.numpy(), time, weight, attr, int(data.num_nodes), both=both)
    kept = {key: data.get(key) for key in ("x", "y") if isinstance(data.get(key), Tensor)}
    if "y" in kept and (kept["y"].dim() != 1 or len(kept["y"]) != data.num_nodes):
        del kept["y"]
    events = EventSet(edges, unit=unit_of(time), node_id=data.get("node_id"), **kept)
    return _told(events, f"Data, times in {held[0]},", loops, [])


def from_snapshots(graphs: Any, options: ReadOptions) -> EventSet:
    """Events of graphs of the same nodes, one after another: the time of an edge is the place of its graph.

    Features and labels of the nodes are those of the last graph, if it has all nodes.

    Raises
    ------
    InputError
        A graph without edges as ``edge_index``; features of the edges of some graphs alone.
    """
    _check_columns(options, "a list of Data")
    ends, times, weights, attrs = [], [], [], []
    for place, graph in enumerate(graphs):
        found = edges_of(graph, ReadOptions(), f"snapshot {place}: ")
        if found.edge_index is None:
            continue
        index = found.edge_index.cpu()
        ends.append(index.T)
        times.append(torch.full((index.size(1),), float(place), dtype=torch.float64))
        attr = graph.get("edge_attr")
        one = found.weight is not None or attr is None
        weights.append(found.weight)
        attrs.append(None if one else torch.as_tensor(attr).float().cpu().reshape(index.size(1), -1))
    if not ends:
        raise wrong("data", f"{len(graphs):,} snapshots without edges", "some edges")
    weight = _joined(weights, ends, "weights")
    attr = _joined(attrs, ends, "features of the edges")
    pairs = torch.cat(ends).numpy()
    last = graphs[-1]
    n = max(int(pairs.max()) + 1, *(int(graph.num_nodes or 0) for graph in graphs))
    value = None if weight is None else weight.double().reshape(-1).numpy()
    edges, loops = assemble_events(pairs, torch.cat(times).numpy(), value, attr, n, both=options.directed is False)
    held = {key: last.get(key) for key in ("x", "y") if last.get(key) is not None and len(last.get(key)) == n}
    if "y" in held and held["y"].dim() != 1:
        del held["y"]
    events = EventSet(edges, unit="snapshots", node_id=last.get("node_id"), **held)
    left = [] if "x" in held or last.get("x") is None else ["x of the nodes, which the last snapshot has not for all"]
    return _told(events, f"a list of {len(graphs):,} snapshots", loops, left)


def from_networkx(graph: Any, options: ReadOptions) -> EventSet:
    """Events of a networkx graph, of which every edge has a time.

    A multigraph holds several events of one pair. An undirected graph: each event both ways, unless ``directed=True``.

    Raises
    ------
    InputError
        No edge attribute that must be the time, or an edge without one.
    """
    kind = f"networkx {type(graph).__name__}"
    known = sorted(set().union(*map(itemgetter(2), graph.edges(data=True))), key=str)
    said = options.names("time")
    found = list(said) or [name for name in known if column_names.is_time(str(name))]
    if len(found) != 1 or found[0] not in known:
        listed = ", ".join(map(str, found or known)) or "none"
        raise wrong(f"{kind}: edge attributes", listed, 'one of times, named by columns={"time": "..."}')
    nodes = [*graph.nodes]
    position = dict(zip(nodes, range(len(nodes)), strict=True))
    sources, targets, times = zip(*graph.edges(data=found[0]), strict=True)
    sides = [np.fromiter(map(position.__getitem__, side), np.int64, len(side)) for side in (sources, targets)]
    frame = pd.DataFrame({str(found[0]): pd.Series([*times])})
    with in_python():
        moments = read_times(Table(kind, frame), str(found[0]))
    weighted = options.names("weight") or tuple(name for name in WEIGHTS if name in known)[:1]
    weight = None
    if weighted:
        weight = np.array([*map(itemgetter(2), graph.edges(data=weighted[0], default=1.0))], dtype=np.float64)
    both = not graph.is_directed() if options.directed is None else not options.directed
    edges, loops = assemble_events(np.stack(sides, 1), moments.value, weight, None, len(nodes), both=both)
    plain = nodes == [*range(len(nodes))]
    events = EventSet(edges, unit=moments.unit, node_id=None if plain else nodes)
    left = [str(name) for name in known if name not in (*found, *weighted)]
    shown = f", times in {found[0]}: {moments.said}{', each both ways' * both}"
    return _told(events, kind, loops, left, shown)


def _check_columns(options: ReadOptions, what: str) -> None:
    if options.columns:
        raise wrong("columns", f"{next(iter(options.columns))} for {what}", "a DataFrame of events")


def _joined(parts: list[Any], ends: list[Tensor], what: str) -> Tensor | None:
    held = [part for part in parts if part is not None]
    if not held:
        return None
    if len(held) < len(ends):
        raise wrong("data", f"{what} in {len(held)} of {len(ends)} snapshots", "all of them, or none")
    return torch.cat([part.reshape(len(part), -1) for part in held])


def _told(events: EventSet, kind: str, loops: int, left: list[str], said: str = "") -> EventSet:
    shown = f", {loops:,} self loop{'s' * (loops > 1)} left out" if loops else ""
    lines = [f"read {kind} as events: {describe_events(events)}{said}{shown}"]
    lines += [f"left out: {', '.join(left)}"] if left else []
    record = {"as": "events", "object": kind, "unit": events.unit, "events": events.num_events}
    record |= {"nodes": events.num_nodes, "self_loops": loops, "left_out": left}
    return events.told(Reading(tuple(lines), {"events": record}))
