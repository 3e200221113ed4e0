"""METIS graphs, and adjacency and edge lists as networkx writes them."""

from __future__ import annotations

import ast
import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from genurl_graph.datasets.readers.formats.file_graph import FileGraph, as_column, frame_of
from genurl_graph.datasets.readers.formats.text import Lines, decoded, is_count
from genurl_graph.exceptions import InputError, wrong

_BRACES = re.compile(r"^(.*?)\s*(\{.*\})\s*$")


def read_metis(content: bytes, name: str) -> FileGraph:
    """Read METIS' ``.graph``: a header "nodes edges [flags [constraints]]", then one line of neighbours a node.

    The flags say by digits whether nodes have sizes (100), weights (10), and edges weights (1). Sizes and weights of
    nodes become attributes. Every edge stands in both of its nodes' lines and is counted once.
    """
    lines = Lines(decoded(content, name), name, "%", blank=True)
    while lines.text and not lines.text[0].strip():
        lines.text, lines.numbers = lines.text[1:], lines.numbers[1:]
    if not lines.text:
        raise InputError(f"{name}: the file is empty")
    head = lines.text[0].split()
    if not 2 <= len(head) <= 4 or not all(map(is_count, head)):
        raise wrong(lines.at(0), repr(lines.text[0][:60]), "the header of METIS: nodes, edges[, flags[, constraints]]")
    n, m = int(head[0]), int(head[1])
    flags = (head[2] if len(head) > 2 else "0").zfill(3)
    if len(flags) > 3 or not set(flags) <= {"0", "1"}:
        raise wrong(lines.at(0), f"flags {flags}", "three digits 0 or 1")
    sized, weighted, edge_weights = (digit == "1" for digit in flags)
    n_own = sized + (int(head[3]) if len(head) > 3 else 1) * weighted
    body = lines.text[1:]
    while len(body) > n and not body[-1].strip():
        body.pop()
    if len(body) != n:
        raise wrong(lines.at(0), f"{n} nodes, then {len(body)} lines", "a line for each node")
    counts = np.array([len(text.split()) for text in body], dtype=np.int64)
    try:
        numbers = np.array(" ".join(body).split(), dtype=np.float64)
    except ValueError as error:
        raise wrong(name, f"a word that is not a number ({error})", "numbers") from error
    node = np.repeat(np.arange(n), counts)
    place = np.arange(len(numbers)) - np.repeat(np.cumsum(counts) - counts, counts)
    short = (counts < n_own) | ((counts - n_own) % (1 + edge_weights) != 0)
    if short.any():
        row = int(short.argmax())
        raise wrong(lines.at(row + 1), f"{counts[row]} numbers", f"what the flags {flags} say")
    own = place < n_own
    names = (["size"] if sized else []) + [f"weight{i + 1}" for i in range(n_own - sized)]
    table = dict(zip(names, numbers[own].reshape(n, n_own).T, strict=True))
    source, rest = node[~own], numbers[~own]
    step = 1 + edge_weights
    target, source = rest[::step], source[::step]
    bad = (target < 1) | (target > n) | (target != np.floor(target))
    if bad.any():
        raise wrong(lines.at(int(source[bad][0]) + 1), f"neighbour {target[bad][0]:g}", f"1 to {n}")
    ends = target.astype(np.int64) - 1
    if len(ends) != 2 * m:
        raise wrong(lines.at(0), f"{m} edges, then {len(ends)} neighbours", f"{2 * m}: each edge in two lines")
    weights = {"weight": rest[1::2]} if edge_weights else {}
    return FileGraph(
        "METIS",
        source,
        ends,
        False,
        [*map(str, range(1, n + 1))],
        frame_of(table, n),
        frame_of(weights, len(ends)),
    )


def read_adjlist(content: bytes, name: str) -> FileGraph:
    """Read an adjacency list, "node neighbour neighbour ...", one line a node, as ``networkx.read_adjlist`` does."""
    text = _without_comments(decoded(content, name))
    rows = [line.split() for line in text.splitlines()]
    rows = [row for row in rows if row]
    if not rows:
        raise InputError(f"{name}: the file is empty")
    counts = np.array([len(row) for row in rows], dtype=np.int64)
    codes, ids = _coded([word for row in rows for word in row])
    first = np.cumsum(counts) - counts
    is_first = np.zeros(len(codes), dtype=bool)
    is_first[first] = True
    source = np.repeat(codes[first], counts)[~is_first]
    return listed("adjacency list", source, codes[~is_first], ids, {})


def read_edgelist(content: bytes, name: str) -> FileGraph:
    """Read an edge list whose lines end with a dictionary, ``a b {'weight': 3}``, as networkx writes them.

    The dictionaries are literals: no code in them is run.
    """
    lines = Lines(_without_comments(decoded(content, name)), name, "\0")
    if not lines.text:
        raise InputError(f"{name}: the file is empty")
    found = pd.Series(lines.text, dtype=object).str.extract(_BRACES)
    bad = found[0].isna().to_numpy()
    if bad.any():
        row = int(bad.argmax())
        raise wrong(lines.at(row), repr(lines.text[row][:60]), "two nodes and a dictionary, such as a b {'weight': 3}")
    pairs = [line.split() for line in found[0]]
    odd = next((row for row, pair in enumerate(pairs) if len(pair) != 2), None)
    if odd is not None:
        raise wrong(lines.at(odd), f"{len(pairs[odd])} nodes before the dictionary", "two")
    codes, distinct = pd.factorize(found[1])
    rows = [_literal(text, lines, int((codes == code).argmax())) for code, text in enumerate(distinct)]
    keys = dict.fromkeys(str(key) for row in rows for key in row)
    columns = {key: as_column([row.get(key) for row in rows])[codes] for key in keys}
    ends, ids = _coded([node for pair in pairs for node in pair])
    return listed("edge list", ends[::2], ends[1::2], ids, columns)


def listed(
    kind: str, source: npt.NDArray[np.int64], target: npt.NDArray[np.int64], ids: list[str], columns: dict[str, Any]
) -> FileGraph:
    """An undirected graph without node attributes."""
    nodes, edges = frame_of({}, len(ids)), frame_of(columns, len(source))
    return FileGraph(kind, source, target, False, ids, nodes, edges)


def _coded(words: list[str]) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Positions of nodes, and their ids: whole numbers ascending, names in order of appearance."""
    codes, ids = pd.factorize(np.array(words, dtype=object))
    if all(re.fullmatch(r"0|[1-9][0-9]{0,17}", word) for word in ids):
        order = np.argsort([int(word) for word in ids])
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        codes, ids = place[codes], ids[order]
    return codes.astype(np.int64), [*ids]


def _without_comments(text: str) -> str:
    """networkx's lists without the comments at their head; # begins a comment only before the first edge."""
    rows = text.splitlines()
    first = next(
        (row for row, line in enumerate(rows) if line.strip() and not line.lstrip().startswith("#")), len(rows)
    )
    return "\n".join([""] * first + rows[first:])


def _literal(text: str, lines: Lines, row: int) -> dict[Any, Any]:
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError) as error:
        raise wrong(lines.at(row), repr(text[:60]), "a dictionary of numbers and text") from error
    if not isinstance(found, dict):
        raise wrong(lines.at(row), repr(text[:60]), "a dictionary")
    return found
