"""What a raw column is, and the constants that it is encoded by: from names and cells, never from labels."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.columns.cells import as_days, as_flags, as_numbers, as_words, date_styles, to_dates
from genurl_graph.inputs.columns.column import CYCLES, GAP, RARE, Column, How

# Of a normal distribution, between its quartiles.
NORMAL_IQR = 1.349
# Categories with a smaller share of the rows are rare, and so are those beyond this number.
RARE_SHARE, MOST_VALUES = 0.01, 50
# Cells of so many words, or letters, on average are text unless there are few distinct ones.
TEXT_WORDS, TEXT_LETTERS, FEW_TEXTS = 3.0, 30.0, 12
# Rows for each distinct value, at least, of categories.
REPEATS = 2.0
# Share of cells that are numbers, and distinct other words, up to which these count as missing.
NUMBER_SHARE, MOST_WORDS = 0.95, 3
# Rows from which on distinct whole numbers in an unbroken run are row numbers.
INDEX_ROWS = 10
_ID_NAME = re.compile(r"(^|[_\W])(id|ids|uid|uuid|guid|key|index|idx|rowid|rownum|nr|no)$|^unnamed: 0$", re.IGNORECASE)
_CAMEL_ID = re.compile(r"[a-z]I[dD]$")


def learn_column(name: str, cells: pd.Series[Any], how: How, known_id: bool | None = False) -> Column:
    """What one raw column is.

    Parameters
    ----------
    name : str
    cells : Series, [n]
        As `genurl_graph.inputs.tables.table.Table` has them, or of any dtype of pandas.
    how : "standardised", "centred" or "as it is"
        What is to be done with numbers.
    known_id : bool or None
        Whether the caller knows that it holds ids; None: that it does not.

    Returns
    -------
    Column
        Its weights are still 1.

    Raises
    ------
    InputError
        Infinite numbers.
    """
    if known_id:
        return Column(name, "out", "an id")
    try:
        words = None if cells.dtype.kind in "iufbmM" else as_words(cells)
    except TypeError:
        return Column(name, "out", "neither numbers nor text")
    cells = cells if words is None else words
    present = cells.dropna()
    distinct, gaps = int(present.nunique()), int(len(cells) - len(present))
    if distinct == 0:
        return Column(name, "out", "no value in any row")
    if distinct == 1:
        return Column(name, "out", "constant") if not gaps else _category(name, as_words(cells))
    flags = as_flags(cells) if distinct == 2 else None
    if flags is not None:
        share = float(np.nanmean(np.sort(flags)))
        return Column(name, "flag", gaps=gaps, centre=share, scale=float(np.sqrt(share * (1 - share))))
    numbers, blank = _numbers(cells, words)
    if numbers is not None:
        return _number(name, numbers, blank, how, known_id is not None)
    styles = date_styles(cells)
    if len(styles) > 1:
        return Column(name, "out", "dates whose day and month cannot be told apart (write 2024-05-31)")
    if styles:
        return _date(name, as_days(cells, styles[0]), styles[0])
    return _word_column(name, as_words(cells) if words is None else words, distinct, known_id is not None)


def is_id(name: str, values: np.ndarray[Any, Any]) -> bool:
    """Whether whole numbers [n] without gaps are ids: every one differs, and they run like an index or are named so."""
    n = len(values)
    if n < 2 or not bool((values == np.round(values)).all()) or len(np.unique(values)) < n:
        return False
    return is_id_name(name) or (n >= INDEX_ROWS and values.max() - values.min() == n - 1)


def is_id_name(name: str) -> bool:
    """Whether a column is named as ids are: id, user_id, customerId, key, index."""
    return bool(_ID_NAME.search(name) or _CAMEL_ID.search(name))


def spread(values: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Median and deviation of numbers without gaps: by the quartiles, or the standard one where these are equal."""
    ordered = np.sort(values)  # sums that do not depend on the order of the rows
    low, centre, high = np.quantile(ordered, (0.25, 0.5, 0.75))
    deviation = float((high - low) / NORMAL_IQR)
    if not deviation > 1e-12 * float(np.abs(ordered - centre).max()):
        deviation = float((ordered - ordered.mean()).std())
    return float(centre), deviation


def _numbers(
    cells: pd.Series[Any], words: pd.Series[Any] | None
) -> tuple[np.ndarray[Any, Any] | None, tuple[str, ...]]:
    """Cells as numbers, and the few words among them that count as missing; None where they are no numbers."""
    if cells.dtype.kind in "mM":
        return (cells.dt.total_seconds().to_numpy() / 86_400, ()) if cells.dtype.kind == "m" else (None, ())
    found = as_numbers(cells)
    if found is not None or words is None:
        return found, ()
    values = pd.to_numeric(words, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    other = words[np.isnan(values) & words.notna().to_numpy()]
    blank = tuple(sorted(other.unique()))
    few = len(blank) <= MOST_WORDS and len(other) <= (1 - NUMBER_SHARE) * words.notna().sum()
    return (values, blank) if few else (None, ())


def _number(name: str, numbers: np.ndarray[Any, Any], blank: tuple[str, ...], how: How, may_be_id: bool) -> Column:
    present = numbers[~np.isnan(numbers)]
    if bool(np.isinf(present).any()):
        raise wrong(f"column {name!r}", "infinite numbers", "finite ones")
    if may_be_id and is_id(name, present):
        return Column(name, "out", "an id (every value differs)")
    centre, scale = spread(present)
    if not scale > 1e-14 * abs(centre):
        return Column(name, "out", "constant")
    scale = scale if how == "standardised" else 1.0
    gaps = len(numbers) - len(present)
    return Column(name, "number", how=how, centre=centre, scale=scale, gaps=gaps, blank=blank)


def _date(name: str, days: np.ndarray[Any, Any] | None, style: str | None) -> Column:
    assert days is not None
    present = days[~np.isnan(days)]
    centre, scale = spread(present)
    dates = to_dates(present)
    parts = [part for part, (of, _) in CYCLES.items() if getattr(dates, of).nunique() > 1]
    gaps = len(days) - len(present)
    return Column(name, "date", centre=centre, scale=scale, style=style, parts=("days", *parts), gaps=gaps)


def _word_column(name: str, words: pd.Series[Any], distinct: int, may_be_id: bool) -> Column:
    present = words.dropna()
    values = pd.Series(present.unique(), dtype=object)
    spaces = present.str.count(r"\s+") + 1
    like_id = is_id_name(name) or not bool((values.str.count(r"\s") > 0).any())
    if may_be_id and distinct == len(present) and like_id:
        return Column(name, "out", "an id (every value differs)")
    long = spaces.mean() >= TEXT_WORDS or present.str.len().mean() >= TEXT_LETTERS
    if (long and distinct > FEW_TEXTS) or distinct > len(present) / REPEATS:
        return Column(name, "text", gaps=len(words) - len(present))
    return _category(name, words)


def _category(name: str, words: pd.Series[Any]) -> Column:
    n, gaps = len(words), int(words.isna().sum())
    counts = words.dropna().value_counts()
    # By number, then by name: the order does not depend on that of the rows.
    order = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    kept = [str(value) for value, count in order if count >= RARE_SHARE * n][:MOST_VALUES]
    rare = len(order) - len(kept)
    if rare == 1 and len(kept) < MOST_VALUES:
        kept, rare = [str(value) for value, _ in order], 0
    if not kept:
        return Column(name, "out", f"{len(order)} values, all of them rare")
    values = (*sorted(kept), *([RARE] if rare else []), *([GAP] if gaps else []))
    return Column(name, "category", values=values, num_rare=rare, gaps=gaps)
