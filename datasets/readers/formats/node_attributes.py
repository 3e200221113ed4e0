"""Which attributes of nodes are their names, classes and features: those that the user names, or none."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pandas as pd

from genurl_graph.datasets.readers.formats.file_graph import FileGraph, plain_name
from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.features import as_columns, make_x
from genurl_graph.inputs.tables.labels import read_label_column
from genurl_graph.inputs.tables.table import Table

if TYPE_CHECKING:
    from torch_geometric.data import Data

NAME_NAMES = ("label", "name")
LABEL_NAMES = ("y", "class", "label")
# What drawing programs write about a node.
LAYOUT_NAMES = {"x", "y", "z", "r", "g", "b", "a", "size", "color", "colour", "shape", "graphics", "viz"}


def choose_nodes(graph: FileGraph, data: Data, where: str, options: ReadOptions) -> dict[str, Any]:
    """Give `data` its names, labels and features; the attributes that became them."""
    used: dict[str, Any] = {"feature": [], "told": ()}
    what = f"{where}: node attribute"
    ignored = set(options.names("ignore"))
    for each in options.names("ignore"):
        if each not in graph.edges:
            find_attribute(each, graph.nodes, what)
    features = [find_attribute(each, graph.nodes, what) for each in options.names("feature")]
    label = next((find_attribute(each, graph.nodes, what) for each in options.names("label")), None)
    name: str | None = next((find_attribute(each, graph.nodes, what) for each in options.names("id")), None)
    if name is None:
        free = [each for each in graph.nodes if each not in {label, *features, *ignored}]
        named = sorted((c for c in free if plain_name(c) in NAME_NAMES), key=lambda c: NAME_NAMES.index(plain_name(c)))
        name = next((each for each in named if _all_differ(graph.nodes[each])), None)
    if label is None and "label" not in options.columns:
        label = _class_attribute(graph, {name, *features, *ignored})
    ids = graph.ids
    if name is not None:
        titles = [as_id(value) for value in graph.nodes[name]]
        if titles != ids:
            used["name"] = name
            plain = [*map(str, range(len(ids)))]
            if plain not in (ids, titles):
                data.node_key = ids
            ids = titles
        else:
            used["same"] = name  # it says what the ids say
    if ids != [*map(str, range(len(ids)))]:  # else they say nothing
        data.node_id = ids
    table = Table(where, graph.nodes, True, lambda row: f"node {ids[row]!r}")
    if label is not None:
        data.y, names, unlabelled = read_label_column(table, label)
        used["label"] = label
        if names is not None:
            data.label_names = names
        if unlabelled:
            graph.notes.append(f"no label for {unlabelled:,} of {len(ids):,} nodes, which have no {label}")
    if features:
        frame = as_columns(table, features)
        said = dataclasses.replace(options, columns={**options.columns, "feature": tuple(features)})
        x, plan, told = make_x(frame, where, graph=True, options=said)
        used |= {"feature": features, "told": told.lines}
        if x.size(1):
            data.x = x
        if plan is not None:
            data.feature_table, data.feature_plan = frame, plan
    return used


def find_attribute(name: str, frame: pd.DataFrame, what: str) -> str:
    """The attribute of this name; without case, spaces and underscores if only one is so called."""
    if name in frame:
        return name
    near = [each for each in frame if plain_name(each) == plain_name(name)]
    if len(near) == 1:
        return str(near[0])
    if not len(frame.columns):
        raise wrong(what, repr(name), "no attribute, for the file has none")
    raise unknown(what, name, [*map(str, frame)])


def _all_differ(column: pd.Series[Any]) -> bool:
    values = column.tolist()
    plain = all(isinstance(value, (str, int)) and value != "" for value in values)
    return plain and len({as_id(value) for value in values}) == len(values)


def as_id(value: Any) -> str:
    """A node's name as text; a number that is whole without its .0."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _class_attribute(graph: FileGraph, taken: set[Any]) -> str | None:
    """An attribute y, class or label that can be nothing but classes: each of them stands at several nodes."""
    layout = layout_names(graph)
    for name in LABEL_NAMES:
        if name not in graph.nodes or name in taken or name in layout or name in graph.names_only:
            continue
        column = graph.nodes[name]
        if column.isna().any() or not all(isinstance(value, (str, int)) and value != "" for value in column.tolist()):
            continue
        distinct = column.nunique()
        # Names repeat now and then; classes do so throughout.
        enough = 3 if name == "label" and column.dtype == object else 1.5
        if 1 < distinct <= len(column) / enough:
            return name
    return None


def layout_names(graph: FileGraph) -> set[str]:
    """Names of node attributes that say how the graph was drawn."""
    found = {name for name in graph.nodes if str(name).lower() in LAYOUT_NAMES}
    # y is the height in a drawing where x is the width; alone it may be the classes.
    return found if "x" in found else found - {"y"}
