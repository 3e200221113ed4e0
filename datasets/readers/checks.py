"""Checks that every user file passes, with messages that say where the first fault is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from genurl_graph.datasets.readers.sparse_parts import to_sparse_tensor
from genurl_graph.exceptions import InputError

if TYPE_CHECKING:
    from torch_geometric.data import Data


MASKS = ("train_mask", "val_mask", "test_mask")


def dense_features(
    values: npt.NDArray[Any],
    where: str,
    columns: Sequence[str] | None = None,
    row_name: Callable[[int], str] = str,
) -> Tensor:
    """Check a feature matrix [n, f] and turn it into float32.

    Parameters
    ----------
    values
        Numbers of any real dtype.
    where
        Name of the file (and key) for messages.
    columns
        Names of the f columns for messages; their positions by default.
    row_name
        Name of row i for messages.

    Raises
    ------
    InputError
        If the matrix is not 2-d, is empty, holds anything but real numbers, or a NaN or infinite value (also
        one that float32 cannot hold).
    """
    if values.dtype.kind not in "biuf":
        raise InputError(f"{where}: dtype {values.dtype}, expected real numbers")
    if values.ndim != 2:
        raise InputError(f"{where}: shape {values.shape}, expected a matrix [nodes, features]")
    if values.shape[0] == 0:
        raise InputError(f"{where}: zero nodes (shape {values.shape})")
    if values.shape[1] == 0:
        raise InputError(f"{where}: no feature columns (shape {values.shape})")
    with np.errstate(over="ignore"):
        x = np.ascontiguousarray(values, dtype=np.float32)
    finite = np.isfinite(x)
    if not finite.all():
        row, column = (int(i) for i in np.unravel_index(int(finite.argmin()), finite.shape))
        name = repr(columns[column]) if columns else str(column)
        raise InputError(
            f"{where}: features must be finite, found {values[row, column]} in row {row_name(row)}, column {name}"
        )
    return torch.from_numpy(x)


def sparse_features(matrix: Any, where: str) -> Tensor:
    """Check a SciPy CSR matrix [n, f] as `dense_features` does; returns `torch.sparse_csr` float32."""
    if 0 in matrix.shape:
        raise InputError(f"{where}: shape {matrix.shape}, expected at least one node and one feature")
    with np.errstate(over="ignore"):
        finite = np.isfinite(matrix.data.astype(np.float32))
    if not finite.all():
        entry = int(finite.argmin())
        row = int(np.searchsorted(matrix.indptr, entry, side="right")) - 1
        raise InputError(
            f"{where}: features must be finite, found {matrix.data[entry]} in row {row}, column {matrix.indices[entry]}"
        )
    return to_sparse_tensor(matrix)


def edge_weights(values: npt.NDArray[Any], where: str, edge_name: Callable[[int], str] = "edge {}".format) -> Tensor:
    """Check edge weights [E] (finite, not negative) and turn them into float32."""
    if values.dtype.kind not in "biuf" or values.ndim != 1:
        raise InputError(
            f"{where}: edge weights of dtype {values.dtype} and shape {values.shape}, expected numbers [E]"
        )
    good = np.isfinite(values) & (values >= 0)
    if not good.all():
        first = int(good.argmin())
        raise InputError(f"{where}: {edge_name(first)} has weight {values[first]}, expected a finite number >= 0")
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def encode_labels(values: npt.NDArray[Any], where: str) -> tuple[Tensor, list[str] | None]:
    """Turn labels [n] into y int64 [n]; names and negative numbers become codes, with `label_names`."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise InputError(f"{where}: labels of shape {values.shape}, expected one per node")
    if values.dtype.kind == "f":
        whole = np.isfinite(values) & (values == np.round(values))
        if not whole.all():
            first = int(whole.argmin())
            raise InputError(f"{where}: label {values[first]} of node {first}, expected whole numbers or names")
        values = values.astype(np.int64)
    if values.dtype.kind in "biu" and (values.size == 0 or values.min() >= 0):
        return torch.from_numpy(values.astype(np.int64)), None
    if values.dtype.kind not in "biuUS":
        raise InputError(f"{where}: labels of dtype {values.dtype}, expected whole numbers or names")
    classes, codes = np.unique(values, return_inverse=True)
    return torch.from_numpy(codes.astype(np.int64)), [as_text(name) for name in classes.tolist()]


def as_text(value: Any) -> str:
    """A node id or label as text; bytes (NumPy's S dtype) are UTF-8."""
    return value.decode() if isinstance(value, bytes) else str(value)


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
        raise InputError(f"{where}: zero nodes")
    if data.x is None and (edges is None or edges.size(1) == 0):
        raise InputError(f"{where}: neither features nor edges, expected at least one of them")
    if data.x is not None and data.x.size(0) != n:
        raise InputError(f"{where}: {data.x.size(0)} feature rows for {n} nodes")
    if edges is not None and edges.numel():
        outside = (edges < 0) | (edges >= n)
        if bool(outside.any()):
            first = int(outside.any(dim=0).int().argmax())
            raise InputError(f"{where}: edge {first} joins {edges[:, first].tolist()}, but the nodes are 0 to {n - 1}")
    for key in ("edge_weight", "edge_attr"):
        value = data.get(key)
        if value is not None and (edges is None or value.size(0) != edges.size(1)):
            raise InputError(f"{where}: {key} of shape {tuple(value.shape)} does not fit the edges")
    for key in ("y", *MASKS):
        value = data.get(key)
        if value is not None and value.size(0) != n:
            raise InputError(f"{where}: {key} has {value.size(0)} entries for {n} nodes")
    ids = data.get("node_id")
    if ids is not None:
        if len(ids) != n:
            raise InputError(f"{where}: node_id has {len(ids)} entries for {n} nodes")
        unique_ids(ids, where)
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


def unique_ids(ids: Sequence[Any], where: str) -> None:
    """Raise an `InputError` naming the first id that occurs twice."""
    if len(set(ids)) < len(ids):
        seen: set[Any] = set()
        twice = next(name for name in ids if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise InputError(f"{where}: node id {twice!r} occurs more than once")
