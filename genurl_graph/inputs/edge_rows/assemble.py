"""Edges whose ends are known, with their attributes and geometry, as one `EdgeSet`."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import pandas as pd
import torch

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.edge_rows.attributes import Attributes, read_attributes, tidy
from genurl_graph.inputs.edge_rows.edge_set import EdgeEnds, EdgeSet, describe_edges
from genurl_graph.inputs.edge_rows.place import Space, geometry_columns, locate
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.tables.features import as_columns, make_x
from genurl_graph.inputs.tables.label_columns import same_as_labels
from genurl_graph.inputs.tables.node_index import NodeIndex
from genurl_graph.inputs.tables.nodes import NodeTable, order_rows
from genurl_graph.inputs.tables.table import Table

# Columns that are named one by one where they are left out.
MOST_NAMED = 12


class Source(NamedTuple):
    """Edges before anybody decides what their attributes are.

    Attributes
    ----------
    edges : EdgeEnds
        Without bearings.
    table : Table
        Attributes, m rows, perhaps of no column: without ends, key and geometry.
    space : Space
    said : str
        What was read as what: "read roads.csv as edges that are rows: u -> v, key key".
    record : dict
        The same for a program.
    left_out : dict
        What is left out already, and why.
    lenient : bool
        As `genurl_graph.inputs.edge_rows.attributes.tidy` has it.
    """

    edges: EdgeEnds
    table: Table
    space: Space
    said: str
    record: dict[str, object]
    left_out: dict[str, str] = {}  # noqa: RUF012 - never changed
    lenient: bool = False


def assemble(source: Source, options: ReadOptions, labels: NodeTable | None = None) -> EdgeSet:
    """Make features of attributes and geometry, read the labels, and say what was done.

    Parameters
    ----------
    source : Source
    options : ReadOptions
    labels : NodeTable, optional
        Labels of the edges, a row each.

    Raises
    ------
    InputError
        No edges; as of `read_attributes`; labels of other edges.
    """
    m = len(source.edges)
    if m < 1:
        raise wrong(source.table.name, "no edges", "some, of which each is a row")
    frame, notes = tidy(source.table.frame, lenient=source.lenient)
    found = locate(source.space, source.edges.ends)
    edges, told = source.edges, []
    if found is not None:
        _, geometry, said = found
        # The user may leave out what is made of the lines as any other column.
        frame = pd.concat([frame, geometry_columns(geometry, frame)], axis=1)
        edges = dataclasses.replace(edges, bearings=geometry.bearings)
        told.append(said)
    elif source.space.lines is not None:
        told.append(f"no geometry: no cell of {source.space.by} holds a single line of two points or more")
    table = Table(source.table.name, frame, source.table.header, source.table.where, source.table.notes)
    nodes = pd.RangeIndex(edges.num_nodes) if edges.node_id is None else pd.Index([*edges.node_id], dtype=object)
    parts = read_attributes(table, options, nodes, labels is not None)
    result = EdgeSet(
        edges,
        y=parts.y,
        label_names=parts.label_names,
        middle=None if found is None else found[1].middle,
        lines=None if found is None else found[0],
        degrees=bool(source.space.degrees),
        train_mask=parts.masks.get("train_mask"),
        val_mask=parts.masks.get("val_mask"),
        test_mask=parts.masks.get("test_mask"),
    )
    reading = Reading((source.said, describe_edges(result), *notes, *told), {"edges": {**source.record}})
    if parts.label is not None:
        classes = len(torch.unique(parts.y[parts.y >= 0])) if parts.y is not None else 0
        reading += Reading((f"labels in {table.called(parts.label)} ({classes:,} classes)",))
    result = result.told(reading)
    if labels is not None:
        result = _labelled(result, labels, source.table.name)
    return _featured(result, table, parts, options, source.left_out)


def _labelled(edges: EdgeSet, labels: NodeTable, where: str) -> EdgeSet:
    rows = order_rows(labels, NodeIndex(pd.RangeIndex(len(edges)), f"the edges of {where}"), "label", "edge")
    assert labels.y is not None
    y = labels.y if rows is None else labels.y[torch.from_numpy(rows)]
    return edges.told(labels.reading, y=y, label_names=labels.label_names)


def _featured(edges: EdgeSet, table: Table, parts: Attributes, options: ReadOptions, before: dict[str, str]) -> EdgeSet:
    """`edges` with features, and what is left out."""
    left_out = before | parts.left_out
    features = as_columns(table, parts.features)
    told = (
        [] if edges.y is None else [n for n in same_as_labels(features, edges.y) if n not in options.names("feature")]
    )
    left_out |= dict.fromkeys(told, "tells the labels in other words")
    features = features.drop(columns=told)
    x, plan, reading = None, None, Reading()
    if features.shape[1]:
        x, plan, reading = make_x(features, table.name, True, table.header, options)
        x = x if x.size(1) else None
    shown = [f"{table.called(name)} ({why})" for name, why in left_out.items()]
    if len(shown) > MOST_NAMED:
        shown = [*shown[: MOST_NAMED - 1], f"and {len(shown) - MOST_NAMED + 1:,} other columns"]
    line = (f"left out: {', '.join(shown)}",) if shown else ()
    record = {"edges": {**edges.reading.record["edges"], "label": parts.label, "left_out": left_out}}
    told_parts = reading + Reading(line, record)
    return edges.told(told_parts, x=x, feature_table=features if features.shape[1] else None, feature_plan=plan)
