"""Merge predefined edges and feature edges into one graph whose edges know where they come from.

Weights are similarities (1 = as strong as a plain predefined edge) for ``how="union"`` and ``"mix"``, and
lengths for ``how="geodesic"``. Everything is sorted and coalesced lists of edges: memory O(E).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from genurl_graph.exceptions import InputError
from genurl_graph.graph.edge_lists import BLOCK, both_ways, clean, merged_blocks, merged_keys, row_blocks

PREDEFINED = 1
"""Provenance bit: the edge was given."""
FEATURE = 2
"""Provenance bit: the edge joins feature-space neighbours."""
PATH = 4
"""Provenance bit: no edge of its own, a shortest path over edges (``how="geodesic"``)."""

How = Literal["union", "mix", "geodesic"]
Directed = Literal["symmetrize", "keep", "error"]

# Dijkstra runs from this many sources at a time: its dense [sources, n] output is what bounds memory.
_PATH_CELLS = 1 << 24

# Edges that are counted at a time.
_COUNTED = 4 * BLOCK


class MergedGraph(NamedTuple):
    """A graph with provenance, sorted by row, without self loops, every edge once.

    Attributes
    ----------
    edge_index : Tensor, int64, shape [2, E]
    edge_weight : Tensor, float32, shape [E]
    provenance : Tensor, uint8, shape [E]
        Bit mask of `PREDEFINED`, `FEATURE`, `PATH`.
    """

    edge_index: Tensor
    edge_weight: Tensor
    provenance: Tensor

    @classmethod
    def empty(cls) -> MergedGraph:
        """No edges: of recipes that make P anew for every batch."""
        return cls(torch.empty(2, 0, dtype=torch.long), torch.empty(0), torch.empty(0, dtype=torch.uint8))

    def summary(self) -> dict[str, int]:
        """Number of undirected edges by provenance: ``n_predefined``, ``n_feature`` (only those), ``n_both``."""
        row, col = self.edge_index
        width = int(self.edge_index.max()) + 1 if row.numel() else 0
        # A directed edge may lack its inverse: a pair counts once, with what either direction says. Pairs are taken by
        # the row of their larger end, some rows at a time, so that no list as long as the graph is made.
        marks = [*torch.unique(row[::_COUNTED]).tolist(), width]
        counts = torch.zeros(8, dtype=torch.long, device=row.device)
        for low, high in pairwise(marks):
            start, end = torch.searchsorted(row, torch.tensor([low, high], device=row.device)).tolist()
            up = (row[:end] < col[:end]).logical_and_(col[:end] >= low).logical_and_(col[:end] < high).nonzero()[:, 0]
            down = start + (col[start:end] < row[start:end]).nonzero()[:, 0]
            upper, order = (col[up] * width + row[up]).sort()
            slots = merged_keys(row[down] * width + col[down], upper)
            provenance = torch.zeros(slots.size, dtype=torch.uint8, device=row.device)
            provenance[slots.first] = self.provenance[down]
            provenance[slots.second] |= self.provenance[up[order]]
            counts += torch.bincount(provenance, minlength=len(counts))
        found = {bits: int(counts[[bits, bits | PATH]].sum()) for bits in (PREDEFINED, FEATURE, PREDEFINED | FEATURE)}
        return {
            "n_predefined": found[PREDEFINED],
            "n_feature": found[FEATURE],
            "n_both": found[PREDEFINED | FEATURE],
        }

    def mass(self) -> float:
        """Sum of all weights, in float64."""
        # In parts: torch makes a float64 copy of what it sums.
        return math.fsum(float(part.sum(dtype=torch.float64)) for part in torch.split(self.edge_weight, _COUNTED))

    def mass_shares(self) -> dict[str, float]:
        """Share of all weight by provenance: ``mass_predefined``, ``mass_feature`` (only those), ``mass_both``."""
        mass = torch.zeros(8, dtype=torch.float64, device=self.edge_weight.device)
        parts = (torch.split(values, _COUNTED) for values in (self.provenance, self.edge_weight))
        for provenance, weight in zip(*parts, strict=True):
            mass += torch.bincount(provenance, weight.double(), minlength=len(mass))
        share = (mass / (mass.sum() or 1.0)).tolist()
        return {
            "mass_predefined": share[PREDEFINED],
            "mass_feature": share[FEATURE],
            "mass_both": share[PREDEFINED | FEATURE],
        }


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
    r"""Merge predefined edges and feature-space kNN edges.

    * ``"union"``: ``w_ij = max(w^pre_ij, lambda w^knn_ij)``;
    * ``"mix"``: ``w_ij = w^pre_ij + lambda w^knn_ij``, an edge of both graphs counts for both;
    * ``"geodesic"``: weights are lengths; ``w_ij`` is the length of the shortest path over the union of both
      graphs (a feature edge is ``length / lambda`` long), for all pairs not farther than `cutoff`.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E], or None
        Predefined edges. Duplicates collapse (largest weight; shortest for geodesics), self loops are removed.
    edge_weight : Tensor, float, shape [E], or None
        Weights >= 0 of the predefined edges, 1 if None.
    knn_edge_index, knn_weight
        The same of the feature edges, for instance P of `genurl_graph.graph.affinity.similarities`.
    num_nodes : int
        Number of nodes n.
    how : "union", "mix" or "geodesic"
    feature_weight : float
        lambda > 0.
    directed : "symmetrize", "keep" or "error"
        Predefined edges without their inverse: give them the inverse of equal weight (default), keep them as
        they are (feature edges always hold both ways), or refuse them. Where both directions are given with
        two weights, "symmetrize" takes the larger (shorter for geodesics).
    cutoff : float
        Longest path that counts; needed by geodesics.
    n_nearest : int, optional
        Geodesics to at most so many nearest nodes of each node (and to those that have it among theirs). It bounds what
        a cut-off alone may let grow to n x n.

    Returns
    -------
    MergedGraph
        On the device of the input. Geodesics are computed by SciPy's Dijkstra on the CPU, in batches of
        sources, so that memory is bounded by the batch and the pairs found, never n x n.

    Raises
    ------
    InputError
        Nodes out of range, shapes that do not match, negative or non-finite weights, unknown options.

    Examples
    --------
    >>> merged = merge_graphs(data.edge_index, None, knn_edge_index, p, num_nodes=data.num_nodes, how="mix")
    >>> merged.summary()
    """
    if how not in ("union", "mix", "geodesic"):
        raise InputError(f"how: unknown {how!r}; expected union, mix or geodesic")
    if directed not in ("symmetrize", "keep", "error"):
        raise InputError(f"directed: unknown {directed!r}; expected symmetrize, keep or error")
    if not 0 < feature_weight < float("inf"):
        raise InputError(f"feature_weight: found {feature_weight}; expected a finite number > 0")
    lengths = how == "geodesic"
    pre, pre_weight = clean("edge_index", edge_index, edge_weight, num_nodes, lengths)
    knn, knn_w = clean("knn_edge_index", knn_edge_index, knn_weight, num_nodes, lengths)
    if knn.device != pre.device and edge_index is None:
        pre, pre_weight = pre.to(knn.device), pre_weight.to(knn.device)
    knn, knn_w = knn.to(pre.device), knn_w.to(pre.device)
    if directed != "keep":
        both, both_weight = both_ways(pre, pre_weight, num_nodes, lengths)
        if directed == "error":
            _refuse_directed(both.size(1) - pre.size(1), both_weight, pre_weight)
        pre, pre_weight = both, both_weight
    if knn.size(1) == 0 and not lengths:
        return MergedGraph(pre, pre_weight, torch.full_like(pre_weight, PREDEFINED, dtype=torch.uint8))
    knn, knn_w = both_ways(knn, knn_w, num_nodes, lengths)
    knn_w = knn_w / feature_weight if lengths else knn_w * feature_weight

    merged = combined(pre, pre_weight, knn, knn_w, num_nodes=num_nodes, how=how)
    return _geodesics(merged, num_nodes, cutoff, n_nearest) if lengths else merged


def combined(
    first: Tensor, first_weight: Tensor, second: Tensor, second_weight: Tensor, *, num_nodes: int, how: How
) -> MergedGraph:
    """Two lists of edges as one; what `merge_graphs` does once it has checked them.

    Parameters
    ----------
    first, second : Tensor, int64, shape [2, E]
        Given edges and feature edges; each sorted by row, without self loops, every edge once and both ways.
    first_weight, second_weight : Tensor, float32, shape [E]
        "mix" adds them, "union" takes the larger, "geodesic" the smaller of the two.
    num_nodes : int
    how : "union", "mix" or "geodesic"

    Returns
    -------
    MergedGraph
        Memory beside it: that of some millions of edges.
    """
    blocks = row_blocks(first[0], second[0])
    size = sum(slots.size for _, _, slots in merged_blocks(first, second, blocks, num_nodes))
    edges = first.new_empty(2, size)
    weight = torch.empty(size, device=first.device)
    provenance = torch.empty(size, dtype=torch.uint8, device=first.device)
    at = 0
    for one, two, slots in merged_blocks(first, second, blocks, num_nodes):
        part = slice(at, at + slots.size)
        at += slots.size
        edges[:, part][:, slots.first] = first[:, one]
        edges[:, part][:, slots.second] = second[:, two]
        where, added = provenance[part].zero_(), second_weight[two]
        where[slots.first] |= PREDEFINED
        where[slots.second] |= FEATURE
        values = weight[part].zero_()
        # Each list holds an edge once, so plain indexing is enough to combine them.
        values[slots.first] = first_weight[one]
        if how == "mix":
            values[slots.second] += added
        elif how == "geodesic":
            alone = where[slots.second] == FEATURE
            values[slots.second] = torch.where(alone, added, torch.minimum(values[slots.second], added))
        else:
            values[slots.second] = torch.maximum(values[slots.second], added)
    return MergedGraph(edges, weight, provenance)


def count_components(edge_index: Tensor, num_nodes: int) -> int:
    """Number of (weakly) connected components, isolated nodes included; memory O(n) beside the edges."""
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    row, col = edge_index.cpu().numpy()
    count, label = num_nodes, np.arange(num_nodes, dtype=np.int32)
    # What some edges have joined is one node for the rest.
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
        raise InputError(f"edge_index: {missing} edges lack their inverse; expected an undirected graph")
    unequal = int((both_weight != weight).sum())
    if unequal:
        raise InputError(f"edge_weight: {unequal} edges weigh less than their inverse; expected an undirected graph")


def _geodesics(union: MergedGraph, num_nodes: int, cutoff: float | None, n_nearest: int | None) -> MergedGraph:
    """All pairs whose shortest path is at most `cutoff` long."""
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    if cutoff is None or not cutoff > 0:
        raise InputError(f"cutoff: found {cutoff}; expected a length > 0, which geodesics need")
    if n_nearest is not None and n_nearest < 1:
        raise InputError(f"n_nearest: found {n_nearest}; expected at least 1")
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
        (rows, cols), lengths = both_ways(torch.stack([rows, cols]), lengths, num_nodes, lengths=True)
    key = rows * num_nodes + cols
    own = union.edge_index[0].cpu() * num_nodes + union.edge_index[1].cpu()
    provenance = torch.full((key.numel(),), PATH, dtype=torch.uint8)
    # Both lists are sorted; an edge longer than the cut-off has no pair to be found.
    position = torch.searchsorted(key, own).clamp_max(max(key.numel() - 1, 0))
    if key.numel():
        hit = key[position] == own
        provenance[position[hit]] = union.provenance.cpu()[hit]
    device = union.edge_index.device
    return MergedGraph(torch.stack([rows, cols]).to(device), lengths.float().to(device), provenance.to(device))
