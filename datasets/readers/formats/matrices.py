"""A matrix from a file: an adjacency or features, decided by the user, by its format, or by what can only be one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from genurl_graph.datasets.readers.checks import as_features, check_graph, check_isolated, encode_labels
from genurl_graph.datasets.readers.formats.graph_data import check_options, refuse_signed, sum_repeats
from genurl_graph.datasets.readers.sparse_parts import adjacency_edges
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.validation import check_weights

if TYPE_CHECKING:
    from torch_geometric.data import Data

_SWITCH = {"adjacency": "--as vectors takes it for features", "vectors": "--as adjacency takes it for a graph"}


def from_matrix(
    matrix: Any,
    path: Path,
    options: ReadOptions,
    *,
    kind: str,
    square: str | None = None,
    features: Any = None,
    labels: Any = None,
    notes: tuple[str, ...] = (),
) -> Data:
    """A matrix of a file as a graph or as features.

    Parameters
    ----------
    matrix : SciPy sparse matrix or array, shape [n, m]
    path : Path
        The file, for messages.
    options : ReadOptions
        ``--as`` decides; without it a matrix that is not square is one of features.
    kind : str
        The format, for the user's eyes.
    square : "adjacency", "vectors" or None
        What a square matrix is in this format; None: an adjacency where it is symmetric and nothing is negative,
        else refused.
    features, labels : array or sparse matrix, optional
        What stands beside an adjacency; labels [n] or [n, 1] beside features too.
    notes : tuple of str
        Further facts for the reading.

    Raises
    ------
    InputError
        A square matrix that can be either, an adjacency that is not square or has negative entries.
    """
    check_options(options, str(path), ("adjacency", "graph", "vectors"), ())
    where, shape = str(path), tuple(matrix.shape)
    if len(shape) != 2:
        raise wrong(where, f"an array of shape {list(shape)}", "a matrix [n, m]")
    if hasattr(matrix, "nnz") and shape[0] > 1_000_000 + 100 * matrix.nnz:
        # Each row takes memory, whether there is anything in it or not.
        raise wrong(where, f"{shape[0]:,} rows, but only {matrix.nnz:,} entries", "more entries, or fewer rows")
    is_square = shape[0] == shape[1]
    reading = options.reading
    if reading in ("graph", "adjacency"):
        if not is_square:
            raise wrong(where, f"an adjacency of shape {list(shape)}", "a square matrix")
        reading = "adjacency"
    why = ""
    if reading is None:
        reading = ("adjacency" if features is not None else square) if is_square else "vectors"
        if is_square:
            reading = reading or _only_reading(matrix, where)
            alike = "symmetric " if is_symmetric(matrix) else ""
            why = f"; a square {alike}matrix: {_SWITCH[reading]}"
    if reading == "adjacency":
        data, line, record = _graph(matrix, path, kind, options)
        if features is not None:
            data.x = as_features(features, f"{where}: features")
            line += f", {data.x.size(1):,} features"
    else:
        data, line, record = _vectors(matrix, path, kind)
    if labels is not None:
        data.y, names = encode_labels(np.asarray(labels), f"{where}: labels")
        line += f", {len(torch.unique(data.y))} classes"
        if names is not None:
            data.label_names = names
    data.reading = Reading((line + why + "".join(f"; {note}" for note in notes),), {"input": record})
    check_isolated(data, where)
    return check_graph(data, where)


def is_symmetric(matrix: Any) -> bool:
    """Whether a square matrix, sparse or not, equals its transpose."""
    if hasattr(matrix, "tocsr"):
        csr = matrix.tocsr()
        return bool((csr != csr.T).nnz == 0)
    return bool(np.array_equal(matrix, matrix.T))


def _only_reading(matrix: Any, where: str) -> str:
    """A square matrix that is symmetric and nowhere negative is a graph; any other could be features as well."""
    values = matrix.data if hasattr(matrix, "tocsr") else matrix
    if is_symmetric(matrix) and (values.size == 0 or values.min() >= 0):
        return "adjacency"
    raise wrong(
        where,
        f"a square matrix {list(matrix.shape)} that may be a directed graph or features",
        "the option that decides: --as adjacency or --as vectors",
    )


def _graph(matrix: Any, path: Path, kind: str, options: ReadOptions) -> tuple[Data, str, dict[str, Any]]:
    import scipy.sparse
    from torch_geometric.data import Data

    where = str(path)
    coo = scipy.sparse.coo_matrix(matrix)
    coo.sum_duplicates()
    coo.eliminate_zeros()
    if coo.dtype.kind not in "biuf":
        raise wrong(where, f"entries of dtype {coo.dtype}", "real numbers")
    refuse_signed(coo.data, where, "--as vectors, if these are features")
    check_weights(coo.data.astype(np.float64), coo.nnz, where, lambda i: f"entry {coo.row[i]}, {coo.col[i]}")
    edges, weight = adjacency_edges(coo)
    n = int(coo.shape[0])
    directed = not is_symmetric(coo) if options.directed is None else options.directed
    if not directed and not is_symmetric(coo):
        ends = edges.numpy()
        edges, total, _ = sum_repeats(ends[0], ends[1], coo.data.astype(np.float64), n, False)
        weight = weight if total is None else total
    data = Data(edge_index=edges, num_nodes=n)
    weighted = bool((weight != 1).any())
    if weighted:
        data.edge_weight = weight
    count = edges.size(1) if directed else int((edges[0] <= edges[1]).sum())
    facts = [f"{n:,} nodes, {count:,} edges ({'directed' if directed else 'undirected'})"]
    facts += ["weights from its entries"] if weighted else []
    record = {"file": path.name, "format": kind, "as": "adjacency", "nodes": n, "edges": count}
    record |= {"directed": directed, "weight": "entries" if weighted else None}
    return data, f"read {path.name} as an adjacency ({kind}): {', '.join(facts)}", record


def _vectors(matrix: Any, path: Path, kind: str) -> tuple[Data, str, dict[str, Any]]:
    from torch_geometric.data import Data

    x = as_features(matrix, str(path))
    n, f = x.shape
    sparse = ", sparse" if x.layout != torch.strided else ""
    record = {"file": path.name, "format": kind, "as": "vectors", "rows": n, "features": f}
    return Data(x=x), f"read {path.name} as vectors ({kind}): {n:,} rows, {f:,} features{sparse}", record
