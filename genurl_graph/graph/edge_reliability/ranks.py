"""Ranks of pairs among random nodes: a rank needs no scale, and the mean of ranks is an area under a ROC curve."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genurl_graph.graph.edge_reliability.feature_rows import FeatureRows

# Random nodes that an edge is ranked among, at least: 64 determine one rank to within 0.06 (a standard deviation).
FEWEST = 64
# Bounds of the work, beyond which there are no more of them: nodes times random nodes, the same times columns (of
# metrics that are products of rows, and of others), and edges times random nodes.
_CELLS, _PRODUCTS, _OTHER, _COMPARED = 1 << 22, 1 << 31, 1 << 29, 1 << 28
# Nodes with random nodes of their own: so many together, in so many blocks at most.
_BLOCK, _BLOCKS = 64, 256
# Groups of random nodes whose means tell the error.
_GROUPS = 8
# Graphs with more edges than the first are judged by the second number of edges a node, on average.
_MANY_EDGES, _EDGES_A_NODE = 1 << 24, 16
# Numbers of float32 held at a time.
_HELD = 1 << 18


class EdgeAUC(NamedTuple):
    """How well features predict edges.

    Attributes
    ----------
    of_edges : Tensor, float32, shape [E]
        In [0, 1], on the CPU; ties count one half.
    mean : float
        0.5, chance, without edges.
    error : float
        Standard error of the mean; 0 where all nodes were counted.
    """

    of_edges: Tensor
    mean: float
    error: float


def edge_auc(x: Tensor, edge_index: Tensor, metric: str) -> EdgeAUC:
    """For each edge (i, j), the share of other nodes whose features are farther from i's than j's are.

    The rank of a neighbour among other nodes needs no scale. Its mean is the area under the ROC curve of features as
    a classifier of edges and non-edges. In a small graph all nodes are counted. In a large one, blocks of nodes have
    random nodes of their own, each of which serves equally often: what is peculiar to one of them cancels out.

    Parameters
    ----------
    x : Tensor, float32, shape [n, f]
        Features, strided or CSR; never made dense.
    edge_index : Tensor, int64, shape [2, E]
    metric : str
        Of the features, by name, as in `genurl_graph.graph.knn.knn`.

    Returns
    -------
    EdgeAUC
        No seed enters it. Memory O(E + n), beyond the features, in slices.

    Examples
    --------
    >>> x = torch.tensor([[0.0], [1.0], [5.0], [6.0]])
    >>> edge_auc(x, torch.tensor([[0, 1], [1, 2]]), "euclidean").of_edges.tolist()
    [1.0, 0.5]
    """
    i, j = edge_index.cpu().numpy()
    rows = FeatureRows.of(x, metric)
    n, r = rows.size, count_references(rows, len(i))
    if not len(i):
        return EdgeAUC(torch.empty(0), 0.5, 0.0)
    # Edges come in both directions: their ends are compared once.
    key, which = np.unique(np.minimum(i, j) * n + np.maximum(i, j), return_inverse=True)
    near = rows.pairs(key // n, key % n)[which]
    generator, groups = np.random.default_rng(0), 1 if r == n else _GROUPS
    sources, pool = generator.permutation(np.unique(i)), generator.permutation(n)
    blocks = min(-(-len(sources) // _BLOCK), _BLOCKS)
    place = np.empty(n, dtype=np.int64)
    place[sources] = np.arange(len(sources))
    order = place[i].argsort(kind="stable")
    bounds = np.linspace(0, len(sources), blocks + 1).astype(np.int64)
    ends = np.searchsorted(place[i[order]], bounds)
    found, total = np.empty(len(i), dtype=np.float32), np.zeros((2, groups))
    for b in range(blocks):
        nodes, mine = sources[bounds[b] : bounds[b + 1]], order[ends[b] : ends[b + 1]]
        drawn = _draw(pool, r, groups, b)
        others = rows.between(nodes, drawn)
        for part in np.array_split(mine, max(1, len(mine) * r // _HELD)):
            local = place[i[part]] - bounds[b]
            shares, sums = rank(near[part], others[local], drawn, (i[part], j[part]), groups)
            found[part] = shares
            total += sums
    means = total[0] / np.maximum(total[1], 1)
    error = float(means.std(ddof=1) / groups**0.5 * (1 - r / n) ** 0.5) if groups > 1 else 0.0
    return EdgeAUC(torch.from_numpy(found), float(found.mean(dtype=np.float64)), error)


def count_references(rows: FeatureRows, pairs: int) -> int:
    """Random nodes that each of so many pairs is ranked among: all nodes, or a multiple of the groups."""
    n, work = rows.size, _PRODUCTS if rows.other is None else _OTHER
    found = max(FEWEST, min(_CELLS // n, work // (n * rows.width), _COMPARED // max(pairs, 1)))
    return n if found >= n else found - found % _GROUPS


def _draw(pool: Any, r: int, groups: int, block: int) -> Any:
    """Random nodes of a block, group by group in turn; each group goes through all nodes, from block to block."""
    n, size = len(pool), r // groups
    first = np.arange(groups) * (n // groups) + block * size
    return pool[(first + np.arange(size)[:, None]).reshape(-1) % n]


def rank(near: Any, others: Any, drawn: Any, ends: tuple[Any, Any], groups: int = 1) -> tuple[Any, Any]:
    """Shares of drawn nodes that are farther than the other end.

    Parameters
    ----------
    near : array, float32, shape [m]
        Nearness of both ends of a pair.
    others : array, float32, shape [m, r]
        Nearness of its first end to the nodes `drawn`; overwritten.
    drawn : array, int64, shape [r]
        Different nodes; the group of each is its place modulo `groups`.
    ends : two arrays, int64, shape [m]
        The ends, which count as no drawn nodes.

    Returns
    -------
    shares : array, float32, shape [m]
        0.5 where no node is left, as in a graph of two nodes.
    sums : array, float64, shape [2, groups]
        Of the drawn nodes of each group: how many are farther, over all pairs, and how many there are.
    """
    m, r = others.shape
    # 1 where the drawn node is farther, -1 where it is nearer, 0 where there is no telling.
    sign = np.sign(np.subtract(near[:, None], others, out=others), out=others)
    size = np.full((m, groups), r // groups, dtype=np.float32)
    sorted_drawn = np.argsort(drawn)
    for end in ends:
        at = sorted_drawn[np.searchsorted(drawn, end, sorter=sorted_drawn).clip(0, r - 1)]
        hit = np.flatnonzero(drawn[at] == end)
        sign[hit, at[hit]] = 0.0
        size[hit, at[hit] % groups] -= 1
    group = np.eye(groups, dtype=np.float32)[np.arange(r) % groups]
    more = sign @ group
    counted = size.sum(1)
    shares = np.where(counted > 0, 0.5 + 0.5 * more.sum(1) / np.maximum(counted, 1), 0.5)
    return shares, np.stack([(0.5 * (size + more)).sum(0, dtype=np.float64), size.sum(0, dtype=np.float64)])


def sample_edges(edge_index: Tensor, num_nodes: int) -> Tensor:
    """The edges that `node_reliability` judges by: all of them, or a random sample of very many.

    The sample keeps an edge of node i with probability ``min(1, 16 / degree_i)``: nodes with few edges keep them all.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
    num_nodes : int

    Returns
    -------
    Tensor, int64, shape [2, E']
        The same for every run.
    """
    if edge_index.size(1) <= _MANY_EDGES:
        return edge_index
    row = edge_index[0]
    share = _EDGES_A_NODE / torch.bincount(row, minlength=num_nodes).float()
    drawn = torch.rand(row.numel(), generator=torch.Generator().manual_seed(0))
    return edge_index[:, drawn.to(row.device) < share[row]]
