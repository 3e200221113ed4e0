"""What a user says about an input, and what was read: options in, lines for the user out."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from genurl_graph.config.choices import ColumnRole, InputKind, ScaleName, TextName, words
from genurl_graph.exceptions import unknown, wrong

READINGS, ROLES = words(InputKind), words(ColumnRole)
SCALES, TEXTS = words(ScaleName), words(TextName)
DEFAULTS = (SCALES[0], TEXTS[0])
# Roles that several columns may have; every other has one.
SEVERAL = ("feature", "ignore")

# Role of a column to its name, or names.
Columns = Mapping[str, str | Sequence[str]] | None


@dataclass(frozen=True)
class ReadOptions:
    """What the user says about files or tables; None and no roles: found out, or refused where two readings fit.

    Attributes
    ----------
    reading : "edges", "vectors", "adjacency", "graph", "triples", "edge-rows" or None
        ``--as``.
    columns : mapping of role (one of `ROLES`) to names of columns
        ``--column ROLE=NAME[,NAME]``. A column without a header goes by its number, from 1.
    separator, decimal : str or None
        Of text tables. One character.
    directed : bool or None
        Whether the lines of an edge list have a direction.
    scale, text : str
        What becomes of feature columns: as ``input.scale`` and ``input.text`` of a configuration.

    Examples
    --------
    >>> ReadOptions.of("edges", {"weight": "count"}).columns
    {'weight': ('count',)}
    """

    reading: str | None = None
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    separator: str | None = None
    decimal: str | None = None
    directed: bool | None = None
    scale: str = "auto"
    text: str = "drop"

    @classmethod
    def of(
        cls,
        as_: str | None = None,
        columns: Columns = None,
        separator: str | None = None,
        decimal: str | None = None,
        directed: bool | None = None,
        scale: str = "auto",
        text: str = "drop",
    ) -> ReadOptions:
        """The options as a user gives them, checked; InputError for an unknown reading or role."""
        if as_ is not None and as_ not in READINGS:
            raise unknown("as", as_, READINGS)
        roles: dict[str, tuple[str, ...]] = {}
        for role, names in (columns or {}).items():
            if role not in ROLES:
                raise unknown("column", role, ROLES)
            several = isinstance(names, Sequence | Set) and not isinstance(names, str)
            roles[role] = tuple(map(str, names)) if several else (str(names),)
            if not roles[role] or (len(roles[role]) > 1 and role not in SEVERAL):
                raise wrong(f"column {role}", ", ".join(roles[role]) or "no name", "one column")
        for what, mark in (("separator", separator), ("decimal", decimal)):
            if mark is not None and len(mark) != 1:
                raise wrong(what, repr(mark), "one character")
        for what, word, known in (("scale", scale, SCALES), ("text", text, TEXTS)):
            if word not in known:
                raise unknown(what, word, known)
        return cls(as_, roles, separator, decimal, directed, scale, text)

    def given(self) -> dict[str, Any]:
        """Only what the user said, as `of` takes it; JSON."""
        words = {"as_": self.reading, "separator": self.separator, "decimal": self.decimal, "directed": self.directed}
        columns = {role: list(names) for role, names in self.columns.items()}
        words |= {name: value for name, value in (("scale", self.scale), ("text", self.text)) if value not in DEFAULTS}
        said = {name: value for name, value in words.items() if value is not None}
        return said | ({"columns": columns} if columns else {})

    def names(self, role: str) -> tuple[str, ...]:
        """Columns that the user gave this role."""
        return self.columns.get(role, ())


# What a user says who says nothing.
NOTHING_SAID = ReadOptions()


@dataclass(frozen=True)
class Reading:
    """What was read and as what, for the user's eyes and for the metrics file.

    Attributes
    ----------
    lines : tuple of str
        One fact each, such as ``read drugs.csv as edges: drug1 -> drug2 (6 lines, 5 distinct pairs, repeats summed)``.
    record : dict
        The same for a program; JSON.
    """

    lines: tuple[str, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)

    def __add__(self, other: Reading) -> Reading:
        return Reading(self.lines + other.lines, {**self.record, **other.record})


# Names of the marks between cells.
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "space": " ", "pipe": "|", "\\t": "\t"}


def parse_columns(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Columns by role, of ``ROLE=NAME[,NAME]``.

    Only roles of several columns are split at commas; quotes keep a name with a comma together, as in CSV.
    """
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        role, mark, names = word.partition("=")
        if role not in ROLES:
            raise unknown("--column", role, ROLES)
        if not mark or not names.strip():
            raise wrong("--column", repr(word), f"{role}=NAME")
        split = next(csv.reader([names], skipinitialspace=True)) if role in SEVERAL else [names]
        found[role] = (*found.get(role, ()), *(name.strip() for name in split if name.strip()))
    return found


def as_read_options(
    as_: str | None, column: Sequence[str], separator: str | None, decimal: str | None, directed: bool | None
) -> ReadOptions:
    """What the user says of the files on the command line; InputError where it means nothing."""
    mark = SEPARATORS.get(separator, separator) if separator else None
    if separator == "" or (mark and len(mark) != 1):
        known = ", ".join(name for name in SEPARATORS if name.isalpha())
        raise wrong("--separator", repr(separator), f"one character, or one of {known}")
    return ReadOptions.of(as_, parse_columns(column), mark, decimal, directed)
