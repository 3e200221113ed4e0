"""Matrices of numbers without a graph's keys: features, or an adjacency where the user says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from genurl_graph.datasets.readers.formats.matrices import from_matrix
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.tables.table import Table

if TYPE_CHECKING:
    from torch_geometric.data import Data

# Smaller matrices are symmetric by chance.
LEAST = 4


def as_edge_table(array: npt.NDArray[Any], path: Path, options: ReadOptions) -> Table | None:
    """An array of whole numbers [E, 2] or [2, E], or [E, 3] with weights, as a table; None where it is a matrix.

    Raises
    ------
    InputError
        ``--as edges`` for another shape; or [2, E] of whole numbers, if nothing is said of it.
    """
    said = options.reading in ("edges", "graph")
    lists = array.ndim == 2 and array.dtype.kind in "iuf" and array.shape[1] in (2, 3)
    index = array.ndim == 2 and array.dtype.kind in "iu" and array.shape[0] == 2 and array.shape[1] > 3
    if said and not lists and not index:
        raise wrong(str(path), f"an array of shape {list(array.shape)}", "edges [E, 2], [E, 3] with weights, or [2, E]")
    if options.reading is None and index:
        found = f"whole numbers of shape {list(array.shape)} that may be an edge_index"
        raise InputError(f"{path}: found {found}; expected --as edges or --as vectors")
    if not said and not (options.reading is None and lists and array.dtype.kind in "iu" and array.shape[1] == 2):
        return None
    rows = array.T if index else array
    return Table(str(path), pd.DataFrame(rows, columns=[*map(str, range(1, rows.shape[1] + 1))]), header=False)


def read_array(array: npt.NDArray[Any], path: Path, options: ReadOptions) -> Data:
    """A NumPy array as features [n, f], or with ``--as adjacency`` as a graph.

    Raises
    ------
    InputError
        A square matrix that may as well be an adjacency, if nothing is said of it.
    """
    if options.reading is None:
        refuse_either(array, str(path))
    return from_matrix(array, path, _plain(options), kind="NumPy", square="vectors")


def read_square(table: Table, path: Path, options: ReadOptions) -> Data | None:
    """A table of numbers as an adjacency where ``--as adjacency`` says so; None where it is none.

    Raises
    ------
    InputError
        A square matrix that may as well be an adjacency, if nothing is said of it; or cells that are no numbers.
    """
    if options.reading not in (None, "adjacency"):
        return None
    frame, ids = table.frame, None
    if frame.shape[1] == len(frame) + 1:
        ids, frame = frame.iloc[:, 0].astype(str), frame.iloc[:, 1:]
        if table.header and [*ids] != [*frame.columns]:
            ids, frame = None, table.frame
    numbers = all(pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes)
    if options.reading is None:
        if numbers and frame.shape[0] == frame.shape[1] >= LEAST:
            refuse_either(frame.to_numpy(), table.name)
        return None
    if not numbers:
        odd = next(name for name, kind in frame.dtypes.items() if not pd.api.types.is_numeric_dtype(kind))
        raise wrong(
            f"{table.name}: {table.title(str(odd))}", "cells that are not numbers", "an adjacency matrix of numbers"
        )
    data = from_matrix(frame.to_numpy(), path, _plain(options), kind="table")
    if ids is not None:
        data.node_id = [*ids]
    elif table.header and frame.shape[1] == data.num_nodes and len(set(frame.columns)) == data.num_nodes:
        data.node_id = [*map(str, frame.columns)]
    return data


def refuse_either(matrix: npt.NDArray[Any], where: str) -> None:
    """Refuse a square matrix that is symmetric and nowhere negative, or of 0 and 1: features, or an adjacency."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) < LEAST or matrix.dtype.kind not in "biuf":
        return
    diagonal = matrix.dtype.kind != "b" and np.count_nonzero(matrix) == np.count_nonzero(matrix.diagonal())
    binary = matrix.dtype.kind == "b" or bool(np.isin(matrix, (0, 1)).all())
    symmetric = np.array_equal(matrix, matrix.T) and bool((matrix >= 0).all())
    if (symmetric or binary) and not diagonal:
        alike = "symmetric" if symmetric else "0/1"
        found = f"a {alike} square matrix {list(matrix.shape)} that may be an adjacency, or features"
        raise InputError(f"{where}: found {found}; expected --as adjacency or --as vectors")


def _plain(options: ReadOptions) -> ReadOptions:
    """Without what is said of tables."""
    return ReadOptions(options.reading, directed=options.directed)
