"""What a reader finds of many graphs: their parts one after another, not yet checked against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import InputError, wrong

# Attributes of a graph, in this order, that hold its name.
NAMES = ("graph_id", "name")
# Those that hold its label, which is never a feature.
LABELS = ("y", "label", "labels", "target")


class GraphParts(NamedTuple):
    """Graphs as a library holds them.

    Attributes
    ----------
    kind : str
        What the user handed in, for messages.
    nodes : Tensor, int64, shape [G]
        How many each graph has.
    edge_index : Tensor, int64, shape [2, E]
        Numbers within the own graph.
    graph_of_edge : Tensor, int64, shape [E]
    x, edge_attr : Tensor or DataFrame, N and E rows, or None
        Numbers, or raw columns.
    edge_weight : Tensor, shape [E], or None
    names : sequence, G, or None
    left_out : mapping of name to what it is
    """

    kind: str
    nodes: Tensor
    edge_index: Tensor
    graph_of_edge: Tensor
    x: Tensor | pd.DataFrame | None = None
    edge_attr: Tensor | pd.DataFrame | None = None
    edge_weight: Tensor | None = None
    names: Sequence[Any] | None = None
    left_out: Mapping[str, str] = {}


def title(names: Sequence[Any] | None, graph: int) -> str:
    """How a message calls a graph: by its name, or by its place from 0 on."""
    return f"graph {graph if names is None else repr(names[graph])}"


def own_names(held: Mapping[str, Sequence[Any]]) -> list[Any] | None:
    """The names of the graphs by the first attribute of `NAMES` that every graph has and that differs everywhere."""
    for name in NAMES:
        values = [_scalar(value) for value in held.get(name, ())]
        if values and all(value not in (None, "") for value in values) and len({*map(str, values)}) == len(values):
            return values
    return None


def rows_of(
    held: Sequence[Any], counts: Tensor, what: str, names: Sequence[Any] | None, of: str = "node"
) -> Tensor | None:
    """The rows that graphs have for their nodes or edges, one after another, shape [N, f]; None where none has any.

    Parameters
    ----------
    held : sequence, G, of Tensor or array [n], [n, f], or None
        A graph without nodes (or edges) may have anything.
    counts : Tensor, int64, shape [G]
        Rows that there must be.
    what : str
        Name of the attribute, for messages.
    names : sequence, G, or None
    of : str
        What has a row.

    Raises
    ------
    InputError
        A graph without rows where others have some, of another width, or with too many or too few.
    """
    known = [g for g, part in enumerate(held) if part is not None and counts[g] > 0]
    if not known:
        return None
    first, parts = known[0], list[Tensor]()
    for g, count in enumerate(counts.tolist()):
        if count == 0:
            continue
        part, like = held[g], f"as {title(names, first)} has"
        if part is None:
            raise wrong(f"{title(names, g)}: {what}", "none", f"one row for each {of}, {like}")
        rows = _as_rows(part, f"{title(names, g)}: {what}")
        if rows.size(0) != count:
            raise wrong(f"{title(names, g)}: {what}", f"{rows.size(0)} rows", f"{count}, one for each {of}")
        if parts and rows.size(1) != parts[0].size(1):
            raise wrong(f"{title(names, g)}: {what}", f"{rows.size(1)} columns", f"{parts[0].size(1)}, {like}")
        parts.append(rows)
    return torch.cat(parts)


def _as_rows(part: Any, what: str) -> Tensor:
    try:
        rows = part.detach().cpu() if isinstance(part, Tensor) else torch.as_tensor(np.asarray(part))
    except (TypeError, ValueError) as error:
        raise wrong(what, f"{type(part).__name__} ({error})", "numbers [n, f]") from error
    rows = rows.to_dense() if rows.layout != torch.strided else rows
    if rows.dim() not in (1, 2) or rows.is_complex():
        raise wrong(what, f"{rows.dtype} of shape {list(rows.shape)}", "real numbers [n, f]")
    return rows.reshape(len(rows), -1)


def one_kind(items: Sequence[Any], fits: Sequence[bool], expected: str) -> None:
    """InputError, which names the first of `items` that is of another kind."""
    if not all(fits):
        place = fits.index(False)
        found = type(items[place]).__name__
        raise wrong("data", f"{found} at place {place} of a {type(items).__name__}", expected)


def check_ends(parts: GraphParts) -> None:
    """InputError for an edge whose end its graph does not have."""
    last = parts.nodes[parts.graph_of_edge]
    bad = ((parts.edge_index < 0) | (parts.edge_index >= last)).any(0)
    if bool(bad.any()):
        raise _lost_end(parts, int(bad.int().argmax()))


def _lost_end(parts: GraphParts, edge: int) -> InputError:
    graph = int(parts.graph_of_edge[edge])
    place = edge - int((parts.graph_of_edge < graph).sum())
    source, target = parts.edge_index[:, edge].tolist()
    count = int(parts.nodes[graph])
    there = f"nodes 0 to {count - 1}" if count else "no edges, as it has no nodes"
    return wrong(f"{title(parts.names, graph)}: edge_index", f"edge {place} from {source} to {target}", there)


def _scalar(value: Any) -> Any:
    """A name as a plain value: that of a tensor of one number, or of an array."""
    if isinstance(value, Tensor | np.ndarray | np.generic):
        return value.item() if int(np.prod(value.shape)) == 1 else None
    return value if isinstance(value, str | int | tuple) else None
