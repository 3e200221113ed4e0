"""Merge predefined edges and kNN edges into one graph that records the source of every edge.

Weights are similarities (1 is the weight of a plain predefined edge) for ``how="union"`` and ``"mix"``, and
lengths for ``how="geodesic"``. All graphs are sorted, coalesced edge lists: memory O(E).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from genurl_graph.config.choices import Directed as Directed
from genurl_graph.config.choices import How as How
from genurl_graph.config.choices import words
from genurl_graph.exceptions import unknown, wrong
from genurl_graph.graph.edge_lists import BLOCK, add_inverses, align_blocks, clean_edges, values_at
from genurl_graph.graph.merged import FEATURE as FEATURE
from genurl_graph.graph.merged import PATH as PATH
from genurl_graph.graph.merged import PREDEFINED as PREDEFINED
from genurl_graph.graph.merged import MergedGraph as MergedGraph
from genurl_graph.inputs.input import Input

# Dijkstra runs from this many sources at a time: its dense [sources, n] output is what bounds memory.
_PATH_CELLS = 1 << 24


def merge_graphs(
    edge_index: Tensor | None,
    edge_weight: Tensor | None,
    knn_edge_index: Tensor | None,
    knn_weight: Tensor | None,
    *,
    num_nodes: int,
    how: How = "union",
    feature_weight: float = 1.0,
    directed: Directed = "symmetrize",
    cutoff: float | None = None,
    n_nearest: int | None = None,
) -> MergedGraph:
    r"""Merge predefined edges and kNN edges of the features.

    * ``"union"``: ``w_ij = max(w^pre_ij, lambda w^knn_ij)``;
    * ``"mix"``: ``w_ij = w^pre_ij + lambda w^knn_ij``, an edge of both graphs counts for both;
    * ``"geodesic"``: weights are lengths; ``w_ij`` is the length of the shortest path over the union of both
      graphs (a kNN edge is ``length / lambda`` long), for all pairs at most `cutoff` apart.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E], or None
        Predefined edges. The weights of repeats of one ordered pair are summed (of lengths, for geodesics, the shortest
        counts); self loops are removed.
    edge_weight : Tensor, float, shape [E], or None
        Weights >= 0 of the predefined edges, 1 if None.
    knn_edge_index, knn_weight
        The same for the kNN edges, for instance P of `genurl_graph.graph.affinity.similarities`.
    num_nodes : int
        Number of nodes n.
    how : "union", "mix" or "geodesic"
    feature_weight : float
        lambda > 0.
    directed : "symmetrize", "keep" or "error"
        What happens to predefined edges without their inverse: "symmetrize" adds an inverse of equal weight, "keep"
        leaves them as they are (kNN edges always get both directions), "error" refuses them. Where the two directions
        have two weights, "symmetrize" takes the larger (for geodesics the shorter).
    cutoff : float
        Longest path that counts; required for geodesics.
    n_nearest : int, optional
        Keep the geodesics to this many nearest nodes of each node, in either direction. A cut-off alone does not bound
        the number of pairs below n x n.

    Returns
    -------
    MergedGraph
        On the device of the input. SciPy's Dijkstra computes geodesics on the CPU in batches of sources: memory is
        bounded by the batch and the pairs found, never n x n.

    Raises
    ------
    InputError
        Nodes out of range, shapes that do not match, negative or non-finite weights, unknown options.

    Examples
    --------
    >>> merged = merge_graphs(data.edge_index, None, knn_edge_index, p, num_nodes=data.num_nodes, how="mix")
    >>> merged.summary()
    """
    if how not in words(How):
        raise unknown("how", how, words(How))
    if directed not in words(Directed):
        raise unknown("directed", directed, words(Directed))
    if not 0 < feature_weight < math.inf:
        raise wrong("feature_weight", feature_weight, "a finite number > 0")
    lengths = how == "geodesic"
    pre, pre_weight = clean_edges("edge_index", edge_index, edge_weight, num_nodes, lengths)
    knn, knn_w = clean_edges("knn_edge_index", knn_edge_index, knn_weight, num_nodes, lengths)
    if knn.device != pre.device and edge_index is None:
        pre, pre_weight = pre.to(knn.device), pre_weight.to(knn.device)
    knn, knn_w = knn.to(pre.device), knn_w.to(pre.device)
    if directed != "keep":
        both, both_weight = add_inverses(pre, pre_weight, num_nodes, lengths)
        if directed == "error":
            _refuse_directed(both.size(1) - pre.size(1), both_weight, pre_weight)
        pre, pre_weight = both, both_weight
    knn, knn_w = add_inverses(knn, knn_w, num_nodes, lengths)
    knn_w = knn_w / feature_weight if lengths else knn_w * feature_weight
    merged = combine(pre, pre_weight, knn, knn_w, num_nodes=num_nodes, how=how)
    return _geodesics(merged, num_nodes, cutoff, n_nearest) if lengths else merged


def combine(
    first: Tensor, first_weight: Tensor, second: Tensor, second_weight: Tensor, *, num_nodes: int, how: How
) -> MergedGraph:
    """Merge predefined edges and kNN edges that are checked already: the last step of `merge_graphs`.

    Both lists are sorted by row, without self loops, every edge once. Of an edge in both, "mix" adds the weights,
    "union" takes the larger and "geodesic" the smaller one. Memory beside the result: some millions of edges.
    """
    for edges, weight, source in ((first, first_weight, PREDEFINED), (second, second_weight, FEATURE)):
        if edges.size(1) == first.size(1) + second.size(1):
            return MergedGraph(edges, weight, torch.full_like(weight, source, dtype=torch.uint8), num_nodes)
    absent = math.inf if how == "geodesic" else 0.0
    reduce: Any = {"union": torch.maximum, "mix": torch.add, "geodesic": torch.minimum}[how]
    # Counted first: parts that are joined later would double the memory.
    size = sum(edges.size(1) for (edges, _, _), _, _ in align_blocks(first, second, num_nodes))
    weight, sources = first_weight.new_empty(size), first.new_empty(size, dtype=torch.uint8)
    merged, at = MergedGraph(first.new_empty(2, size), weight, sources, num_nodes), 0
    for (edges, one, two), a, b in align_blocks(first, second, num_nodes):
        part = slice(at, at := at + edges.size(1))
        merged.edge_index[:, part] = edges
        weight[part] = reduce(values_at(first_weight[a], one, absent), values_at(second_weight[b], two, absent))
        sources[part] = (one > 0) * PREDEFINED + (two > 0) * FEATURE
    return merged


def predefined_edges(data: Input) -> tuple[Tensor | None, Tensor | None]:
    """Edges of an input [2, E], each ordered pair once, no self loops, and weights [E] on the scale of similarities.

    Weights of repeated edges are summed first; then all are divided by the largest. None where there are no edges.
    """
    if data.edge_index is None:
        return None, None
    edges, weight = clean_edges("edge_index", data.edge_index, data.edge_weight, data.num_nodes, lengths=False)
    if weight.numel():
        weight = weight / weight.max().clamp_min(torch.finfo(torch.float32).tiny)
    return edges, weight


def predefined_graph(data: Input) -> MergedGraph:
    """The predefined edges of an input alone: in both directions, each once, with scaled weights."""
    return merge_graphs(*predefined_edges(data), None, None, num_nodes=data.num_nodes)


def count_components(edge_index: Tensor, num_nodes: int) -> int:
    """Number of (weakly) connected components, isolated nodes included. Memory O(n) beside the edges."""
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    row, col = edge_index.cpu().numpy()
    count, label = num_nodes, np.arange(num_nodes, dtype=np.int32)
    # Nodes that the edges so far connect are one node for the rest.
    for start in range(0, len(row), BLOCK):
        some = slice(start, start + BLOCK)
        low, high = label[row[some]], label[col[some]]
        apart = low != high
        low, high = low[apart], high[apart]
        graph = csr_array((np.ones(len(low), dtype=bool), (low, high)), shape=(count, count))
        count, joined = connected_components(graph, directed=False)
        label = joined[label]
    return int(count)


def _refuse_directed(missing: int, both_weight: Tensor, weight: Tensor) -> None:
    if missing:
        raise wrong("edge_index", f"{missing} edges without their inverse", "an undirected graph")
    unequal = int((both_weight != weight).sum())
    if unequal:
        raise wrong("edge_weight", f"{unequal} edges that weigh less than their inverse", "an undirected graph")


def _geodesics(union: MergedGraph, num_nodes: int, cutoff: float | None, n_nearest: int | None) -> MergedGraph:
    """All pairs whose shortest path is at most `cutoff` long."""
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    if cutoff is None or not cutoff > 0:
        raise wrong("cutoff", cutoff, "a length > 0, which geodesics need")
    if n_nearest is not None and n_nearest < 1:
        raise wrong("n_nearest", n_nearest, "at least 1")
    if union.edge_index.size(1) == 0:
        return union
    row, col = union.edge_index.cpu().numpy()
    # SciPy drops explicit zeros, so that a zero length (duplicate points) would lose its edge.
    length = np.maximum(union.edge_weight.cpu().numpy().astype(np.float64), np.finfo(np.float64).tiny)
    # Paths are searched in int32 indices; SciPy 1.12 refuses others instead of converting them.
    graph = csr_array((length, (row.astype(np.int32), col.astype(np.int32))), shape=(num_nodes, num_nodes))
    step = max(1, _PATH_CELLS // max(num_nodes, 1))
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for start in range(0, num_nodes, step):
        sources = np.arange(start, min(start + step, num_nodes))
        distance = dijkstra(graph, indices=sources, limit=cutoff)
        distance[np.arange(len(sources)), sources] = np.inf
        if n_nearest is not None and n_nearest < num_nodes:
            last = np.partition(distance, n_nearest - 1, axis=1)[:, n_nearest - 1 : n_nearest]
            distance[distance > last] = np.inf  # ties at the last place stay
        source, target = np.nonzero(np.isfinite(distance))
        found.append((source + start, target, distance[source, target]))
    rows, cols, lengths = (torch.from_numpy(np.concatenate(part)) for part in zip(*found, strict=True))
    if n_nearest is not None:
        # i may be among the nearest of j but not j among those of i. The length is the same, whoever found it.
        (rows, cols), lengths = add_inverses(torch.stack([rows, cols]), lengths, num_nodes, lengths=True)
    key = rows * num_nodes + cols
    own = union.edge_index[0].cpu() * num_nodes + union.edge_index[1].cpu()
    provenance = torch.full((key.numel(),), PATH, dtype=torch.uint8)
    # Both lists are sorted; an edge longer than the cut-off has no pair to be found.
    position = torch.searchsorted(key, own).clamp_max(max(key.numel() - 1, 0))
    if key.numel():
        hit = key[position] == own
        provenance[position[hit]] = union.provenance.cpu()[hit]
    device = union.edge_index.device
    edges = torch.stack([rows, cols]).to(device)
    return MergedGraph(edges, lengths.float().to(device), provenance.to(device), num_nodes)
