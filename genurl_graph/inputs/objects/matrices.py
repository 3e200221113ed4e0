"""Matrices that are no features: an adjacency matrix, or the two or three columns of an edge list."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.sparse import to_scipy_or_numpy
from genurl_graph.inputs.validation import check_matrix

SIGNED = "weights >= 0: keep only the positive edges, take absolute values, or shift all weights"
EITHER = 'as_="adjacency" for a graph, or as_="vectors" for features'


def is_sparse_matrix(X: Any) -> bool:
    """Whether it is a sparse matrix: of SciPy, torch or torch_sparse."""
    if isinstance(X, Tensor):
        return X.layout != torch.strided
    return hasattr(X, "tocsr") or (hasattr(X, "coo") and hasattr(X, "sparse_sizes"))


def is_adjacency_like(X: Any) -> bool:
    """Whether a matrix [n, n] may as well be an adjacency matrix as features.

    Any square sparse matrix may; a dense one where it is symmetric, without negative numbers, and zero on its diagonal
    or for most pairs, as adjacency matrices and distances are.
    """
    shape = tuple(getattr(X, "shape", ()))
    if hasattr(X, "sparse_sizes"):
        shape = tuple(X.sparse_sizes())
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 3:
        return False
    if is_sparse_matrix(X):
        return True
    array = X.detach().cpu().numpy() if isinstance(X, Tensor) else np.asarray(X)
    if array.dtype.kind not in "biuf" or not np.array_equal(array[:64, :64], array[:64, :64].T):
        return False
    if not array.min() >= 0 or not np.array_equal(array, array.T):
        return False
    return bool(not array.diagonal().any() or 2 * np.count_nonzero(array) <= array.size)


def refuse_ambiguous(X: Any) -> None:
    """InputError for a matrix that may as well be an adjacency matrix, or an ``edge_index`` alone."""
    if isinstance(X, Tensor) and X.dtype == torch.int64 and X.dim() == 2 and X.size(0) == 2 and X.size(1) > 2:
        found = f"an int64 Tensor [2, {X.size(1)}] alone"
        expected = 'as_="edges" for an edge_index, or as_="vectors" for two samples'
        raise wrong("data", found, expected)
    if is_adjacency_like(X):
        shape = tuple(X.sparse_sizes() if hasattr(X, "sparse_sizes") else X.shape)
        kind = "sparse" if is_sparse_matrix(X) else "symmetric"
        distances = "" if kind == "sparse" else ', or metric="precomputed" for distances'
        raise wrong("data", f"a {kind} matrix [{shape[0]}, {shape[1]}]", f"{EITHER}{distances}")


def from_adjacency(X: Any, options: ReadOptions, features: Any = None) -> Any:
    """A PyG ``Data`` of an adjacency matrix: entry (i, j) is the weight of an edge from i to j.

    Parameters
    ----------
    X : array, SciPy matrix, Tensor, ``SparseTensor`` or DataFrame, shape [n, n]
        Of numbers >= 0; explicit zeros are no edges. Of a DataFrame the index names the nodes; columns with the same
        names may stand in another order.
    options : ReadOptions
    features : matrix or DataFrame, shape [n, f], optional
        A row for each node, in the same order.

    Raises
    ------
    InputError
        Not square, negative or non-finite entries.
    """
    from torch_geometric.data import Data

    names, kind = None, type(X).__name__
    if isinstance(X, pd.DataFrame):
        X, names = _squared(X)
    if hasattr(X, "sparse_sizes"):
        row, col, value = X.coo()
        X = torch.sparse_coo_tensor(
            torch.stack([row, col]), torch.ones(len(row)) if value is None else value, X.sparse_sizes()
        )
    matrix = check_matrix(to_scipy_or_numpy(X), "adjacency")
    n, columns = matrix.shape
    if n != columns:
        raise wrong("adjacency", f"shape {[n, columns]}", 'a square matrix [n, n] (as_="vectors" reads features)')
    if hasattr(matrix, "tocoo"):
        entries = matrix.tocoo()
        row, col, value = entries.row.astype(np.int64), entries.col.astype(np.int64), entries.data
    else:
        row, col = np.nonzero(matrix)
        value = matrix[row, col]
    stored = value != 0
    zeros = int((~stored).sum())
    row, col, value = row[stored], col[stored], value[stored].astype(np.float64)
    if (value < 0).any():
        first = int((value < 0).argmax())
        where = f"row {row[first]}, column {col[first]}"
        found = f"{int((value < 0).sum()):,} negative entries, the first ({value[first]:g}) at {where}"
        raise wrong("adjacency", found, SIGNED)
    data = Data(edge_index=torch.from_numpy(np.stack([row, col])), num_nodes=n)
    if not (value == 1).all():
        data.edge_weight = torch.from_numpy(value).float()
    if names is not None:
        data.node_id = names
    if isinstance(features, pd.DataFrame):
        data.feature_table = features.reset_index(drop=True)
    elif features is not None:
        data.x = features
    loops = int((row == col).sum())
    directed = not _is_symmetric(row, col, value, n)
    edges = len(row) if directed else (len(row) - loops) // 2 + loops
    facts = [f"{n:,} nodes", f"{edges:,} {'directed ' if directed else ''}edges"]
    facts += ["weighted"] if "edge_weight" in data else []
    facts += [f"{loops:,} self loops on the diagonal"] if loops else []
    facts += [f"{zeros:,} explicit zeros dropped"] if zeros else []
    line = f"read {kind} as an adjacency matrix: {', '.join(facts)}"
    data.reading = Reading((line,), {"graph": {"as": "adjacency", "object": kind, "nodes": n, "edges": edges}})
    return data


def edge_columns(X: Any) -> pd.DataFrame:
    """An ``edge_index`` [2, E], or rows [E, 2] or [E, 3] of source, target and weight, as columns "1", "2" and "3"."""
    array = to_scipy_or_numpy(X)
    if not hasattr(array, "shape"):
        array = np.asarray(array)
    if array.ndim == 2 and array.shape[0] == 2 and array.shape[1] not in (2, 3) and array.dtype.kind in "iu":
        array = array.T
    if array.ndim != 2 or array.shape[1] not in (2, 3) or hasattr(array, "tocsr"):
        raise wrong(
            "edges", f"shape {list(array.shape)}", "rows of source, target and optionally weight, [E, 2] or [E, 3]"
        )
    frame = pd.DataFrame(array, columns=[str(i + 1) for i in range(array.shape[1])])
    for end in ("1", "2"):
        if frame[end].dtype.kind == "f" and bool((frame[end] % 1 == 0).all()):
            frame[end] = frame[end].astype(np.int64)
    return frame


def _squared(frame: pd.DataFrame) -> tuple[Any, list[Any]]:
    """Entries of a DataFrame with the columns in the order of the index, and the names of the nodes."""
    rows, columns = pd.Index(frame.index), pd.Index(frame.columns)
    if len(rows) != len(columns):
        raise wrong("adjacency", f"a DataFrame of shape {list(frame.shape)}", "as many columns as rows")
    if not rows.equals(columns) and rows.is_unique and set(map(str, rows)) == set(map(str, columns)):
        frame = frame.set_axis(columns.map(str), axis=1)[[*map(str, rows)]]
    elif not rows.equals(columns) and not isinstance(rows, pd.RangeIndex):
        strange = next(name for name in columns if str(name) not in set(map(str, rows)))
        raise wrong("adjacency", f"column {strange!r}, which is no name of the index", "the same names in both")
    names = columns if isinstance(rows, pd.RangeIndex) else rows
    return frame.to_numpy(), names.tolist()


def _is_symmetric(row: Any, col: Any, value: Any, n: int) -> bool:
    one, other = np.lexsort((col, row)), np.lexsort((row, col))
    return all(np.array_equal(a[one], b[other]) for a, b in ((row, col), (col, row), (value, value)))
