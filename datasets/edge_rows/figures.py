"""Figures of edges that are rows, and the first of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from genurl_graph.inputs.edge_rows.edge_set import EdgeSet, names_of

# Edges of a preview, and columns of features.
ROWS, COLUMNS = 5, 6
QUANTILES = {"least": 0.0, "lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75, "most": 1.0}


def edge_figures(edges: EdgeSet) -> dict[str, Any]:
    """Figures of edges.

    Returns
    -------
    dict
        edges; nodes; idle, nodes without any; directed; pairs, distinct ones; self_loops; at_a_node, quantiles of the
        edges at a node that has some; neighbours, median of the other edges that an edge meets; length, quantiles in
        the unit of the lines, or None; features, columns; labelled, edges with a label, or None.
    """
    held = edges.edges
    ends = held.ends
    degree = torch.bincount(ends.flatten(), minlength=held.num_nodes).numpy()
    some = degree[degree > 0]
    table = edges.feature_table
    length: Any = np.empty(0) if table is None or "length" not in table else table["length"].to_numpy()
    known = length.dtype.kind in "fiu" and bool(np.isfinite(length).any())
    return {
        "edges": len(edges),
        "nodes": edges.num_nodes,
        "idle": int((degree == 0).sum()),
        "directed": held.directed,
        "pairs": edges.count_pairs(),
        "self_loops": int((ends[0] == ends[1]).sum()),
        "at_a_node": {name: float(np.quantile(some, q)) for name, q in QUANTILES.items()},
        "neighbours": float(np.median((degree[ends.numpy()] - 1).sum(0))),
        "length": {n: float(np.nanquantile(length, q)) for n, q in QUANTILES.items()} if known else None,
        "features": 0 if edges.x is None else int(edges.x.size(1)),
        "labelled": None if edges.y is None else int((edges.y >= 0).sum()),
    }


def first_edge_rows(edges: EdgeSet) -> list[list[Any]]:
    """The first edges below a header: their ends, their key and label, if any, and their first features."""
    plan, m = edges.feature_plan, min(ROWS, len(edges))
    named = [] if edges.x is None else range(1, edges.x.size(1) + 1) if plan is None else plan.names
    ends = ["source", "target", *([] if edges.edges.key is None else ["key"])]
    rows: list[list[Any]] = [[*ends, *([] if edges.y is None else ["label"]), *[*map(str, named)][:COLUMNS]]]
    few = type(edges.edges)(
        edges.edges.ends[:, :m],
        edges.num_nodes,
        node_id=edges.edges.node_id,
        key=None if edges.edges.key is None else [*edges.edges.key][:m],
    )
    for place, name in enumerate(names_of(few)):
        row: list[Any] = [str(part) for part in name]
        if edges.y is not None:
            code = int(edges.y[place])
            row.append("" if code < 0 else str(code) if edges.label_names is None else edges.label_names[code])
        if edges.x is not None:
            row += [float(value) for value in edges.x[place].to_dense()[:COLUMNS]]
        rows.append(row)
    return rows
