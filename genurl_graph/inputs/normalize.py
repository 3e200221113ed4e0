"""Features made comparable: rows or columns scaled."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.inputs.columns import FeaturePlan, matrix_kind
from genurl_graph.inputs.columns.kinds import BAG_COLUMNS
from genurl_graph.inputs.sparse import csr_tensor
from genurl_graph.inputs.validation import value_range


def column_statistics(x: Tensor) -> dict[str, Tensor]:
    """``mean`` and ``scale`` [f] of the columns; the scale of a constant column is infinite."""
    n = x.size(0)
    if x.layout == torch.sparse_csr:
        column, values = x.col_indices(), x.values().double()
        total = torch.zeros(x.size(1), dtype=torch.float64)
        mean = total.index_add(0, column, values) / n
        # Around the mean in two passes; the entries that are not stored are 0, each mean^2 away.
        stored = total.index_add(0, column, torch.ones_like(values))
        square = total.index_add(0, column, (values - mean[column]).square())
        scale = ((square + (n - stored) * mean.square()) / n).sqrt()
    else:
        dense = x.double()
        mean, scale = dense.mean(0), dense.std(0, correction=0)
    return scale_of_columns(mean, scale)


def scale_of_columns(mean: Tensor, deviation: Tensor) -> dict[str, Tensor]:
    """`column_statistics` of means and deviations, float64 [f]."""
    scale = torch.where(deviation > 1e-7 * mean.abs(), deviation, torch.inf)
    return {"mean": mean.float(), "scale": scale.float()}


def normalize_features(x: Tensor, how: str, statistics: dict[str, Tensor]) -> Tensor:
    """Features as the encoder sees them.

    Parameters
    ----------
    x : Tensor, float32, shape [n, f]
        Strided or CSR.
    how : "rows", "unit", "columns" or "none"
        Rows of absolute sum 1; rows of length 1; columns of mean 0 and deviation 1; as they are. Zero rows and
        constant columns become 0. Columns are centred, which makes sparse features dense.
    statistics : dict
        `column_statistics` of the training samples; read for "columns" only.
    """
    if how == "columns":
        dense = x.to_dense() if x.layout == torch.sparse_csr else x
        return (dense - statistics["mean"]) / statistics["scale"]
    if how == "none":
        return x
    order = 1 if how == "rows" else 2
    if x.layout == torch.sparse_csr:
        row = torch.repeat_interleave(torch.arange(x.size(0)), x.crow_indices().diff())
        total = torch.zeros(x.size(0)).index_add_(0, row, x.values().abs() ** order) ** (1 / order)
        values = x.values() / total[row].clamp_min(1e-12)
        return csr_tensor(x.crow_indices(), x.col_indices(), values, (x.size(0), x.size(1)))
    length: Tensor = torch.linalg.vector_norm(x, order, dim=1, keepdim=True)
    return x / length.clamp_min(1e-12)


def is_non_negative(x: Tensor) -> bool:
    """Whether no entry is below 0."""
    return value_range(x)[0] >= 0


def is_bag(x: Tensor, plan: FeaturePlan | None = None, graph: bool = True) -> bool:
    """Whether rows of features are compared by their directions.

    Parameters
    ----------
    x : Tensor, float32, shape [n, f], strided or CSR
    plan : FeaturePlan, optional
        What `x` was made by.
    graph : bool
        Whether the rows are nodes of a graph.

    Returns
    -------
    bool
        True for bags of words and of counts (`genurl_graph.inputs.columns.kinds`) and, without a graph, for pixels and
        other comparable columns >= 0. False for columns that a plan has scaled.
    """
    if (plan is not None and plan.is_scaled) or x.size(1) < BAG_COLUMNS or not is_non_negative(x):
        return False
    kind = matrix_kind(x)
    return kind == "bag" or (kind == "comparable" and not graph)
