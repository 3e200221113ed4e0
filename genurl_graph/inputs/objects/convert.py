"""Whatever a Python user has, as a PyG ``Data``, or as the matrix of features that it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.objects import frames, matrices, networks, pyg
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.temporal.event_set import EventSet

TAKEN = (
    "a PyG Data or HeteroData; a graph of networkx, igraph or DGL; features as an array, SciPy matrix, Tensor or "
    "DataFrame; edges as a DataFrame or a list of pairs; (edges, nodes), two DataFrames; an adjacency matrix with "
    'as_="adjacency", or (matrix, features)'
)


def convert(X: Any, options: ReadOptions, *, fitted: bool = False) -> Any:
    """A PyG ``Data`` or ``HeteroData`` of what holds a graph or a table; a matrix of features as it is.

    Parameters
    ----------
    X : object
        As `TAKEN` says.
    options : ReadOptions
    fitted : bool
        Whether `X` is new to a fitted model, whose features are known: a square matrix holds features then.

    Raises
    ------
    InputError
        Of an unknown type, or where two readings are possible; the message names the argument that decides.
    """
    if hasattr(X, "num_node_features"):
        return pyg.to_pyg(X, options)
    if isinstance(X, EventSet):
        # As a list of edges is read; where times count, `genurl_graph.inputs.temporal.convert` reads them.
        return X.graph(directed=options.directed is True)
    if networks.is_networkx(X):
        return networks.from_networkx(X, options)
    if networks.is_igraph(X):
        return networks.from_igraph(X, options)
    if networks.is_dgl(X):
        return networks.from_dgl(X, options)
    if isinstance(X, pd.Series):
        X = X.to_frame()
    if not isinstance(X, pd.DataFrame) and hasattr(X, "to_pandas"):
        # Of polars or pyarrow.
        X = X.to_pandas()
    if isinstance(X, tuple) and len(X) == 2 and _is_adjacency_of(*X, options):
        return matrices.from_adjacency(X[0], options, X[1])
    if options.reading == "adjacency":
        _check_named(options, "an adjacency matrix")
        return matrices.from_adjacency(X, options)
    if isinstance(X, pd.DataFrame):
        if options.reading is None and not fitted and _is_named_square(X):
            matrices.refuse_ambiguous(X)
        return frames.from_frames(X, None, options, fitted=fitted)
    if isinstance(X, tuple | list) and len(X) == 2 and all(isinstance(part, pd.DataFrame) for part in X):
        return frames.from_frames(X[0], X[1], options, fitted=fitted)
    if is_list_of_edges(X) and options.reading != "vectors":
        return frames.from_pairs(X, options)
    if options.reading == "edges":
        return frames.from_columns(matrices.edge_columns(X), options, "edges")
    _refuse_strange(X)
    if options.reading == "graph":
        raise wrong("as_", f"'graph' for {type(X).__name__}", "'edges', 'adjacency' or 'vectors'")
    _check_named(options, "a matrix without names of columns")
    if options.reading is None and not fitted:
        matrices.refuse_ambiguous(X)
    return X


def answer_kind(X: Any) -> str:
    """ "torch" for what PyG and torch hold, "numpy" for all else: what an embedding is answered in."""
    return "torch" if isinstance(X, Tensor) or hasattr(X, "num_node_features") or networks.is_dgl(X) else "numpy"


def is_list_of_edges(X: Any) -> bool:
    """Whether it is a list, set or view of pairs: of tuples, or of rows with names."""
    if not isinstance(X, Collection) or isinstance(X, str | bytes) or hasattr(X, "shape") or len(X) == 0:
        return False
    # The edges of a networkx graph are a set and a mapping.
    if isinstance(X, Mapping) and not isinstance(X, Set):
        return False
    first = next(iter(X))
    if isinstance(first, tuple):
        return len(first) in (2, 3) and not any(map(np.ndim, first)) and not _is_fraction(first[:2])
    return isinstance(first, list) and len(first) in (2, 3) and any(isinstance(end, str) for end in first[:2])


def _is_adjacency_of(first: Any, second: Any, options: ReadOptions) -> bool:
    """Whether the first is an adjacency matrix of nodes whose features the second holds."""
    shapes = [tuple(getattr(part, "shape", ())) for part in (first, second)]
    if [*map(len, shapes)] != [2, 2] or shapes[0][0] != shapes[0][1] or shapes[1][0] != shapes[0][0]:
        return False
    return options.reading == "adjacency" or (options.reading is None and matrices.is_sparse_matrix(first))


def _is_fraction(ends: tuple[Any, ...]) -> bool:
    return any(isinstance(end, float | np.floating) and not float(end).is_integer() for end in ends)


def _is_named_square(frame: pd.DataFrame) -> bool:
    """Whether rows and columns of a DataFrame have the same names, as an adjacency matrix has."""
    return bool(frame.shape[0] == frame.shape[1] and frame.index.equals(frame.columns))


def _check_named(options: ReadOptions, what: str) -> None:
    if options.columns:
        raise wrong("columns", f"{next(iter(options.columns))} for {what}", "a DataFrame or a graph with attributes")


def _refuse_strange(X: Any) -> None:
    """InputError for what holds neither a graph nor numbers."""
    # SciPy's dok matrices are mappings too.
    if hasattr(X, "tocsr"):
        return
    kind = type(X).__name__
    if isinstance(X, str | bytes | PurePath):
        hint = "its content: genurl_graph.datasets.read(path) or load(name)"
        raise wrong("data", f"{kind} {str(X)[:60]!r}", hint)
    if X is None or isinstance(X, Mapping | set | frozenset) or callable(X) or hasattr(X, "__next__"):
        raise wrong("data", kind, TAKEN)
    if isinstance(X, list | tuple) and len(X) and hasattr(X[0], "num_node_features"):
        found = f"a {kind} of {len(X):,} graphs ({type(X[0]).__name__})"
        raise wrong("data", found, 'one graph (task="graphs" embeds several, a row each)')
    if isinstance(X, tuple) and any(isinstance(part, pd.DataFrame | Tensor) or hasattr(part, "tocsr") for part in X):
        kinds = ", ".join(type(part).__name__ for part in X)
        raise wrong("data", f"a tuple ({kinds})", TAKEN)
    if not isinstance(X, list | tuple | np.ndarray | torch.utils.data.Dataset) and not _is_array(X):
        raise wrong("data", kind, TAKEN)


def _is_array(X: Any) -> bool:
    return hasattr(X, "shape") or hasattr(X, "__array__") or hasattr(X, "tocsr") or hasattr(X, "__len__")
