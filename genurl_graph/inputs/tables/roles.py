"""Whether a table holds edges or vectors, and what each of its columns is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables import names
from genurl_graph.inputs.tables.edge_columns import find_edge_columns
from genurl_graph.inputs.tables.names import Pair
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import OVERLAP, can_be_points, is_clock, is_whole_number, kind_of, overlap

BOTH = "--as edges or --as vectors, or --column source=... and --column target=..."
# Wider tables are not looked at for columns that name the same nodes.
MOST_COLUMNS = 12
# Columns beside two kinds of things that can be the edges' own: in wider tables they describe a thing.
MOST_BESIDE = 3


@dataclass(frozen=True)
class Roles:
    """What a table is, and what each of its columns is.

    Attributes
    ----------
    reading : "edges" or "vectors"
    columns : mapping of role to column
        Of edges: source, target, and weight and type if there are any. The roles of vectors are found by
        `genurl_graph.inputs.tables.nodes.read_nodes`.
    left_out : mapping of column to reason
        Of edges: every other column.
    two_kinds : bool or None
        Whether source and target are two kinds of nodes by their names; None: the names do not tell.
    notes : tuple of str
        What the user has to know beside these.
    """

    reading: str
    columns: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    two_kinds: bool | None = None
    notes: tuple[str, ...] = ()


def decide(table: Table, options: ReadOptions, ids_known: pd.Index | None = None) -> Roles:
    """Decide what a table is: what the user says wins, then names of columns, then their values.

    Parameters
    ----------
    table : Table
    options : ReadOptions
        Columns that this table does not have are left alone: they are of another table.
    ids_known : Index, optional
        Nodes that another table names, or `RangeIndex` where it has rows without names.

    Returns
    -------
    Roles

    Raises
    ------
    InputError
        Where two readings are possible; the message names the option that decides.

    Examples
    --------
    >>> table = Table("drugs.csv", pd.DataFrame({"drug1": [11, 11, 204], "drug2": [204, 87, 87]}))
    >>> decide(table, ReadOptions()).columns
    {'source': 'drug1', 'target': 'drug2'}
    """
    columns = [*map(str, table.frame.columns)]
    given = {role: [name for name in options.names(role) if name in columns] for role in options.columns}
    ends = {role: given[role][0] for role in ("source", "target") if given.get(role)}
    if options.reading == "vectors":
        if ends:
            raise wrong(f"{table.name}: --column {next(iter(ends))}", "--as vectors", "--as edges, or neither")
        return Roles("vectors")
    if options.reading == "adjacency":
        return Roles("vectors")
    if options.reading is None and given.get("feature") and not ends:
        return Roles("vectors")  # edges have no features here
    free = [name for name in columns if not any(name in found for role, found in given.items() if role not in ends)]
    of_edges = ("weight", "type", "key") if table.header else ("weight", "type", "key", "time")
    if ends or options.reading in ("edges", "graph") or any(given.get(role) for role in of_edges):
        pair = _complete(table, ends, free)
    else:
        found = _find_pair(table, free, ids_known)
        if found is None:
            _refuse_graphs(table, free)
            return Roles("vectors")
        pair = found
    return _edges(table, options, pair)


def find_ends(table: Table, options: ReadOptions) -> Pair:
    """The two ends of a table that is known to hold edges, whatever its other columns are.

    Where neither the user nor names tell them, they are the first two columns, if these name the same nodes.

    Raises
    ------
    InputError
        Where nothing tells which columns these are, or one is empty.
    """
    columns = [*map(str, table.frame.columns)]
    said = {name for role, named in options.columns.items() if role in ("label", "ignore") for name in named}
    ends = {role: name for role in ("source", "target") for name in options.names(role) if name in columns}
    free = [name for name in columns if name not in said]
    named = table.header and names.find_pair(free) is not None
    if len(ends) < 2 and not named and len(columns) > 2:
        first = [*ends.values(), *(name for name in free if name not in ends.values())][:2]
        if len(first) < 2 or overlap(*(table.frame[name] for name in first)) < OVERLAP:
            listed = ", ".join(map(table.called, columns[:MOST_COLUMNS]))
            raise wrong(table.name, f"no columns that must be the ends ({listed})", BOTH.partition(", or ")[2])
    return _filled(table, _complete(table, ends, free))


def _filled(table: Table, pair: Pair) -> Pair:
    for column in (pair.source, pair.target):
        if kind_of(table.frame[column]) == "empty" and not _is_node(table.frame[column]):
            raise wrong(f"{table.name}: {table.title(column)}", "no cell with a value", "ids of nodes")
    return pair


def _edges(table: Table, options: ReadOptions, pair: Pair) -> Roles:
    _filled(table, pair)
    roles, left_out, notes = find_edge_columns(table, options, (pair.source, pair.target))
    said = {name for names_of_role in options.columns.values() for name in names_of_role}
    if not options.names("graph"):
        _refuse_graphs(table, [pair.source, pair.target, *(name for name in left_out if name not in said)])
    two_kinds = pair.two_kinds if pair.two_kinds or pair.strong else None
    return Roles("edges", {"source": pair.source, "target": pair.target, **roles}, left_out, two_kinds, notes)


def _refuse_graphs(table: Table, free: list[str]) -> None:
    """Refuse a table of edges with a column that seems to name the graph of each: one graph, or many."""
    named = [name for name in free if table.header and names.is_graph(name)]
    if len(named) != 1 or names.find_pair([name for name in free if name != named[0]]) is None:
        return
    column = table.frame[named[0]]
    if 1 < column.nunique() < len(column):
        found = f"edges beside the column {named[0]!r}, which may name the graph of each"
        expected = f"--column graph={named[0]} (an embedding of graphs) or --column ignore={named[0]} (one graph)"
        raise wrong(table.name, found, expected)


def _complete(table: Table, ends: Mapping[str, str], free: list[str]) -> Pair:
    """The ends that the user names, and the rest by names or position."""
    if len(ends) == 2:
        if ends["source"] == ends["target"]:
            raise wrong(f"{table.name}: source and target", f"both column {ends['source']!r}", "two columns")
        kinds = names.find_pair([ends["source"], ends["target"]])
        named = kinds is not None and kinds.strong
        return Pair(ends["source"], ends["target"], named, named and kinds is not None and kinds.two_kinds)
    pair = names.find_pair(free) if table.header else None
    if pair is not None and all(getattr(pair, role) == name for role, name in ends.items()):
        return pair
    others = [name for name in free if name not in ends.values()]
    if len(others) < 2 - len(ends) or (len(ends) == 1 and len(others) > 1):
        absent = next(role for role in ("source", "target") if role not in ends)
        listed = ", ".join(map(repr, others)) or "no other"
        raise wrong(table.name, f"the columns {listed}", f"--column {absent}=NAME as well")
    first = [ends.get("source") or others.pop(0), ends.get("target") or others.pop(0)]
    return Pair(first[0], first[1], False)


def _find_pair(table: Table, free: list[str], ids_known: pd.Index | None) -> Pair | None:
    """The ends of edges by names and values; None for vectors."""
    if not table.header and _is_log(table, free):
        return Pair(free[0], free[1], False)
    pair = names.find_pair(free) if table.header else None
    if pair is not None:
        ends = (pair.source, pair.target)
        if not all(_is_node(table.frame[end]) for end in ends):
            # Coordinates may be called u and v; a source of 0.5 is a fault.
            named = pair.strong and min(map(len, ends)) > 1 and len(free) <= 3
            return pair if named and any(kind_of(table.frame[end]) == "number" for end in ends) else None
        if pair.strong and not (pair.two_kinds and _is_description(table, free, pair)):
            return pair
        if pair.two_kinds:
            return _check_kinds(table, free, pair)
    if pair is None and table.header and len(free) == 2 and names.is_id(free[0]) and names.is_label(free[1]):
        return None
    if pair is None and table.header and sum(names.is_measure(name) for name in free) >= max(1, len(free) - 1):
        return None
    return _by_values(table, free, pair, ids_known)


def _is_log(table: Table, free: list[str]) -> bool:
    """Whether a table without a header is one of source, target and seconds since 1970."""
    frame = table.frame
    if len(free) not in (3, 4) or not all(_is_node(frame[name]) for name in free[:2]):
        return False
    return any(_is_clock(frame[name]) for name in free[2:]) and not any(_is_clock(frame[name]) for name in free[:2])


def _is_clock(cells: pd.Series) -> bool:
    kind = kind_of(cells)
    return kind == "date" or (kind in ("whole", "number") and is_clock(cells))


def _is_node(cells: pd.Series) -> bool:
    """Whether all cells can be ids; whole numbers may stand as floats, as pandas writes them beside gaps."""
    kind = kind_of(cells)
    if kind == "empty":  # nodes may be called None or NA
        return not pd.api.types.is_numeric_dtype(cells.dtype) and bool((cells.notna() & (cells != "")).any())
    return kind in ("whole", "text") or (kind == "number" and is_whole_number(cells))


def _is_description(table: Table, free: list[str], pair: Pair) -> bool:
    """Whether two columns can be a thing and its property, such as city and country."""
    plain = len(free) == 2 and not any(map(names.is_id, free))
    source, target = table.frame[pair.source], table.frame[pair.target]
    return plain and source.is_unique and target.nunique() * 2 <= len(target)


def _check_kinds(table: Table, free: list[str], pair: Pair) -> Pair | None:
    """Two kinds of things beside other columns: a row of a node table names its node once."""
    others = [name for name in free if name not in (pair.source, pair.target)]
    told = [name for name in others if names.weight_rank(name) is not None or names.is_time(name)]
    source, target = table.frame[pair.source], table.frame[pair.target]
    if len(others) > len(told) and source.is_unique:
        return None
    ids = [name for name in others if names.is_id(name)]
    if len(others) > len({*told, *ids}) and any(table.frame[name].is_unique for name in ids):
        return None
    repeated = not source.is_unique and not target.is_unique and len(others) <= MOST_BESIDE
    one_each = source.is_unique and target.nunique() * 2 <= len(target)
    if repeated or (len(others) == len(told) and not one_each):
        return pair
    shown = f"columns {pair.source} and {pair.target}" + (f" beside {len(others)} others" if others else "")
    raise wrong(table.name, f"{shown}: edges between them, or rows that describe one of them", BOTH)


def _by_values(table: Table, free: list[str], pair: Pair | None, ids_known: pd.Index | None) -> Pair | None:
    frame = table.frame
    if not free or len(free) > MOST_COLUMNS:
        return None
    kinds = {name: kind_of(frame[name]) for name in free}
    nodes = [name for name in free if kinds[name] in ("whole", "text")]
    if len(nodes) < 2 or (len(free) > 3 and not _is_long(table, nodes)):
        return None
    if pair is not None:
        ends = (pair.source, pair.target)
    elif len(nodes) == len(free) == 2:
        ends = (nodes[0], nodes[1])
    else:
        found = _best_ends(table, free, nodes)
        if found is None:
            return None
        ends = found
    return _weigh(table, free, kinds, Pair(*ends, strong=False), ids_known)


def _is_long(table: Table, nodes: list[str]) -> bool:
    """Whether a table of four or more columns can be a list of edges: the first two, or names, mean the same nodes."""
    frame = table.frame
    if any(kind_of(frame[name]) == "text" for name in nodes):
        return True
    return (
        not table.header and [*frame.columns[:2]] == nodes[:2] and overlap(frame[nodes[0]], frame[nodes[1]]) > OVERLAP
    )


def _best_ends(table: Table, free: list[str], nodes: list[str]) -> tuple[str, str] | None:
    """Of three columns or more: the two that mean the same nodes; without a header the first two are as good."""
    frame = table.frame
    share = {
        (one, other): overlap(frame[one], frame[other])
        for place, one in enumerate(nodes)
        for other in nodes[place + 1 :]
        if kind_of(frame[one]) == kind_of(frame[other])
    }
    best = max(share, key=lambda ends: share[ends], default=None)
    first = (free[0], free[1])
    if best is None or share[best] < OVERLAP:
        if not table.header and len(free) == 3 and set(first) <= set(nodes):
            return first
        return None
    if not table.header and share.get(first, 0.0) >= OVERLAP:
        return first
    if not table.header and kind_of(frame[best[0]]) == "whole":
        option = f"--column source={best[0]} --column target={best[1]}"
        raise wrong(table.name, f"columns {best[0]} and {best[1]} with the same numbers", f"{option}, or --as vectors")
    return best


def _weigh(
    table: Table, free: list[str], kinds: Mapping[str, str], pair: Pair, ids_known: pd.Index | None
) -> Pair | None:
    """The pair, if only edges are possible; None if only vectors are; else refused."""
    source, target = table.frame[pair.source], table.frame[pair.target]
    same = overlap(source, target)
    text = "text" in (kinds[pair.source], kinds[pair.target])
    if ids_known is not None and same < OVERLAP:
        inside = all(_inside(cells, ids_known) for cells in (source, target))
        if inside != (len(source) == len(ids_known)):
            return pair if inside else None
    # One row for each name or number, and few values beside it: a column of a table of nodes.
    described = source.is_unique and (target.nunique() * 2 <= len(target) or (text and len(free) > 2))
    if text:
        if same >= OVERLAP and not table.header:
            return pair
        if len(free) <= 3 and not described and (len(free) == 2 or same >= OVERLAP or not table.header):
            return pair
        if same < OVERLAP and (len(free) > 2 or table.header):
            return None
        raise wrong(table.name, f"columns {pair.source} and {pair.target} of names: edges, or rows of nodes", BOTH)
    if table.header and len(free) > 2 and not _is_weighted(free, pair):
        return None  # three measurements are as likely
    if same >= OVERLAP and not described and not can_be_points(source, target):
        return pair
    if any(kinds[name] == "number" for name in free if name not in (pair.source, pair.target)) and same < OVERLAP:
        return None
    which = f"columns {pair.source} and {pair.target} of whole numbers: edges, or vectors such as points"
    raise wrong(table.name, which, BOTH)


def _is_weighted(free: list[str], pair: Pair) -> bool:
    """Whether a column beside the two is a weight by its name, or the names only count the columns."""
    others = [name for name in free if name not in (pair.source, pair.target)]
    return any(names.weight_rank(name) == 0 for name in others) or (names.are_numbered(free) and len(free) == 3)


def _inside(cells: pd.Series, ids: pd.Index) -> bool:
    found = pd.Index(cells.unique())
    if found.dtype != ids.dtype and "object" in (str(found.dtype), str(ids.dtype)):
        found, ids = (pd.Index([*map(str, each)], dtype=object) for each in (found, ids))
    return bool(found.isin(ids).all())
