"""Which column of a table holds the labels, and which may: none of them becomes a feature unasked."""

from __future__ import annotations

import numpy as np
import pandas as pd
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.tables import names
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import is_whole_number, kind_of

# Rows and columns of tables in which columns are compared with the labels.
LEAST_ROWS, MOST_COLUMNS = 10, 200


def named_labels(table: Table, free: list[str], said: str | None) -> dict[str, str]:
    """Columns that are labels by their names, and why one is none ("" if it is one)."""
    if not table.header:
        return {}
    named = [name for name in free if names.is_label(name)]
    if any(name.lower() == "x" for name in free):
        named = [name for name in named if name.lower() != "y"]
    found = {name: _fault(table.frame[name]) for name in named}
    good = [name for name in named if not found[name]]
    if said is None and len(good) > 1:
        which = " or ".join(f"--column label={name}" for name in good)
        found |= {name: f"one of {len(good)} possible labels; {which} names it" for name in good}
    return found


def possible_labels(table: Table, free: list[str], what: str, labelled: bool = False) -> dict[str, str]:
    """Columns that are labels as likely as features: by name, or the words at the end of a row of numbers.

    Where the labels are known, only clusters that somebody computed remain in doubt, by name.
    """
    option = "may be the labels: --column label={0} or feature={0}"
    if table.header:
        in_doubt = names.is_computed_label if labelled else names.may_be_label
        named = [name for name in free if in_doubt(name) and _is_category(table.frame[name])]
        lower = {name.lower() for name in free}
        named = [name for name in named if not (name.lower() == "y" and "x" in lower)]
        return {name: option.format(name) for name in named}
    text = [name for name in free if kind_of(table.frame[name]) == "text"]
    if what == "vectors" and len(free) > 2 and text == [free[-1]] and _is_category(table.frame[free[-1]]):
        return {text[0]: option.format(text[0])}
    return {}


def _is_category(cells: pd.Series) -> bool:
    return kind_of(cells) in ("whole", "text", "bool") and 1 < cells.nunique() <= max(2, len(cells) // 2)


def _fault(cells: pd.Series) -> str:
    """Why a column is no label whatever its name."""
    kind = kind_of(cells)
    if kind == "empty":
        return "empty"
    if kind == "number" and not is_whole_number(cells):
        return "a label by its name, but its numbers are no classes"
    if len(cells) > 2 and cells.nunique() == len(cells):
        return "a label by its name, but another one in each row"
    return ""


def only_label(table: Table, free: list[str]) -> str:
    """The column of a table of labels that is neither ids nor ignored."""
    if len(free) == 1:
        return free[0]
    named = [name for name, why in named_labels(table, free, None).items() if not why]
    categories = [name for name in free if _is_category(table.frame[name])]
    named = named or [name for name in possible_labels(table, free, "labels") if len(categories) == 1]
    if len(named) == 1:
        return named[0]
    found = f"{len(free)} columns that can be the labels: {', '.join(map(str, free[:20]))}"
    raise wrong(table.name, found if free else "no column of labels", "--column label=NAME")


def same_as_labels(frame: pd.DataFrame, y: Tensor) -> list[str]:
    """Columns that tell the labels in other words: each value stands for one label, and each label for one value."""
    known = (y >= 0).numpy()
    codes = y.numpy()[known]
    classes = len(np.unique(codes))
    if known.sum() < LEAST_ROWS or frame.shape[1] > MOST_COLUMNS or classes < 2:
        return []
    found = []
    for name, cells in frame[known].items():
        if pd.api.types.is_float_dtype(cells.dtype) or cells.isna().any():
            continue
        own, distinct = pd.factorize(cells)
        if len(distinct) == classes == len(np.unique(own.astype(np.int64) * (codes.max() + 1) + codes)):
            found.append(str(name))
    return found
