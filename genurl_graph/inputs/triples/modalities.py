"""Features of entities of several kinds: a table or a matrix each, with a row for some of the entities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.columns import make_features
from genurl_graph.inputs.columns.matrix import as_features
from genurl_graph.inputs.reading import NOTHING_SAID, Reading, ReadOptions
from genurl_graph.inputs.sparse import from_scipy, to_scipy_or_numpy
from genurl_graph.inputs.tables.edges import count
from genurl_graph.inputs.tables.node_index import NodeIndex
from genurl_graph.inputs.tables.nodes import NodeTable, read_nodes
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import is_missing
from genurl_graph.inputs.triples.triple_set import Modality, TripleSet
from genurl_graph.inputs.validation import check_finite

TableLike = Table | NodeTable


class _Rows(NamedTuple):
    """Rows of a table that are of entities: the numbers of these entities, ascending, and of the rows."""

    entity: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]
    strange: int


def attach_modalities(
    triples: TripleSet,
    tables: Mapping[str, TableLike] | None = None,
    labels: TableLike | None = None,
    options: ReadOptions = NOTHING_SAID,
) -> TripleSet:
    """Triples with the features of their entities, and with labels.

    Parameters
    ----------
    triples : TripleSet
    tables : mapping of name to Table or NodeTable, optional
        One for each modality, with the names of the entities in a column. An entity may have no row, or an empty one;
        rows of others than the entities of `triples` are counted and left out. A table without names has a row for each
        entity, which must be numbered.
    labels : Table or NodeTable, optional
        Labels of some of the entities. They are never features.
    options : ReadOptions
        Columns by role (id, label, feature, ignore), and what becomes of feature columns.

    Raises
    ------
    InputError
        A table whose names are none of the entities, or one name twice; no features; two tables with labels.

    Examples
    --------
    >>> import pandas as pd
    >>> from genurl_graph.inputs.triples import Triples
    >>> table = Table("people", pd.DataFrame({"id": ["a", "c"], "age": [30.0, 50.0], "size": [1.5, 1.7]}))
    >>> found = TripleSet(Triples.of([(0, 0, 1), (1, 0, 2)]), entity_id=["a", "b", "c"])
    >>> attach_modalities(found, {"people": table}).modalities[0].entity.tolist()
    [0, 2]
    """
    nodes = entity_index(triples)
    known = read_nodes(labels, options, "labels", nodes) if isinstance(labels, Table) else labels
    if known is not None:
        triples = _labelled(triples, nodes, known)
    taken = None if known is None else [known.label] if known.label is not None else []
    for name, table in (tables or {}).items():
        found = read_nodes(table, options, "features", nodes, taken) if isinstance(table, Table) else table
        if found.y is not None:
            if triples.y is not None:
                raise wrong(found.name, f"labels in {found.label}, beside others", "--column label=... or ignore=...")
            triples = _labelled(triples, nodes, replace(found, reading=Reading()))
        triples = _with_features(triples, nodes, name, found, options)
    return triples


def entity_index(triples: TripleSet) -> NodeIndex:
    """The names of the entities and their numbers."""
    if triples.entity_id is None:
        return NodeIndex(pd.RangeIndex(len(triples)), f"the {len(triples):,} entities, numbered from 0")
    whole = all(isinstance(name, int) for name in triples.entity_id)
    ids = pd.Index(triples.entity_id, dtype="int64" if whole else object)
    return NodeIndex(ids, "the entities of the triples")


def _with_features(
    triples: TripleSet, nodes: NodeIndex, name: str, table: NodeTable, options: ReadOptions
) -> TripleSet:
    rows = _rows(table, nodes, "feature")
    source = table.frame if table.matrix is None else table.matrix
    filled = _filled(rows, source)
    if not len(filled.row):
        raise wrong(table.name, "no row with features", "features of some entities")
    part = _taken(source, filled.row)
    x, plan = make_features(part, None, options.scale or "none", options.text, what=table.name, graph=True)
    if x is None or not x.size(1):
        why = "" if plan is None else f" ({plan.summary()})"
        raise wrong(table.name, f"no column that tells entities apart{why}", "at least one")
    check_finite(x, f"features of {table.name}")
    missing, empty = len(nodes) - len(filled.row), len(rows.row) - len(filled.row)
    told = [count(int(x.size(1)), "column"), f"{len(filled.row):,} of {len(nodes):,} entities have them"]
    told += [count(empty, "empty row")] if empty else []
    told += [f"{count(rows.strange, 'row')} of others left out"] if rows.strange else []
    lines = [*table.reading.lines, f"features {name}: {', '.join(told)}"]
    record = {"file": PurePath(table.name).name, "columns": int(x.size(1)), "rows": len(filled.row)}
    record |= {"missing": missing, "empty": empty, "strange": rows.strange}
    if plan is not None:
        lines.append(plan.summary())
        record["features"] = plan.lines()
    held = {**triples.reading.record.get("modalities", {}), name: record}
    modality = Modality(name, torch.from_numpy(filled.entity), x, plan)
    # Each file of features by itself, as a program asks what became of its columns.
    files = {f"{key} {name}": told for key, told in table.reading.record.items()}
    return triples.told(
        Reading(tuple(lines), {**files, "modalities": held}), modalities=(*triples.modalities, modality)
    )


def _labelled(triples: TripleSet, nodes: NodeIndex, labels: NodeTable) -> TripleSet:
    assert labels.y is not None
    rows = _rows(labels, nodes, "label")
    y = torch.full((len(nodes),), -1)
    y[torch.from_numpy(rows.entity)] = labels.y[torch.from_numpy(rows.row)]
    lines = labels.reading.lines
    if rows.strange and lines:
        lines = (*lines, f"{count(rows.strange, 'label')} of others than the entities left out")
    return triples.told(Reading(lines, labels.reading.record), y=y, label_names=labels.label_names)


def _rows(table: NodeTable, nodes: NodeIndex, what: str) -> _Rows:
    if table.ids is None:
        if table.rows != len(nodes):
            raise wrong(table.name, f"{table.rows:,} {what} rows without names", f"names, or {len(nodes):,} rows")
        if nodes.names() is not None:
            found = f"rows without names, and entities such as {nodes.ids[0]!r}"
            raise wrong(table.name, found, "a column of the names of the entities (--column id=NAME)")
        return _Rows(np.arange(len(nodes)), np.arange(len(nodes)), 0)
    place = nodes.find(NodeIndex(table.ids, f"the ids of {table.name}").ids)
    row = np.flatnonzero(place >= 0)
    if not len(row):
        found = f"{what}s of {table.ids[0]!r} and others, none of which is an entity"
        raise wrong(table.name, found, f"names such as {nodes.ids[0]!r}")
    row = row[np.argsort(place[row], kind="stable")]
    return _Rows(place[row], row, int((place < 0).sum()))


def _filled(rows: _Rows, source: Any) -> _Rows:
    """Those of the rows in which not every cell is missing."""
    if isinstance(source, pd.DataFrame):
        part = source.iloc[rows.row]
        empty = np.logical_and.reduce([is_missing(part[name]) for name in part], axis=0)
    elif source.layout == torch.strided:
        empty = source[torch.from_numpy(rows.row)].isnan().all(1).numpy()
    else:
        return rows
    return rows._replace(entity=rows.entity[~empty], row=rows.row[~empty])


def _taken(source: Any, row: npt.NDArray[np.int64]) -> Any:
    if isinstance(source, pd.DataFrame):
        return source.iloc[row].reset_index(drop=True)
    if source.layout == torch.strided:
        return source[torch.from_numpy(row)]
    return from_scipy(to_scipy_or_numpy(source)[row])


def as_node_table(value: Any, name: str) -> TableLike:
    """Features of one modality as a Python user has them.

    Parameters
    ----------
    value : DataFrame, (ids, matrix), mapping or matrix
        A DataFrame names the entities in a column or in its index. A mapping holds ``node_id`` and ``embedding`` (what
        a file of an embedding holds). A matrix [n, f] alone has a row for each numbered entity.
    name : str

    Raises
    ------
    InputError
        Anything else; another number of ids than rows.
    """
    from genurl_graph.inputs.objects.frames import as_table, with_ids

    if isinstance(value, Table | NodeTable):
        return value
    if not isinstance(value, pd.DataFrame | tuple | list | Mapping) and hasattr(value, "to_pandas"):
        value = value.to_pandas()
    if isinstance(value, pd.DataFrame):
        return as_table(with_ids(value), name)
    if isinstance(value, Mapping):
        if not {"node_id", "embedding"} <= {*value}:
            raise wrong(name, f"the keys {', '.join(map(str, value))}", "node_id and embedding")
        value = (value["node_id"], value["embedding"])
    ids = None
    if isinstance(value, tuple) and len(value) == 2:
        ids, value = _ids(value[0], name), value[1]
    matrix = as_features(value, name)
    if ids is not None and len(ids) != len(matrix):
        raise wrong(name, f"{len(ids):,} ids of {len(matrix):,} rows", "one for each row")
    return NodeTable(name, len(matrix), ids, matrix=matrix)


def _ids(values: Any, name: str) -> pd.Index:
    held = values.tolist() if hasattr(values, "tolist") else [*values]
    if not held:
        raise wrong(name, "no ids", "the names of entities")
    whole = all(isinstance(each, int) and not isinstance(each, bool) for each in held)
    return pd.Index(held, dtype="int64") if whole else pd.Index([*map(str, held)], dtype=object)
