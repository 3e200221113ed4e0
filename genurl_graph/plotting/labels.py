"""What the labels of a map are: classes, numbers or dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from torch import Tensor

from genurl_graph.exceptions import wrong

MAX_LEGEND = 20  # whole numbers that differ more are classes only where they count from 0 or 1
MAX_CODES = 100  # and not even then beyond so many
POINTS_A_CODE = 5  # or where each has fewer points than this on average

Array = npt.NDArray[Any]


class Classes(NamedTuple):
    """A class for each point.

    Attributes
    ----------
    keys : list [c], the classes as the user wrote them, in the order of the legend
    codes : array, int64, shape [n]
        Indices into `keys`; -1: missing.
    missing : str
        What the legend calls points without a class.
    """

    keys: list[Any]
    codes: npt.NDArray[np.int64]
    missing: str = "missing"


class Values(NamedTuple):
    """A number or a date for each point.

    Attributes
    ----------
    values : array, float64, shape [n]
        NaN: missing. A date is the number of days that matplotlib counts.
    dates : bool
    """

    values: npt.NDArray[np.float64]
    dates: bool = False


def read_labels(labels: Any, n: int, *, numbers: bool = False) -> Classes | Values:
    """Find out what labels are.

    Text, booleans and pandas' Categorical are classes; the latter keep their order, and text is sorted so that "c2"
    comes before "c10". Dates are dates. Whole numbers are classes where at most 20 differ, or where they look like the
    numbers of classes: up to 100 of them that leave none out, count from 0 or 1 and have five points each on average.
    All other numbers are values. NaN, None, NaT, infinite numbers and empty text are missing, and so is -1 where it is
    the only negative number beside class numbers that count from 0.

    Parameters
    ----------
    labels : Tensor, array, sequence, or pandas Series, Index or Categorical, shape [n]
    n : int
    numbers : bool
        Read whole numbers as values, however few they are.

    Raises
    ------
    InputError
        Labels that are not [n], or complex numbers.

    Examples
    --------
    >>> read_labels(["b", "a", "b", None], 4)
    Classes(keys=['a', 'b'], codes=array([ 1,  0,  1, -1]), missing='missing')
    """
    series = _as_series(labels, n)
    if isinstance(series.dtype, pd.CategoricalDtype):
        return Classes(series.cat.categories.tolist(), series.cat.codes.to_numpy(np.int64))
    kind = pd.api.types
    if isinstance(series.dtype, pd.PeriodDtype):
        series = series.dt.to_timestamp()
    elif series.dtype == object and kind.infer_dtype(series, skipna=True) == "date":
        series = pd.to_datetime(series)
    if kind.is_datetime64_any_dtype(series.dtype):
        return Values(_as_days(series), dates=True)
    if kind.is_timedelta64_dtype(series.dtype):
        return Values((series.dt.total_seconds() / 86400).to_numpy(np.float64))
    if kind.is_complex_dtype(series.dtype):
        raise wrong("labels", "complex numbers", "classes, real numbers or dates")
    if kind.is_numeric_dtype(series.dtype) and not kind.is_bool_dtype(series.dtype):
        return _read_numbers(series, numbers)
    return _read_names(series)


def _as_series(labels: Any, n: int) -> Any:
    if isinstance(labels, Tensor):
        labels = labels.detach().cpu()
        labels = (labels.double() if labels.is_floating_point() else labels).numpy()
    if isinstance(labels, np.ndarray):
        labels = labels.astype(str) if labels.dtype.kind == "S" else labels
    elif not isinstance(labels, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        # A list of text and None stays what it is; NumPy would make text of it all.
        flat = isinstance(labels, Sequence) and not isinstance(labels, str)
        flat = flat and not any(isinstance(one, list | dict | np.ndarray) for one in labels)
        labels = pd.Series(list(labels)) if flat else np.asarray(labels, dtype=object)
    if labels.shape != (n,):
        raise wrong("labels", f"shape {labels.shape}", f"[{n}], one for each point")
    return pd.Series(labels).reset_index(drop=True).infer_objects()


def _as_days(series: Any) -> npt.NDArray[np.float64]:
    from matplotlib.dates import date2num

    if series.dt.tz is not None:
        series = series.dt.tz_localize(None)  # as the clock showed it
    days: npt.NDArray[np.float64] = np.asarray(date2num(series.to_numpy("datetime64[us]")), dtype=np.float64)
    return np.where(series.isna(), np.nan, days)


def _read_numbers(series: Any, numbers: bool) -> Classes | Values:
    values = series.to_numpy(np.float64, na_value=np.nan)
    known = np.isfinite(values)
    if not numbers and not np.any(values[known] % 1):
        found, indices = np.unique(series[known].to_numpy(), return_inverse=True)
        if _are_classes(found, len(values)):
            codes = np.full(len(values), -1, dtype=np.int64)
            codes[known] = indices
            if len(found) > 2 and found[0] == -1 and found[1] == 0:
                # Unlabelled, or noise to a clustering.
                return Classes(_whole(found[1:]), np.maximum(codes - 1, -1), "-1")
            return Classes(_whole(found), codes)
    return Values(np.where(known, values, np.nan))


def _are_classes(found: Array, n: int) -> bool:
    count = len(found)
    if count <= MAX_LEGEND:
        return True
    in_a_row = found[0] in (-1, 0, 1) and found[-1] - found[0] + 1 == count
    return bool(in_a_row) and count <= MAX_CODES and n >= POINTS_A_CODE * count


def _whole(found: Array) -> list[Any]:
    return [int(one) for one in found.tolist()]


def _read_names(series: Any) -> Classes:
    unknown = (series.isna() | (series == "")).fillna(True).to_numpy(bool)
    # Objects that are no text, lists among them, are what they print as.
    given = series[~unknown]
    given = given.astype(bool) if pd.api.types.is_bool_dtype(series.dtype) else given.astype(str)
    indices, found = pd.factorize(given)
    keys = found.tolist()
    order = sorted(range(len(keys)), key=lambda one: _natural(str(keys[one])))
    rank = np.empty(len(keys), dtype=np.int64)
    rank[order] = np.arange(len(keys))
    codes = np.full(len(series), -1, dtype=np.int64)
    codes[~unknown] = rank[indices]
    return Classes([keys[one] for one in order], codes)


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Order in which "c2" comes before "c10"."""
    parts = re.split(r"([0-9]+)", name)
    # Numbers, at odd places, by their length and then their digits: int() refuses the longest.
    digits = [part.lstrip("0") if at % 2 else part for at, part in enumerate(parts)]
    return [(at % 2 == 0, len(part) if at % 2 else 0, part) for at, part in enumerate(digits) if part or at % 2]
