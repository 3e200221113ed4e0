"""PyG's ``HeteroData`` as one graph: node types stacked, features in blocks of columns, relations weighted.

What is supported: any node types and relations; features of another width for each type, or none; ``edge_weight`` or
one-column ``edge_attr``. All nodes share one encoder. Features of two types have no column in common: only nodes of one
type become neighbours by features, and adaptive merging, geodesics and averaging before the search, which compare the
two ends of every edge, are refused.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.exceptions import unknown, wrong
from genurl_graph.inputs.columns import AS_THEY_ARE, FeatureOptions
from genurl_graph.inputs.columns.matrix import as_features
from genurl_graph.inputs.edges import sum_repeats
from genurl_graph.inputs.input import Input, NodeTypes, as_input, check_input, from_data
from genurl_graph.inputs.normalize import column_statistics, normalize_features
from genurl_graph.inputs.objects.convert import convert
from genurl_graph.inputs.objects.networks import is_dgl
from genurl_graph.inputs.objects.pyg import edges_of
from genurl_graph.inputs.reading import NOTHING_SAID, Reading, ReadOptions
from genurl_graph.inputs.sparse import from_scipy, to_scipy_or_numpy
from genurl_graph.inputs.validation import check_edges, check_matrix


def as_graph(
    data: Any,
    types: Sequence[str] | None = None,
    at_least: int = 2,
    features: FeatureOptions = AS_THEY_ARE,
    *,
    options: ReadOptions = NOTHING_SAID,
) -> Input:
    """`genurl_graph.inputs.input.as_input`, of a ``HeteroData`` as well.

    Parameters
    ----------
    data : HeteroData, or as there
        Weights of a relation are divided by their largest, so that relations are comparable; `weigh` sets them against
        each other. Repeats of an edge within a relation, and in several relations, are summed.
    types : sequence of str, optional
        Order in which node types are stacked; by default the data's own.
    at_least, features, options
        As there. Features of several types are read as they are.

    Raises
    ------
    InputError
        As there; or other node types than `types`.
    """
    if not hasattr(data, "num_node_features") and not is_dgl(data):
        return as_input(data, at_least, features, options=options)
    options, data = options if not is_dgl(data) else NOTHING_SAID, convert(data, options)
    if not hasattr(data, "node_types"):
        return from_data(data, "torch", at_least, features, options)
    names = list(data.node_types if types is None else types)
    if sorted(names) != sorted(data.node_types):
        found, expected = (", ".join(sorted(part)) or "none" for part in (data.node_types, names))
        raise wrong("data", f"the node types {found}", expected)
    counts = [_count(data, name) for name in names]
    blocks = [_features(data[name], name, count) for name, count in zip(names, counts, strict=True)]
    widths = [0 if x is None else int(x.size(1)) for x in blocks]
    rows, columns = _ranges(names, counts), _ranges(names, widths)
    none = torch.empty(0, dtype=torch.long)
    edges, weights, relation = [none.view(2, 0)], [torch.empty(0)], [none]
    for number, kind in enumerate(data.edge_types):
        source, target = (names.index(end) for end in (kind[0], kind[2]))
        ends, weight = _relation("__".join(kind), data[kind], counts[source], counts[target], options)
        edges.append(ends + torch.tensor([[rows[kind[0]][0]], [rows[kind[2]][0]]]))
        weights.append(weight)
        relation.append(torch.full((weight.numel(),), number))
    kinds = NodeTypes(rows, columns, tuple("__".join(kind) for kind in data.edge_types), torch.cat(relation))
    parts = [x if x is not None else (count, 0) for x, count in zip(blocks, counts, strict=True)]
    x = block_diagonal(parts) if any(widths) else None
    reading = data.get("reading") if hasattr(data, "get") else None
    graph = Input(x, torch.cat(edges, dim=1), torch.cat(weights), sum(counts), "torch", kinds)
    return check_input(graph._replace(reading=reading or _describe(kinds, counts)), at_least)


def weigh(data: Input, type_weights: str) -> Input:
    """`data` with the weights of its relations multiplied as ``merge.type_weights`` says.

    Parameters
    ----------
    data : Input
    type_weights : str
        "writes=2,paper__cites__paper=0.5": relations by their name or in full; 1 for all others.

    Raises
    ------
    InputError
        An unknown relation, no number >= 0, or a graph without relations.
    """
    if not type_weights.strip():
        return data
    if data.types is None or data.edge_weight is None:
        raise wrong("merge.type_weights", f"{type_weights!r} for a graph without relations", "HeteroData")
    known = data.types.relations
    factor = torch.ones(len(known))
    for word in type_weights.split(","):
        name, _, text = (part.strip() for part in word.partition("="))
        meant = [i for i, relation in enumerate(known) if name in (relation, relation.split("__")[1])]
        if not meant:
            raise unknown("merge.type_weights", name, [relation.split("__")[1] for relation in known])
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value < float("inf"):
            raise wrong("merge.type_weights", repr(word.strip()), "RELATION=NUMBER, a number >= 0")
        factor[meant] = value
    return data._replace(edge_weight=data.edge_weight * factor[data.types.relation])


def block(x: Tensor, types: NodeTypes, name: str) -> Tensor:
    """Features [n_t, f_t] of one type, strided or CSR."""
    rows, columns = slice(*types.rows[name]), slice(*types.columns[name])
    return as_features(to_scipy_or_numpy(x)[rows][:, columns])


def normalize_blocks(
    x: Tensor, types: NodeTypes, how: Mapping[str, str], statistics: dict[str, Tensor] | None
) -> tuple[Tensor, dict[str, Tensor]]:
    """`genurl_graph.inputs.normalize.normalize_features` of each type's block by itself.

    Parameters
    ----------
    x : Tensor, float32, CSR, shape [n, f]
    types : NodeTypes
    how : mapping of str
        As there, for each type that has features.
    statistics : dict or None
        What an earlier call returned; None: they are taken here.

    Returns
    -------
    x : Tensor, float32, CSR, shape [n, f]
        A standardised block is stored in full, and nothing beside the blocks.
    statistics : dict
        ``mean.TYPE`` and ``scale.TYPE`` of the types whose columns are standardised.
    """
    found: dict[str, Tensor] = {}
    parts: list[Tensor | tuple[int, int]] = []
    for name, (low, high) in types.rows.items():
        if types.columns[name][0] == types.columns[name][1]:
            parts.append((high - low, 0))
            continue
        own = block(x, types, name)
        taken: dict[str, Tensor] = {}
        if how[name] == "columns":
            keys = {key: f"{key}.{name}" for key in ("mean", "scale")}
            taken = column_statistics(own) if statistics is None else {k: statistics[v] for k, v in keys.items()}
            found |= {keys[key]: value for key, value in taken.items()}
        parts.append(normalize_features(own, how[name], taken))
    return block_diagonal(parts), found if statistics is None else statistics


def block_diagonal(parts: Sequence[Tensor | tuple[int, int]]) -> Tensor:
    """CSR matrix with `parts` along its diagonal: matrices, strided or CSR, or the shapes of empty ones."""
    import scipy.sparse as sp

    blocks = [sp.csr_matrix(x, dtype=np.float32) if isinstance(x, tuple) else to_scipy_or_numpy(x) for x in parts]
    return from_scipy(sp.block_diag(blocks, format="csr"))


def _count(data: Any, name: str) -> int:
    store = data[name]
    # PyG guesses from any other attribute, and warns.
    if "x" not in store and "num_nodes" not in store:
        raise wrong(f"node type {name!r}", "neither x nor num_nodes", "one of them")
    return int(store.num_nodes)


def _ranges(names: Sequence[str], sizes: Sequence[int]) -> dict[str, tuple[int, int]]:
    ends = np.cumsum([0, *sizes]).tolist()
    return dict(zip(names, itertools.pairwise(ends), strict=True))


def _features(store: Any, name: str, count: int) -> Tensor | None:
    """Features of one node type, checked; None if it has none."""
    if "x" not in store:
        return None
    what = f"x of node type {name!r}"
    x = as_features(store.x, what)
    check_matrix(x, what, rows=count)
    return x


def _describe(types: NodeTypes, counts: Sequence[int]) -> Reading:
    nodes = ", ".join(f"{count:,} {name}" for name, count in zip(types.rows, counts, strict=True))
    edges = f"{len(types.relation):,} edges of {len(types.relations)} relations"
    return Reading(
        (f"read HeteroData as a graph: {nodes} (nodes), {edges}",),
        {"graph": {"as": "graph", "object": "HeteroData", "left_out": []}},
    )


def _relation(name: str, store: Any, n_source: int, n_target: int, options: ReadOptions) -> tuple[Tensor, Tensor]:
    """Edges of one relation, checked, each pair once, and their weights, of which the largest sum of repeats is 1."""
    ends, given, _ = edges_of(store, options, f"relation {name}: ")
    if ends is None:
        raise wrong(f"relation {name}", "no edge_index", "edges as edge_index [2, E]")
    what = [f"relation {name}: {key}" for key in ("edge_index", "edge_weight")]
    edges, weight = check_edges(ends, n_source, what[0], given, what[1], num_targets=n_target)
    edges, weight = sum_repeats(edges.cpu(), None if weight is None else weight.cpu(), max(n_source, n_target))
    weight = torch.ones(edges.size(1)) if weight is None else weight
    return edges, weight / weight.max().clamp_min(torch.finfo(torch.float32).tiny) if weight.numel() else weight
