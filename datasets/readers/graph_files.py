"""Whole graphs in one file: ``.npz``, PyG's ``.pt``, GraphML and GML."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.datasets.readers.checks import (
    MASKS,
    as_features,
    as_text,
    check_graph,
    encode_labels,
)
from genurl_graph.datasets.readers.node_tables import features_from_npz
from genurl_graph.datasets.readers.sparse_parts import adjacency_edges, csr_from_arrays
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.safe_load import check_extent, load_archive, load_tensors
from genurl_graph.inputs.validation import check_edges, check_weights

if TYPE_CHECKING:
    from torch_geometric.data import Data


_ADJ = ("adj_data", "adj_indices", "adj_indptr", "adj_shape")
_ATTR = ("attr_data", "attr_indices", "attr_indptr", "attr_shape")
NPZ_KEYS = (*_ADJ, "edge_index", "edge_weight", *_ATTR, "x", "labels", "y", "node_id", *MASKS)
LABEL_ATTRIBUTES = ("y", "class", "label")


def read_npz(path: Path) -> Data:
    """Read a graph from ``.npz``: keys as in gnn-benchmark, or as in PyG.

    ``adj_data``, ``adj_indices``, ``adj_indptr``, ``adj_shape`` (SciPy CSR) or ``edge_index`` [2, E] with
    optional ``edge_weight`` [E]; features ``attr_*`` (CSR, kept sparse) or ``x`` [n, f]; ``labels`` or ``y``
    [n]; ``node_id`` [n]; ``train_mask``, ``val_mask``, ``test_mask``, boolean [n] or [n, splits]. Other keys
    are left alone. Weights of an adjacency are kept unless all are 1.
    """
    from torch_geometric.data import Data

    where = str(path)
    arrays = load_archive(path, NPZ_KEYS)
    data = Data()
    if "x" in arrays or "attr_data" in arrays:
        data.x = features_from_npz(arrays, where)
    if "adj_data" in arrays and "edge_index" in arrays:
        raise wrong(where, "edges under both 'adj_data' and 'edge_index'", "one of them")
    if "adj_data" in arrays:
        adjacency = csr_from_arrays(arrays, "adj_", where)
        if adjacency.shape[0] != adjacency.shape[1]:
            raise wrong(where, f"an adjacency of shape {list(adjacency.shape)}", "a square matrix")
        data.edge_index, weight = adjacency_edges(adjacency)
        weight = check_weights(weight, len(weight), where)
        if bool((weight != 1).any()):
            data.edge_weight = weight
        data.num_nodes = adjacency.shape[0]
    elif "edge_index" in arrays:
        data.edge_index = _edge_index(_tensor(arrays["edge_index"], f"{where}: edge_index"), where)
        if "edge_weight" in arrays:
            data.edge_weight = check_weights(arrays["edge_weight"], data.edge_index.size(1), f"{where}: edge_weight")
        data.num_nodes = len(arrays["node_id"]) if "node_id" in arrays and data.x is None else data.num_nodes
    elif data.x is None:
        raise wrong(where, "none of the keys of a graph", "adj_* or edge_index, or features x or attr_*")
    for key in ("labels", "y"):
        if key in arrays:
            _set_labels(data, *encode_labels(arrays[key], f"{where}: {key}"))
    for key in MASKS:
        if key in arrays:
            data[key] = _mask(_tensor(arrays[key], f"{where}: {key}"), f"{where}: {key}")
    if "node_id" in arrays:
        data.node_id = [as_text(name) for name in arrays["node_id"].tolist()]
    return check_graph(data, where)


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
    # Of its parts alone, whatever else the object held.
    content = Data.from_dict({str(key): value for key, value in content.items()})
    for key, value in content.to_dict().items():
        if isinstance(value, Tensor):
            check_extent(value, path, key)
    return check_graph(_clean(content, where), where)


def read_networkx(path: Path) -> Data:
    """Read ``.graphml`` or ``.gml``.

    Labels are the node attribute `y`, else `class`, else `label`; a `label` that differs from node to node is
    a name instead, and for GML the node's id. All other numeric node attributes become the columns of x, in
    the order of their first appearance; attributes of text are left out. The edge attribute `weight` (1
    where absent) becomes edge_weight. An undirected edge counts in both directions.
    """
    import networkx
    from torch_geometric.data import Data

    where = str(path)
    gml = path.suffix.lower() == ".gml"
    try:
        graph = networkx.read_gml(path, label="id") if gml else networkx.read_graphml(path)
    except Exception as error:  # networkx lets its parsers' errors through
        kind = "GML" if gml else "GraphML"
        raise InputError(f"{where}: cannot be read as {kind}: {type(error).__name__}: {error}") from error
    if len(graph) == 0:
        raise wrong(where, "zero nodes", "at least one")
    nodes = list(graph.nodes)
    table = {node: dict(attributes) for node, attributes in graph.nodes(data=True)}
    names = [str(node) for node in nodes]
    titles = [table[node].get("label") for node in nodes]
    if None not in titles and len(set(map(str, titles))) == len(nodes):
        names = [str(title) for title in titles] if gml else names
        for attributes in table.values():
            del attributes["label"]
    data = Data(num_nodes=len(nodes))
    if graph.number_of_edges():
        position = dict(zip(nodes, range(len(nodes)), strict=True))
        directed = graph if graph.is_directed() else graph.to_directed()
        ends = [(position[u], position[v]) for u, v in directed.edges()]
        data.edge_index = torch.tensor(ends, dtype=torch.long).t().contiguous()
        weights = [weight for _, _, weight in directed.edges(data="weight")]
        if any(weight is not None for weight in weights):
            given = np.array([1.0 if weight is None else weight for weight in weights])
            data.edge_weight = check_weights(given, len(ends), f"{where}: edge attribute 'weight'")
    label = next((key for key in LABEL_ATTRIBUTES if any(key in a for a in table.values())), None)
    if label is not None:
        _set_labels(data, *encode_labels(np.array(_column(table, label, where)), f"{where}: node attribute {label!r}"))
    keys = [key for key in _numeric_keys(table.values()) if key != label]
    if keys:
        columns = np.array([_column(table, key, where) for key in keys], dtype=np.float64)
        data.x = as_features(columns.T, where, keys, lambda row: f"{row} (node {names[row]!r})")
    if names != [*map(str, range(len(nodes)))]:  # else they say nothing
        data.node_id = names
    return check_graph(data, where)


def _numeric_keys(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Attributes of which all values are numbers."""
    numeric: dict[str, bool] = {}
    for row in rows:
        for key, value in row.items():
            numeric[key] = numeric.get(key, True) and isinstance(value, (bool, int, float))
    return [key for key, good in numeric.items() if good]


def _column(table: dict[Any, dict[str, Any]], key: str, where: str) -> list[Any]:
    absent = next((node for node, row in table.items() if key not in row), None)
    if absent is not None:
        raise InputError(f"{where}: node {str(absent)!r} has no attribute {key!r}, which other nodes have")
    return [row[key] for row in table.values()]


def _clean(data: Data, where: str) -> Data:
    """Bring the tensors of a foreign `Data` to the shapes and dtypes of this package."""
    for key, value in data.to_dict().items():
        if key in ("x", "edge_index", "edge_weight", "y", *MASKS) and not isinstance(value, Tensor):
            raise wrong(f"{where}: {key}", f"a {type(value).__name__}", "a tensor")
    if data.x is not None:
        data.x = as_features(data.x, f"{where}: x")
    if data.edge_index is not None:
        data.edge_index = _edge_index(data.edge_index, where)
    if data.get("edge_weight") is not None:
        n_edges = 0 if data.edge_index is None else data.edge_index.size(1)
        data.edge_weight = check_weights(data.edge_weight, n_edges, f"{where}: edge_weight")
    if data.y is not None:
        _set_labels(data, *encode_labels(data.y.numpy(), f"{where}: y"))
    for key in MASKS:
        if data.get(key) is not None:
            data[key] = _mask(data[key], f"{where}: {key}")
    return data


def _edge_index(edges: Tensor, where: str) -> Tensor:
    if not (edges.is_floating_point() or edges.is_complex() or edges.dtype == torch.bool):
        edges = edges.long()
    return check_edges(edges, None, f"{where}: edge_index")[0].contiguous()


def _mask(mask: Tensor, where: str) -> Tensor:
    if mask.dim() not in (1, 2) or bool(((mask != 0) & (mask != 1)).any()):
        raise wrong(where, f"{mask.dtype} of shape {list(mask.shape)}", "booleans [n] or [n, splits]")
    return mask.bool()


def _tensor(array: Any, where: str) -> Tensor:
    if array.dtype.kind not in "biuf":
        raise wrong(where, f"dtype {array.dtype}", "numbers")
    return torch.from_numpy(array)


def _set_labels(data: Data, y: Tensor, label_names: list[str] | None) -> None:
    data.y = y
    if label_names is not None:
        data.label_names = label_names
