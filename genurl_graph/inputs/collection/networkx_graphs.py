"""Many graphs of networkx: attributes of nodes and edges become columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.collection.graph_parts import LABELS, NAMES, GraphParts, one_kind, own_names, rows_of, title
from genurl_graph.inputs.objects.networks import is_networkx
from genurl_graph.inputs.objects.parts import LAYOUT, WEIGHTS, as_weights, is_numeric
from genurl_graph.inputs.reading import ReadOptions


def from_networkx(graphs: Sequence[Any], options: ReadOptions, kind: str) -> GraphParts:
    """The parts of a list of networkx graphs.

    Features are the node attribute ``x`` (a number or a vector), or else all node attributes, words among them; of
    edges likewise ``edge_attr``, or all but the weight. An attribute ``y`` is a label. `options` may name others.

    Raises
    ------
    InputError
        One that is something else; vectors of different widths; attributes in some graphs alone.
    """
    one_kind(graphs, [is_networkx(graph) for graph in graphs], "networkx graphs alone")
    # The loops over nodes and edges are those of networkx.
    titles = {name: [graph.graph.get(name) for graph in graphs] for name in NAMES}
    names, count = own_names(titles), [graph.number_of_nodes() for graph in graphs]
    nodes = torch.tensor(count, dtype=torch.long)
    node_rows = [row for graph in graphs for _, row in graph.nodes(data=True)]
    edge_rows = [row for graph in graphs for _, _, row in graph.edges(data=True)]
    ends, owner = _ends(graphs)
    # An edge without a direction stands both ways, after those that are there.
    both = np.array([not graph.is_directed() for graph in graphs], dtype=bool)[owner] & (ends[0] != ends[1])
    ends = np.concatenate([ends, ends[::-1, both]], axis=1)
    each = np.concatenate([np.arange(len(owner)), np.flatnonzero(both)])
    order = np.argsort(owner[each], kind="stable")
    row, graph_of_edge = torch.from_numpy(each[order]), torch.from_numpy(owner[each][order])
    known = [*dict.fromkeys(chain.from_iterable(edge_rows))]
    weight = _weight_name(options, known)
    x, features = _columns(node_rows, "node", "x", {None}, options, nodes, names)
    counts = torch.bincount(torch.from_numpy(owner), minlength=len(graphs))
    attributes, kept = _columns(edge_rows, "edge", "edge_attr", {weight}, options, counts, names)
    value = None
    if weight is not None:
        # networkx itself takes an edge without a weight for one of weight 1.
        value = torch.from_numpy(as_weights([held.get(weight, 1.0) for held in edge_rows]))[row]
    if isinstance(attributes, pd.DataFrame):
        attributes = attributes.iloc[row.numpy()].reset_index(drop=True)
    found = {name: "labels" if name in LABELS else "graph attribute" for graph in graphs for name in graph.graph}
    found |= {str(name): "node attribute" for name in dict.fromkeys(chain.from_iterable(node_rows))}
    found |= {str(name): "edge attribute" for name in known}
    used = {*map(str, [*features, *kept, weight])} | {name for name in NAMES if any(titles[name])}
    return GraphParts(
        kind,
        nodes,
        torch.from_numpy(ends[:, order].copy()),
        graph_of_edge,
        x,
        attributes[row] if isinstance(attributes, Tensor) else attributes,
        value,
        names,
        {name: what for name, what in found.items() if name not in used},
    )


def _ends(graphs: Sequence[Any]) -> tuple[Any, Any]:
    """The edges of all graphs as networkx lists them, int64 [2, E] within the own graph, and the graph of each."""
    ends, counts = [], []
    for graph in graphs:
        # A tuple may be the name of a node: no array of names.
        position = dict(zip(graph, range(len(graph)), strict=True))
        pairs = [position[end] for pair in graph.edges() for end in pair]
        ends.append(np.array(pairs, dtype=np.int64).reshape(-1, 2).T)
        counts.append(len(pairs) // 2)
    return np.concatenate(ends, axis=1), np.arange(len(graphs)).repeat(counts)


def _weight_name(options: ReadOptions, known: Sequence[str]) -> str | None:
    for name in options.names("weight"):
        if name not in known:
            raise unknown("networkx: edge attribute", name, map(str, known))
        return name
    return next((name for name in WEIGHTS if name in known), None)


def _columns(
    rows: Sequence[Mapping[Any, Any]],
    of: str,
    vector: str,
    taken: set[Any],
    options: ReadOptions,
    counts: Tensor,
    names: Sequence[Any] | None,
) -> tuple[Tensor | pd.DataFrame | None, list[Any]]:
    """Attributes of all nodes or edges: the one called `vector` as numbers, or raw columns; and which they are of."""
    known = [*dict.fromkeys(chain.from_iterable(rows))]
    given = [name for name in options.names("feature") if name in known]
    absent = {*options.names("ignore"), *options.names("label"), *taken, "y", "pos"}
    wanted = [name for name in known if name not in absent]
    coordinates = {"x", "y"} <= {*known} and all(_is_scalar(row.get("x")) for row in rows)
    if of == "node":
        unread = [name for name in options.names("feature") if name not in known]
        if unread:
            raise unknown("networkx: node attribute", unread[0], map(str, known))
        wanted = [name for name in wanted if not coordinates or str(name).lower() not in LAYOUT]
    if of == "node" and given:
        wanted = given
    elif vector in wanted:
        wanted = [vector]
    if not wanted:
        return None, []
    _check_everywhere(rows, wanted, of, counts, names)
    if wanted == [vector] and all(is_numeric(row.get(vector)) for row in rows):
        # Vectors of one graph have one width; `rows_of` compares those of several.
        parts = np.split(np.arange(len(rows)), counts.cumsum(0)[:-1].numpy())
        held = [
            _stacked([rows[i][vector] for i in part], f"{title(names, g)}: {vector}") for g, part in enumerate(parts)
        ]
        return rows_of(held, counts, vector, names, of), wanted
    table: dict[str, Any] = {}
    for name in wanted:
        values = [row.get(name) for row in rows]
        if not all(map(_is_scalar, values)):
            stacked = _stacked(values, f"{of} attribute {name}")
            table |= {f"{name}_{i}": column for i, column in enumerate(stacked.T)}
        else:
            table[str(name)] = values
    return pd.DataFrame(table), wanted


def _is_scalar(value: Any) -> bool:
    return value is None or np.ndim(value) == 0


def _stacked(values: Sequence[Any], what: str) -> Any:
    """Numbers or vectors as rows [n, f]."""
    arrays = [np.atleast_1d(np.asarray(value)).reshape(-1) for value in values]
    widths = {*map(len, arrays)}
    if len(widths) > 1 or any(array.dtype.kind not in "biuf" for array in arrays):
        raise wrong(what, f"vectors of {' and '.join(map(str, sorted(widths)))} entries", "numbers, as many each time")
    return np.stack(arrays) if arrays else np.empty((0, 0))


def _check_everywhere(
    rows: Sequence[Mapping[Any, Any]], wanted: Sequence[Any], of: str, counts: Tensor, names: Sequence[Any] | None
) -> None:
    """InputError for a graph whose nodes (or edges) have none of the attributes that others have."""
    there = np.array([any(row.get(name) is not None for name in wanted) for row in rows], dtype=bool)
    graph = np.arange(len(counts)).repeat(counts.numpy())
    found = np.bincount(graph, there, minlength=len(counts))
    bare = np.flatnonzero((found == 0) & (counts.numpy() > 0))
    if len(bare):
        like = title(names, int(np.flatnonzero(found)[0]))
        what = ", ".join(map(str, wanted))
        raise wrong(f"{title(names, int(bare[0]))}: {of} attribute {what}", "none", f"some, as {like} has")
