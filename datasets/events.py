"""Data sets of events: one text file, a line an event."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from genurl_graph.datasets.readers.tables import read_table
from genurl_graph.datasets.registry import DatasetInfo, stored
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.temporal.event_set import EventSet
from genurl_graph.inputs.temporal.tables import read_event_tables


def read_events(entry: DatasetInfo, root: Path) -> EventSet:
    """The events of a data set, whose columns the registry names.

    Raises
    ------
    InputError
        Another number of columns.
    """
    path = stored(root, entry.files[0])
    assert path is not None
    options = ReadOptions.of("edges", {"time": "time"})
    # What the columns are called in the file, if they are, is not asked.
    table = read_table(path, ReadOptions.of(columns={"time": str(entry.pyg.index("time") + 1)}))
    if table.frame.shape[1] != len(entry.pyg):
        raise wrong(path, f"{table.frame.shape[1]} columns", f"{len(entry.pyg)}: {', '.join(entry.pyg)}")
    named = dataclasses.replace(table, frame=table.frame.set_axis([*entry.pyg], axis=1), header=True)
    return read_event_tables(named, options=options)
