"""Whole graphs in one file: ``.npz``, PyG's ``.pt``, GraphML and GML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.datasets.readers.checks import MASKS, as_features, as_text, check_graph, encode_labels
from genurl_graph.datasets.readers.node_tables import features_from_npz
from genurl_graph.datasets.readers.sparse_parts import PARTS, adjacency_edges, csr_from_arrays
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.safe_load import check_extent, load_archive, load_tensors
from genurl_graph.inputs.validation import check_edges, check_weights

if TYPE_CHECKING:
    from torch_geometric.data import Data

_TENSORS = ("x", "edge_index", "edge_weight", "y", *MASKS)
NPZ_KEYS = (*(prefix + part for prefix in ("adj_", "attr_") for part in PARTS), *_TENSORS, "labels", "node_id")
LABEL_ATTRIBUTES = ("y", "class", "label")


def read_npz(path: Path) -> Data:
    """Read a graph from ``.npz``: keys as in gnn-benchmark, or as in PyG.

    ``adj_data``, ``adj_indices``, ``adj_indptr``, ``adj_shape`` (SciPy CSR) or ``edge_index`` [2, E] with
    optional ``edge_weight`` [E]; features ``attr_*`` (CSR, kept sparse) or ``x`` [n, f]; ``labels`` or ``y``
    [n]; ``node_id`` [n]; ``train_mask``, ``val_mask``, ``test_mask``, boolean [n] or [n, splits]. Other keys
    are left alone. Weights of an adjacency are kept unless all are 1.
    """
    where = str(path)
    arrays = load_archive(path, NPZ_KEYS)
    parts: dict[str, Any] = {key: arrays[key] for key in (*_TENSORS, "node_id") if key in arrays}
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
    return _assemble(parts, where)


def read_pt(path: Path) -> Data:
    """Read a PyG `Data`, a dict of its tensors, or a feature matrix saved with `torch.save`.

    Only tensors and PyG's own `Data` classes are unpickled (``weights_only=True``): a file that holds
    anything else is refused, and none of its code is run.
    """
    from torch_geometric.data import Data
    from torch_geometric.data.data import DataEdgeAttr, DataTensorAttr
    from torch_geometric.data.storage import EdgeStorage, GlobalStorage, NodeStorage

    where = str(path)
    allowed = {Data, DataEdgeAttr, DataTensorAttr, GlobalStorage, NodeStorage, EdgeStorage}
    # Leaving safe_globals takes its classes off the list, also those that PyG itself had put there.
    allowed -= set(torch.serialization.get_safe_globals())
    content = load_tensors(path, "tensors and a PyG Data", list(allowed))
    if isinstance(content, Tensor):
        content = {"x": content}
    if isinstance(content, Data):
        try:
            content = content.to_dict()
        except Exception as error:  # an object whose parts are not those of a Data raises anything
            raise InputError(f"{where}: its Data is damaged, or of another version of PyG ({error})") from error
    if not isinstance(content, dict):
        raise wrong(where, f"a {type(content).__name__}", "a PyG Data, a dict of tensors or a tensor")
    parts = {str(key): value for key, value in content.items() if value is not None}
    for key, value in parts.items():
        if isinstance(value, Tensor):
            check_extent(value, path, key)
        elif key in _TENSORS:
            raise wrong(f"{where}: {key}", f"a {type(value).__name__}", "a tensor")
    return _assemble(parts, where)


def read_networkx(path: Path) -> Data:
    """Read ``.graphml`` or ``.gml``.

    Labels are the node attribute `y`, else `class`, else `label`; a `label` that differs from node to node is
    a name instead, and for GML the node's id. All other numeric node attributes become the columns of x, in
    the order of their first appearance; attributes of text are left out. The edge attribute `weight` (1
    where absent) becomes edge_weight. An undirected edge counts in both directions.
    """
    import networkx

    where = str(path)
    gml = path.suffix.lower() == ".gml"
    try:
        graph = networkx.read_gml(path, label="id") if gml else networkx.read_graphml(path)
    except Exception as error:  # networkx lets its parsers' errors through
        kind = "GML" if gml else "GraphML"
        raise InputError(f"{where}: cannot be read as {kind}: {type(error).__name__}: {error}") from error
    if len(graph) == 0:
        raise wrong(where, "zero nodes", "at least one")
    table = {node: dict(attributes) for node, attributes in graph.nodes(data=True)}
    names = [str(node) for node in table]
    titles = [attributes.get("label") for attributes in table.values()]
    if None not in titles and len(set(map(str, titles))) == len(table):
        names = [str(title) for title in titles] if gml else names
        for attributes in table.values():
            del attributes["label"]
    parts: dict[str, Any] = {"num_nodes": len(table)}
    if graph.number_of_edges():
        position = dict(zip(table, range(len(table)), strict=True))
        edges = list((graph if graph.is_directed() else graph.to_directed()).edges(data="weight"))
        parts["edge_index"] = np.array([(position[u], position[v]) for u, v, _ in edges]).T
        if any(weight is not None for _, _, weight in edges):
            parts["edge_weight"] = np.array([1.0 if weight is None else weight for _, _, weight in edges])
    label = next((key for key in LABEL_ATTRIBUTES if any(key in a for a in table.values())), None)
    if label is not None:
        parts["y"] = np.array(_column(table, label, where))
    keys = [key for key in _numeric_keys(table) if key != label]
    if keys:
        columns = np.array([_column(table, key, where) for key in keys], dtype=np.float64)
        parts["x"] = as_features(columns.T, where, keys, lambda row: f"{row} (node {names[row]!r})")
    if names != [*map(str, range(len(names)))]:  # else they say nothing
        parts["node_id"] = names
    return _assemble(parts, where)


def _numeric_keys(table: dict[Any, dict[str, Any]]) -> list[str]:
    """Attributes of which all values are numbers."""
    numeric: dict[str, bool] = {}
    for row in table.values():
        for key, value in row.items():
            numeric[key] = numeric.get(key, True) and isinstance(value, (bool, int, float))
    return [key for key, good in numeric.items() if good]


def _column(table: dict[Any, dict[str, Any]], key: str, where: str) -> list[Any]:
    absent = next((node for node, row in table.items() if key not in row), None)
    if absent is not None:
        raise InputError(f"{where}: node {str(absent)!r} has no attribute {key!r}, which other nodes have")
    return [row[key] for row in table.values()]


def _assemble(parts: dict[str, Any], where: str) -> Data:
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
