"""Edges of one PyG ``Data``, each a row; of one that holds both directions of each edge, one row for the two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.edge_rows.assemble import Source, assemble
from genurl_graph.inputs.edge_rows.attributes import IDS, MASKS
from genurl_graph.inputs.edge_rows.edge_set import EdgeEnds, EdgeSet
from genurl_graph.inputs.edge_rows.place import Space
from genurl_graph.inputs.objects.pairs import pair_directions
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.validation import check_edges

# Attributes of a ``Data`` that hold labels of edges; the last one only where it cannot be of the nodes.
LABELS = ("edge_y", "edge_label", "y")
KEYS = ("edge_key", "key")


def from_data(data: Any, options: ReadOptions) -> EdgeSet:
    """Edges of a ``Data``: ``edge_attr`` and ``edge_weight`` are features, ``edge_label`` or ``edge_y`` labels.

    Where every edge stands in both directions with the same attributes and labels, the two are one row, unless
    ``options.directed``: `EdgeSet.edge_row` tells the row of each column of ``edge_index``. ``pos`` [n, 2] tells where
    nodes are; features of nodes are left out.

    Parameters
    ----------
    data : Data
    options : ReadOptions
        ``columns``: attributes of the edges by name, as features, labels or the key.

    Raises
    ------
    InputError
        No edges, an attribute that is not there or not of the edges, labels that are no classes.

    Examples
    --------
    >>> from torch_geometric.data import Data
    >>> edges = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    >>> found = from_data(Data(edge_index=edges, edge_attr=torch.tensor([[1.0], [1.0], [2.0], [2.0]])), ReadOptions())
    >>> found.edges.ends.tolist(), found.edge_row.tolist()
    ([[0, 1], [1, 2]], [0, 0, 1, 1])
    """
    strange = next((role for role in options.columns if role not in ("key", "label", "feature", "ignore")), None)
    if strange is not None:
        raise wrong("columns", f"{strange} for Data", "key, label, feature or ignore")
    if data.get("edge_index") is None:
        raise wrong("Data", "no edge_index", "the edges, of which each is a row")
    index, n = check_edges(data.edge_index, None)[0].cpu(), int(data.num_nodes or 0)
    parts = _parts(data, int(index.size(1)), n, options)
    first, edge_row, directed = _rows(index, n, parts, options.directed)
    ends = index[:, first]
    said_label = next(iter(options.names("label")), None)
    label = said_label or next((name for name in LABELS if name in parts and _is_class(parts[name])), None)
    if label is not None and not _is_class(parts[label]):
        raise wrong(f"Data: {label}", f"{parts[label].dtype} {list(parts[label].shape)}", "whole numbers, one an edge")
    key = next((name for name in (*options.names("key"), *KEYS) if name in parts), None)
    masks = {mask: name for mask in MASKS for name in (f"edge_{mask}", mask) if name in parts}
    y = None if label is None else parts[label].reshape(-1)[first].long()
    features, left_out = _features(parts, options, {label, key, *masks.values()})
    others = [name for name in data.to_dict() if name not in _KNOWN and name not in parts]
    left_out |= dict.fromkeys(others, "of the nodes, or of the graph")
    frame = _frame({name: parts[name][first] for name in features}, len(first))
    pos = data.get("pos")
    place = None
    if isinstance(pos, Tensor) and pos.dim() == 2 and pos.size(1) >= 2 and len(pos) == n:
        place = pos[:, :2].detach().double().cpu()
    edges = EdgeEnds(
        ends,
        n,
        directed,
        node_id=data.get("node_id"),
        key=None if key is None else parts[key].reshape(-1)[first].tolist(),
    )
    both = "" if edge_row is None else f" ({index.size(1):,} columns of edge_index, both directions of each edge)"
    record: dict[str, object] = {"as": "edge rows", "object": "Data", "edges": len(first), "nodes": n}
    record |= {"directed": directed, "both_directions": edge_row is not None}
    said = f"read Data as edges that are rows{both}"
    source = Source(edges, Table("Data", frame), Space(None, place, None, "pos"), said, record, left_out)
    # Columns of tensors are numbers: none of them is a label or an id by its name.
    wanted = {"feature": tuple(frame)} if frame.shape[1] else {}
    found = assemble(source, ReadOptions(directed=options.directed, columns=wanted))
    held = {mask: parts[name].reshape(-1).bool()[first] for mask, name in masks.items()}
    return found.told(type(found.reading)(), y=y, label_names=data.get("label_names"), edge_row=edge_row, **held)


_KNOWN = ("edge_index", "num_nodes", "pos", "node_id", "label_names", "name", "reading")


def _parts(data: Any, m: int, n: int, options: ReadOptions) -> dict[str, Tensor]:
    """Attributes of the edges: those whose names say so, or that the user names, and those that cannot be others'."""
    said = {name for names in options.columns.values() for name in names}
    found = {}
    for name, value in data.to_dict().items():
        if name in ("edge_index", "pos", "x") or not isinstance(value, Tensor) or value.dim() == 0 or len(value) != m:
            continue
        of_edges = name.startswith("edge") or name in said or (m != n and data.is_edge_attr(name))
        # Of link prediction: labels of other pairs than the edges.
        others = name == "edge_label" and data.get("edge_label_index") is not None
        if (of_edges or (m != n and name in (*LABELS, *KEYS, *MASKS))) and not others:
            found[name] = value.detach().cpu()
    strange = next((name for name in sorted(said) if name not in found), None)
    if strange is not None:
        raise unknown("Data: attribute of the edges", strange, [*found])
    return found


def _rows(
    index: Tensor, n: int, attributes: dict[str, Tensor], directed: bool | None
) -> tuple[Tensor, Tensor | None, bool]:
    """Columns of ``edge_index`` that are rows, the row of each column where two share one, whether it is directed."""
    paired = None if directed else pair_directions(index, n, attributes)
    if paired is not None:
        paired.check(directed)
    if paired is None or paired.differs or len(paired.edge_id) == index.size(1):
        return torch.arange(index.size(1)), None, directed is not False
    return paired.edge_id, paired.row, False


def _is_class(value: Tensor) -> bool:
    return value.numel() == len(value) and not value.is_floating_point() and not value.is_complex()


def _features(
    parts: dict[str, Tensor], options: ReadOptions, taken: set[str | None]
) -> tuple[list[str], dict[str, str]]:
    asked = options.names("feature")
    left_out = {}
    features = []
    for name, value in parts.items():
        if name in taken and name not in asked:
            continue
        if name in options.names("ignore"):
            left_out[name] = "ignored"
        elif asked and name not in asked:
            left_out[name] = "not asked for"
        elif name in (*LABELS, *MASKS, *(f"edge_{mask}" for mask in MASKS)) and name not in asked:
            left_out[name] = "labels, or a split"
        elif name in (*IDS, "e_id", "edge_row") and name not in asked:
            left_out[name] = "id of the edge"
        elif value.dim() > 2 or value.is_complex():
            left_out[name] = "no columns of numbers"
        else:
            features.append(name)
    return features, left_out


def _frame(parts: dict[str, Tensor], m: int) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name, value in parts.items():
        wide = value.reshape(m, -1)
        for place in range(wide.size(1)):
            title = name if wide.size(1) == 1 else f"{name}_{place}"
            columns[title] = wide[:, place].numpy().astype(np.float64 if value.is_floating_point() else np.int64)
    return pd.DataFrame(columns, index=pd.RangeIndex(m))
