"""What PyG keeps a graph in: edges as ``edge_index``, ``adj_t`` or sparse tensors, weights under several names."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.edges import describe_edges
from genurl_graph.inputs.objects.parts import WEIGHTS, check_reading
from genurl_graph.inputs.reading import Reading, ReadOptions
from genurl_graph.inputs.sparse import to_scipy_or_numpy

# What a Data may hold beside the parts of a graph, without a word about it.
KNOWN = frozenset(
    {"x", "y", "edge_index", "adj_t", "adj", "edge_attr", *WEIGHTS, "num_nodes", "pos", "ptr", "batch", "batch_size"}
    | {
        "node_id",
        "label_names",
        "feature_names",
        "reading",
        "feature_table",
        "feature_plan",
        "edge_lines",
        "image_shape",
        "n_id",
        "e_id",
        "input_id",
    }
    | {"train_mask", "val_mask", "test_mask", "knn_edge_index", "knn_distance", "edge_provenance", "node_type"}
)


class Edges(NamedTuple):
    """Edges [2, E] of a store of PyG, and weights [E]; neither is checked. `lines` name what was left out."""

    edge_index: Tensor | None
    weight: Tensor | None
    lines: tuple[str, ...] = ()


def to_pyg(X: Any, options: ReadOptions) -> Any:
    """A ``Data`` or ``HeteroData`` of any object of PyG that holds one graph.

    Raises
    ------
    InputError
        Several graphs: a ``Batch``, or a data set of more than one.
    """
    from torch_geometric.data import Batch, Dataset, TemporalData

    kind = type(X).__name__
    if isinstance(X, Dataset):
        if len(X) != 1:
            raise wrong(
                "data", f"a data set of {len(X):,} graphs ({kind})", 'one graph, such as dataset[0], or task="graphs"'
            )
        X = X[0]
    if isinstance(X, Batch) or hasattr(X, "to_data_list"):
        count = f"{X.num_graphs:,} graphs" if hasattr(X, "num_graphs") else "several graphs"
        raise wrong("data", f"a Batch of {count}", 'one graph, such as batch.get_example(0), or task="graphs"')
    check_reading(options, kind)
    if not isinstance(X, TemporalData):
        return X
    if options.columns:
        raise wrong("columns", f"{next(iter(options.columns))} for TemporalData", "a Data with these attributes")
    return _from_temporal(X)


def edges_of(store: Any, options: ReadOptions | None = None, what: str = "", attributes: Collection[str] = ()) -> Edges:
    """Edges and weights of a ``Data``, or of a relation of ``HeteroData``.

    Parameters
    ----------
    store : Data or EdgeStorage
        With ``edge_index`` (a Tensor [2, E], an ``EdgeIndex``, or sparse), or ``adj_t`` (a ``SparseTensor`` or a sparse
        Tensor, whose entry (i, j) is an edge from j to i, as PyG has it; so is a sparse ``edge_index``).
    options : ReadOptions, optional
        The weight that the user names.
    what : str
        For messages, such as "relation a__b__c: ".
    attributes : collection of str
        What is read as attributes of the edges, and not as their weights.

    Returns
    -------
    Edges
        Weights are ``edge_weight``, ``weight`` (PyG's ``from_networkx``) or ``edge_attr`` if it is one number an edge.

    Raises
    ------
    InputError
        Two of these that differ.
    """
    edge_index = store.get("edge_index")
    name = "edge_index" if edge_index is not None else "adj_t"
    held = edge_index if edge_index is not None else store.get("adj_t")
    if held is None:
        return Edges(None, None)
    if is_sparse(held):
        edge_index, value = _entries(held, f"{what}{name}")
        unread = [each for each in (*WEIGHTS, "edge_attr") if store.get(each) is not None]
        said = [f"left out: {', '.join(unread)} (the entries of {name} are the weights)"] if unread else []
        return Edges(edge_index, value, tuple(said))
    if type(held) is not Tensor and hasattr(held, "as_tensor"):
        edge_index = held.as_tensor()
    count = edge_index.size(-1) if isinstance(edge_index, Tensor) and edge_index.dim() == 2 else -1
    weight, lines = _weight(store, count, () if options is None else options.names("weight"), what, attributes)
    return Edges(edge_index, weight, lines)


def choose_features(data: Any, options: ReadOptions) -> Any:
    """A ``Data`` whose features are the node attributes that the user names; itself where he names none."""
    wanted = options.names("feature")
    if not wanted:
        return data
    known = [name for name in data.keys() if name not in ("edge_index", "adj_t", "num_nodes")]  # noqa: SIM118
    columns = [_column(_held(data, name, known), name, int(data.num_nodes or 0)) for name in wanted]
    data = copy.copy(data)
    data.x = columns[0] if len(columns) == 1 else np.concatenate([*map(np.asarray, columns)], axis=1)
    for made in ("feature_table", "feature_plan"):
        if made in data:
            del data[made]
    return data


def describe(data: Any, edges: Tensor | None) -> Reading:
    """What a ``Data`` was read as, and what it holds beside."""
    n, kind = int(data.num_nodes or 0), "vectors" if edges is None else "a graph"
    x = data.get("x")
    facts = [f"{n:,} nodes"]
    facts += [] if edges is None else [describe_edges(edges)]
    facts += [] if x is None or np.ndim(x) != 2 else [f"{x.shape[1]:,} features"]
    others = other_attributes(data, {n, 0 if edges is None else int(edges.size(1))})
    lines = [f"read {type(data).__name__} as {kind}: {', '.join(facts)}"]
    lines += [f"left out: {', '.join(others)}"] if others else []
    record = {"as": kind.split()[-1], "object": type(data).__name__, "left_out": others}
    return Reading(tuple(lines), {kind.split()[-1]: record})


def is_sparse(held: Any) -> bool:
    """Whether edges are the entries of a sparse matrix: of torch, torch_sparse or SciPy."""
    if isinstance(held, Tensor):
        return held.layout != torch.strided
    return hasattr(held, "coo") or hasattr(held, "tocoo")


def other_attributes(data: Any, sizes: Collection[int]) -> list[str]:
    """Names of what a ``Data`` holds beside `KNOWN`, of as many entries as it has nodes or edges (`sizes`)."""
    return [
        name
        for name, value in data.to_dict().items()
        if name not in KNOWN and not isinstance(value, str) and np.ndim(value) > 0 and len(value) in sizes
    ]


def _entries(held: Any, what: str) -> tuple[Tensor, Tensor | None]:
    """Edges of a transposed adjacency matrix, and their weights: None if all are 1, or there are none."""
    if hasattr(held, "coo") and not isinstance(held, Tensor):
        target, source, value = held.coo()
    else:
        matrix = to_scipy_or_numpy(held).tocoo()
        target, source = (torch.from_numpy(part.astype(np.int64)) for part in (matrix.row, matrix.col))
        value = torch.from_numpy(np.ascontiguousarray(matrix.data))
    if value is not None and (value.dim() != 1 or value.is_complex()):
        raise wrong(what, f"entries of shape {list(value.shape)[1:]}", "one real number for each edge")
    if value is not None and bool((value == 1).all()):
        value = None
    return torch.stack([source, target]), value


def _weight(
    store: Any, count: int, named: tuple[str, ...], what: str, attributes: Collection[str]
) -> tuple[Tensor | None, tuple[str, ...]]:
    """The weights of `count` edges by name, in order of preference; `attributes` are read as such."""
    if named:
        value = store.get(named[0])
        if value is None:
            raise unknown(f"{what}edge attribute", named[0], [name for name in store.to_dict() if name != "edge_index"])
        return _numbers(value), ()
    found: dict[str, Tensor] = {}
    if "edge_weight" not in attributes and store.get("edge_weight") is not None:
        found["edge_weight"] = _numbers(store["edge_weight"])
    weight = None if "weight" in attributes else store.get("weight")
    if isinstance(weight, Tensor | np.ndarray) and np.prod(weight.shape) == count:
        found["weight"] = _numbers(weight)
    attr, lines = store.get("edge_attr"), tuple[str, ...]()
    if attr is not None:
        if attr.dim() == 1 or attr.size(1) == 1:
            if "edge_attr" not in attributes:
                found["edge_attr"] = _numbers(attr)
        elif "edge_attr" not in attributes:
            lines = (f"left out: edge_attr ({attr.size(1)} columns)",)
            warnings.warn(f"{what}edge_attr with {attr.size(1)} columns is ignored", UserWarning, stacklevel=4)
    if not found:
        return None, lines
    first, *others = found
    for other in others:
        if found[other].numel() != found[first].numel() or not torch.allclose(
            found[first].double(), found[other].to(found[first].device).double(), equal_nan=True
        ):
            expected = f'one of them: columns={{"weight": "{first}"}} or "{other}"'
            raise wrong(f"{what}{first} and {other}", "different numbers", expected)
    return found[first], lines


def _held(data: Any, name: str, known: list[str]) -> Any:
    if name not in known:
        raise unknown("data: node attribute", name, known)
    return data[name]


def _column(value: Any, name: str, rows: int) -> Any:
    """A node attribute as columns [n, c]."""
    if isinstance(value, Tensor) and value.layout != torch.strided:
        return value
    array = value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
    if array.ndim == 0 or len(array) != rows or array.dtype.kind not in "biuf":
        raise wrong(f"node attribute {name}", f"{array.dtype} of shape {list(array.shape)}", f"numbers [{rows}, f]")
    return array.reshape(rows, -1)


def _numbers(value: Any) -> Any:
    value = value if isinstance(value, Tensor) else torch.as_tensor(np.asarray(value))
    return value.reshape(-1)


def _from_temporal(data: Any) -> Any:
    """The edges of a ``TemporalData``; their times and messages are left out."""
    from torch_geometric.data import Data

    graph = Data(edge_index=torch.stack([data.src, data.dst]).long(), num_nodes=int(data.num_nodes))
    left_out = {name: "times" if name == "t" else "attribute of the events" for name in data.keys()}  # noqa: SIM118
    for name in ("src", "dst"):
        left_out.pop(name, None)
    listed = ", ".join(f"{name} ({what})" for name, what in left_out.items())
    lines = [
        f"read TemporalData as a graph: {graph.num_nodes:,} nodes, {graph.num_edges:,} events, repeats summed",
        *([f"left out: {listed}"] if listed else []),
    ]
    graph.reading = Reading(tuple(lines), {"graph": {"as": "graph", "object": "TemporalData", "left_out": left_out}})
    return graph
