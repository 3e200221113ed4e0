"""Tables with a line a triple: head, relation and tail; a split into three of them is kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.reading import NOTHING_SAID, Reading, ReadOptions
from genurl_graph.inputs.tables.edges import count
from genurl_graph.inputs.tables.node_index import NodeIndex, as_names
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import as_ids
from genurl_graph.inputs.triples.columns import ROLES, TripleColumns, find_triple_columns
from genurl_graph.inputs.triples.triple_set import Triples, TripleSet

# Names that are listed where they are odd.
MOST_NAMED = 5


class _Part(NamedTuple):
    """A table of triples as names."""

    table: Table
    columns: TripleColumns
    ends: pd.Index
    relation: pd.Index


def read_triple_tables(
    table: Table,
    held_out: Mapping[str, Table] | None = None,
    options: ReadOptions = NOTHING_SAID,
) -> TripleSet:
    """Triples of a table that has a line for each.

    Parameters
    ----------
    table : Table
        Those to train on.
    held_out : mapping of "valid" and "test" to Table, optional
        Triples that are kept apart. Entities that stand there alone are entities too, and are named; triples of a
        relation that stands there alone are left out, as nothing is known of it.
    options : ReadOptions
        Which columns they are in (`genurl_graph.inputs.triples.columns`).

    Returns
    -------
    TripleSet
        Entities and relations in the order in which they appear; whole numbers ascending. A triple counts once.

    Raises
    ------
    InputError
        As of `find_triple_columns`; an empty cell, with its line.

    Examples
    --------
    >>> frame = pd.DataFrame([("a", "likes", "b"), ("b", "likes", "c")], columns=["head", "relation", "tail"])
    >>> found = read_triple_tables(Table("facts", frame))
    >>> found.entity_id, found.relation_id
    (['a', 'b', 'c'], ['likes'])
    """
    columns = find_triple_columns(table, options)
    parts = {"train": _part(table, columns)}
    for name, each in (held_out or {}).items():
        same = {*columns} <= {*map(str, each.frame.columns)}
        parts[name] = _part(each, columns if same else find_triple_columns(each, options))
    ends, entities = _numbered([part.ends for part in parts.values()])
    kinds, relations = _numbered([part.relation for part in parts.values()])
    known = np.unique(kinds[0])
    place = np.full(len(relations), -1, dtype=np.int64)
    place[known] = np.arange(len(known))
    n, m = len(entities), len(known)
    rows = {}
    for name, pair, kind in zip(parts, ends, kinds, strict=True):
        pair = pair.reshape(-1, 2)
        rows[name] = torch.from_numpy(np.stack([pair[:, 0], place[kind], pair[:, 1]], axis=1))
    found = {name: Triples.of(held[held[:, 1] >= 0], n, m) for name, held in rows.items()}
    nodes = NodeIndex(entities, f"the entities of {table.name}")
    triples = TripleSet(
        found.pop("train"),
        found.get("valid"),
        found.get("test"),
        nodes.names(),
        NodeIndex(relations[known], f"the relations of {table.name}").names(),
    )
    return triples.told(_say(parts, rows, triples, entities, relations[np.setdiff1d(np.arange(len(relations)), known)]))


def _part(table: Table, columns: TripleColumns) -> _Part:
    heads, tails = as_ids(table, [columns.head, columns.tail])
    # Head and tail of each line in turn, so that names keep the order in which they appear.
    ends = pd.Index(np.stack([np.asarray(heads), np.asarray(tails)], axis=1).ravel(), dtype=heads.dtype)
    return _Part(table, columns, ends, as_ids(table, [columns.relation])[0])


def _numbered(parts: list[pd.Index]) -> tuple[list[npt.NDArray[np.int64]], pd.Index]:
    """Numbers of the names in each part, and the distinct names."""
    if any(part.dtype == object for part in parts):
        parts = [part if part.dtype == object else as_names(part) for part in parts]
    dtype = parts[0].dtype
    whole = pd.api.types.is_integer_dtype(dtype)
    codes, distinct = pd.factorize(np.concatenate([part.to_numpy() for part in parts]), sort=whole)
    stops = np.cumsum([len(part) for part in parts])[:-1]
    return np.split(codes.astype(np.int64), stops), pd.Index(distinct, dtype=dtype)


def _say(
    parts: Mapping[str, _Part],
    rows: Mapping[str, Tensor],
    found: TripleSet,
    entities: pd.Index,
    strange: pd.Index,
) -> Reading:
    """What was read, in lines for the user and for a program."""
    table, columns = parts["train"].table, parts["train"].columns
    name = PurePath(table.name).name or table.name
    head, relation, tail = map(table.called, columns)
    held = {"train": found.triples, "valid": found.valid, "test": found.test}
    told = [count(len(found.triples), "triple"), f"{found.num_nodes:,} entities"]
    told.append(count(found.triples.num_relations, "relation"))
    repeats = len(rows["train"]) - len(found.triples)
    told += [f"{count(repeats, 'repeat')} left out"] if repeats else []
    loops = int((found.triples.head == found.triples.tail).sum())
    told += [f"{loops:,} from an entity to itself"] if loops else []
    lines = [f"read {name} as triples: {head} -> {tail} by {relation} ({', '.join([*told, *table.notes])})"]
    record = {"file": name, "as": "triples", **columns._asdict(), "repeats": repeats, "self_loops": loops}
    record |= dict(zip(ROLES, columns, strict=True))
    record |= {"entities": found.num_nodes, "relations": found.triples.num_relations, "notes": [*table.notes]}
    files = {key: PurePath(parts[key].table.name).name for key in parts}
    record |= {key: len(each) for key, each in held.items() if each is not None}
    apart = [f"{files[key]} ({count(len(each), 'triple')})" for key, each in held.items() if each and key != "train"]
    lines += [f"held out: {' and '.join(apart)}"] if apart else []
    seen = np.zeros(found.num_nodes, dtype=bool)
    seen[found.triples.head], seen[found.triples.tail] = True, True
    if not seen.all():
        lines.append(f"entities without a triple in {name}: {_listed(entities[~seen])}")
    if len(strange):
        lost = sum(int((part[:, 1] < 0).sum()) for part in rows.values())
        lines.append(
            f"left out: {count(lost, 'held-out triple')} of relations that {name} does not have: {_listed(strange)}"
        )
    for key, each in held.items():
        again = 0 if each is None or key == "train" else count_shared(found.triples, each)
        lines += [f"{count(again, 'triple')} of {files[key]} also in {name}"] if again else []
    left = [str(each) for each in table.frame.columns if each not in columns]
    lines += [f"left out of {name}: {', '.join(map(table.called, left))}"] if left else []
    record |= {
        "unseen_entities": int((~seen).sum()),
        "unseen_relations": len(strange),
        "left_out": dict.fromkeys(left, ""),
    }
    return Reading(tuple(lines), {"triples": record})


def count_shared(first: Triples, second: Triples) -> int:
    """How many triples two sets of the same entities and relations share."""
    keys = [
        (each.head * each.num_relations + each.relation) * each.num_entities + each.tail for each in (first, second)
    ]
    return int(torch.isin(keys[1], keys[0]).sum())


def _listed(names: pd.Index) -> str:
    shown = ", ".join(map(str, names[:MOST_NAMED]))
    return shown if len(names) <= MOST_NAMED else f"{shown} and {len(names) - MOST_NAMED:,} more"


def check_some(triples: TripleSet) -> TripleSet:
    """The triples, if there are any."""
    if not len(triples.triples):
        raise wrong("data", "no triples", "at least one")
    return triples
