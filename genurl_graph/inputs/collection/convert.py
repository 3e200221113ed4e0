"""Whatever holds many graphs, as one checked `Input` whose nodes are these graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from torch_geometric.data import Data

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.collection.collection import GraphCollection
from genurl_graph.inputs.collection.graph_parts import GraphParts, check_ends, title
from genurl_graph.inputs.collection.graph_set import GraphSet
from genurl_graph.inputs.collection.networkx_graphs import from_networkx
from genurl_graph.inputs.collection.pyg_graphs import from_batch, from_data_set, from_list
from genurl_graph.inputs.columns import AS_THEY_ARE, FeatureOptions, FeaturePlan, read_data_features, read_features
from genurl_graph.inputs.columns.column import Column
from genurl_graph.inputs.edges import join_directions, sum_repeats
from genurl_graph.inputs.input import Input, as_names
from genurl_graph.inputs.objects.convert import answer_kind
from genurl_graph.inputs.objects.networks import is_networkx
from genurl_graph.inputs.reading import NOTHING_SAID, Reading, ReadOptions
from genurl_graph.inputs.validation import check_finite, check_weights

TAKEN = "many graphs: a list of PyG Data or of networkx graphs, a PyG data set, or a Batch"
# A column of whole numbers with at most so many different ones holds codes, such as those of chemical elements.
MOST_CODES = 64


def is_collection(X: Any) -> bool:
    """Whether `X` is many graphs: a list of PyG ``Data`` or of networkx graphs, a data set of several, a ``Batch``.

    A list of pairs is none, nor is a data set of one graph.
    """
    if isinstance(X, list | tuple):
        return len(X) > 0 and (_is_pyg(X[0]) or is_networkx(X[0]))
    if not hasattr(X, "__len__") or is_networkx(X):
        return False
    return _is_batch(X) or isinstance(X, GraphSet) or (_is_data_set(X) and len(X) > 1)


def as_collection(
    X: Any,
    options: ReadOptions = NOTHING_SAID,
    features: FeatureOptions = AS_THEY_ARE,
    edges: FeatureOptions = AS_THEY_ARE,
    at_least: int = 2,
) -> Input:
    """Many graphs as the nodes of one input.

    Parameters
    ----------
    X : list or tuple of Data or of networkx graphs, PyG data set, Batch; or one Data or networkx graph
        Of ``Data``: ``x``; edges as ``edge_index`` or ``adj_t``; ``edge_attr``; weights as ``edge_weight`` or
        ``weight``. Of networkx graphs: `genurl_graph.inputs.collection.networkx_graphs.from_networkx`. A graph may have
        one node, or none. Its name is ``graph_id`` or ``name``, where every graph has one of its own.
    options : ReadOptions
        ``columns``: node attributes for features, the edge attribute of the weights. ``directed=False``: every edge
        counts both ways.
    features, edges : FeatureOptions
        What is to be done with the features of nodes, and with the attributes of edges. Words become one-hot columns,
        and so do whole numbers (an integer dtype) of at most 64 values; other numbers of ``Data`` stay as they are.
    at_least : int
        Graphs that there must be; with 2 or more, one of them must have a node.

    Returns
    -------
    Input
        With `Input.graphs`, names, plans of the columns, and the reading.

    Raises
    ------
    InputError
        Too few graphs, no node at all, items of mixed types; features of different widths, or in some graphs alone; NaN
        or infinite numbers; edges whose ends are not there. The message names the graph.

    Examples
    --------
    >>> as_collection([Data(edge_index=torch.tensor([[0, 1], [1, 0]]), num_nodes=2)] * 2).graphs.num_graphs
    2
    """
    parts = _parts(X, options)
    count, nodes = len(parts.nodes), int(parts.nodes.sum())
    if count < at_least:
        raise wrong("data", f"{count} graph{'s' * (count != 1)}", f"at least {at_least} graphs")
    if nodes == 0 and at_least > 1:
        raise wrong("data", f"{count} graphs without any nodes", "some nodes")
    check_ends(parts)
    owner = torch.arange(count).repeat_interleave(parts.nodes)
    if isinstance(X, GraphSet) and X.feature_table is not None:
        table = Data(parts.x, feature_table=X.feature_table, feature_plan=X.feature_plan, num_nodes=nodes)
        x, plan = read_data_features(table, features, graph=True)
        x = None if x is None else x.to_dense()
    else:
        x, plan = _numbers(parts.x, features, "x", owner, parts.names)
    attributes, edge_plan = _numbers(parts.edge_attr, edges, "edge_attr", parts.graph_of_edge, parts.names)
    graphs = _assembled(parts, x, attributes, options.directed is False)
    return Input(
        None,
        None,
        None,
        count,
        _answer(X),
        plan=plan,
        edge_plan=edge_plan,
        names=None if parts.names is None else as_names(parts.names),
        reading=_told(X, plan, edge_plan) or _describe(parts, graphs, plan, edge_plan),
        graphs=graphs,
    )


def _parts(X: Any, options: ReadOptions) -> GraphParts:
    if options.reading in ("vectors", "adjacency", "edges"):
        raise wrong("as_", f"{options.reading!r} for many graphs", "nothing")
    if _is_batch(X):
        return from_batch(X, options)
    if isinstance(X, GraphSet):
        found = from_data_set(X, options)
        tables = {} if X.edge_table is None else {"edge_attr": X.edge_table}
        return found._replace(names=X.node_id, **tables)
    if _is_data_set(X):
        return from_data_set(X, options)
    items = X if isinstance(X, list | tuple) else [X] if _is_pyg(X) or is_networkx(X) else None
    if items is None:
        raise wrong("data", type(X).__name__, TAKEN)
    if not items:
        raise wrong("data", f"an empty {type(X).__name__}", TAKEN)
    kind = f"{type(X).__name__} of {type(items[0]).__name__}" if items is X else type(X).__name__
    return from_networkx(items, options, kind) if is_networkx(items[0]) else from_list(items, options, kind)


def _is_pyg(X: Any) -> bool:
    return hasattr(X, "num_node_features")


def _is_batch(X: Any) -> bool:
    return hasattr(X, "num_graphs") and hasattr(X, "to_data_list")


def _is_data_set(X: Any) -> bool:
    from torch_geometric.data import Dataset

    return isinstance(X, Dataset) or (
        isinstance(X, torch.utils.data.Subset) and len(X) > 0 and hasattr(X[0], "num_node_features")
    )


def _answer(X: Any) -> str:
    first = X[0] if isinstance(X, list | tuple) else X
    return "torch" if _is_data_set(X) else answer_kind(first)


def _numbers(
    source: Tensor | pd.DataFrame | None,
    options: FeatureOptions,
    what: str,
    owner: Tensor,
    names: Sequence[Any] | None,
) -> tuple[Tensor | None, FeaturePlan | None]:
    """Rows of nodes or edges as float32, and the plan that they were made by; `owner` is the graph of each row."""
    if source is None:
        return None, None
    if isinstance(source, Tensor):

        def row(i: int) -> str:
            graph = int(owner[i])
            return f"{i - int((owner < graph).sum())} of {title(names, graph)}"

        check_finite(source, what, row)
    if isinstance(source, pd.DataFrame) or options.scale == "columns":
        x, plan = read_features(source, options, what=what, graph=True)
    else:
        plan = options.plan if options.fitted else _codes(source)
        x = source.float() if plan is None else plan.apply(source, what)
    if x is not None and x.size(1) == 0:
        x = None
    return (None if x is None else x.to_dense().contiguous()), plan


def _codes(rows: Tensor) -> FeaturePlan | None:
    """A plan that makes one-hot columns of the codes among whole numbers [n, f]; None where there are none."""
    if rows.is_floating_point() or rows.dtype == torch.bool:
        return None
    columns = []
    for i, column in enumerate(rows.T):
        values = column.unique().tolist()
        coded = len(values) <= MOST_CODES and not {*values} <= {0, 1}
        name = str(i + 1)
        columns.append(
            Column(name, "category", values=tuple(sorted(map(str, values))))
            if coded
            else Column(name, "number", how="as it is")
        )
    return FeaturePlan(tuple(columns), named=False) if any(column.kind == "category" for column in columns) else None


def _assembled(parts: GraphParts, x: Tensor | None, attributes: Tensor | None, both: bool) -> GraphCollection:
    """The collection, its edges sorted and every ordered pair once: weights are summed, attributes averaged."""
    zero = torch.zeros(1, dtype=torch.long)
    node_ptr = torch.cat([zero, parts.nodes.cumsum(0)])
    n = int(node_ptr[-1])
    given = parts.edge_index + node_ptr[parts.graph_of_edge]
    weight = None if parts.edge_weight is None else check_weights(parts.edge_weight, given.size(1))
    once, weight = sum_repeats(given, weight, n)
    edges, weight = join_directions(once, weight, n) if both else (once, weight)
    # Where every edge stands both ways already, each way has attributes of its own.
    joined = edges is not once
    order = (edges[0] * n + edges[1]).argsort()
    edges, weight = edges[:, order], None if weight is None else weight[order]
    if attributes is not None:
        attributes = _averaged(attributes, given, edges, n, joined)
    count = torch.bincount(torch.bucketize(edges[0], node_ptr[1:], right=True), minlength=len(parts.nodes))
    return GraphCollection(x, edges, attributes, weight, node_ptr, torch.cat([zero, count.cumsum(0)]))


def _averaged(attributes: Tensor, given: Tensor, edges: Tensor, n: int, joined: bool) -> Tensor:
    """Attributes of `edges`, the distinct pairs of those `given`: means over repeats and, if `joined`, directions."""
    if joined:
        given, edges = given.sort(0).values, edges.sort(0).values
    keys, place, count = torch.unique(given[0] * n + given[1], return_inverse=True, return_counts=True)
    found = torch.searchsorted(keys, edges[0] * n + edges[1])
    if len(keys) == len(place):
        return attributes[place.argsort()[found]]
    total = torch.zeros(len(keys), attributes.size(1), dtype=torch.float64).index_add_(0, place, attributes.double())
    means: Tensor = (total / count[:, None]).float()
    return means[found]


def _told(X: Any, plan: FeaturePlan | None, edge_plan: FeaturePlan | None) -> Reading | None:
    """What was said when the graphs were read from files, and what becomes of their columns; None of other graphs."""
    if not isinstance(X, GraphSet) or not X.reading.lines:
        return None
    # Plans of raw columns are told already.
    own = plan if X.feature_table is None else None
    return X.reading + Reading(tuple(_plan_lines(own, edge_plan if X.edge_table is None else None)))


def _plan_lines(plan: FeaturePlan | None, edge_plan: FeaturePlan | None) -> list[str]:
    nodes = [] if plan is None else [plan.summary()]
    return nodes + ([] if edge_plan is None else [f"edges, {edge_plan.summary()}"])


def _describe(
    parts: GraphParts, graphs: GraphCollection, plan: FeaturePlan | None, edge_plan: FeaturePlan | None
) -> Reading:
    sizes, n = graphs.sizes().sort().values, graphs.num_nodes
    edges = graphs.edge_index
    inverse = (edges[1] * n + edges[0]).sort().values
    loops = int((edges[0] == edges[1]).sum())
    if torch.equal(inverse, edges[0] * n + edges[1]):
        said = f"{(graphs.num_edges + loops) // 2:,} edges"
    else:
        said = f"{graphs.num_edges:,} directed edges"
    facts = [f"{graphs.num_graphs:,} graphs", f"{n:,} nodes", said]
    facts.append(f"{0 if graphs.x is None else graphs.x.size(1)} node features")
    facts.append(f"{0 if graphs.edge_attr is None else graphs.edge_attr.size(1)} edge attributes")
    facts += ["edge weights"] if parts.edge_weight is not None else []
    low, middle, high = (int(sizes[i]) for i in (0, len(sizes) // 2, -1))
    lines = [f"read {parts.kind} as whole graphs: {', '.join(facts)}; nodes a graph: {low} to {high}, median {middle}"]
    lines += _plan_lines(plan, edge_plan)
    if parts.left_out:
        lines.append("left out: " + ", ".join(f"{name} ({what})" for name, what in parts.left_out.items()))
    record = {
        "as": "graphs",
        "object": parts.kind,
        "graphs": graphs.num_graphs,
        "nodes": n,
        "edges": graphs.num_edges,
        "left_out": {**parts.left_out},
    }
    return Reading(tuple(lines), {"graphs": record})
