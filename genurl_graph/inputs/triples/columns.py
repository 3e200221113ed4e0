"""Which columns of a table hold head, relation and tail: what the user says, then names, then values."""

from __future__ import annotations

from typing import NamedTuple

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables import names
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import OVERLAP, kind_of, overlap

# What a user calls the three, and the option of each.
ROLES = ("source", "type", "target")
# Names of the two ends, whose first letters are read as well where a relation stands beside them.
ENDS = (("head", "tail"), ("h", "t"), ("subject", "object"), ("s", "o"), ("subj", "obj"), ("sub", "obj"))
RELATIONS = frozenset(("relation", "relationship", "rel", "predicate", "pred", "property", "interaction"))
RELATIONS |= {"r", "p", "type", "edge", "link", "verb"}
# Words, as relations are, that many triples share: a column with more distinct values a line is no relation.
MOST_DISTINCT = 0.5
# Fewer lines tell nothing of how often words recur.
FEW_LINES = 20
# Of more lines some are compared.
MOST_LINES = 100_000
SAID = "--column source=... --column type=... --column target=..."


class TripleColumns(NamedTuple):
    """Names of the columns of a table."""

    head: str
    relation: str
    tail: str


def find_triple_columns(table: Table, options: ReadOptions) -> TripleColumns:
    """The columns of head, relation and tail.

    Parameters
    ----------
    table : Table
    options : ReadOptions
        Roles source, type and target, of which all, some or none are given.

    Raises
    ------
    InputError
        Fewer than three columns, or an order of the three that the values contradict.

    Examples
    --------
    >>> import pandas as pd
    >>> table = Table("facts", pd.DataFrame({"subject": ["a"], "predicate": ["likes"], "object": ["b"]}))
    >>> find_triple_columns(table, ReadOptions()).relation
    'predicate'
    """
    columns = [*map(str, table.frame.columns)]
    given = {role: table.find(options.names(role)[0]) for role in ROLES if options.names(role)}
    if len({*given.values()}) < len(given):
        raise wrong(table.name, "one column for two of head, relation and tail", SAID)
    other = {name for role, held in options.columns.items() if role not in ROLES for name in held}
    free = [name for name in columns if name not in other]
    if len(free) < 3:
        raise wrong(table.name, f"{len(free)} columns", f"three: head, relation and tail ({SAID})")
    if len(given) == 3:
        return TripleColumns(given["source"], given["type"], given["target"])
    if table.header:
        named = find_named(free, given)
        if named is not None:
            return named
    found = _by_position(table, free, given)
    if len(given) < 2:
        _check_order(table, found)
    return found


def find_named(columns: list[str], given: dict[str, str] | None = None) -> TripleColumns | None:
    """The three columns by their names, with what is given; None where they do not tell.

    Examples
    --------
    >>> find_named(["h", "r", "t"]), find_named(["a", "b", "c"])
    (TripleColumns(head='h', relation='r', tail='t'), None)
    """
    given = given or {}
    free = [name for name in columns if name not in given.values()]
    told = {name: names.words(name) for name in free}
    relation = given.get("type") or next((name for name in free if RELATIONS.intersection(told[name])), None)
    if relation is None:
        return None
    ends = [name for name in free if name != relation]
    pair = next((pair for pair in ENDS if all(_has(ends, end) for end in pair)), None)
    head = given.get("source") or (pair and _has(ends, pair[0]))
    tail = given.get("target") or (pair and _has(ends, pair[1]))
    if not (head and tail):
        by_name = names.find_pair([each for each in (*given.values(), *ends) if each != relation])
        head, tail = (head or by_name.source, tail or by_name.target) if by_name is not None else (head, tail)
    if not (head and tail) or len({head, relation, tail}) < 3:
        return None
    return TripleColumns(head, relation, tail)


def is_triple_header(cells: list[str]) -> bool:
    """Whether a row holds names of head, relation and tail, and no triple."""
    return len({*cells}) == len(cells) and find_named(cells) is not None


def holds_triples(table: Table) -> bool:
    """Whether three columns of text are triples by all appearances: outer columns share names, the middle few words.

    Of a header alone its names tell.
    """
    columns = [*map(str, table.frame.columns)]
    if len(columns) != 3 or any(kind_of(table.frame[name]) != "text" for name in columns):
        return False
    if table.header:
        return find_named(columns) is not None
    head, relation, tail = (table.frame[name] for name in columns)
    few = relation.nunique() <= MOST_DISTINCT * len(relation) and relation.nunique() < min(
        head.nunique(), tail.nunique()
    )
    return few and overlap(head, tail) >= OVERLAP > max(overlap(head, relation), overlap(relation, tail))


def _has(columns: list[str], word: str) -> str | None:
    """The only column with a name that has this word."""
    found = [name for name in columns if word in names.words(name)]
    return found[0] if len(found) == 1 else None


def _by_position(table: Table, free: list[str], given: dict[str, str]) -> TripleColumns:
    """Three columns in the order head, relation, tail; what is given stands where it stands."""
    rest = iter(name for name in free if name not in given.values())
    head, relation, tail = (given.get(role) or next(rest, "") for role in ROLES)
    if len(free) > 3 and table.header:
        expected = f"head, relation and tail by their names ({SAID})"
        raise wrong(table.name, f"the columns {', '.join(free)}", expected)
    return TripleColumns(head, relation, tail)


def _check_order(table: Table, found: TripleColumns) -> None:
    """Refuse an order that the values contradict: the relation's column shares names with an end, or names most."""
    # Lines of a large table, evenly: they may be sorted.
    frame = table.frame.iloc[:: 1 + len(table.frame) // MOST_LINES]
    outer = overlap(frame[found.head], frame[found.tail])
    # Numbers of relations are numbers of entities as well: only names tell.
    named = kind_of(frame[found.relation]) == "text"
    inner = {name: overlap(frame[name], frame[found.relation]) for name in (found.head, found.tail) if named}
    clash = [name for name, share in inner.items() if share >= OVERLAP and share > outer]
    if not clash and (outer < OVERLAP or not named) and len(frame) >= FEW_LINES:
        # Heads and tails of two kinds share nothing; relations are words that recur.
        distinct = [frame[name].nunique() for name in found]
        few = distinct[2] * 2 <= min(distinct[:2]) and distinct[2] * 2 <= len(frame)
        clash = [found.head] if few and (not named or distinct[1] > distinct[0]) else []
    if not clash:
        return
    other = found.tail if clash[0] == found.head else found.head
    ends = sorted((clash[0], found.relation), key=[*frame.columns].index)
    option = " ".join(f"--column {role}={name}" for role, name in zip(ROLES, (ends[0], other, ends[1]), strict=True))
    raise wrong(
        table.name, f"entities in {' and '.join(map(table.called, ends))}", f"{option} if {other} is the relation"
    )
