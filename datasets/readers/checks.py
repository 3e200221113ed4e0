"""Checks that every user file passes, with messages that say where the first fault is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.datasets.readers.sparse_parts import to_sparse_tensor
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.tables.labels import as_text as as_text
from genurl_graph.inputs.tables.labels import encode_labels as encode_labels
from genurl_graph.inputs.validation import check_edges, check_finite, check_matrix

if TYPE_CHECKING:
    from torch_geometric.data import Data

MASKS = ("train_mask", "val_mask", "test_mask")


def as_features(
    values: Any, where: str, columns: Sequence[str] | None = None, row_name: Callable[[int], str] = str
) -> Tensor:
    """Check a feature matrix [n, f] and turn it into float32, dense or `torch.sparse_csr`.

    Parameters
    ----------
    values
        Array, SciPy matrix or Tensor of any real dtype.
    where
        Name of the file (and key) for messages.
    columns
        Names of the f columns for messages; their positions by default.
    row_name
        Name of row i for messages.

    Raises
    ------
    InputError
        As `check_matrix`, also for a number that float32 cannot hold.
    """
    matrix = check_matrix(values, where, finite=False)
    if isinstance(matrix, Tensor):
        x = matrix.float()
    elif hasattr(matrix, "tocsr"):
        x = to_sparse_tensor(matrix)
    else:
        with np.errstate(over="ignore"):
            x = torch.from_numpy(np.ascontiguousarray(matrix, dtype=np.float32))
    check_finite(x, where, row_name, str if columns is None else lambda column: repr(columns[column]))
    return x


def check_graph(data: Data, where: str) -> Data:
    """Check that the parts of `data` fit each other, and return it.

    Raises
    ------
    InputError
        For zero nodes, neither features nor edges, feature rows, labels, masks or ids that do not count the
        nodes, repeated ids, or an edge to a missing node.
    """
    n = data.num_nodes or 0
    edges = data.edge_index
    if n == 0:
        raise wrong(where, "zero nodes", "at least one")
    if data.x is None and (edges is None or edges.size(1) == 0):
        raise wrong(where, "neither features nor edges", "at least one of them")
    if edges is not None:
        check_edges(edges, n, f"{where}: edge_index")
    n_edges = 0 if edges is None else edges.size(1)
    for keys, count, of in (
        (("x", "y", "node_id", *MASKS), n, "node"),
        (("edge_weight", "edge_attr"), n_edges, "edge"),
    ):
        for key in keys:
            value = data.get(key)
            size = len(value) if hasattr(value, "__len__") and getattr(value, "ndim", True) else 0
            if value is not None and size != count:
                raise wrong(f"{where}: {key}", f"{size} entries", f"{count}, one for each {of}")
    ids = data.get("node_id")
    if ids is not None and len(set(ids)) < n:
        seen: set[Any] = set()
        twice = next(name for name in ids if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise wrong(where, f"node id {twice!r} more than once", "each id once")
    return data


def check_isolated(data: Data, where: str) -> None:
    """Refuse far more nodes than a file has anything of: one edge to node 10**12 would take terabytes."""
    n, edges = data.num_nodes or 0, data.edge_index
    if data.x is None and data.get("node_id") is None and data.y is None and edges is not None:
        most = 1_000_000 + 100 * edges.size(1)
        if n > most:
            raise InputError(
                f"{where}: {n:,} nodes without features, labels or ids, but only {edges.size(1):,} edges; expected at "
                f"most {most:,} (are the ids in edge_index numbers from 0?)"
            )
