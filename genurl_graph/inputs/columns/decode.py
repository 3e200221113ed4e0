"""Raw columns from encoded ones: the way back, for numbers and yes/no."""

from __future__ import annotations

from typing import Any

import numpy as np

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.columns.plan import FeaturePlan


def decode(plan: FeaturePlan, encoded: np.ndarray[Any, Any], what: str = "x") -> np.ndarray[Any, Any]:
    """Raw numbers of encoded rows.

    Parameters
    ----------
    plan : FeaturePlan
    encoded : array, float, shape [n, len(plan.names)]
        As `FeaturePlan.apply` returns them, or means of such rows.
    what : str
        For the message.

    Returns
    -------
    array, float64, shape [n, len(plan.columns)]
        In the user's units: what was clipped stays clipped. Of yes/no the share of yes. NaN in columns that were left
        out.

    Raises
    ------
    InputError
        A column of categories, dates or words, of which there is no mean.

    Examples
    --------
    >>> plan = FeaturePlan.fit(np.array([[20.0, 30_000.0], [45.0, 61_000.0], [31.0, 28_000.0]]))
    >>> decode(plan, np.zeros((1, 2)))
    array([[   31., 30000.]])
    """
    out, start = np.full((len(encoded), len(plan.columns)), np.nan), 0
    for place, column in enumerate(plan.columns):
        if not column.is_used:
            continue
        if column.kind not in ("number", "flag"):
            raise wrong(f"{what}: column {column.name!r}", column.brief(), "numbers or yes/no, which have a mean")
        centre = 0.0 if column.how == "as it is" else column.centre
        out[:, place] = encoded[:, start] / column.weights[0] * column.scale + centre
        start += len(column.names)
    return out
