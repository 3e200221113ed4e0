"""What points can be coloured by: a number or a category for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from genurl_graph.exceptions import wrong
from genurl_graph.plotting.labels import MAX_LEGEND


class Numbers(NamedTuple):
    """A number for each point, drawn by a colour map.

    Attributes
    ----------
    name : str
    about : str
        One line on what the number is.
    values : array, float32, shape [n]
        NaN: unknown.
    """

    name: str
    about: str
    values: npt.NDArray[np.float32]


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
    """Make a column of numbers or of categories, whichever the values are.

    Numbers become categories where they are whole and at most 20 different ones, as in `genurl_graph.plotting.scatter`;
    text always does. NaN and the empty text stand for unknown values.

    Parameters
    ----------
    name, about : str
    values : sequence, shape [n]
        Numbers, or text.

    Raises
    ------
    InputError
        More than one dimension, or infinite numbers.
    """
    given = np.asarray(values)
    if given.ndim != 1:
        raise wrong(f"column {name}", f"shape {given.shape}", "[n]")
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
    return Numbers(name, about, given.astype(np.float32))


def labels(name: str, about: str, values: Any) -> Column:
    """Make a column of labels: as `column`, but whole numbers are always classes, and negative ones unknown."""
    given = np.asarray(values)
    if given.dtype.kind in "iub" and given.ndim == 1:
        return _categories(name, about, given.astype(np.int64), given.astype(np.int64) >= 0)
    return column(name, about, given)


def _categories(name: str, about: str, values: npt.NDArray[Any], known: npt.NDArray[np.bool_]) -> Categories:
    # Sorted as what they are: 10 after 9 where they are numbers.
    found, indices = np.unique(values[known], return_inverse=True)
    codes = np.full(len(values), -1, dtype=np.int64)
    codes[known] = indices
    return Categories(name, about, codes, [str(one) for one in found.tolist()])
