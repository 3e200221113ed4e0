"""Merge predefined edges and feature edges into one graph whose edges know where they come from.

Weights are similarities (1 = as strong as a plain predefined edge) for ``how="union"`` and ``"mix"``, and
lengths for ``how="geodesic"``. Everything is sorted and coalesced lists of edges: memory O(E).
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from genurl_graph.exceptions import InputError

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
    def empty(cls) -> "MergedGraph":
        """No edges: of recipes that make P anew for every batch."""
        return cls(torch.empty(2, 0, dtype=torch.long), torch.empty(0), torch.empty(0, dtype=torch.uint8))

    def summary(self) -> dict[str, int]:
        """Number of undirected edges by provenance: ``n_predefined``, ``n_feature`` (only those), ``n_both``."""
        row, col = self.edge_index
        width = int(self.edge_index.max()) + 1 if row.numel() else 0
        # A directed edge may lack its inverse: a pair counts once, with what either direction says.
        up, down = row < col, row > col
        upper = row[up] * width + col[up]
        lower, order = (col[down] * width + row[down]).sort()
        if torch.equal(upper, lower):
            provenance = self.provenance[up] | self.provenance[down][order]
        else:
            slots = _slots(upper, lower)
            provenance = torch.zeros(slots.size, dtype=torch.uint8, device=row.device)
            provenance[slots.first] = self.provenance[up]
            provenance[slots.second] |= self.provenance[down][order]
        given, near = ((provenance & bit) > 0 for bit in (PREDEFINED, FEATURE))
        return {
            "n_predefined": int((given & ~near).sum()),
            "n_feature": int((near & ~given).sum()),
            "n_both": int((given & near).sum()),
        }

    def mass_shares(self) -> dict[str, float]:
        """Share of all weight by provenance: ``mass_predefined``, ``mass_feature`` (only those), ``mass_both``."""
        total = float(self.edge_weight.double().sum()) or 1.0
        kinds = {"mass_predefined": PREDEFINED, "mass_feature": FEATURE, "mass_both": PREDEFINED | FEATURE}
        return {
            name: float(self.edge_weight[self.provenance == bits].double().sum()) / total
            for name, bits in kinds.items()
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
        The same of the feature edges, for instance P of `genurl_graph.similarity.similarities`.
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
    pre, pre_weight = _clean("edge_index", edge_index, edge_weight, num_nodes, lengths)
    knn, knn_w = _clean("knn_edge_index", knn_edge_index, knn_weight, num_nodes, lengths)
    if knn.device != pre.device and edge_index is None:
        pre, pre_weight = pre.to(knn.device), pre_weight.to(knn.device)
    knn, knn_w = knn.to(pre.device), knn_w.to(pre.device)
    if directed != "keep":
        both, both_weight = _both_ways(pre, pre_weight, num_nodes, lengths)
        if directed == "error":
            _refuse_directed(both.size(1) - pre.size(1), both_weight, pre_weight)
        pre, pre_weight = both, both_weight
    if knn.size(1) == 0 and not lengths:
        return MergedGraph(pre, pre_weight, torch.full_like(pre_weight, PREDEFINED, dtype=torch.uint8))
    knn, knn_w = _both_ways(knn, knn_w, num_nodes, lengths)
    knn_w = knn_w / feature_weight if lengths else knn_w * feature_weight

    slots = _slots(pre[0] * num_nodes + pre[1], knn[0] * num_nodes + knn[1])
    from_pre, from_knn = slots.first, slots.second
    edges = pre.new_empty(2, slots.size)
    edges[:, from_pre] = pre
    edges[:, from_knn] = knn
    provenance = torch.zeros(slots.size, dtype=torch.uint8, device=pre.device)
    provenance[from_pre] |= PREDEFINED
    provenance[from_knn] |= FEATURE
    weight = torch.zeros(slots.size, device=pre.device)
    # Each list holds an edge once, so plain indexing is enough to combine them.
    weight[from_pre] = pre_weight
    if how == "mix":
        weight[from_knn] += knn_w
    elif lengths:
        only_knn = provenance[from_knn] == FEATURE
        weight[from_knn] = torch.where(only_knn, knn_w, torch.minimum(weight[from_knn], knn_w))
    else:
        weight[from_knn] = torch.maximum(weight[from_knn], knn_w)
    merged = MergedGraph(edges, weight, provenance)
    return _geodesics(merged, num_nodes, cutoff, n_nearest) if lengths else merged


def count_components(edge_index: Tensor, num_nodes: int) -> int:
    """Number of (weakly) connected components, isolated nodes included."""
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    row, col = edge_index.cpu().numpy()
    graph = csr_array((np.ones(len(row), dtype=bool), (row, col)), shape=(num_nodes, num_nodes))
    return int(connected_components(graph, directed=False, return_labels=False))


def _clean(
    name: str, edge_index: Tensor | None, weight: Tensor | None, num_nodes: int, lengths: bool
) -> tuple[Tensor, Tensor]:
    """Checked, coalesced edges without self loops, and their float32 weights."""
    from torch_geometric.utils import coalesce, remove_self_loops

    partner = "knn_weight" if name.startswith("knn") else "edge_weight"
    if edge_index is None:
        if weight is not None:
            raise InputError(f"{partner}: found weights, but {name} is None; expected edges too")
        return torch.empty(2, 0, dtype=torch.long), torch.empty(0)
    if edge_index.dim() != 2 or edge_index.size(0) != 2 or edge_index.dtype not in (torch.int64, torch.int32):
        raise InputError(f"{name}: found {list(edge_index.shape)} of {edge_index.dtype}; expected int64 [2, E]")
    if edge_index.numel():
        low, high = int(edge_index.min()), int(edge_index.max())
        if low < 0 or high >= num_nodes:
            wrong = low if low < 0 else high
            raise InputError(f"{name}: an edge names node {wrong}, which is missing; expected 0 to {num_nodes - 1}")
    if weight is None:
        weight = torch.ones(edge_index.size(1), device=edge_index.device)
    weight = weight.reshape(-1).to(edge_index.device, torch.float32)
    if weight.numel() != edge_index.size(1):
        raise InputError(f"{partner}: found {weight.numel()} values for {edge_index.size(1)} edges")
    if not bool(torch.isfinite(weight).all()) or bool((weight < 0).any()):
        bad = weight[~torch.isfinite(weight) | (weight < 0)]
        raise InputError(
            f"{partner}: found {bad.numel()} negative or non-finite weights (the first is {float(bad[0]):g}); "
            "expected finite weights >= 0"
        )
    edge_index = edge_index.long()
    if bool((edge_index[0] == edge_index[1]).any()):
        edge_index, weight = remove_self_loops(edge_index, weight)
    key = edge_index[0] * num_nodes + edge_index[1]
    if bool((key[1:] > key[:-1]).all()):
        return edge_index, weight
    del key
    edges, weights = coalesce(edge_index, weight, num_nodes, reduce="min" if lengths else "max")
    return edges, weights


class _Slots(NamedTuple):
    """Where the keys of two lists lie in their union."""

    first: Tensor
    second: Tensor
    size: int


def _slots(first: Tensor, second: Tensor) -> _Slots:
    """Two sorted lists of distinct keys, merged without sorting anything."""
    place = torch.searchsorted(first, second)
    new = first[place.clamp_max(max(first.numel() - 1, 0))] != second if first.numel() else torch.ones_like(place) > 0
    before = new.cumsum(0) - new.long()
    # A key of the first list moves up by the new ones that are smaller.
    moved = torch.bincount(place[new], minlength=first.numel() + 1)[: first.numel()].cumsum_(0)
    moved += torch.arange(first.numel(), device=first.device)
    return _Slots(moved, place + before, first.numel() + int(new.sum()))


def _refuse_directed(missing: int, both_weight: Tensor, weight: Tensor) -> None:
    if missing:
        raise InputError(f"edge_index: {missing} edges lack their inverse; expected an undirected graph")
    unequal = int((both_weight != weight).sum())
    if unequal:
        raise InputError(f"edge_weight: {unequal} edges weigh less than their inverse; expected an undirected graph")


def _both_ways(edge_index: Tensor, weight: Tensor, num_nodes: int, lengths: bool) -> tuple[Tensor, Tensor]:
    from torch_geometric.utils import to_undirected

    if edge_index.size(1) == 0:
        return edge_index, weight
    # Most graphs hold both ways already; seeing that takes half the time and memory of making sure of it.
    inverse, order = (edge_index[1] * num_nodes + edge_index[0]).sort()
    if torch.equal(inverse, edge_index[0] * num_nodes + edge_index[1]) and torch.equal(weight[order], weight):
        return edge_index, weight
    del inverse, order
    edges, weights = to_undirected(edge_index, weight, num_nodes, reduce="min" if lengths else "max")
    return edges, weights


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
    graph = csr_array((length, (row, col)), shape=(num_nodes, num_nodes))
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
        (rows, cols), lengths = _both_ways(torch.stack([rows, cols]), lengths, num_nodes, lengths=True)
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
