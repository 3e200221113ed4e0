"""Columns of events that come block by block: what is kept of each is numbers alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.tables.edges import count
from genurl_graph.inputs.tables.features import as_columns
from genurl_graph.inputs.tables.node_index import as_names
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import as_ids, is_missing, to_numbers
from genurl_graph.inputs.temporal.times import Times, raw_times, settled

Codes = npt.NDArray[np.int64]


class EventColumns(NamedTuple):
    """M events in the order in which they came, without self loops.

    Attributes
    ----------
    ids : Index [n]
        The distinct nodes: numbers ascending, names in order of appearance.
    source, target : int32 arrays [M]
        Positions in `ids`.
    times : Times
    weight : float32 array [M], or None
    attributes : DataFrame, M rows, or None
    loops : int
        Self loops that were left out.
    row : int64 array [M] or None
        Which row of the table each event was, where there was one table.
    """

    ids: pd.Index
    source: npt.NDArray[np.int32]
    target: npt.NDArray[np.int32]
    times: Times
    weight: npt.NDArray[np.float32] | None
    attributes: pd.DataFrame | None
    loops: int
    row: Codes | None


class EventStream:
    """Takes tables of the same columns one after another; at least one.

    Parameters
    ----------
    columns : mapping of role to column
        source, target, time, and weight if there is one.
    attributes : list of str
        Columns that are features of the events.
    two_kinds : bool
        Whether sources and targets are two kinds of nodes: where they share a name, their column stands before it.

    Examples
    --------
    >>> stream = EventStream({"source": "a", "target": "b", "time": "t"}, [])
    >>> stream.add(Table("calls", pd.DataFrame({"a": [7, 9], "b": [9, 9], "t": [2, 1]})))
    >>> found = stream.columns()
    >>> found.ids.tolist(), found.source.tolist(), found.loops
    ([7, 9], [0], 1)
    """

    def __init__(self, columns: Mapping[str, str], attributes: list[str], two_kinds: bool = False) -> None:
        self._columns, self._attributes = columns, attributes
        self._names = [_Names(), _Names()] if two_kinds else [_Names()]
        self._parts: dict[str, list[npt.NDArray[Any]]] = {}
        self._frames: list[pd.DataFrame] = []
        self._times: list[Times] = []
        self._tables = self._loops = 0
        self._row: Codes | None = None

    def add(self, table: Table) -> None:
        """Take a table.

        Raises
        ------
        InputError
            A cell that is no id, time or weight, with its line; times of another kind than before.
        """
        ids = as_ids(table, [self._columns["source"], self._columns["target"]])
        if len(self._names) == 2:
            source, target = (names.codes(each) for names, each in zip(self._names, ids, strict=True))
            loops = np.zeros(len(source), dtype=bool)
        else:
            # Source and target of each line in turn, so that names keep the order in which they appear.
            mixed = np.stack([*map(np.asarray, ids)], axis=1).ravel()
            source, target = self._names[0].codes(pd.Index(mixed, dtype=ids[0].dtype)).reshape(-1, 2).T
            loops = source == target
        times = raw_times(table, self._columns["time"])
        if self._times and (times.unit, times.said) != self._times[0][1:]:
            both = f"{times.said or 'numbers'} after {self._times[0].said or 'numbers'}"
            raise wrong(f"{table.name}: {table.title(self._columns['time'])}", both, "times of one kind")
        found: dict[str, npt.NDArray[Any]] = {"source": source, "target": target}
        if "weight" in self._columns:
            found["weight"] = read_weights(table, self._columns["weight"])
        kept: slice | Codes = slice(None) if not loops.any() else np.flatnonzero(~loops)
        for role, values in found.items():
            self._parts.setdefault(role, []).append(values[kept])
        self._times.append(Times(times.value[kept], times.unit, times.said))
        if self._attributes:
            self._frames.append(as_columns(table, self._attributes).iloc[kept])
        self._tables += 1
        self._loops += int(loops.sum())
        self._row = np.arange(len(loops))[kept] if self._tables == 1 else None

    def columns(self) -> EventColumns:
        """All that came, once; the stream is empty then.

        Raises
        ------
        InputError
            Nothing but self loops.
        """
        value = np.concatenate([times.value for times in self._times])
        if not len(value):
            found = f"{count(self._loops, 'self loop')} alone" if self._loops else "no events"
            raise wrong("data", found, "events between two nodes")
        times = settled(Times(value, *self._times[0][1:]))
        self._times = []
        frame = pd.concat(self._frames, ignore_index=True) if self._frames else None
        ids, ranks = self._ids()
        source, target = ranks[0][self._joined("source")], ranks[-1][self._joined("target")]
        weight = self._joined("weight") if "weight" in self._parts else None
        return EventColumns(ids, source, target, times, weight, frame, self._loops, self._row)

    def _joined(self, role: str) -> Any:
        return np.concatenate(self._parts.pop(role))

    def _ids(self) -> tuple[pd.Index, list[npt.NDArray[np.int32]]]:
        """The distinct nodes, and for each end the position of each of its names among them."""
        known = [names.known for names in self._names]
        if len(known) == 2:
            if len({each.dtype for each in known}) == 2:
                known = [*map(as_names, known)]
            if bool(known[0].isin(known[1]).any()):
                known = [
                    pd.Index([f"{self._columns[end]}:{name}" for name in each], dtype=object)
                    for end, each in zip(("source", "target"), known, strict=True)
                ]
        ids = _joined_names(known)
        order = np.arange(len(ids)) if ids.dtype == object else np.argsort(ids.to_numpy())
        ranks = np.empty(len(ids), dtype=np.int32)
        ranks[order] = np.arange(len(ids), dtype=np.int32)
        return ids[order], (np.split(ranks, [len(known[0])]) if len(known) == 2 else [ranks])


class _Names:
    """Names of nodes in the order in which they appear."""

    def __init__(self) -> None:
        self.known = pd.Index([], dtype=np.int64)

    def codes(self, ids: pd.Index) -> npt.NDArray[np.int32]:
        """The position of each name, new ones after the others."""
        codes, distinct = pd.factorize(ids)
        if len(self.known) and distinct.dtype != self.known.dtype:
            # Numbers so far, or here: a name that is no number makes names of all.
            self.known, distinct = as_names(self.known), as_names(distinct)
        if not len(self.known):
            self.known = distinct
            first: npt.NDArray[np.int32] = codes.astype(np.int32)
            return first
        place: npt.NDArray[np.int64] = self.known.get_indexer(distinct)
        new = place < 0
        if new.any():
            place[new] = len(self.known) + np.arange(int(new.sum()))
            self.known = _joined_names([self.known, distinct[new]])
        found: npt.NDArray[np.int32] = place.astype(np.int32)[codes]
        return found


def _joined_names(parts: list[pd.Index]) -> pd.Index:
    """Names one after another; pandas would make another dtype of objects that are all text."""
    return pd.Index(np.concatenate([part.to_numpy() for part in parts]), dtype=parts[0].dtype)


def read_weights(table: Table, column: str) -> npt.NDArray[np.float32]:
    """Weights of events, which may be below 0, as ratings are.

    Raises
    ------
    InputError
        A cell that is no finite number, with its line.
    """
    with np.errstate(over="ignore"):
        values = to_numbers(table.frame[column]).astype(np.float32)
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(bad.argmax())
        place = f"{table.name}: {table.where(row)}, {table.title(column)}"
        cell = table.frame[column].iloc[[row]]
        found = "an empty cell" if is_missing(cell)[0] else repr(str(cell.iloc[0]))
        raise wrong(place, found, f"a finite weight (--column ignore={column} reads the events without weights)")
    return values
