"""From the nodes of each graph to one row: sum, mean, maximum, or all of them."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.config.choices import Pooling as Pooling
from genurl_graph.nn.graphs.adjacency import run_max, run_sum

# What stands side by side in "all".
PARTS = 3


def pooled_columns(how: Pooling) -> int:
    """Columns that `pooled` makes of one."""
    return PARTS if how == "all" else 1


def pooled(h: Tensor, node_ptr: Tensor, how: Pooling = "sum") -> Tensor:
    """One row a graph; with gradients.

    Parameters
    ----------
    h : Tensor, float, shape [N, d]
        Nodes of all graphs, one graph after another.
    node_ptr : Tensor, int64, shape [G + 1]
        Where the nodes of each graph begin and end (`genurl_graph.inputs.collection.GraphCollection`).
    how : "sum", "mean", "max" or "all"
        All: ``log(1 + sum)``, mean and maximum side by side, for `h` >= 0. The logarithm keeps large graphs near
        others.

    Returns
    -------
    Tensor, shape [G, d], of all [G, 3 d]
        0 for a graph without nodes.

    Examples
    --------
    >>> pooled(torch.tensor([[1.0], [2.0], [5.0]]), torch.tensor([0, 2, 2, 3]), "mean")
    tensor([[1.5000],
            [0.0000],
            [5.0000]])
    """
    if how == "max":
        return run_max(h, node_ptr)
    total = run_sum(h, node_ptr)
    if how == "sum":
        return total
    mean = total / node_ptr.diff().clamp_min(1)[:, None]
    return mean if how == "mean" else torch.cat([total.log1p(), mean, pooled(h, node_ptr, "max")], 1)
