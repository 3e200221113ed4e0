"""Graphs of networkx, igraph and DGL, by their interfaces: none of the three needs to be installed."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
import torch

from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.objects.edge_attributes import EdgeLines, split_names
from genurl_graph.inputs.objects.parts import (
    WEIGHTS,
    as_weights,
    check_reading,
    choose_columns,
    choose_weight,
    make_graph,
    name_left_out,
)
from genurl_graph.inputs.reading import ReadOptions

# Where DGL's data sets keep features and weights, in this order.
DGL_FEATURES = ("x", "feat", "feature", "features")
DGL_WEIGHTS = (*WEIGHTS, "w")


def is_networkx(X: Any) -> bool:
    """Whether it is a graph of networkx."""
    return hasattr(X, "is_multigraph") and hasattr(X, "adjacency")


def is_igraph(X: Any) -> bool:
    """Whether it is a graph of python-igraph."""
    return hasattr(X, "vcount") and hasattr(X, "get_edgelist")


def is_dgl(X: Any) -> bool:
    """Whether it is a graph of DGL."""
    return all(hasattr(X, name) for name in ("ndata", "edata", "ntypes", "canonical_etypes"))


def from_networkx(graph: Any, options: ReadOptions) -> Any:
    """A PyG ``Data`` of a networkx graph.

    Nodes keep their order and names. Weights are the edge attribute ``weight`` (1 where an edge has none), or the one
    that the user names; the edges of a multigraph are summed. Features are the node attribute ``x`` (a number or a
    vector), or those that the user names; attributes of edges are those that the user names as features. All other
    attributes are left out, and named.
    """
    kind = type(graph).__name__
    check_reading(options, kind)
    names = [*graph.nodes]
    # The loops over nodes and edges are those of networkx and of `map`.
    attributes = {
        name: next(filter(lambda value: value is not None, map(itemgetter(1), graph.nodes(data=name))), None)
        for name in sorted(set().union(*map(itemgetter(1), graph.nodes(data=True))), key=str)
    }
    edge_attributes = sorted(set().union(*map(itemgetter(2), graph.edges(data=True))), key=str)
    described, options = split_names(options, attributes, edge_attributes)
    # networkx itself takes an edge without a weight for one of weight 1.
    weight_name = choose_weight(options, edge_attributes, kind) or "weight"
    columns = [*zip(*graph.edges(data=weight_name, default=1.0), strict=True)]
    source, target, weight = columns or ((), (), ())
    # A tuple may be the name of a node: no array of names.
    position = dict(zip(names, range(len(names)), strict=True))
    ends = np.stack([np.fromiter(map(position.__getitem__, side), np.int64, len(side)) for side in (source, target)])
    chosen = choose_columns(options, attributes, kind)
    held = {name: [*map(itemgetter(1), graph.nodes(data=name))] for name in chosen}
    table = pd.DataFrame(held, index=pd.RangeIndex(len(names))) if chosen else None
    x = None
    if not chosen and "x" in attributes and "x" not in options.names("ignore") and not _is_layout(attributes):
        x = _vectors(names, [*map(itemgetter(1), graph.nodes(data="x"))])
    taken = [*chosen, *described, *([] if x is None else ["x"]), weight_name]
    data = make_graph(
        ends,
        weight,
        _renamed(
            names, [*map(itemgetter(1), graph.nodes(data=options.names("id")[0]))] if options.names("id") else None
        ),
        kind=f"networkx {kind}",
        directed=graph.is_directed(),
        x=x,
        table=table,
        left_out=name_left_out(attributes, [a for a in edge_attributes if a != weight_name], options, taken, kind),
        said=[f"weight {weight_name}"] if weight_name in edge_attributes else [],
    )
    if described:
        cells = {name: [*map(itemgetter(2), graph.edges(data=name))] for name in described}
        data.edge_lines = EdgeLines(pd.DataFrame(cells), torch.from_numpy(ends), torch.from_numpy(as_weights(weight)))
    return data


def from_igraph(graph: Any, options: ReadOptions) -> Any:
    """A PyG ``Data`` of an igraph graph: edge attribute ``weight``, names from the vertex attribute ``name``."""
    kind = "igraph Graph"
    check_reading(options, kind)
    n = int(graph.vcount())
    attributes = {name: graph.vs[name][0] if n else None for name in graph.vs.attributes()}
    pairs = np.asarray(graph.get_edgelist(), dtype=np.int64).reshape(-1, 2).T
    described, options = split_names(options, attributes, graph.es.attributes())
    weight_name = choose_weight(options, graph.es.attributes(), kind)
    chosen = choose_columns(options, attributes, kind)
    named = (options.names("id") or ("name",))[0]
    names = graph.vs[named] if named in attributes else None
    x = _vectors([*range(n)], graph.vs["x"]) if not chosen and _has_x(attributes, options) else None
    taken = [*chosen, *described, named, *([] if x is None else ["x"]), *([] if weight_name is None else [weight_name])]
    data = make_graph(
        pairs,
        None if weight_name is None else graph.es[weight_name],
        _renamed([*range(n)], names),
        kind=kind,
        directed=bool(graph.is_directed()),
        x=x,
        table=pd.DataFrame({name: graph.vs[name] for name in chosen}) if chosen else None,
        left_out=name_left_out(
            attributes, [a for a in graph.es.attributes() if a != weight_name], options, taken, kind
        ),
        said=[] if weight_name is None else [f"weight {weight_name}"],
    )
    if described:
        weight = None if weight_name is None else torch.from_numpy(as_weights(graph.es[weight_name]))
        cells = {name: graph.es[name] for name in described}
        data.edge_lines = EdgeLines(pd.DataFrame(cells), torch.from_numpy(pairs), weight)
    return data


def from_dgl(graph: Any, options: ReadOptions) -> Any:
    """A PyG ``Data``, or ``HeteroData``, of a DGL graph: features ``x`` or ``feat``, weights ``weight`` or ``w``."""
    from torch_geometric.data import Data, HeteroData

    kind = "DGL graph"
    check_reading(options, kind)
    typed = len(graph.ntypes) > 1 or len(graph.canonical_etypes) > 1
    data = HeteroData() if typed else Data()
    left_out: dict[str, str] = {}
    for name in graph.ntypes:
        store, held = (data[name] if typed else data), graph.nodes[name].data
        store.num_nodes = int(graph.num_nodes(name))
        wanted = [*options.names("feature")] or [each for each in DGL_FEATURES if each in held][:1]
        if len(wanted) > 1 or (wanted and wanted[0] not in held and not typed):
            raise unknown(f"{kind}: node data", ", ".join(wanted), [*held])
        if wanted and wanted[0] in held:
            values = held[wanted[0]]
            store.x = values.reshape(len(values), -1)
        left_out |= {each: "node data" for each in held if each not in wanted}
    for relation in graph.canonical_etypes:
        store, held = (data[relation] if typed else data), graph.edges[relation].data
        source, target = graph.edges(etype=relation)
        store.edge_index = _stacked(source, target)
        weight = (options.names("weight") or tuple(each for each in DGL_WEIGHTS if each in held))[:1]
        if weight and weight[0] not in held:
            raise unknown(f"{kind}: edge data", weight[0], [*held])
        if weight:
            store.edge_weight = held[weight[0]].reshape(-1)
        left_out |= {each: "edge data" for each in held if each not in weight}
    from genurl_graph.inputs.reading import Reading

    count = sum(int(graph.num_edges(relation)) for relation in graph.canonical_etypes)
    lines = [f"read {kind} as a graph: {int(graph.num_nodes()):,} nodes, {count:,} directed edges"]
    if left_out:
        lines.append("left out: " + ", ".join(f"{name} ({what})" for name, what in left_out.items()))
    data.reading = Reading(tuple(lines), {"graph": {"as": "graph", "object": kind, "left_out": left_out}})
    return data


def _stacked(source: Any, target: Any) -> Any:

    return torch.stack([source, target]).long()


def _has_x(attributes: Any, options: ReadOptions) -> bool:
    return "x" in attributes and "x" not in options.names("ignore") and not _is_layout(attributes)


def _is_layout(attributes: Any) -> bool:
    """Whether the attributes x and y are coordinates of a drawing."""
    return "y" in attributes and np.ndim(attributes["x"]) == 0


def _renamed(names: list[Any], given: Any) -> list[Any]:
    """Names of the nodes: a node attribute where the user, or the library, has one that differs everywhere."""
    if given is None:
        return names
    found = [*given]
    return found if None not in found and len({*map(str, found)}) == len(found) else names


def _vectors(names: list[Any], values: list[Any]) -> Any:
    """The node attribute ``x`` as rows [n, f]; InputError where a node has none."""
    missing = [value is None for value in values]
    if any(missing):
        first = names[missing.index(True)]
        raise wrong("node attribute x", f"none at {sum(missing)} nodes, such as {first!r}", "one at every node")
    from genurl_graph.inputs.validation import check_matrix

    return check_matrix([*map(np.atleast_1d, values)], "node attribute x", empty=True, finite=False)
