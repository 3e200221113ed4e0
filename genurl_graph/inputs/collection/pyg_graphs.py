"""Many graphs of PyG: a list of ``Data``, a data set, a ``Batch``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.collection.graph_parts import LABELS, NAMES, GraphParts, one_kind, own_names, rows_of, title
from genurl_graph.inputs.objects.parts import WEIGHTS
from genurl_graph.inputs.objects.pyg import choose_features, edges_of, is_sparse
from genurl_graph.inputs.reading import ReadOptions
from genurl_graph.inputs.sparse import row_pointers, run_entries
from genurl_graph.inputs.validation import check_edges

# What a Data may hold beside the parts of a graph, without a word about it.
_SILENT = frozenset(
    {"edge_index", "adj_t", "edge_attr", "num_nodes", "batch", "ptr", "reading", "node_id", "label_names", *NAMES}
    | {"feature_table", "feature_plan"}
)


def from_list(items: Sequence[Any], options: ReadOptions, kind: str) -> GraphParts:
    """The parts of a list of ``Data``, as `GraphParts`; InputError for one that is something else."""
    one_kind(items, [_is_data(item) for item in items], "Data alone, one for each graph")
    keys = sorted(set().union(*(item.keys() for item in items)))
    held = {name: [item.get(name) for item in items] for name in keys}
    names = own_names(held)
    if options.names("feature"):
        items = [choose_features(item, options) for item in items]
        held["x"] = [item.get("x") for item in items]
    nodes = torch.tensor([int(item.num_nodes or 0) for item in items], dtype=torch.long)
    found = [_edges(item, title(names, g)) for g, item in enumerate(items)]
    edges = torch.tensor([int(ends.size(1)) for ends, _ in found], dtype=torch.long)
    weight, source = _weight(held, edges, options, names)
    if weight is None and any(value is not None for _, value in found):
        weight = rows_of([value for _, value in found], edges, "adj_t", names, "edge")
    attributes = held.get("edge_attr") if source != "edge_attr" else None
    return GraphParts(
        kind,
        nodes,
        torch.cat([ends for ends, _ in found], dim=1),
        torch.arange(len(items)).repeat_interleave(edges),
        rows_of(held.get("x", [None] * len(items)), nodes, "x", names),
        None if attributes is None else rows_of(attributes, edges, "edge_attr", names, "edge"),
        None if weight is None else weight.reshape(-1),
        names,
        left_out(keys, source, options),
    )


def from_data_set(data_set: Any, options: ReadOptions) -> GraphParts:
    """The parts of a PyG data set, or of a subset of one; what is held in memory is not taken apart graph by graph."""
    kind = type(data_set).__name__
    held, slices = getattr(data_set, "_data", None), getattr(data_set, "slices", None)
    said = getattr(data_set, "transform", None) is not None or bool(options.columns)
    if said or held is None or not slices or "edge_index" not in slices or "weight" in slices:
        return from_list([*data_set], options, kind)
    count = _node_counts(held, slices)
    if count is None:
        return from_list([*data_set], options, kind)
    index = torch.as_tensor([*data_set.indices()], dtype=torch.long)
    node_ptr = torch.cat([count.new_zeros(1), count.cumsum(0)])
    first, edges = slices["edge_index"][index], slices["edge_index"].diff()[index]
    node, edge = run_entries(node_ptr[index], count[index]), run_entries(first, edges)
    names = own_names({name: [held.get(name)[g] for g in index.tolist()] for name in NAMES if name in slices})
    return GraphParts(
        kind,
        count[index],
        held.edge_index[:, edge],
        torch.arange(len(index)).repeat_interleave(edges),
        _chosen_rows(held.get("x"), node),
        _chosen_rows(held.get("edge_attr"), edge),
        held.edge_weight[edge] if "edge_weight" in slices else None,
        names,
        left_out([*slices], "edge_weight", options),
    )


def from_batch(batch: Any, options: ReadOptions) -> GraphParts:
    """The parts of a ``Batch``, whose edges are numbered over all nodes; InputError where one joins two graphs."""
    if options.names("feature"):
        batch = choose_features(batch, options)
    n = int(batch.num_nodes or 0)
    owner, ptr = batch.get("batch"), batch.get("ptr")
    if ptr is None:
        if owner is None or (owner.numel() and bool((owner.diff() < 0).any())):
            raise wrong("data", "a Batch whose nodes are not in the order of its graphs", "one of Batch.from_data_list")
        ptr = row_pointers(owner, int(batch.num_graphs))
    ptr = ptr.cpu().long()
    nodes = ptr.diff()
    ends, weight = _edges(batch, "data")
    ends, _ = check_edges(ends, n)
    graph_of_node = torch.arange(len(nodes)).repeat_interleave(nodes)
    graph = graph_of_node[ends]
    if bool((graph[0] != graph[1]).any()):
        edge = int((graph[0] != graph[1]).int().argmax())
        found = f"edge {edge} from graph {graph[0, edge]} to graph {graph[1, edge]}"
        raise wrong("edge_index", found, "edges within the graphs of the Batch")
    keys = [*batch.keys()]
    total, edges = torch.tensor([n]), torch.tensor([ends.size(1)])
    held = {name: [batch.get(name)] for name in keys}
    own, source = _weight(held, edges, options, None)
    own = weight if own is None else own
    attributes = batch.get("edge_attr") if source != "edge_attr" else None
    return GraphParts(
        "Batch",
        nodes,
        ends - ptr[graph[0]],
        graph[0],
        rows_of([batch.get("x")], total, "x", None),
        rows_of([attributes], edges, "edge_attr", None, "edge"),
        None if own is None else own.reshape(-1),
        own_names({name: batch.get(name) for name in NAMES if isinstance(batch.get(name), list)}),
        left_out(keys, source, options),
    )


def left_out(keys: Sequence[str], weight: str | None, options: ReadOptions) -> dict[str, str]:
    """What is not read of the attributes `keys` of ``Data``, and what it is."""
    features = options.names("feature")
    used = ({*features} if features else {"x"}) | {weight}
    labels = {*LABELS, *options.names("label")}
    rest = [name for name in keys if name not in used and name not in _SILENT]
    return {name: "labels" if name in labels else "attribute" for name in rest}


def _is_data(item: Any) -> bool:
    return (
        hasattr(item, "num_node_features")
        and hasattr(item, "num_nodes")
        and not (hasattr(item, "node_types") or hasattr(item, "to_data_list") or hasattr(item, "src"))
    )


def _edges(data: Any, what: str) -> tuple[Tensor, Tensor | None]:
    """Edges [2, e] of a ``Data`` and, if they are the entries of a matrix, their weights."""
    held, weight = data.get("edge_index"), None
    if held is None or is_sparse(held):
        held, weight, _ = edges_of(data)
    elif type(held) is not Tensor and hasattr(held, "as_tensor"):
        held = held.as_tensor()
    if held is None or (isinstance(held, Tensor) and held.numel() == 0):
        return torch.empty(2, 0, dtype=torch.long), weight
    return check_edges(held, None, f"{what}: edge_index")[0].cpu(), weight


def _weight(
    held: Mapping[str, Sequence[Any]], edges: Tensor, options: ReadOptions, names: Sequence[Any] | None
) -> tuple[Tensor | None, str | None]:
    """Weights of the edges of all graphs, and the attribute that holds them: the one named, or one of `WEIGHTS`."""
    for name in options.names("weight"):
        if name not in held:
            raise unknown("data: edge attribute", name, [key for key in held if key != "edge_index"])
        return rows_of(held[name], edges, name, names, "edge"), name
    for name in (name for name in WEIGHTS if name in held):
        sizes = [(_size(value), count) for value, count in zip(held[name], edges.tolist(), strict=True) if count]
        # The weight of a molecule is one number for the whole graph.
        if name != "weight" or all(size == count for size, count in sizes):
            return rows_of(held[name], edges, name, names, "edge"), name
    return None, None


def _size(value: Any) -> int:
    """Entries of a tensor, which NumPy does not count, or of whatever NumPy makes an array of."""
    return 0 if value is None else int(np.prod(np.shape(value)))


def _node_counts(held: Any, slices: Mapping[str, Tensor]) -> Tensor | None:
    """Nodes of each graph that a data set holds in memory, int64; None where it does not say."""
    if held.get("x") is not None and "x" in slices:
        return slices["x"].diff().long()
    counts = getattr(held._store, "_num_nodes", None)
    return torch.tensor(counts, dtype=torch.long) if isinstance(counts, list) else None


def _chosen_rows(held: Any, index: Tensor) -> Tensor | None:
    if held is None:
        return None
    rows: Tensor = held.detach().cpu()
    rows = rows.to_dense() if rows.layout != torch.strided else rows
    return rows.reshape(len(rows), -1)[index]
