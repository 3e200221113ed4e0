"""Attributes of edges in the node task: columns of numbers or words beside source, target and weight."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.inputs.columns import FeatureOptions, FeaturePlan
from genurl_graph.inputs.columns.make import read_features
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.validation import check_matrix

# Columns that are named one by one.
MOST_NAMED = 8


class EdgeLines(NamedTuple):
    """What a ``Data`` that was read from a table or a graph of networkx keeps of its lines, as ``edge_lines``.

    Attributes
    ----------
    table : DataFrame, L rows
        Raw columns.
    ends : Tensor, int64, shape [2, L]
    weight : Tensor, float32, shape [L], or None
    """

    table: pd.DataFrame
    ends: Tensor
    weight: Tensor | None


class EdgeAttributes(NamedTuple):
    """Attributes of the lines of an edge list, as numbers.

    Attributes
    ----------
    values : Tensor, float32, shape [L, a]
    ends : Tensor, int64, shape [2, L]
    weight : Tensor, float32, shape [L], or None
    plan : FeaturePlan or None
        What made them of raw columns; None where they are numbers as they are.
    line : str
        What was read.
    """

    values: Tensor
    ends: Tensor
    weight: Tensor | None
    plan: FeaturePlan | None
    line: str


def attributes_of(
    data: Any, edges: Tensor, weight: Tensor | None, names: Sequence[str], features: FeatureOptions
) -> EdgeAttributes | None:
    """The edge attributes of a ``Data``; None where it has none.

    Parameters
    ----------
    data : Data
        With ``edge_lines`` (`EdgeLines`), or with attributes of its edges.
    edges : Tensor, int64, shape [2, E]
        As the data lists them.
    weight : Tensor, float32, shape [E], or None
    names : sequence of str
        Attributes of the edges to be read, if it has no lines.
    features : FeatureOptions
        Of a fitted model: its plan of edge attributes.

    Raises
    ------
    InputError
        Rows that do not match the edges, or numbers that are not finite.
    """
    lines = data.get("edge_lines")
    if lines is not None:
        how = FeatureOptions("none", features.text, features.edge_plan, features.fitted)
        found, plan = read_features(lines.table, how, what="edge attributes", graph=True)
        if found is None or found.size(1) == 0:
            return None
        values = check_matrix(found.to_dense(), "edge attributes", rows=len(lines.table))
        return EdgeAttributes(values, lines.ends, lines.weight, plan, _line([*map(str, lines.table.columns)], values))
    if not names:
        return None
    columns = [_rows(data[name], edges.size(1), name) for name in names]
    values = torch.cat(columns, 1)
    return EdgeAttributes(values, edges, weight, None, _line(names, values))


def edge_names(data: Any, options: ReadOptions) -> tuple[list[str], ReadOptions]:
    """Attributes of the edges of a ``Data`` that are read, and the options without those that the user named.

    ``edge_attr`` is read by itself where it has two columns or more: one column is a weight, unless the user names it
    as a feature. Others have to be named. A name that nodes have too is theirs.
    """
    held = data.get("edge_attr")
    names = [name for name in options.names("feature") if name in data and _is_of_edges(data, name)]
    options = without_features(options, names)
    wide = isinstance(held, Tensor | np.ndarray) and held.ndim == 2 and held.shape[1] > 1
    unread = "edge_attr" in (*names, *options.names("weight"), *options.names("ignore"))
    return ([*names, "edge_attr"] if wide and not unread else names), options


def without_features(options: ReadOptions, names: Collection[str]) -> ReadOptions:
    """The options without these columns among the features of nodes."""
    if not names:
        return options
    left = tuple(name for name in options.names("feature") if name not in names)
    columns = {role: given for role, given in options.columns.items() if role != "feature"}
    return replace(options, columns=columns | ({"feature": left} if left else {}))


def split_names(options: ReadOptions, nodes: Collection[str], edges: Collection[str]) -> tuple[list[str], ReadOptions]:
    """Named features that edges have and nodes have not, and the options for the nodes."""
    names = [name for name in options.names("feature") if name in edges and name not in nodes]
    return names, without_features(options, names)


def _is_of_edges(data: Any, name: str) -> bool:
    """Whether an attribute has a number, or several, for each edge; of as many nodes and edges its name tells."""
    value = data[name]
    if not isinstance(value, Tensor | np.ndarray) or value.ndim not in (1, 2) or name == "edge_index":
        return False
    return len(value) == data.num_edges and (len(value) != data.num_nodes or "edge" in name)


def _rows(value: Any, rows: int, name: str) -> Tensor:
    matrix = value if isinstance(value, Tensor) else torch.as_tensor(np.asarray(value))
    matrix = (matrix[:, None] if matrix.ndim == 1 else matrix).detach().cpu().float()
    check_matrix(matrix, name, rows=rows, empty=rows == 0)
    return matrix


def _line(names: Sequence[str], values: Tensor) -> str:
    shown = ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names):,} columns"
    wide = f" ({values.size(1):,} columns)" if values.size(1) != len(names) and len(names) <= MOST_NAMED else ""
    return f"edge attributes: {shown}{wide}"
