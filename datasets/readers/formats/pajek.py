"""Pajek's .net and .paj: vertices, arcs, edges, lists of either, matrices; edges are read by pandas."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from genurl_graph.datasets.readers.formats.file_graph import FileGraph, as_column, frame_of
from genurl_graph.datasets.readers.formats.text import Lines, decoded, is_count, number_block, words_block
from genurl_graph.exceptions import InputError, wrong

# How a vertex is drawn: a name, then a value.
_DRAWN = {"ic", "bc", "bw", "x_fact", "y_fact", "phi", "r", "q", "font", "fos", "lc", "la", "lr", "lphi", "shape"}


@dataclass
class _Parts:
    """What was found so far: vertices, and the ends and weights of arcs and edges, numbered from 1."""

    n: int = -1
    first_mode: int = 0
    ids: list[str] = field(default_factory=list)
    columns: dict[str, list[Any]] = field(default_factory=dict)
    layout: dict[str, None] = field(default_factory=dict)
    arcs: list[npt.NDArray[np.float64]] = field(default_factory=list)
    edges: list[npt.NDArray[np.float64]] = field(default_factory=list)
    weighted: bool = False
    relations: int = 0
    partition: str = ""


def read_pajek(content: bytes, name: str) -> FileGraph:
    """Read a Pajek network.

    Vertices are named by their labels where all differ, else by their numbers. A file of arcs is directed, one of edges
    is not; with both, each edge stands for two arcs. ``*Partition`` of a project file becomes the node attribute of
    that name.

    Raises
    ------
    InputError
        No ``*Vertices``, several networks, or the line of the first fault.
    """
    parts, lines = _Parts(), Lines(decoded(content, name), name, "%")
    starts = [row for row, text in enumerate(lines.text) if text.startswith("*")]
    if not starts or starts[0] > 0:
        if not lines.text:
            raise InputError(f"{name}: the file is empty")
        raise wrong(lines.at(0), repr(lines.text[0][:40]), "a line that begins with *, such as *Vertices")
    for start, stop in zip(starts, [*starts[1:], len(lines.text)], strict=True):
        _section(parts, lines, start, stop)
    if parts.n < 0:
        raise wrong(name, "no *Vertices", "one")
    return _graph(parts, name)


def _section(parts: _Parts, lines: Lines, start: int, stop: int) -> None:
    head = lines.text[start].split(None, 1)
    word, rest = head[0].lower(), head[1].strip() if len(head) > 1 else ""
    if word in ("*network", "*vector", "*permutation", "*cluster"):
        parts.partition = "" if word == "*network" else "-"
    elif word == "*partition":
        parts.partition = rest or "partition"
    elif word == "*vertices":
        _vertices(parts, lines, rest, start, stop)
    elif parts.n < 0:
        raise wrong(lines.at(start), head[0], "*Vertices before it")
    elif word in ("*arcs", "*edges"):
        found = number_block(lines, start + 1, stop, 3, "two vertices and a weight")
        parts.weighted |= bool(np.isfinite(found[:, 2]).any())
        parts.relations += rest.startswith(":")
        _check(parts, lines, start + 1, found)
        (parts.arcs if word == "*arcs" else parts.edges).append(found)
    elif word in ("*arcslist", "*edgeslist"):
        pairs = words_block(lines, start + 1, stop)
        found = np.column_stack([pairs, np.full(len(pairs), np.nan)])
        _check(parts, lines, start + 1, found)
        (parts.arcs if word == "*arcslist" else parts.edges).append(found)
    elif word == "*matrix":
        parts.arcs.append(_matrix(parts, lines, start, stop))
        parts.weighted = True
    else:
        raise wrong(lines.at(start), head[0], "*Vertices, *Arcs, *Edges, *Arcslist, *Edgeslist, *Matrix or *Partition")


def _vertices(parts: _Parts, lines: Lines, rest: str, start: int, stop: int) -> None:
    counts = rest.split()
    if not counts or not all(map(is_count, counts)):
        raise wrong(lines.at(start), repr(rest), "the number of vertices")
    n, body = int(counts[0]), [text for text in lines.text[start + 1 : stop] if text and not text.isspace()]
    if parts.partition:
        if parts.partition != "-" and n == parts.n and len(body) == n:
            parts.columns[parts.partition] = [text.strip() for text in body]
        return
    if parts.n >= 0:
        raise wrong(lines.at(start), "a second network", "one; keep one of them in the file")
    if len(body) > n:
        raise wrong(lines.at(start), f"{n} vertices, then {len(body)} lines", "as many lines at most")
    if n > 1_000_000 + 100 * len(lines.text):
        raise wrong(lines.at(start), f"{n:,} vertices in a file of {len(lines.text):,} lines", "fewer")
    parts.n, parts.first_mode = n, int(counts[1]) if len(counts) > 1 else 0
    if parts.first_mode > n:
        raise wrong(lines.at(start), f"{parts.first_mode} of {n} vertices", f"at most {n} in the first mode")
    rows: list[dict[str, str]] = [{} for _ in range(n)]
    parts.ids = [*map(str, range(1, n + 1))]
    spaced = (text.replace("\t", " ").strip() for text in body)
    try:
        every = [*csv.reader(spaced, delimiter=" ", skipinitialspace=True)]
    except csv.Error as error:
        raise wrong(
            lines.at(start), f"vertices that cannot be read ({error})", "a number and a label in each"
        ) from error
    for place, cells in enumerate(every):
        if not cells or not is_count(cells[0]) or not 1 <= int(cells[0]) <= n:
            found = repr(cells[0][:40]) if cells else "no cell"
            raise wrong(f"{lines.name}: vertex line {place + 1}", found, f"a number from 1 to {n}")
        rows[int(cells[0]) - 1] = _vertex(cells, parts.layout)
    keys = dict.fromkeys(key for row in rows for key in row)
    parts.columns |= {key: [row.get(key) for row in rows] for key in keys}


def _vertex(cells: list[str], layout: dict[str, None]) -> dict[str, str]:
    """Label and attributes of a vertex: number, label, coordinates, shape, then names with values."""
    row = {"label": cells[1]} if len(cells) > 1 else {}
    rest = [cell for cell in cells[2:] if cell]
    while rest and _is_number(rest[0]):
        layout["coordinates"] = None
        rest = rest[1:]
    if len(rest) % 2:
        layout["shape"] = None
        rest = rest[1:]
    for key, value in zip(rest[::2], rest[1::2], strict=True):
        if key.lower() in _DRAWN:
            layout["colours and sizes"] = None
        else:
            row[key] = value
    return row


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _check(parts: _Parts, lines: Lines, start: int, found: npt.NDArray[np.float64]) -> None:
    ends = found[:, :2]
    bad = ((ends < 1) | (ends > parts.n) | (ends != np.floor(ends))).any(axis=1)
    if bad.any():
        pair = ", ".join(f"{end:g}" for end in ends[int(bad.argmax())])
        raise wrong(f"{lines.at(start - 1)} and below", f"an edge of the vertices {pair}", f"1 to {parts.n}")


def _matrix(parts: _Parts, lines: Lines, start: int, stop: int) -> npt.NDArray[np.float64]:
    n, first = parts.n, parts.first_mode
    try:
        values = np.array(" ".join(lines.text[start + 1 : stop]).split(), dtype=np.float64)
    except ValueError as error:
        raise wrong(lines.at(start), f"a matrix of text ({error})", "numbers") from error
    shape = (first, n - first) if first else (n, n)
    if values.size != shape[0] * shape[1]:
        raise wrong(lines.at(start), f"a matrix of {values.size} numbers", f"{shape[0]} x {shape[1]}")
    matrix = values.reshape(shape)
    rows, columns = np.nonzero(matrix)
    return np.column_stack([rows + 1, columns + 1 + first, matrix[rows, columns]])


def _graph(parts: _Parts, name: str) -> FileGraph:
    empty = np.empty((0, 3))
    arcs, edges = (np.concatenate([empty, *found]) for found in (parts.arcs, parts.edges))
    directed = len(arcs) > 0 and not parts.first_mode
    notes = []
    if directed and len(edges):
        edges = np.concatenate([edges, edges[edges[:, 0] != edges[:, 1]][:, [1, 0, 2]]])
        notes.append("arcs and edges: each edge counts in both directions")
    if parts.relations > 1:
        notes.append(f"{parts.relations} relations together")
    if parts.first_mode:
        notes.append(f"two modes: {parts.first_mode} vertices, then {parts.n - parts.first_mode}")
    found = np.concatenate([arcs, edges])
    if len(found) and not parts.n:
        raise InputError(f"{name}: found edges without vertices; expected *Vertices before them")
    ends = found[:, :2].astype(np.int64) - 1
    table = {"weight": found[:, 2]} if parts.weighted else {}
    nodes = {key: as_column(values) for key, values in parts.columns.items()}
    for key, values in nodes.items():
        if key != "label" and all(value is None or _is_number(value) for value in values):
            nodes[key] = as_column([None if value is None else float(value) for value in values])
    return FileGraph(
        "Pajek",
        ends[:, 0],
        ends[:, 1],
        directed,
        parts.ids,
        frame_of(nodes, parts.n),
        frame_of(table, len(ends)),
        names_only=("label",),
        notes=notes,
        layout=[*parts.layout],
    )
