"""What windows of time are called in plots: their number, and when they begin."""

from __future__ import annotations

from datetime import UTC, datetime

from torch import Tensor

from genurl_graph.exceptions import unknown
from genurl_graph.inputs.temporal.times import NUMBERS, PER_SECOND

# From the shortest: the first that tells all windows apart is taken.
FORMATS = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")


def window_names(starts: Tensor, unit: str = "numbers") -> list[str]:
    """When each window begins, and the last one ends, as text.

    Parameters
    ----------
    starts : Tensor, float64, shape [W + 1]
    unit : str
        As of `genurl_graph.inputs.temporal.EventSet`. Of numbers and snapshots the numbers; "seconds" to "nanoseconds"
        and "dates" are times since 1970 and become dates, in UTC.

    Returns
    -------
    list of str, W + 1
        As short as they can be and still differ.

    Raises
    ------
    InputError
        Another unit.

    Examples
    --------
    >>> window_names(torch.tensor([0.0, 86400.0, 100000.0]), "seconds")
    ['1970-01-01', '1970-01-02', '1970-01-02']
    """
    if unit not in (units := (*PER_SECOND, NUMBERS, "snapshots")):
        raise unknown("unit", unit, units)
    times = [float(start) for start in starts]
    if unit in PER_SECOND:
        try:
            dates = [datetime.fromtimestamp(time / PER_SECOND[unit], UTC) for time in times]
        except (ValueError, OverflowError, OSError):  # beyond the years 1 to 9999
            return window_names(starts)
        texts = [[date.strftime(form) for date in dates] for form in FORMATS]
    else:
        texts = [[f"{time:.{digits}g}" for time in times] for digits in (4, 7, 10, 17)]
    return next((text for text in texts if len({*text[:-1]}) == len(text) - 1), texts[-1])
