"""Columns of edges that a convolution reads: standardised attributes of predefined edges, 0 for kNN edges."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from genurl_graph.inputs.input import Input
from genurl_graph.inputs.normalize import column_statistics


def attribute_statistics(data: Input) -> dict[str, Tensor]:
    """Mean and deviation of the attributes of a graph's edges, ``edge_attr.mean`` and ``edge_attr.scale``; or none."""
    if data.edge_attr is None or data.types is not None:
        return {}
    return {f"edge_attr.{name}": value for name, value in column_statistics(data.edge_attr).items()}


def count_columns(statistics: Mapping[str, Tensor]) -> int:
    """Columns that a convolution reads: the weight, and where there are attributes these and a mark."""
    mean = statistics.get("edge_attr.mean")
    return 1 if mean is None else len(mean) + 2


def described_edges(edge_index: Tensor, data: Input, statistics: Mapping[str, Tensor]) -> Tensor | None:
    """Attributes of the edges of a merged graph.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Edges of both sources, in both directions.
    data : Input
        With the attributes of its predefined edges.
    statistics : mapping
        `attribute_statistics` of the fitted graph.

    Returns
    -------
    Tensor, float32, shape [E, a + 1], or None
        A mark, 1 for edges with attributes, and these, standardised; 0 for others. None without `statistics`.
    """
    if "edge_attr.mean" not in statistics or data.edge_attr is None or data.edge_index is None:
        return None
    if data.edge_index.size(1) == 0:
        return torch.zeros(edge_index.size(1), data.edge_attr.size(1) + 1)
    n, held = data.num_nodes, data.edge_index.sort(0).values
    keys, order = (held[0] * n + held[1]).sort()
    low, high = edge_index.sort(0).values
    wanted = low * n + high
    place = torch.searchsorted(keys, wanted).clamp_max(len(keys) - 1)
    there = keys[place] == wanted
    found = (data.edge_attr[order[place]] - statistics["edge_attr.mean"]) / statistics["edge_attr.scale"]
    return torch.cat([there[:, None].float(), torch.where(there[:, None], found, 0.0)], 1)
