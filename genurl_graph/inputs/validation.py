"""The one validator of matrices, edge lists and edge weights: every module that takes them from outside calls it.

Messages follow `genurl_graph.exceptions.wrong` and name the first fault by its row, column or edge.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.sparse import to_scipy_or_numpy

_LAYOUTS = (torch.strided, torch.sparse_coo, torch.sparse_csr, torch.sparse_csc)


class EntryError(InputError, TypeError):
    """An entry of a matrix that is no number: a TypeError by scikit-learn's conventions."""


def check_matrix(
    x: Any,
    what: str = "x",
    *,
    rows: int | None = None,
    columns: int | None = None,
    sparse: bool = True,
    empty: bool = False,
    finite: bool = True,
) -> Any:
    """A matrix of real numbers from whatever holds one.

    Parameters
    ----------
    x : Tensor, SciPy sparse matrix, array, or whatever NumPy makes an array of
        Of shape [n, f].
    what : str
        Name of the argument or file, for messages.
    rows, columns : int, optional
        How many there must be; any number by default.
    sparse, empty, finite : bool
        Whether sparse matrices and matrices without rows or columns may come, and whether all entries must be finite.

    Returns
    -------
    Tensor, ndarray or SciPy CSR matrix
        A Tensor stays one, detached, on its device and of its dtype, strided or CSR. A SciPy matrix becomes CSR without
        duplicate entries (explicit zeros stay). All else becomes an array in the machine's byte order. Nothing is
        copied where it fits already.

    Raises
    ------
    InputError
        Another shape, no real numbers, or NaN or infinite ones.

    Examples
    --------
    >>> check_matrix([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    kind = type(x).__name__
    is_sparse = hasattr(x, "tocsr") or (isinstance(x, Tensor) and x.layout != torch.strided)
    if is_sparse and not sparse:
        raise wrong(what, "a sparse matrix", "a dense one")
    if isinstance(x, Tensor):
        x = x.detach()
        if x.layout not in _LAYOUTS:
            raise wrong(what, f"a tensor of layout {x.layout}", "a strided one, or a sparse one (COO, CSR or CSC)")
    elif not is_sparse:
        x = _as_array(x, what)
    if x.is_complex() if isinstance(x, Tensor) else x.dtype.kind not in "fiub":
        hint = ". Complex data not supported" if "complex" in str(x.dtype) else ""
        raise wrong(what, f"{kind} of dtype {x.dtype}", f"real numbers{hint}")
    _check_shape(tuple(x.shape), what, rows, columns, empty)
    if is_sparse:
        x = _as_csr(x)
    if finite:
        check_finite(x, what)
    return x


def check_finite(
    x: Any, what: str = "x", row_name: Callable[[int], object] = str, column_name: Callable[[int], object] = str
) -> None:
    """Refuse NaN and infinite entries.

    Parameters
    ----------
    x : Tensor (strided or CSR), ndarray or SciPy CSR matrix, shape [n, f]
    what : str
        For the message, which says how many there are and where the first one stands.
    row_name, column_name : callable
        Names of row i and column j for the message; the numbers by default.
    """
    low, high = value_range(x)
    if math.isfinite(low) and math.isfinite(high):
        return
    import scipy.sparse as sp

    entries = sp.coo_matrix(to_scipy_or_numpy(x.double() if isinstance(x, Tensor) else x))
    bad = np.flatnonzero(~np.isfinite(entries.data))
    value, row, column = (part[bad[0]] for part in (entries.data, entries.row, entries.col))
    where = f"row {row_name(int(row))}, column {column_name(int(column))}"
    raise wrong(what, f"{len(bad)} NaN or infinite values, the first ({value}) at {where}", "finite numbers")


def value_range(x: Any) -> tuple[float, float]:
    """Smallest and largest stored entry, without a temporary copy; NaN if there is one, (0, 0) if there are none."""
    if isinstance(x, Tensor):
        values = x if x.layout == torch.strided else x.values()
        values = values.to(torch.uint8) if values.dtype == torch.bool else values
        return tuple(float(end) for end in values.aminmax()) if values.numel() else (0.0, 0.0)  # type: ignore[return-value]
    values = x.data if hasattr(x, "tocsr") else x
    return (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)


def check_edges(
    edge_index: Any,
    num_nodes: int | None,
    what: str = "edge_index",
    weight: Any = None,
    weight_what: str = "edge_weight",
    *,
    num_targets: int | None = None,
    loops: bool = True,
) -> tuple[Tensor, Tensor | None]:
    """An edge list between nodes that are there, and its weights.

    Parameters
    ----------
    edge_index : Tensor, int64 or int32, shape [2, E]
    num_nodes : int or None
        Nodes are 0 to num_nodes - 1; None: not known yet, and not checked.
    what, weight_what : str
        Names of the two, for messages.
    weight : Tensor or array, shape [E] or [E, 1], optional
        As in `check_weights`.
    num_targets : int, optional
        Nodes of row 1, if they are of another kind.
    loops : bool
        Whether an edge may join a node with itself.

    Returns
    -------
    edge_index : Tensor, int64, shape [2, E]
        On its device.
    weight : Tensor, float32, shape [E], or None
        On the device of the edges.

    Raises
    ------
    InputError
        Another shape or dtype, a node that is missing (the first such edge is named), a self loop, or as in
        `check_weights`.
    """
    if not isinstance(edge_index, Tensor):
        raise wrong(what, type(edge_index).__name__, "an int64 Tensor [2, E]")
    if edge_index.dim() != 2 or edge_index.size(0) != 2 or edge_index.dtype not in (torch.int64, torch.int32):
        raise wrong(what, f"{edge_index.dtype} of shape {list(edge_index.shape)}", "an int64 Tensor [2, E]")
    edges = edge_index.detach().long()
    if num_nodes is not None and edges.numel():
        _check_ends(edges, (num_nodes, num_nodes if num_targets is None else num_targets), what)
    if not loops:
        count = int((edges[0] == edges[1]).sum())
        if count:
            raise wrong(what, f"{count} self loops", "none (a node is not its own neighbour)")
    if weight is None:
        return edges, None
    return edges, check_weights(weight, edges.size(1), weight_what).to(edges.device)


def check_weights(
    weight: Any, num_edges: int, what: str = "edge_weight", edge_name: Callable[[int], str] = "edge {}".format
) -> Tensor:
    """Edge weights as float32 [E]: one for each edge, finite and >= 0; InputError names the first that is not.

    Parameters
    ----------
    weight : Tensor or array, shape [E] or [E, 1]
    num_edges : int
        E.
    what : str
    edge_name : callable
        Name of edge i for the message.
    """
    try:
        given = weight.detach() if isinstance(weight, Tensor) else torch.as_tensor(np.asarray(weight))
    except TypeError as error:
        raise wrong(what, f"dtype {np.asarray(weight).dtype}", "numbers [E]") from error
    if given.is_complex() or given.numel() != num_edges or given.dim() > 2:
        raise wrong(what, f"{given.dtype} of shape {list(given.shape)}", f"numbers [{num_edges}], one for each edge")
    values = given.reshape(-1).float()
    if values.numel():
        low, high = value_range(values)
        if not (low >= 0 and math.isfinite(high)):
            bad = (~(torch.isfinite(values) & (values >= 0))).nonzero().view(-1)
            first = int(bad[0])
            found = f"{len(bad)} negative or non-finite weights, the first ({given.reshape(-1)[first].item():g}) of"
            signed = "" if bool(torch.isnan(values).any()) else ": keep only the positive edges, or shift the weights"
            raise wrong(what, f"{found} {edge_name(first)}", f"finite weights >= 0{signed if low < 0 else ''}")
    return values


def _check_shape(shape: tuple[int, ...], what: str, rows: int | None, columns: int | None, empty: bool) -> None:
    expected = f"[{'n' if rows is None else rows}, {'f' if columns is None else columns}]"
    if len(shape) != 2:
        hint = ". Reshape your data: a single column to [n, 1], a single sample to [1, f]" if len(shape) == 1 else ""
        raise wrong(what, f"shape {list(shape)}", f"{expected}{hint}")
    if rows not in (None, shape[0]) or columns not in (None, shape[1]):
        raise wrong(what, f"shape {list(shape)}", expected)
    if shape[1] == 0 and not empty:
        # In scikit-learn's words, which its checks of estimators look for.
        found = f"0 feature(s) (shape=({shape[0]}, 0)) while a minimum of 1 is required."
        raise wrong(what, found, "at least one column")
    if shape[0] == 0 and not empty:
        raise wrong(what, f"shape {list(shape)}", "at least one row")


def _as_array(x: Any, what: str) -> Any:
    """`x` as an array of numbers of at most 64 bits, or of a dtype that is none of numbers."""
    try:
        array = np.asarray(x)
        if array.dtype.kind == "O":
            array = array.astype(np.float64)
    except ValueError as error:
        raise wrong(what, f"{type(x).__name__} ({error})", "numbers of shape [n, f]") from error
    except TypeError as error:
        raise EntryError(str(wrong(what, f"{type(x).__name__} ({error})", "numbers of shape [n, f]"))) from error
    wide = array.dtype.kind == "f" and array.dtype.itemsize > 8
    return array.astype(np.float64 if wide else array.dtype.newbyteorder("="), copy=False)


def _as_csr(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x if x.layout == torch.sparse_csr else x.to_sparse_csr()
    csr = x.tocsr()
    if not csr.has_canonical_format:
        csr = csr.copy()  # summing works in place, and the matrix is the user's
        csr.sum_duplicates()
    return csr


def _check_ends(edges: Tensor, counts: tuple[int, int], what: str) -> None:
    for ends, count, side in zip(edges, counts, ("source", "target"), strict=True):
        low, high = (int(end) for end in ends.aminmax())
        if low < 0 or high >= count:
            first = int(((ends < 0) | (ends >= count)).int().argmax())
            kind = "nodes" if counts[0] == counts[1] else f"{side} nodes"
            raise wrong(what, f"edge {first} from {edges[0, first]} to {edges[1, first]}", f"{kind} 0 to {count - 1}")
