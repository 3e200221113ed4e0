"""Differences of two methods over the same seeds, with confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genurl_graph.exceptions import InputError


def paired_difference(
    values: Sequence[float], reference: Sequence[float], confidence: float = 0.95
) -> dict[str, float | None]:
    """Mean of ``values - reference`` and its confidence interval by the paired t test (Student 1908).

    ``mean ± t((1 + confidence) / 2; m - 1) s / sqrt(m)`` with the unbiased deviation s of the m differences.

    Parameters
    ----------
    values, reference : sequence of float, the same length m
        Results of two methods, seed by seed.
    confidence : float
        In (0, 1).

    Returns
    -------
    dict
        ``mean``, ``low`` and ``high``; the last two are None for a single pair, which has no spread.

    Raises
    ------
    InputError
        No values, other lengths, or a confidence outside (0, 1).
    """
    if len(values) != len(reference) or not len(values):
        raise InputError(
            f"paired difference: found {len(values)} and {len(reference)} values; expected as many of both, at least 1"
        )
    if not 0 < confidence < 1:
        raise InputError(f"confidence: found {confidence}; expected a number between 0 and 1")
    differences = np.asarray(values, dtype=np.float64) - np.asarray(reference, dtype=np.float64)
    mean = float(differences.mean())
    if len(differences) == 1:
        return {"mean": mean, "low": None, "high": None}
    from scipy.stats import t

    half = float(
        t.ppf((1 + confidence) / 2, len(differences) - 1) * differences.std(ddof=1) / np.sqrt(len(differences))
    )
    return {"mean": mean, "low": mean - half, "high": mean + half}
