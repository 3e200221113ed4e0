"""Labels of nodes: whole numbers or names, and nodes without one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.tables.table import Table
from genurl_graph.inputs.tables.values import kind_of, to_numbers

# Cells of text that stand for no label, in lower case.
UNKNOWN = frozenset({"", "na", "n/a", "nan", "null", "<na>"})


def encode_labels(values: npt.NDArray[Any], where: str) -> tuple[Tensor, list[str] | None]:
    """Turn labels [n] into y int64 [n]; names and negative numbers become codes, with `label_names`."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise wrong(where, f"labels of shape {list(values.shape)}", "one for each node")
    if values.dtype.kind == "f":
        whole = np.isfinite(values) & (values == np.round(values))
        if not whole.all():
            first = int(whole.argmin())
            raise wrong(where, f"label {values[first]} of node {first}", "whole numbers or names")
        values = values.astype(np.int64)
    if values.dtype.kind in "biu" and (values.size == 0 or values.min() >= 0):
        return torch.from_numpy(values.astype(np.int64)), None
    if values.dtype.kind not in "biuUS":
        raise wrong(where, f"labels of dtype {values.dtype}", "whole numbers or names")
    classes, codes = np.unique(values, return_inverse=True)
    return torch.from_numpy(codes.astype(np.int64)), [as_text(name) for name in classes.tolist()]


def as_text(value: Any) -> str:
    """A node id or label as text; bytes (NumPy's S dtype) are UTF-8."""
    return value.decode() if isinstance(value, bytes) else str(value)


def read_label_column(table: Table, column: str) -> tuple[Tensor, list[str] | None, int]:
    """Labels of a column, and how many of its cells have none.

    Returns
    -------
    y : Tensor, int64, shape [n]
        -1 for a row without a label: evaluations leave these nodes out.
    label_names : list of str, or None
        None where the labels are whole numbers from 0.
    unknown : int

    Raises
    ------
    InputError
        A number with a fraction, with its line; or a column without any label.
    """
    cells = table.frame[column]
    known = ~is_unlabelled(cells)
    where = f"{table.name}: {table.title(column)}"
    if not known.any():
        raise wrong(where, "no label in any row", "labels")
    kind = kind_of(cells[known])
    if kind in ("whole", "number"):
        values: npt.NDArray[Any] = to_numbers(cells[known]) if kind == "number" else _as_whole(cells[known])
        broken = values % 1 != 0 if kind == "number" else np.zeros(len(values), dtype=bool)
        if broken.any():
            row = int(np.flatnonzero(known)[broken.argmax()])
            found = f"label {cells.iloc[row]}"
            raise wrong(f"{table.name}: {table.where(row)}, {table.title(column)}", found, "whole numbers or names")
        values = values.astype(np.int64)
    elif kind == "bool":
        values = cells[known].to_numpy(dtype=bool)
    else:
        codes, distinct = pd.factorize(cells[known])
        values = np.array([as_text(name) for name in distinct])[codes]
    found_y, names = encode_labels(values, where)
    y = torch.full((len(cells),), -1, dtype=torch.long)
    y[torch.from_numpy(known)] = found_y
    return y, names, int((~known).sum())


def is_unlabelled(cells: pd.Series) -> npt.NDArray[np.bool_]:
    """Whether each cell says that there is no label."""
    gaps: npt.NDArray[np.bool_] = cells.isna().to_numpy().copy()
    if cells.dtype == object or isinstance(cells.dtype, pd.StringDtype | pd.CategoricalDtype):
        codes, distinct = pd.factorize(cells)
        gaps |= np.append(np.array([as_text(cell).strip().lower() in UNKNOWN for cell in distinct], dtype=bool), True)[
            codes
        ]
    return gaps


def _as_whole(cells: pd.Series) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = cells.astype("int64").to_numpy()
    return found
