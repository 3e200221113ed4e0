"""Edges of a table: repeated pairs are summed, and an undirected list comes out in both directions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.tables.node_index import NodeIndex, as_names
from genurl_graph.inputs.tables.roles import Roles
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import as_ids, is_missing, is_number, to_numbers
from genurl_graph.inputs.validation import check_weights


@dataclass(frozen=True)
class EdgeTable:
    """A table of edges, of which the nodes are found but not yet numbered for good.

    Attributes
    ----------
    table, roles
    ids : Index
        The distinct nodes: numbers ascending, names in order of appearance.
    ends : int64 array, shape [lines, 2]
        Positions in `ids`.
    weight : float64 array, shape [lines], or None
    directed : bool
    renamed : bool
        Whether the two kinds of nodes share names, so that their column stands before these.
    """

    table: Table
    roles: Roles
    ids: pd.Index
    ends: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64] | None
    directed: bool
    renamed: bool = False


def read_edges(table: Table, roles: Roles, options: ReadOptions) -> EdgeTable:
    """Read the ends and weights of a table of edges.

    Raises
    ------
    InputError
        For an end without an id, a weight that is missing, no number or negative, or a mixture of directions.
    """
    columns = [roles.columns["source"], roles.columns["target"]]
    ids = as_ids(table, columns)
    renamed = False
    if roles.two_kinds and bool(ids[0].isin(ids[1]).any()):
        ids, renamed = [_prefixed(each, column) for each, column in zip(ids, columns, strict=True)], True
    # Source and target of each line in turn, so that names keep the order in which they appear.
    ends, found = pd.factorize(np.stack([*map(np.asarray, ids)], axis=1).ravel(), sort=ids[0].dtype != object)
    nodes = pd.Index(found, dtype=ids[0].dtype)
    weight = read_weights(table, roles.columns["weight"]) if "weight" in roles.columns else None
    directed = direction_of(table, roles, options)
    if options.reading is None and not {"time", "graph"} & options.columns.keys():
        # Nothing else was asked for: times would make another task of it.
        hint = {name: f"times; --column time={name} makes events of the lines" for name in roles.left_out}
        roles = replace(roles, left_out={n: hint[n] if why == "times" else why for n, why in roles.left_out.items()})
    return EdgeTable(table, roles, nodes, ends.reshape(-1, 2), weight, directed, renamed)


def place_edges(edges: EdgeTable, nodes: NodeIndex) -> tuple[Tensor, Tensor | None, Reading]:
    """Number the ends by `nodes` and sum repeated pairs.

    Returns
    -------
    edge_index : Tensor, int64, shape [2, E]
        Sorted, each ordered pair once; of an undirected list both directions.
    edge_weight : Tensor, float32, shape [E], or None
        Sums; None if there is no weight and no pair is repeated.
    reading : Reading

    Raises
    ------
    InputError
        For an end that is none of the nodes, with its line.
    """
    ends = nodes.find(edges.ids)[edges.ends]
    if (ends < 0).any():
        raise _missing_end(edges, ends, nodes)
    n = max(len(nodes), 1)
    weight = np.ones(len(ends)) if edges.weight is None else edges.weight
    keys, totals = _sum(ends[:, 0] * n + ends[:, 1], weight)
    arcs, both, turned = len(keys), False, 0
    if not edges.directed:
        keys, totals, both = _in_both_directions(keys, totals, n)
    source, target = np.divmod(keys, n)
    loops = int((source == target).sum())
    pairs = len(keys) if edges.directed else (len(keys) + loops) // 2
    if not (edges.directed or both):
        turned = arcs - pairs  # pairs that are there in both directions
    repeats = len(ends) > (arcs if both else pairs)
    weights = None
    if edges.weight is not None or repeats:
        weights = check_weights(totals, len(totals), f"{edges.table.name}: summed weights")
    facts = {"lines": len(ends), "pairs": pairs, "repeats_summed": repeats, "both_directions": both, "turned": turned}
    index = torch.from_numpy(np.stack([source, target]))
    return index, weights, _reading(edges, facts | {"self_loops": loops})


def _in_both_directions(
    keys: npt.NDArray[np.int64], totals: npt.NDArray[np.float64], n: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], bool]:
    """Undirected edges of ordered pairs, and whether these were each edge in both directions already."""
    source, target = np.divmod(keys, n)
    if _is_symmetric(source, target, totals, n):
        return keys, totals, True
    keys, totals = _sum(np.minimum(source, target) * n + np.maximum(source, target), totals)
    source, target = np.divmod(keys, n)
    between = source != target
    keys = np.concatenate([keys, target[between] * n + source[between]])
    order = np.argsort(keys, kind="stable")
    return keys[order], np.concatenate([totals, totals[between]])[order], False


def _sum(
    keys: npt.NDArray[np.int64], weight: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    distinct, place = np.unique(keys, return_inverse=True)
    return distinct, np.bincount(place, weights=weight, minlength=len(distinct)).astype(np.float64)


def _is_symmetric(
    source: npt.NDArray[np.int64], target: npt.NDArray[np.int64], totals: npt.NDArray[np.float64], n: int
) -> bool:
    """Whether every pair (sorted, each once) stands in both directions with equal totals."""
    between = source != target
    source, target, totals = source[between], target[between], totals[between]
    order = np.argsort(target * n + source)
    same = np.array_equal(source, target[order]) and np.array_equal(target, source[order])
    return len(source) > 0 and same and bool(np.allclose(totals, totals[order], rtol=1e-6, atol=0))


def read_weights(table: Table, column: str) -> npt.NDArray[np.float64]:
    """Weights of the lines, finite and >= 0; InputError names the line of the first that is not."""
    cells = table.frame[column]
    values = to_numbers(cells)
    with np.errstate(over="ignore"):
        bad = ~np.isfinite(values.astype(np.float32))
    where = f"{table.name}: {table.title(column)}"
    if bad.any():
        row = int(bad.argmax())
        place = f"{table.name}: {table.where(row)}, {table.title(column)}"
        cell = str(cells.iloc[row])
        number = is_number(cell) and not is_missing(cells.iloc[[row]])[0]
        found = cell if number else "an empty cell" if cell in ("", "nan", "NaT", "None", "<NA>") else repr(cell)
        raise wrong(place, found, f"a finite weight (--column ignore={column} reads the edges without weights)")
    if (values < 0).any():
        below, row = int((values < 0).sum()), int((values < 0).argmax())
        remedy = f"weights >= 0: drop these lines, shift the weights, or --column ignore={column} for edges without any"
        raise wrong(
            where, f"{count(below, 'negative weight')}, the first ({values[row]:g}) of {table.where(row)}", remedy
        )
    return values


def direction_of(table: Table, roles: Roles, options: ReadOptions) -> bool:
    """Whether the lines have a direction: as the user says, else by their column of types, else they have none."""
    if options.directed is not None:
        return options.directed
    if "type" not in roles.columns:
        return False
    column = roles.columns["type"]
    found = {str(cell).strip().lower() for cell in pd.unique(table.frame[column])} - {""}
    directed = "directed" in found
    if directed and len(found) > 1:
        found_both = "directed and undirected edges in one list"
        raise wrong(f"{table.name}: {table.title(column)}", found_both, "--directed or --undirected for all of them")
    return directed


def _prefixed(ids: pd.Index, column: str) -> pd.Index:
    codes, distinct = pd.factorize(ids)
    return pd.Index(np.array([f"{column}:{name}" for name in distinct], dtype=object)[codes], dtype=object)


def count(number: int, what: str) -> str:
    """A number and what it counts: "1 line", "1,204 lines"."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _missing_end(edges: EdgeTable, ends: npt.NDArray[np.int64], nodes: NodeIndex) -> Exception:
    row = int((ends < 0).any(axis=1).argmax())
    side = 0 if ends[row, 0] < 0 else 1
    names = as_names(edges.ids[edges.ends[row]])
    found = f"edge {names[0]} -> {names[1]}, whose node {names[side]!r} is missing"
    return wrong(f"{edges.table.name}: {edges.table.where(row)}", found, f"one of {nodes.where}")


def _reading(edges: EdgeTable, facts: dict[str, Any]) -> Reading:
    """One line of what was read as what, and one of what is left out."""
    table, roles = edges.table, edges.roles
    name = PurePath(table.name).name or table.name
    source, target = (table.called(roles.columns[end]) for end in ("source", "target"))
    told = [count(facts["lines"], "line"), count(facts["pairs"], "distinct pair")]
    if facts["both_directions"]:
        told.append("each in both directions")
    if facts["turned"]:
        told.append(f"{facts['turned']:,} of them in both directions, which count as one")
    if facts["repeats_summed"]:
        told.append("repeats summed")
    if edges.directed or "type" in roles.columns:
        by = f" by {table.called(roles.columns['type'])}" if "type" in roles.columns else ""
        told.append(("directed" if edges.directed else "undirected") + by)
    if facts["self_loops"]:
        told.append(count(facts["self_loops"], "self loop"))
    weight = roles.columns.get("weight")
    shown = f", weight {table.called(weight)}" if weight else ""
    zeros = 0 if edges.weight is None else int((edges.weight == 0).sum())
    if zeros:
        told.append(f"{count(zeros, 'weight')} of 0")
    lines = [f"read {name} as edges: {source} -> {target}{shown} ({', '.join([*told, *table.notes])})"]
    if roles.two_kinds:
        counts = [len(np.unique(edges.ends[:, side])) for side in (0, 1)]
        kinds = f"{source} and {target} are two kinds of nodes: {counts[0]:,} and {counts[1]:,}"
        called = f"{edges.ids[edges.ends[0, 0]]}, {edges.ids[edges.ends[0, 1]]}" if edges.renamed else ""
        lines.append(kinds + (f"; they share names and are called such as {called}" if called else ""))
    if roles.left_out:
        lines.append("left out: " + ", ".join(f"{table.called(c)} ({why})" for c, why in roles.left_out.items()))
    record = {
        "file": name,
        "as": "edges",
        **roles.columns,
        **facts,
        "directed": edges.directed,
        "two_kinds": bool(roles.two_kinds),
        "notes": [*table.notes],
        "left_out": dict(roles.left_out),
    }
    return Reading((*lines, *roles.notes), {"edges": record})
