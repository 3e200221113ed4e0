"""A graph out of the parts that every library has, and the words that say what was taken and what was left out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.edges import sum_repeats
from genurl_graph.inputs.reading import Reading, ReadOptions

# Attributes of edges, in this order, that hold their weights.
WEIGHTS = ("edge_weight", "weight")
# Attributes of drawings, which exporters leave at the nodes.
LAYOUT = frozenset({"x", "y", "z", "r", "g", "b", "a", "size", "pos", "viz", "color", "colour"})


def make_graph(
    pairs: Any,
    weight: Any,
    names: Sequence[Any],
    *,
    kind: str,
    directed: bool,
    x: Any = None,
    table: pd.DataFrame | None = None,
    left_out: Mapping[str, str] | None = None,
    said: Sequence[str] = (),
) -> Any:
    """A PyG ``Data`` of the edges of a graph, and its reading.

    Parameters
    ----------
    pairs : int64 array, shape [2, E]
        Ends as the library lists its edges; an edge that is undirected stands once.
    weight : array, shape [E], or None
    names : sequence, n
        What the nodes are called, in their order.
    kind : str
        What the user handed in, for messages.
    directed : bool
        False: each edge gets its inverse.
    x : array, shape [n, f], optional
    table : DataFrame, n rows, optional
        Raw columns of features.
    left_out : mapping of name to what it is
    said : sequence of str
        More for the line that says what was read.
    """
    from torch_geometric.data import Data

    n = len(names)
    loops = pairs[0] == pairs[1]
    value = None if weight is None else as_weights(weight)
    counted = pairs if directed else np.sort(pairs, axis=0)
    edges, _ = sum_repeats(torch.from_numpy(counted), None, n)
    repeats = pairs.shape[1] - int(edges.size(1))
    facts = [f"{n:,} nodes", f"{edges.size(1):,} edges", *said]
    if repeats:
        facts.append(f"{repeats:,} repeats summed")
    if loops.any():
        facts.append(f"{int(loops.sum()):,} self loops")
    if not directed:
        pairs = np.concatenate([pairs, pairs[::-1, ~loops]], axis=1)
        value = None if value is None else np.concatenate([value, value[~loops]])
    lines = [f"read {kind} as a graph: {', '.join(facts)}"]
    if left_out:
        lines.append("left out: " + ", ".join(f"{name} ({what})" for name, what in left_out.items()))
    data = Data(edge_index=torch.from_numpy(pairs), num_nodes=n)
    if value is not None:
        data.edge_weight = torch.from_numpy(value)
    if x is not None:
        data.x = x
    if table is not None:
        data.feature_table = table
    data.node_id = [*names]
    record = {"as": "graph", "object": kind, "nodes": n, "edges": int(edges.size(1)), "left_out": {**(left_out or {})}}
    data.reading = Reading(tuple(lines), {"graph": record})
    return data


def as_weights(values: Any, what: str = "edge attribute weight") -> Any:
    """Weights of edges as float32 [E]; InputError where one is no number. Their signs are checked later."""
    try:
        return np.asarray(values, dtype=np.float32).reshape(-1)
    except (TypeError, ValueError) as error:
        raise wrong(what, error, "numbers") from error


def choose_weight(options: ReadOptions, attributes: Iterable[str], kind: str) -> str | None:
    """The edge attribute that holds the weights: the one that the user names, or `WEIGHTS`; None if there is none."""
    known = [*attributes]
    for name in options.names("weight"):
        if name not in known:
            raise unknown(f"{kind}: edge attribute", name, known)
        return name
    return next((name for name in WEIGHTS if name in known), None)


def choose_columns(options: ReadOptions, attributes: Iterable[str], kind: str) -> list[str]:
    """The node attributes that the user wants for features; InputError for one that is not there."""
    known = [*attributes]
    for role in ("feature", "label", "id"):
        for name in options.names(role):
            if name not in known:
                raise unknown(f"{kind}: node attribute", name, known)
    return [*options.names("feature")]


def check_reading(options: ReadOptions, kind: str) -> None:
    """InputError where the user says that a graph is something else."""
    if options.reading in ("vectors", "adjacency"):
        raise wrong("as_", f"{options.reading!r} for {kind}, which is a graph", "'graph', or nothing")


def name_left_out(
    nodes: Mapping[str, Any], edges: Iterable[str], options: ReadOptions, taken: Iterable[str], kind: str
) -> dict[str, str]:
    """What is not taken of a graph's attributes, and what it is; numeric ones of nodes are warned of.

    `nodes` has an example of each attribute; `taken` those that are used.
    """
    used = {*taken}
    labels = {*options.names("label")}
    found = {str(name): "label" if name in labels else "node attribute" for name in nodes if name not in used}
    found |= {str(name): "edge attribute" for name in edges if name not in used}
    numeric = [name for name in nodes if name in found and name not in labels and is_numeric(nodes[name])]
    if {"x", "y"} <= set(numeric):
        numeric = [name for name in numeric if name.lower() not in LAYOUT]
    numeric = [name for name in numeric if name not in options.names("ignore")]
    if numeric and not options.names("feature"):
        listed = ", ".join(map(str, numeric))
        warnings.warn(
            f"{kind}: node attributes that are no features: {listed} "
            f'(columns={{"feature": [...]}} takes them, "ignore" leaves them out silently)',
            UserWarning,
            stacklevel=2,
        )
    return found


def is_numeric(value: Any) -> bool:
    """Whether a value, or each number in it, is real."""
    try:
        return np.asarray(value).dtype.kind in "iufb" and not isinstance(value, str)
    except (TypeError, ValueError):
        return False
