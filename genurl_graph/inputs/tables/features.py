"""Feature columns of a table: numbers where all cells are numbers or missing, else text; x, by a plan if needed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.columns.plan import FeaturePlan
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import is_missing, kind_of, to_numbers

# Columns that are named one by one.
MOST_NAMED = 20
# Columns that are named in one line.
MOST_IN_A_LINE = 8


def as_columns(table: Table, chosen: list[str]) -> pd.DataFrame:
    """The chosen columns in their dtypes: numbers where all cells are numbers or missing (NaN), else as they are.

    Raises
    ------
    InputError
        An infinite number, or text among a column of numbers, with its line.
    """
    frame = table.frame[chosen]
    changed = {}
    for name, dtype in frame.dtypes.items():
        cells = frame[name]
        if pd.api.types.is_object_dtype(dtype) or isinstance(dtype, pd.StringDtype):
            kind = kind_of(cells)
            if kind in ("whole", "number"):
                changed[name] = to_numbers(cells)
            elif kind == "text":
                _check_text(table, str(name), cells)
    if changed:
        frame = frame.assign(**changed)
    _check_finite(table, frame)
    return frame.reset_index(drop=True)


def make_x(
    frame: pd.DataFrame,
    name: str,
    graph: bool,
    header: bool = True,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - never changed
) -> tuple[Tensor, FeaturePlan | None, Reading]:
    """Features float32 [n, f] of raw columns, the plan that made them (None: numbers as they are), what to say."""
    wanted = options.names("feature")
    plan = FeaturePlan.fit(frame, scale=options.scale, text=options.text, graph=graph, wanted=wanted)
    if plan is None:
        shown = (
            ", ".join(map(str, frame.columns)) if frame.shape[1] <= MOST_IN_A_LINE else f"{frame.shape[1]:,} columns"
        )
        lines: tuple[str, ...] = (f"features: {shown} (numbers as they are)",)
        matrix = frame.to_numpy(np.float32)
        return torch.from_numpy(matrix if matrix.flags.writeable else matrix.copy()), None, Reading(lines)
    if not plan.names and not graph:
        raise wrong(name, f"no column that can be a feature ({plan.summary()})", "at least one")
    column = "" if header else "column "
    told = [plan.summary()]
    if frame.shape[1] <= MOST_NAMED and any(each.kind != "number" or each.gaps for each in plan.columns):
        # The summary says why the others are left out.
        told += [column + each.line() for each in plan.used]
    return plan.apply(frame, name), plan, Reading(tuple(told))


def _check_text(table: Table, name: str, cells: pd.Series) -> None:
    """Refuse a few words in a column of numbers: they are slips, and no categories."""
    missing = is_missing(cells)
    words = ~missing & ~np.isfinite(to_numbers(cells))
    if words.sum() * 2 <= (~missing).sum():
        row = int(words.argmax())
        place = f"{table.name}: {table.where(row)}, {table.title(name)}"
        remedy = f"a finite number as in most rows, or an empty cell (--column ignore={name} leaves the column out)"
        raise wrong(place, repr(cells.iloc[row]), remedy)


def _check_finite(table: Table, frame: pd.DataFrame) -> None:
    """Refuse numbers that float32 cannot hold. Whole numbers can be held, and NaN is a missing cell."""
    real = frame.select_dtypes("floating")
    with np.errstate(over="ignore"):
        bad = np.isinf(real.to_numpy(np.float32, na_value=np.nan))
    if bad.any():
        row, column = (int(place) for place in np.argwhere(bad)[0])
        name = str(real.columns[column])
        place = f"{table.name}: {table.where(row)}, {table.title(name)}"
        raise wrong(place, repr(str(real.iloc[row, column])), "a finite number")
