"""What points can be coloured, sized and filtered by: a number, a date or a category for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from genurl_graph.exceptions import wrong
from genurl_graph.plotting.labels import MAX_LEGEND, Classes, read_labels

# Of a day.
MICROSECONDS = 86_400e6
# Whole numbers up to which 32 bits hold each.
WHOLE = 2**24


class Numbers(NamedTuple):
    """A number for each point, drawn by a colour map.

    Attributes
    ----------
    name : str
    about : str
        One line on what the number is.
    values : array, float32 or float64, shape [n]
        NaN: unknown.
    dates : bool
        Whether they are days since 1970 in UTC, and shown as dates.
    """

    name: str
    about: str
    values: npt.NDArray[np.floating[Any]]
    dates: bool = False


class Categories(NamedTuple):
    """A category for each point, drawn by a legend.

    Attributes
    ----------
    name : str
    about : str
        One line on what the category is.
    codes : array, int64, shape [n]
        Indices into `names`; -1: unknown.
    names : sequence of str
    """

    name: str
    about: str
    codes: npt.NDArray[np.int64]
    names: Sequence[str]


Column = Numbers | Categories


def column(name: str, about: str, values: Any) -> Column:
    """Make a column of numbers, of dates or of categories, whichever the values are.

    Numbers become categories where they are whole and at most 20 different ones, as in `genurl_graph.plotting.scatter`;
    text always does. NaN, NaT and the empty text stand for unknown values.

    Parameters
    ----------
    name, about : str
    values : sequence, shape [n]
        Numbers, text, or dates (``datetime64``), whose days since 1970 become the numbers.

    Raises
    ------
    InputError
        More than one dimension, or infinite numbers.

    Examples
    --------
    >>> column("Age", "in years", [1.5, 20.0]).values.tolist()
    [1.5, 20.0]
    >>> column("Born", "", np.array(["1970-01-02", "NaT"], dtype="datetime64[D]")).values.tolist()
    [1.0, nan]
    """
    given = np.asarray(values)
    if given.ndim != 1:
        raise wrong(f"column {name}", f"shape {given.shape}", "[n]")
    if given.dtype.kind == "M":
        return Numbers(name, about, days(given), dates=True)
    if given.dtype.kind not in "fiub":
        return _categories(name, about, given.astype(str), given.astype(str) != "")
    known = ~np.isnan(given) if given.dtype.kind == "f" else np.ones(len(given), dtype=bool)
    if np.isinf(given).any():
        raise wrong(f"column {name}", "infinite numbers", "finite ones, or none where unknown")
    whole = given[known]
    if given.dtype.kind != "f" or not np.any(whole % 1):
        whole = whole.astype(np.int64)
        if len(np.unique(whole)) <= MAX_LEGEND:
            filled = np.zeros(len(given), dtype=np.int64)
            filled[known] = whole
            return _categories(name, about, filled, known)
    numbers = given.astype(np.float64)
    # Days such as 20230115, ids and populations are shown digit by digit.
    return Numbers(name, about, numbers if (np.abs(numbers) > WHOLE).any() else numbers.astype(np.float32))


def labels(name: str, about: str, values: Any) -> Column:
    """Make a column of labels: as `column`, but whole numbers are always classes, and negative ones unknown."""
    given = np.asarray(values)
    if given.dtype.kind in "iub" and given.ndim == 1:
        return _categories(name, about, given.astype(np.int64), given.astype(np.int64) >= 0)
    return column(name, about, given)


def days(moments: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Days since 1970 of dates, float64 [n]: a 32-bit number would miss the minutes. NaN where there is none."""
    found = moments.astype("datetime64[us]")
    return np.where(np.isnat(found), np.nan, found.astype(np.int64) / MICROSECONDS)


def _categories(name: str, about: str, values: npt.NDArray[Any], known: npt.NDArray[np.bool_]) -> Categories:
    if values.dtype.kind == "U":
        # "c2" before "c10".
        classes = read_labels(np.where(known, values, ""), len(values))
        assert isinstance(classes, Classes)
        return Categories(name, about, classes.codes, [str(key) for key in classes.keys])
    found, indices = np.unique(values[known], return_inverse=True)
    codes = np.full(len(values), -1, dtype=np.int64)
    codes[known] = indices
    return Categories(name, about, codes, [str(one) for one in found.tolist()])
