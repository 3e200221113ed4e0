"""Graphs and matrices in NumPy archives: gnn-benchmark's keys, PyG's, and SciPy's ``save_npz``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.datasets.readers.checks import MASKS, as_features, as_text, check_graph, encode_labels
from genurl_graph.datasets.readers.formats.graph_data import check_options
from genurl_graph.datasets.readers.formats.matrices import from_matrix
from genurl_graph.datasets.readers.node_tables import features_from_npz
from genurl_graph.datasets.readers.sparse_parts import PARTS, adjacency_edges, csr_from_arrays
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.safe_load import load_archive
from genurl_graph.inputs.validation import check_edges, check_weights

if TYPE_CHECKING:
    from torch_geometric.data import Data

TENSORS = ("x", "edge_index", "edge_weight", "y", *MASKS)
NPZ_KEYS = (*(prefix + part for prefix in ("adj_", "attr_") for part in PARTS), *TENSORS, "labels", "node_id")
# What `scipy.sparse.save_npz` writes.
_SCIPY = ("format", "shape", "data", "indices", "indptr", "row", "col", "offsets", "_is_array")


def read_npz(path: Path, options: ReadOptions) -> Data:
    """Read a graph from ``.npz``: keys as in gnn-benchmark, or as in PyG.

    ``adj_data``, ``adj_indices``, ``adj_indptr``, ``adj_shape`` (SciPy CSR) or ``edge_index`` [2, E] with
    optional ``edge_weight`` [E]; features ``attr_*`` (CSR, kept sparse) or ``x`` [n, f]; ``labels`` or ``y``
    [n]; ``node_id`` [n]; ``train_mask``, ``val_mask``, ``test_mask``, boolean [n] or [n, splits]. Other keys
    are left alone. Weights of an adjacency are kept unless all are 1.

    A matrix by `scipy.sparse.save_npz` is an adjacency or features: see
    `genurl_graph.datasets.readers.formats.matrices.from_matrix`.
    """
    where = str(path)
    arrays = load_archive(path, (*NPZ_KEYS, *_SCIPY))
    if "format" in arrays and "data" in arrays and not any(key in arrays for key in ("x", "edge_index", "adj_data")):
        return from_matrix(_scipy_matrix(arrays, where), path, options, kind="SciPy")
    check_options(options, where, ("graph", "vectors", "adjacency"), ())
    parts: dict[str, Any] = {key: arrays[key] for key in (*TENSORS, "node_id") if key in arrays}
    if "labels" in arrays:
        parts.setdefault("y", arrays["labels"])
    if "x" in arrays or "attr_data" in arrays:
        parts["x"] = features_from_npz(arrays, where)
    if "adj_data" in arrays:
        if "edge_index" in arrays:
            raise wrong(where, "edges under both 'adj_data' and 'edge_index'", "one of them")
        adjacency = csr_from_arrays(arrays, "adj_", where)
        if adjacency.shape[0] != adjacency.shape[1]:
            raise wrong(where, f"an adjacency of shape {list(adjacency.shape)}", "a square matrix")
        parts["edge_index"], parts["edge_weight"] = adjacency_edges(adjacency)
        if bool((parts["edge_weight"] == 1).all()):
            del parts["edge_weight"]
        parts["num_nodes"] = adjacency.shape[0]
    elif "edge_index" in arrays:
        if "node_id" in arrays and "x" not in parts:
            parts["num_nodes"] = len(arrays["node_id"])
    elif "x" not in parts:
        raise wrong(where, "none of the keys of a graph", "adj_* or edge_index, or features x or attr_*")
    if "node_id" in parts:
        parts["node_id"] = [as_text(name) for name in parts["node_id"].tolist()]
    data = assemble(parts, where)
    data.reading = _reading(data, path)
    return data


def _scipy_matrix(arrays: dict[str, Any], where: str) -> Any:
    """The matrix that `scipy.sparse.save_npz` wrote, checked."""
    import scipy.sparse

    kind = arrays["format"].item() if arrays["format"].shape == () else None
    kind = kind.decode("ascii", "replace") if isinstance(kind, bytes) else kind
    if kind == "csr":
        return csr_from_arrays(arrays, "", where)
    parts = {"csc": ("data", "indices", "indptr"), "coo": ("data", "row", "col")}.get(str(kind))
    if parts is None:
        raise wrong(where, f"SciPy's format {kind!r}", "csr, csc or coo: matrix.tocsr() before save_npz")
    absent = [key for key in (*parts, "shape") if key not in arrays]
    if absent:
        raise wrong(where, f"no key {absent[0]!r}", ", ".join((*parts, "shape")))
    shape = arrays["shape"]
    if shape.shape != (2,) or shape.dtype.kind not in "iu" or (shape < 0).any():
        raise wrong(f"{where}: shape", f"{shape!r}", "two integers")
    if kind == "csc":
        # The parts of a CSC matrix are those of its transpose in CSR, which is checked.
        return csr_from_arrays(arrays | {"shape": shape[::-1]}, "", where).T.tocsr()
    try:
        matrix = scipy.sparse.coo_matrix((arrays["data"], (arrays["row"], arrays["col"])), shape=tuple(shape.tolist()))
    except (ValueError, TypeError, IndexError) as error:
        raise wrong(where, f"no COO matrix ({error})", "the parts of one") from error
    if matrix.dtype.kind not in "biuf":
        raise wrong(f"{where}: data", f"dtype {matrix.dtype}", "numbers")
    return matrix


def _reading(data: Data, path: Path) -> Reading:
    n, f = int(data.num_nodes or 0), 0 if data.x is None else int(data.x.size(1))
    edges = None if data.edge_index is None else int(data.edge_index.size(1))
    parts = [f"{n:,} nodes"] + ([] if edges is None else [f"{edges:,} directed edges"])
    parts += ["with weights"] if data.get("edge_weight") is not None else []
    parts += ([f"{f:,} features"] if f else []) + (["classes"] if data.get("y") is not None else [])
    reading = "vectors" if edges is None else "graph"
    record = {"file": path.name, "format": "NumPy", "as": reading, "nodes": n, "edges": edges, "features": f}
    words = "vectors" if edges is None else "a graph"
    return Reading((f"read {path.name} as {words} (NumPy): {', '.join(parts)}",), {"input": record})


def assemble(parts: dict[str, Any], where: str) -> Data:
    """A checked `Data` of arrays and tensors, in the shapes and dtypes of this package; others are kept."""
    from torch_geometric.data import Data

    found = dict(parts)
    if "x" in parts:
        found["x"] = as_features(parts["x"], f"{where}: x")
    if "edge_index" in parts:
        edges = _tensor(parts["edge_index"], f"{where}: edge_index")
        if not (edges.is_floating_point() or edges.is_complex() or edges.dtype == torch.bool):
            edges = edges.long()
        found["edge_index"] = check_edges(edges, None, f"{where}: edge_index")[0].contiguous()
    if "edge_weight" in parts:
        n_edges = found["edge_index"].size(1) if "edge_index" in found else 0
        found["edge_weight"] = check_weights(parts["edge_weight"], n_edges, f"{where}: edge_weight")
    if "y" in parts:
        found["y"], found["label_names"] = encode_labels(np.asarray(parts["y"]), f"{where}: y")
        if found["label_names"] is None:
            del found["label_names"]
    for key in MASKS:
        if key in parts:
            mask = _tensor(parts[key], f"{where}: {key}")
            if mask.dim() not in (1, 2) or bool(((mask != 0) & (mask != 1)).any()):
                raise wrong(
                    f"{where}: {key}", f"{mask.dtype} of shape {list(mask.shape)}", "booleans [n] or [n, splits]"
                )
            found[key] = mask.bool()
    return check_graph(Data.from_dict(found), where)


def _tensor(array: Any, where: str) -> Tensor:
    if isinstance(array, Tensor):
        return array
    if array.dtype.kind not in "biuf":
        raise wrong(where, f"dtype {array.dtype}", "numbers")
    return torch.from_numpy(array)
