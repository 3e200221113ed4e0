"""Tables of nodes, one row each: which column holds the ids, which the labels, and which are features."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.tables import names
from genurl_graph.inputs.tables.edges import count
from genurl_graph.inputs.tables.features import as_columns
from genurl_graph.inputs.tables.label_columns import named_labels, only_label, possible_labels
from genurl_graph.inputs.tables.labels import read_label_column
from genurl_graph.inputs.tables.node_index import NodeIndex, as_names
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import as_ids, is_whole_number, kind_of

# Names of ids that have to be unique, and of what may be ids.
SURE_IDS = ("id", "node_id", "nodeid", "node", "ids")
# Columns that are compared with the ids of the edges, beside those that are named as ids.
MOST_COMPARED = 50


@dataclass(frozen=True)
class NodeTable:
    """Features or labels, one row a node.

    Attributes
    ----------
    name : str
        Of the file or argument.
    rows : int
    ids : Index, or None
        Whole numbers or names, where the table names the nodes.
    frame : DataFrame, or None
        Raw feature columns.
    matrix : Tensor, float32, shape [rows, f], or None
        Features that are numbers as they are, strided or CSR.
    y : Tensor, int64, shape [rows], or None
        Labels; -1 where there is none.
    label_names : list of str, or None
    label : str, or None
        The column that y is of.
    header : bool
        Whether the names of the columns are the user's.
    reading : Reading
    """

    name: str
    rows: int
    ids: pd.Index | None = None
    frame: pd.DataFrame | None = None
    matrix: Tensor | None = None
    y: Tensor | None = None
    label_names: list[str] | None = None
    label: str | None = None
    header: bool = True
    reading: Reading = field(default_factory=Reading)


def read_nodes(
    table: Table,
    options: ReadOptions,
    what: str = "features",
    known: NodeIndex | None = None,
    taken: Collection[str] | None = None,
) -> NodeTable:
    """Read a table of features or labels.

    Parameters
    ----------
    table : Table
    options : ReadOptions
        Columns that this table does not have are left alone.
    what : "features", "vectors" or "labels"
        Vectors are features without a graph. A table of labels gives no features.
    known : NodeIndex, optional
        The nodes of the graph: the column of ids is the one that has them.
    taken : collection of str, optional
        Labels come from elsewhere, of columns with these names: neither they nor other labels are features here.

    Raises
    ------
    InputError
        Several columns can be the labels, or there are no features.
    """
    columns = [*map(str, table.frame.columns)]
    given = {role: [name for name in options.names(role) if name in columns] for role in options.columns}
    left_out = dict.fromkeys(given.get("ignore", ()), "ignored")
    left_out |= {name: "times" for name in given.get("time", ()) if what != "labels"}
    said = next(iter(given.get("label", ())), None)
    free = [name for name in columns if name not in (*left_out, said, *given.get("graph", ()))]
    id_column = given["id"][0] if given.get("id") else find_ids(table, free, what, known, said)
    free = [name for name in free if name != id_column]
    if what == "labels":
        return _read_labels(table, said or only_label(table, free), id_column)
    label = said if taken is None else None
    if said is not None and label is None:
        left_out[said] = "the label, of another table"
    asked = given.get("feature", [])
    for name, why in named_labels(table, free, said).items():
        if label is None and taken is None and not why:
            label = name
        else:
            left_out[name] = why or (
                "a label by its name" if label else "a label by its name; the labels are elsewhere"
            )
    left_out |= {name: "the label, of another table" for name in free if name in (taken or ())}
    rest = [name for name in free if name not in left_out and name != label]
    labelled = label is not None or taken is not None
    doubtful = possible_labels(table, rest, what, labelled)
    left_out |= {name: why for name, why in doubtful.items() if name not in asked}
    chosen = _features(table, [name for name in free if name not in left_out and name != label], given, left_out)
    if not chosen:
        beside = " and labels" if label or "label" in " ".join(left_out.values()) else ""
        reasons = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        if what == "vectors" and label:
            reasons = reasons or "a table of labels goes with another file: --labels"
        raise wrong(
            table.name,
            f"no feature columns beside the ids{beside}",
            "at least one" + (f" ({reasons})" if reasons else ""),
        )
    frame = as_columns(table, chosen)
    found = NodeTable(table.name, len(frame), _ids(table, id_column), frame, header=table.header)
    if label is not None:
        y, label_names, _ = read_label_column(table, label)
        found = replace(found, y=y, label_names=label_names, label=label)
    return replace(found, reading=_reading(table, found, what, id_column, left_out))


def _features(table: Table, free: list[str], given: dict[str, list[str]], left_out: dict[str, str]) -> list[str]:
    """The columns that the user names as features, else all that are free."""
    chosen = given.get("feature", [])
    if not chosen:
        return free
    clash = next((name for name in chosen if name not in free), None)
    if clash is not None:
        found = f"a column that is left out ({left_out[clash]})" if clash in left_out else "the ids or the labels"
        raise wrong(f"{table.name}: --column feature={clash}", found, "another column")
    left_out |= {name: "not asked for" for name in free if name not in chosen}
    return chosen


def find_ids(table: Table, free: list[str], what: str, known: NodeIndex | None, label: str | None = None) -> str | None:
    """The column of the ids: the one whose values are the nodes, or that is named as ids; None if there is none."""
    if not free or (len(free) == 1 and what == "labels" and label is None):
        return None
    text = {name: not pd.api.types.is_numeric_dtype(table.frame[name].dtype) for name in free}
    sure = [name for name in free if table.header and _is_sure(name)]
    named = [name for name in free if table.header and names.is_id(name)]
    if known is not None:
        found = _best_cover(table, free, [*sure, *named], text, known)
        if found is not None:
            return found
    if sure:
        return sure[0]
    for name in named:
        if table.frame[name].is_unique and kind_of(table.frame[name]) in ("whole", "text") and len(free) > 1:
            return name
    first = free[0]
    if what == "labels":
        return first if len(free) == 2 and label is None else None
    alone = len(free) == 1 and label is None
    is_id = text[first] and kind_of(table.frame[first]) == "text" and table.frame[first].is_unique
    return first if is_id and not (table.header and names.is_label(first)) and not alone else None


def _is_sure(name: str) -> bool:
    return name.strip().lower() in SURE_IDS or name.strip() == "" or name.lower().startswith("unnamed: 0")


def _best_cover(table: Table, free: list[str], named: list[str], text: dict[str, bool], known: NodeIndex) -> str | None:
    """The unique column that holds the most of the known ids, if it holds nearly all of them."""
    words = [name for name in free if text[name]][:MOST_COMPARED]
    first = [] if table.header and names.is_measure(free[0]) else free[:1]
    best: tuple[float, str] | None = None
    for name in dict.fromkeys([*named, *words, *first]):
        cells = table.frame[name]
        if not cells.is_unique or cells.isna().any() or not (text[name] or is_whole_number(cells)):
            continue
        share = _cover(cells, known)
        if share > (0.0 if best is None else best[0]):
            best = (share, name)
    # A first column that is named otherwise must hold all of them.
    if best is None or best[0] < (0.5 if best[1] in named or text[best[1]] else 1.0):
        return None
    return best[1]


def _cover(cells: pd.Series, known: NodeIndex) -> float:
    own, ids = pd.Index(cells), known.ids
    if own.dtype != ids.dtype:
        own = as_names(own.astype("int64") if pd.api.types.is_float_dtype(own.dtype) else own)
        ids = as_names(ids)
    return float(ids.isin(own).mean()) if len(ids) else 0.0


def _ids(table: Table, column: str | None) -> pd.Index | None:
    return None if column is None else as_ids(table, [column])[0]


def _read_labels(table: Table, label: str, id_column: str | None) -> NodeTable:
    y, label_names, _ = read_label_column(table, label)
    ids = _ids(table, id_column)
    found = NodeTable(table.name, len(y), ids, y=y, label_names=label_names, label=label)
    rest = {str(name): "" for name in table.frame.columns if name not in (label, id_column)}
    return replace(found, reading=_reading(table, found, "labels", id_column, rest))


def _reading(table: Table, found: NodeTable, what: str, id_column: str | None, left_out: dict[str, str]) -> Reading:
    name = PurePath(table.name).name or table.name
    told = [count(found.rows, "row")]
    if found.frame is not None and what == "vectors":
        told.append(count(found.frame.shape[1], "column"))
    if id_column is not None:
        told.append(f"ids in {table.called(id_column)}")
    elif what != "vectors":
        told.append("no ids: the rows are the nodes in order")
    record: dict[str, Any] = {"file": name, "as": what, "rows": found.rows, "id": id_column, "left_out": left_out}
    if found.y is not None and found.label is not None:
        classes, unknown = len(np.unique(found.y[found.y >= 0].numpy())), int((found.y < 0).sum())
        gaps = f", {count(unknown, 'row')} without one" if unknown else ""
        told.append(f"labels in {table.called(found.label)} ({classes:,} class{'' if classes == 1 else 'es'}{gaps})")
        record |= {"label": found.label, "classes": classes, "without_label": unknown}
    told += table.notes
    lines = [f"read {name} as {what}: {', '.join(told)}"]
    if left_out:
        named = [table.called(column) + (f" ({why})" if why else "") for column, why in left_out.items()]
        lines.append(f"left out of {name}: {', '.join(named)}")
    return Reading(tuple(lines), {what: record})


def order_rows(table: NodeTable, nodes: NodeIndex, what: str, of: str = "node") -> np.ndarray[Any, Any] | None:
    """Rows of the table in the order of the nodes, or of what `of` says; None: as they stand.

    Raises
    ------
    InputError
        A table with too many or too few rows, or ids that are not those of the nodes.
    """
    if table.ids is None:
        if table.rows != len(nodes):
            raise wrong(table.name, f"{table.rows} {what} rows", f"{len(nodes)} ({nodes.where})")
        return None
    index = NodeIndex(table.ids, f"the ids of {table.name}")
    strange = nodes.find(index.ids) < 0
    if strange.any():
        raise wrong(table.name, f"{what} of {of} {str(index.ids[strange][0])!r}", f"one of {nodes.where}")
    rows = index.find(nodes.ids)
    if (rows < 0).any():
        raise wrong(table.name, f"no {what} of {of} {str(nodes.ids[rows < 0][0])!r}", f"one for each of {nodes.where}")
    return rows


def index_of(table: NodeTable, own: NodeIndex | None = None) -> NodeIndex:
    """The nodes that a table defines, by its ids or rows; rows count from 1 where the nodes of the edges do."""
    if table.ids is not None:
        return NodeIndex(table.ids, f"the ids of {table.name}")
    if not table.rows:
        raise InputError(f"{table.name}: no rows")
    n, start = table.rows, 0
    if own is not None and own.ids.dtype != object and len(own) and (own.ids.min() >= 1 and own.ids.max() == n):
        start = 1
    where = f"the rows {start} to {n - 1 + start} of {table.name}, which names no ids"
    return NodeIndex(pd.RangeIndex(start, n + start), where)
