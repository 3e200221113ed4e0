"""What the columns of an edge list are beside its two ends: one weight, the type of the edges, and what is left out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables import names
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import is_clock, is_missing, is_sorted_clock, kind_of, to_numbers

# Why columns are left out that the user has given a role.
SAID = {
    "time": "times",
    "key": "key of the edge",
    "id": "id of the edge",
    "label": "label of the edge",
    "graph": "names of the graphs",
    "feature": "edges have no features here",
    "ignore": "ignored",
}
PLAIN = {"id": "id of the edge", "key": "key of the edge", "label": "label of the edge", "timeset": "spans of time"}
DIRECTIONS = ("directed", "undirected", "mutual")
# Weights above this are asked about where no name tells what they are.
LARGE = 1e7


def find_edge_columns(
    table: Table, options: ReadOptions, ends: tuple[str, str]
) -> tuple[dict[str, str], dict[str, str], tuple[str, ...]]:
    """Find the weight and the type of the edges, and say why every other column is left out.

    Returns
    -------
    roles : dict
        Keys weight and type, if there are any.
    left_out : dict
        Reason by column.
    notes : tuple of str

    Raises
    ------
    InputError
        Several columns can be the weight, or a number without a name can be a weight or a time.
    """
    others = [name for name in table.frame.columns if name not in ends]
    roles: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for role, said in options.columns.items():
        for name in said:
            if name in ends and role not in ("source", "target", "id", "label", "feature", "ignore"):
                raise wrong(f"{table.name}: --column {role}={name}", "an end of the edges", "another column")
            if name in others and role in ("weight", "type"):
                roles[role] = name
            elif name in others and role in SAID:
                left_out[name] = SAID[role]
    free = [name for name in others if name not in left_out and name not in roles.values()]
    find = _by_name if table.header and not names.are_numbered([*map(str, table.frame.columns)]) else _by_values
    weights, notes = find(table, free, left_out, roles)
    if "weight" not in roles and weights:
        roles["weight"] = _choose(table, weights)
    if "weight" in roles:
        left_out.update({name: "another weight" for name in weights if name != roles["weight"]})
    elif weights:
        left_out.update(dict.fromkeys(weights, "numbers"))
    if "type" in roles:
        _check_type(table, roles, left_out)
    return roles, {name: left_out[name] for name in others if name in left_out}, notes


def _by_name(
    table: Table, free: list[str], left_out: dict[str, str], roles: dict[str, str]
) -> tuple[list[str], tuple[str, ...]]:
    """Columns that can be the weight; all others become the type or are left out."""
    weights = []
    for name in free:
        cells, words = table.frame[name], names.words(name)
        kind, rank = kind_of(cells), names.weight_rank(name)
        if kind == "empty":
            left_out[name] = "empty"
        elif rank == 0 or (rank == 1 and _is_mostly_numbers(cells) and not (names.is_time(name) and is_clock(cells))):
            weights.append(name)
        elif words == ("type",) and "type" not in roles and _is_direction(cells):
            roles["type"] = name
        else:
            left_out[name] = _reason(table, name, kind, words)
    return weights, ()


def _reason(table: Table, name: str, kind: str, words: tuple[str, ...]) -> str:
    if len(words) == 1 and words[0] in PLAIN:
        return PLAIN[words[0]]
    if names.is_time(name) or kind == "date":
        return "times"
    if kind in ("whole", "number"):
        if is_clock(table.frame[name]):
            return "times"
        return (
            "a distance, no weight"
            if names.is_distance(name)
            else f"numbers; --column weight={name} makes them weights"
        )
    return {"bool": "yes or no"}.get(kind, kind)


def _by_values(
    table: Table, free: list[str], left_out: dict[str, str], roles: dict[str, str]
) -> tuple[list[str], tuple[str, ...]]:
    """Columns without a header: small numbers are a weight, and what can be a time as well is refused."""
    numbers = []
    for name in free:
        kind = kind_of(table.frame[name])
        if kind in ("whole", "number") or (kind == "text" and _is_mostly_numbers(table.frame[name])):
            numbers.append(name)
        else:
            left_out[name] = "times" if kind == "date" else kind
    clocks = [name for name in numbers if _can_be_time(table.frame[name])]
    weights = [name for name in numbers if name not in clocks]
    if "weight" in roles:
        left_out.update(dict.fromkeys(weights, "numbers") | dict.fromkeys(clocks, "numbers"))
        return [], ()
    if clocks and not weights:
        raise wrong(
            f"{table.name}: {table.title(clocks[0])}",
            "numbers that may be times or weights",
            f"--column time={clocks[0]} or --column weight={clocks[0]}",
        )
    left_out.update(dict.fromkeys(clocks, "times"))
    return weights, ()


def _can_be_time(cells: pd.Series) -> bool:
    values = to_numbers(cells)
    return is_clock(cells) or is_sorted_clock(cells) or (bool(len(values)) and bool(np.nanmin(values) > LARGE))


def _choose(table: Table, weights: list[str]) -> str:
    """The weight by name; InputError if several columns are equally good."""
    for best in (
        weights,
        [name for name in weights if names.weight_rank(name) == 0],
        [name for name in weights if name.lower() in ("weight", "edge_weight")],
    ):
        if len(best) == 1:
            return best[0]
    listed = " and ".join(f"{name!r}" for name in weights) if table.header else " and ".join(weights)
    options = " or ".join(f"--column weight={name}" for name in weights)
    raise wrong(table.name, f"columns {listed}, any of which can be the weight", options)


def _is_mostly_numbers(cells: pd.Series) -> bool:
    values = to_numbers(cells)
    return bool(np.isfinite(values).mean() >= 0.5) if len(values) else False


def _is_direction(cells: pd.Series) -> bool:
    found = {str(cell).strip().lower() for cell in pd.unique(cells[~is_missing(cells)])}
    return bool(found) and found <= set(DIRECTIONS)


def _check_type(table: Table, roles: dict[str, str], left_out: dict[str, str]) -> None:
    """A type that the user names but that tells no direction is left out."""
    name = roles["type"]
    if not _is_direction(table.frame[name]):
        left_out[name] = "type of the edge"
        del roles["type"]
