"""Raw columns to encoded ones: scikit-learn's ``ColumnTransformer``, made of the constants of a plan.

Nothing is learned here. Every transformer works on one row alone, so that a row is encoded to the same bits whatever
comes with it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.columns.cells import as_days, as_flags, as_numbers, as_words, check_cells, to_dates
from genurl_graph.inputs.columns.column import CYCLES, GAP, RARE, Column

# Standardised numbers are clipped here.
CLIP = 5.0
# Of the month and the weekday of a date beside its days.
CYCLIC = 0.5


def typed_cells(column: Column, cells: pd.Series[Any], what: str) -> Any:
    """Cells of a used column as float64 with NaN, or as text: of categories, known values only.

    InputError with the column and its first cell that does not fit.
    """
    name = f"{what}, column {column.name!r}"
    if column.kind == "number":
        cells = cells.where(~as_words(cells).isna(), None) if column.blank else cells
        numbers = cells.dt.total_seconds().to_numpy() / 86_400 if cells.dtype.kind == "m" else as_numbers(cells)
        if column.blank and numbers is None:
            numbers = as_numbers(as_words(cells, column.blank))
        numbers = check_cells(numbers, cells, name, "numbers")
        if bool(np.isinf(numbers).any()):
            raise wrong(name, "infinite numbers", "finite ones")
        return numbers
    if column.kind == "flag":
        return check_cells(as_flags(cells), cells, name, "yes or no")
    if column.kind == "date":
        expected = "dates" if column.style is None else f"dates such as {column.style}"
        return check_cells(as_days(cells, column.style), cells, name, expected)
    words = as_words(cells)
    if column.kind == "category":
        return _known_values(column, words)
    return words.fillna("").to_numpy(dtype=object)


def make_transformer(columns: Sequence[Column]) -> Any:
    """The ``ColumnTransformer`` of used columns, ready to transform a frame of their `typed_cells`."""
    from sklearn.compose import ColumnTransformer

    # Numbers beside each other are encoded at once: a table may have thousands.
    runs = [list(run) for _, run in itertools.groupby(columns, _run_key(columns))]
    parts = [(" ".join(["columns", str(i)]), _encoder(run), [c.name for c in run]) for i, run in enumerate(runs)]
    made = ColumnTransformer(parts, sparse_threshold=0.3)
    # It has to see a frame: a row of missing cells, of which nothing is learned.
    blank = {c.name: pd.Series([np.nan] if _is_numeric(c) else [_first(c)]) for c in columns}
    return made.fit(pd.DataFrame(blank))


def _run_key(columns: Sequence[Column]) -> Any:
    place = {id(column): i for i, column in enumerate(columns)}
    return lambda column: _how(column) or place[id(column)]


def _how(column: Column) -> str:
    """What is done with a number, or with yes/no; "" for other columns."""
    return column.how if column.kind in ("number", "flag") else ""


def _is_numeric(column: Column) -> bool:
    return column.kind in ("number", "flag", "date")


def _first(column: Column) -> str:
    return column.values[0] if column.values else "a"


def _known_values(column: Column, words: pd.Series[Any]) -> Any:
    known = words.isin(set(column.values) - {RARE, GAP})
    other = RARE if RARE in column.values else "(unknown)"
    return words.where(known, other).where(words.notna(), GAP).to_numpy(dtype=object)


def _encoder(run: Sequence[Column]) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

    first = run[0]
    # One weight for all columns of a raw one, or one for each.
    weights = np.concatenate([np.broadcast_to(c.weights, len(c.names)) for c in run])
    weigh = FunctionTransformer(_weighted, kw_args={"weights": weights}, accept_sparse=True)
    if first.kind == "category":
        values = [np.array(first.values, dtype=object)]
        return make_pipeline(OneHotEncoder(categories=values, handle_unknown="ignore", dtype=np.float64), weigh)
    if first.kind == "text":
        return make_pipeline(FunctionTransformer(_hashed, kw_args={"idf": np.array(first.idf)}), weigh)
    if first.kind == "date":
        arguments = {"centre": first.centre, "scale": first.scale, "parts": first.parts, "gaps": first.gaps > 0}
        return make_pipeline(FunctionTransformer(_dated, kw_args=arguments), weigh)
    as_they_are = first.how == "as it is"
    arguments = {
        "centre": np.array([0.0 if as_they_are else c.centre for c in run]),
        "scale": np.array([c.scale for c in run]),
        "clip": CLIP if first.how == "standardised" else np.inf,
        "fill": np.array([c.centre if as_they_are else 0.0 for c in run]),
        "gaps": np.array([c.gaps > 0 for c in run]),
    }
    return make_pipeline(FunctionTransformer(_numbers, kw_args=arguments), weigh)


def _weighted(x: Any, weights: np.ndarray[Any, Any]) -> Any:
    return x.multiply(weights).tocsr() if hasattr(x, "multiply") else x * weights


def _numbers(
    x: Any,
    centre: np.ndarray[Any, Any],
    scale: np.ndarray[Any, Any],
    clip: float,
    fill: np.ndarray[Any, Any],
    gaps: np.ndarray[Any, Any],
) -> np.ndarray[Any, Any]:
    """Numbers [n, c] less their medians, in deviations and clipped: in float64, which long numbers need.

    Missing cells become the median. A column with `gaps` is followed by one that indicates them.
    """
    values: np.ndarray[Any, Any] = (np.asarray(x, dtype=np.float64) - centre) / scale
    if clip < np.inf:
        values.clip(-clip, clip, out=values)
    missing = np.isnan(values)
    np.copyto(values, fill, where=missing)
    if not gaps.any():
        return values
    place = np.arange(len(gaps)) + np.concatenate([[0], np.cumsum(gaps)[:-1]])
    found = np.empty((len(values), len(gaps) + int(gaps.sum())))
    found[:, place] = values
    found[:, place[gaps] + 1] = missing[:, gaps]
    return found


def _dated(x: Any, centre: float, scale: float, parts: Sequence[str], gaps: bool) -> np.ndarray[Any, Any]:
    """Days since 1970 [n, 1] as standardised days, and the place in the year and in the week on a circle."""
    days = np.asarray(x, dtype=np.float64)[:, 0]
    missing = np.isnan(days)
    found = [np.clip((days - centre) / scale, -CLIP, CLIP)]
    dates = to_dates(days)
    for part in parts[1:]:
        of, period = CYCLES[part]
        angle = 2 * np.pi * getattr(dates, of).to_numpy(dtype=np.float64, na_value=np.nan) / period
        found += [CYCLIC * np.sin(angle), CYCLIC * np.cos(angle)]
    encoded = np.column_stack(found)
    encoded[missing] = 0.0
    return np.column_stack([encoded, missing]) if gaps else encoded


def hashed_counts(texts: Any, width: int) -> Any:
    """Words of texts [n], hashed to `width` columns: SciPy CSR of counts."""
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(n_features=width, alternate_sign=False, norm=None).transform([str(t) for t in texts])


def _hashed(x: Any, idf: np.ndarray[Any, Any]) -> Any:
    from sklearn.preprocessing import normalize

    counts = hashed_counts(np.asarray(x, dtype=object)[:, 0], len(idf))
    counts.data = 1 + np.log(counts.data)
    return normalize(counts.multiply(idf).tocsr())
