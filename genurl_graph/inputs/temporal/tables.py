"""A table of events, one column of which tells when each was, and the tables of their nodes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.collection.tables import edge_features
from genurl_graph.inputs.objects.frames import as_table, in_python, nodes_of
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.tables import names
from genurl_graph.inputs.tables.assemble import TableLike, attach, check_columns
from genurl_graph.inputs.tables.edges import count
from genurl_graph.inputs.tables.node_index import NodeIndex
from genurl_graph.inputs.tables.nodes import NodeTable, index_of, read_nodes
from genurl_graph.inputs.tables.roles import Roles, decide
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import is_clock, kind_of
from genurl_graph.inputs.temporal.event_set import EventSet, describe_events
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.stream import Codes, EventColumns, EventStream

# Columns that are named one by one where they are left out.
MOST_NAMED = 6


def read_event_tables(
    table: Table,
    features: TableLike | None = None,
    labels: TableLike | None = None,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - never changed
    rest: Callable[[list[str]], Iterable[Table]] | None = None,
) -> EventSet:
    """Events of a table that has a line for each.

    Parameters
    ----------
    table : Table
        Two columns are the ends of each event, one (``options.names("time")``) its time.
    features, labels : Table or NodeTable, optional
        A row a node. They define the nodes if they are given, so that one may have no event.
    options : ReadOptions
        Columns of `table` that are named as features become those of the events. ``directed=False``: every event
        stands both ways.
    rest : callable, optional
        Of the names of columns that count: the blocks of lines after those of `table`, by which it is decided what the
        columns are.

    Returns
    -------
    EventSet

    Raises
    ------
    InputError
        As of `genurl_graph.inputs.tables.assemble.read_tables`; no column of times, or several; a cell without a time.

    Examples
    --------
    >>> frame = pd.DataFrame({"source": ["a", "b"], "target": ["b", "c"], "time": [20, 10]})
    >>> found = read_event_tables(Table("calls", frame), options=ReadOptions.of(columns={"time": "time"}))
    >>> found.node_id, found.edges.source.tolist()
    (['a', 'b', 'c'], [1, 0])
    """
    check_reading(options)
    check_columns(options, [each for each in (table, features, labels) if isinstance(each, Table)])
    options = dataclasses.replace(options, columns={**options.columns, "time": (find_time(table, options),)})
    roles = decide(table, dataclasses.replace(options, reading="edges"))
    attributes = [name for name in options.names("feature") if name in table.frame]
    columns = {role: roles.columns[role] for role in ("source", "target", "weight") if role in roles.columns}
    columns["time"] = options.names("time")[0]
    stream = EventStream(columns, attributes, bool(roles.two_kinds))
    stream.add(table)
    for block in () if rest is None else rest([*columns.values(), *attributes]):
        stream.add(block)
    found = stream.columns()
    nodes, data = _nodes_of(found.ids, features, labels, options, attributes)
    place = nodes.find(found.ids)
    if (place < 0).any():
        raise _strange_node(table, found, place, nodes)
    attr, told = None, Reading()
    if found.attributes is not None:
        attr, told = edge_features(found.attributes, table.name)
        told = Reading((told.lines[0].replace("of the edges", "of the events"),))
    both = options.directed is False
    edges = _in_order(found, place, attr, len(nodes), both)
    events = EventSet(edges, unit=found.times.unit, node_id=nodes.names(), **_held(data))
    read = _say(table, roles, columns["time"], found, events, both)
    left = _left_out(table, roles, columns["time"], attributes)
    return events.told(read + Reading(left) + told + (data.reading or Reading()))


def check_reading(options: ReadOptions) -> None:
    """InputError where the user reads events as something else."""
    if options.reading in ("vectors", "adjacency"):
        raise wrong("--column time", f"--as {options.reading}", "--as edges, or nothing")
    if options.names("graph"):
        raise wrong("--column time", "--column graph as well", "events of one graph")


def find_time(table: Table, options: ReadOptions) -> str:
    """The column of the times: the one that the user names, or the only one that can be it."""
    columns = [*map(str, table.frame.columns)]
    given = options.names("time")
    if given:
        if given[0] not in columns:
            raise wrong(f"--column time={given[0]}", "a column of another file", f"one of {table.name}")
        return given[0]
    said = {name for role, held in options.columns.items() for name in held}
    free = [name for name in columns if name not in said]
    named = [name for name in free if table.header and names.is_time(name)]
    # What is called a time wins over what may be one; ids can be as large as seconds since 1970.
    found = [name for name in named if _is_number(table.frame[name])] or [
        name for name in free if _is_moment(table.frame[name])
    ]
    found = found or named  # words: the message will name the first
    if len(found) == 1:
        return found[0]
    if not found:
        listed = ", ".join(map(table.called, columns))
        raise wrong(table.name, f"no column that is clearly a time ({listed})", "--column time=NAME")
    which = " and ".join(map(table.called, found))
    raise wrong(
        table.name, f"{which}, either of which can be the time", " or ".join(f"--column time={name}" for name in found)
    )


def _nodes_of(
    ids: pd.Index,
    features: TableLike | None,
    labels: TableLike | None,
    options: ReadOptions,
    attributes: list[str],
) -> tuple[NodeIndex, Any]:
    """The nodes of events, and a ``Data`` of what tables say of them."""
    from torch_geometric.data import Data

    asked = tuple(name for name in options.names("feature") if name not in attributes)
    columns = {role: held for role, held in options.columns.items() if role not in ("time", "feature")}
    said = dataclasses.replace(options, columns=columns | ({"feature": asked} if asked else {}))
    own = NodeIndex(ids, "the nodes of the events")
    known = read_nodes(labels, said, "labels", own) if isinstance(labels, Table) else labels
    taken = None if known is None else [known.label] if known.label is not None else []
    rows = read_nodes(features, said, "features", own, taken) if isinstance(features, Table) else features
    of_nodes: NodeTable | None = rows or known
    nodes = own if of_nodes is None else index_of(of_nodes, own)
    data = Data(num_nodes=len(nodes))
    attach(data, nodes, rows, known, said)
    return nodes, data


def _in_order(found: EventColumns, place: Codes, attr: Tensor | None, num_nodes: int, both: bool) -> TemporalEdges:
    """The events by their times, without a copy that is not needed: there may be many."""
    weight = found.weight
    if both:
        ends = np.stack([place[found.source], place[found.target]], 1)
        return assemble_events(ends, found.times.value, weight, attr, num_nodes, both=True)[0]
    time = found.times.value
    parts = [place[found.source], place[found.target], time, weight]
    if bool((np.diff(time) < 0).any()):
        order = np.argsort(time, kind="stable")
        parts = [None if part is None else part[order] for part in parts]
        attr = None if attr is None else attr[torch.from_numpy(order)]
    source, target, moment, value = (
        None if part is None else torch.from_numpy(np.require(part, requirements="W")) for part in parts
    )
    assert source is not None
    assert target is not None
    assert moment is not None
    return TemporalEdges(source, target, moment, value, num_nodes, attr)


def _strange_node(table: Table, found: EventColumns, place: Codes, nodes: NodeIndex) -> Exception:
    """The error of an end that is none of the nodes, with its line where that is known."""
    event = int(((place[found.source] < 0) | (place[found.target] < 0)).argmax())
    end = found.source[event] if place[found.source[event]] < 0 else found.target[event]
    where = table.name if found.row is None else f"{table.name}: {table.where(int(found.row[event]))}"
    return wrong(where, f"the node {str(found.ids[end])!r}", f"one of {nodes.where}")


def assemble_events(
    ends: npt.NDArray[np.int64],
    time: npt.NDArray[np.float64],
    weight: npt.NDArray[Any] | None,
    attr: Tensor | None,
    num_nodes: int,
    *,
    both: bool = False,
) -> tuple[TemporalEdges, int]:
    """Events [M, 2] in the order of time without self loops, of which the number is told; `both`: both ways."""
    kept = np.flatnonzero(ends[:, 0] != ends[:, 1])
    loops = len(ends) - len(kept)
    if len(kept) == 0:
        found = f"{count(loops, 'self loop')} alone" if loops else "no events"
        raise wrong("data", found, "events between two nodes")
    if loops:
        ends, time = ends[kept], time[kept]
        weight = None if weight is None else weight[kept]
        attr = None if attr is None else attr[torch.from_numpy(kept)]
    if both:
        ends, time = np.concatenate([ends, ends[:, ::-1]]), np.concatenate([time, time])
        weight = None if weight is None else np.concatenate([weight, weight])
        attr = None if attr is None else torch.cat([attr, attr])
    source, target = (torch.from_numpy(np.ascontiguousarray(ends[:, side])) for side in (0, 1))
    # Columns of a DataFrame may be read-only, which torch warns of.
    moment = torch.from_numpy(np.require(time, requirements="W"))
    value = None if weight is None else torch.from_numpy(np.require(weight, requirements="W"))
    return TemporalEdges.of(source, target, moment, value, num_nodes, attr), loops


def events_of_frames(X: Any, options: ReadOptions) -> EventSet:
    """`read_event_tables` of a DataFrame of events, or of (events, nodes); messages name the arguments of Python."""
    parts = X if isinstance(X, tuple | list) else (X, None)
    frame, nodes = parts
    with in_python():
        features, labels = (None, None) if nodes is None else nodes_of(nodes, options)
        events = read_event_tables(as_table(frame, "events"), features, labels, options)
    roles = events.reading.record["events"]
    if events.node_id is not None and all(
        pd.api.types.is_integer_dtype(frame.iloc[:, [*map(str, frame.columns)].index(roles[end])].dtype)
        for end in ("source", "target")
    ):
        # As the user's tables have them, so that they can be joined.
        events.node_id = [*map(int, events.node_id)]
    return events


def _say(table: Table, roles: Roles, column: str, found: EventColumns, events: EventSet, both: bool) -> Reading:
    """What was read, in two lines, and for a program."""
    loops, times = found.loops, found.times.said
    name = PurePath(table.name).name or table.name
    source, target = (table.called(roles.columns[end]) for end in ("source", "target"))
    weight = roles.columns.get("weight")
    facts = [f"times in {table.called(column)}: {times}", *([f"weight {table.called(weight)}"] if weight else [])]
    facts += ["each both ways"] if both else []
    facts += [f"{loops:,} self loop{'s' * (loops > 1)} left out"] if loops else []
    lines = [f"read {name} as events: {source} -> {target} ({', '.join([*facts, *table.notes])})"]
    lines.append(describe_events(events))
    record = {
        "file": name,
        "as": "events",
        **roles.columns,
        "time": column,
        "unit": events.unit,
        "events": events.num_events,
        "nodes": events.num_nodes,
        "first": float(events.edges.time[0]),
        "last": float(events.edges.time[-1]),
        "self_loops": loops,
        "both_directions": both,
        "notes": [*table.notes],
        "left_out": {key: why for key, why in roles.left_out.items() if key != column},
    }
    return Reading((*lines, *roles.notes), {"events": record})


def _left_out(table: Table, roles: Roles, column: str, attributes: list[str]) -> tuple[str, ...]:
    left = {name: why for name, why in roles.left_out.items() if name not in (column, *attributes)}
    shown = [f"{table.called(name)} ({why})" for name, why in left.items()]
    if len(shown) > MOST_NAMED:
        shown = [*shown[: MOST_NAMED - 1], f"and {len(shown) - MOST_NAMED + 1:,} other columns"]
    return (f"left out: {', '.join(shown)}",) if shown else ()


def _held(data: Any) -> dict[str, Any]:
    keys = ("x", "y", "label_names", "feature_table", "feature_plan")
    return {key: data[key] for key in keys if data.get(key) is not None}


def _is_moment(cells: pd.Series) -> bool:
    kind = kind_of(cells)
    return kind == "date" or (kind in ("whole", "number") and is_clock(cells))


def _is_number(cells: pd.Series) -> bool:
    return kind_of(cells) in ("whole", "number", "date")
