"""Tables of labels beside a table of edges."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType

import pandas as pd
import torch

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.tables import names
from genurl_graph.inputs.tables.assemble import TableLike
from genurl_graph.inputs.tables.node_index import NodeIndex, as_names
from genurl_graph.inputs.tables.nodes import NodeTable, read_nodes
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import as_ids

NO_COLUMNS: Mapping[str, str] = MappingProxyType({})


def labels_of_edges(
    labels: TableLike | None, table: Table, options: ReadOptions, columns: Mapping[str, str] = NO_COLUMNS
) -> NodeTable | None:
    """Labels by the place of their edge in `table`.

    Parameters
    ----------
    labels : Table or NodeTable, optional
        A row for each edge, in their order; or with the same columns of ends, and of the key, as `table`.
    table : Table
        The edges.
    options : ReadOptions
        ``columns["label"]``.
    columns : mapping
        Columns of source, target and key.

    Raises
    ------
    InputError
        A label of an edge that is not there, an edge without a row, or one that two rows name.
    """
    if labels is None or isinstance(labels, NodeTable):
        return labels
    said = {role: held for role, held in options.columns.items() if role in ("label", "ignore")}
    named = [*columns.values()]
    if not named or not {*named[:2]} <= {*map(str, labels.frame.columns)}:
        known = NodeIndex(pd.RangeIndex(len(table.frame)), f"the edges of {table.name}")
        found = read_nodes(labels, dataclasses.replace(options, columns=said), "labels", known)
        by = "the rows are the edges in order" if found.ids is None else "ids count the edges from 0"
        return _told(found, by)
    named = [name for name in named if name in labels.frame]
    mine, theirs = (_keys(each, named) for each in (table, labels))
    if mine.has_duplicates or theirs.has_duplicates:
        twice = (theirs if theirs.has_duplicates else mine).duplicated()
        where = labels if theirs.has_duplicates else table
        edge = " -> ".join(map(str, (theirs if theirs.has_duplicates else mine)[twice][0]))
        expected = "each edge once: --column key=NAME tells parallel edges apart, or a row for each edge in order"
        raise wrong(where.name, f"the edge {edge} more than once", expected)
    place = mine.get_indexer(theirs)
    if (place < 0).any() or len(place) != len(mine):
        absent = theirs[place < 0] if (place < 0).any() else mine.difference(theirs)
        which = f"{'a label' if (place < 0).any() else 'no label'} of the edge {' -> '.join(map(str, absent[0]))}"
        raise wrong(labels.name, which, f"one for each edge of {table.name}")
    rest = _without(labels, named)
    free = [name for name in map(str, rest.frame.columns) if not names.is_id(name)]
    only = said.get("label") or ((free[0],) if len(free) == 1 else ())
    found_table = read_nodes(
        _without(rest, [name for name in rest.frame.columns if only and name not in only]),
        dataclasses.replace(options, columns=said | ({"label": only} if only else {})),
        "labels",
    )
    assert found_table.y is not None
    y = torch.empty_like(found_table.y)
    y[torch.from_numpy(place)] = found_table.y
    return _told(dataclasses.replace(found_table, y=y, ids=None), f"edges by {', '.join(named)}")


def _told(labels: NodeTable, by: str) -> NodeTable:
    assert labels.y is not None
    classes, unknown = len(torch.unique(labels.y[labels.y >= 0])), int((labels.y < 0).sum())
    name = PurePath(labels.name).name
    gaps = f", {unknown:,} edges without one" if unknown else ""
    line = f"read {name} as labels of the edges: {labels.label or 'labels'} ({classes:,} classes{gaps}), {by}"
    record = {"labels": {"file": name, "as": "labels", "rows": labels.rows, "label": labels.label, "classes": classes}}
    return dataclasses.replace(labels, reading=Reading((line,), record))


def _keys(table: Table, columns: list[str]) -> pd.MultiIndex:
    ids = [*as_ids(table, columns[:2]), *(as_names(pd.Index(table.frame[name])) for name in columns[2:])]
    return pd.MultiIndex.from_arrays([as_names(each) for each in ids])


def _without(table: Table, columns: list[str]) -> Table:
    return dataclasses.replace(table, frame=table.frame.drop(columns=columns))
