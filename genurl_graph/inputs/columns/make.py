"""The one function that makes features of whatever comes, for a fit and for new rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.columns.matrix import as_features
from genurl_graph.inputs.columns.plan import FeaturePlan


@dataclass(frozen=True)
class FeatureOptions:
    """What is to be done with features.

    Attributes
    ----------
    scale, text : str
        As of `FeaturePlan.fit`. A scale "" leaves a matrix as it is, and takes what was read as it was read.
    plan : FeaturePlan or None
        Of a fitted model, where `fitted`.
    fitted : bool
        Whether the rows are new ones of a fitted model: they are encoded by `plan`, or read as they are without one.
    edge_plan : FeaturePlan or None
        Of the attributes of edges of a fitted model in the node task.
    """

    scale: str = "auto"
    text: str = "drop"
    plan: FeaturePlan | None = None
    fitted: bool = False
    edge_plan: FeaturePlan | None = None

    @classmethod
    def of_model(cls, plan: FeaturePlan | None, edge_plan: FeaturePlan | None = None) -> FeatureOptions:
        """Those of new rows of a model with these plans."""
        return cls(plan=plan, fitted=True, edge_plan=edge_plan)


AS_THEY_ARE = FeatureOptions("")


def make_features(
    source: Any,
    plan: FeaturePlan | None = None,
    scale: str = "auto",
    text: str = "drop",
    *,
    what: str = "x",
    names: Sequence[str] | None = None,
    graph: bool = False,
) -> tuple[Tensor | None, FeaturePlan | None]:
    """Features of raw columns or of a matrix, and the plan that they were made by.

    Parameters
    ----------
    source : DataFrame, array, SciPy matrix or Tensor, [n, f]
    plan : FeaturePlan, optional
        Of the fitted rows, for new ones; None: one is made of these rows.
    scale, text, names, graph
        As of `FeaturePlan.fit`.
    what : str
        Name of the argument or file, for messages.

    Returns
    -------
    x : Tensor, float32, shape [n, c], strided or CSR; or None
        None where every column was left out.
    plan : FeaturePlan or None
        None where the numbers are read as they are.

    Raises
    ------
    InputError
        As of `FeaturePlan.fit` and `FeaturePlan.apply`.

    Examples
    --------
    >>> import numpy as np
    >>> x, plan = make_features(np.array([[20.0, 30_000.0], [45.0, 61_000.0], [31.0, 28_000.0]]))
    >>> plan.summary()
    'features: 1, 2 (standardised)'
    """
    if plan is None:
        plan = FeaturePlan.fit(source, scale=scale, text=text, names=names, graph=graph)
    if plan is None:
        return as_features(source, what), None
    return (plan.apply(source, what) if plan.used else None), plan


def read_features(
    source: Any, options: FeatureOptions, *, what: str = "x", graph: bool = False
) -> tuple[Tensor | None, FeaturePlan | None]:
    """`make_features` as the options say: by the plan of a fitted model, or by one that is made here."""
    if options.fitted and options.plan is None:
        return as_features(source, what), None
    return make_features(source, options.plan, options.scale or "none", options.text, what=what, graph=graph)


def read_data_features(data: Any, options: FeatureOptions, graph: bool) -> tuple[Tensor | None, FeaturePlan | None]:
    """Features of a PyG ``Data``: of its `x`, or of the raw columns that it carries.

    Parameters
    ----------
    data : Data
        With ``x``, [n, f] or None. One that was read from a table also holds ``feature_table``, the raw columns as a
        DataFrame, and ``feature_plan``, which made its ``x`` of them.
    options : FeatureOptions
    graph : bool
        Whether there are edges.

    Returns
    -------
    x, plan
        As of `make_features`. Images (``image_shape``) are never scaled.

    Raises
    ------
    InputError
        As there; or a ``feature_table`` that has other rows than the data.
    """
    table, made = getattr(data, "feature_table", None), getattr(data, "feature_plan", None)
    own = None if data.x is None or (made is not None and not made.used) else data.x
    as_read = made == options.plan if options.fitted else options in (FeatureOptions(), AS_THEY_ARE)
    read = made is not None or (table is not None and own is not None)
    if getattr(data, "image_shape", None) is not None or (read and as_read):
        return (None if own is None else as_features(own)), made
    if table is None:
        return (None, None) if data.x is None else read_features(data.x, options, graph=graph)
    if len(table) != data.num_nodes:
        raise wrong("feature_table", f"{len(table)} rows", f"{data.num_nodes}, one for each node")
    return read_features(table, options, what="feature_table", graph=graph)
