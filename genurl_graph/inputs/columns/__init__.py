"""Feature columns: what each is, what becomes of it, and the one function that makes features of whatever comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from genurl_graph.inputs.columns.kinds import matrix_kind
from genurl_graph.inputs.columns.matrix import as_features
from genurl_graph.inputs.columns.plan import FeaturePlan

__all__ = ["FeaturePlan", "as_features", "make_features", "matrix_kind"]


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
