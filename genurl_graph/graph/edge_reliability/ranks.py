"""Ranks of pairs among random nodes: a rank needs no scale, and the mean of ranks is an area under a ROC curve."""

from __future__ import annotations

from collections.abc import Callable
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
    n = rows.size
    if not len(i):
        return EdgeAUC(torch.empty(0), 0.5, 0.0)
    # Edges come in both directions: their ends are compared once.
    key, which = np.unique(np.minimum(i, j) * n + np.maximum(i, j), return_inverse=True)
    near = rows.pairs(key // n, key % n)[which]
    place = (np.bincount(i, minlength=n) > 0).cumsum() - 1
    references = References.draw(place[-1] + 1, n, count_references(n, rows.width, rows.other is None, len(i)))
    found, sums = rank_by_blocks(near, (i, j), references.block[place[i]], references.drawn, n, rows.between)
    return EdgeAUC(torch.from_numpy(found), float(found.mean(dtype=np.float64)), error_of_mean(sums, references, n))


def count_references(num_nodes: int, width: int, products: bool, pairs: int) -> int:
    """Random nodes that each of so many pairs is ranked among: all nodes, or a multiple of the groups.

    Rows have `width` numbers each; `products` says whether the metric is one of products of rows.
    """
    work = _PRODUCTS if products else _OTHER
    found = max(FEWEST, min(_CELLS // num_nodes, work // (num_nodes * width), _COMPARED // max(pairs, 1)))
    return num_nodes if found >= num_nodes else found - found % _GROUPS


class References(NamedTuple):
    """The random nodes that edges are ranked among: blocks of nodes have some of their own.

    Attributes
    ----------
    block : array, uint8, shape [m]
        Of the nodes that have edges, in their order.
    drawn : array, shape [blocks, r]
        The random nodes of each block; the group of each is its place modulo the groups.
    """

    block: Any
    drawn: Any

    @classmethod
    def draw(cls, num_sources: int, num_nodes: int, count: int) -> References:
        """`count` random nodes for each block of the nodes that have edges, of which there are `num_sources`."""
        generator, groups = np.random.default_rng(0), _groups(count, num_nodes)
        blocks = min(-(-num_sources // _BLOCK), _BLOCKS)
        bounds = np.linspace(0, num_sources, blocks + 1).astype(np.int64)
        block = np.empty(num_sources, dtype=np.uint8)
        block[shuffled(generator, num_sources)] = np.repeat(np.arange(blocks, dtype=np.uint8), np.diff(bounds))
        pool, size = shuffled(generator, num_nodes), count // groups
        # Group by group in turn; each group goes through all nodes, from block to block.
        first = np.arange(groups) * (num_nodes // groups) + np.arange(blocks)[:, None, None] * size
        return cls(block, pool[(first + np.arange(size)[:, None]).reshape(blocks, count) % num_nodes])


def _groups(count: int, num_nodes: int) -> int:
    return 1 if count == num_nodes else _GROUPS


def shuffled(generator: np.random.Generator, count: int) -> Any:
    """The numbers 0 to `count` - 1 in the order of ``generator.permutation``, in half the memory where they fit."""
    order = np.arange(count, dtype=np.int32 if count < 2**31 else np.int64)
    generator.shuffle(order)
    return order


def rank_by_blocks(
    near: Any, ends: tuple[Any, Any], block: Any, drawn: Any, num_nodes: int, between: Callable[[Any, Any], Any]
) -> tuple[Any, Any]:
    """`rank` of edges, each among the random nodes of its block.

    Parameters
    ----------
    near : array, float32, shape [E]
        Nearness of both ends.
    ends : two arrays, int64, shape [E]
    block : array, uint8, shape [E]
        Of the first end.
    drawn : array, shape [blocks, r]
        As in `References`.
    num_nodes : int
        Of the whole graph.
    between : callable
        Nearness ``between(nodes, drawn)`` of some of the first ends to the random nodes of their block, float32.

    Returns
    -------
    shares : array, float32, shape [E]
    sums : array, float64, shape [2, groups]
        As in `rank`: whole and half numbers, whose sums over several calls do not depend on their order.
    """
    i, j = ends
    r = drawn.shape[1]
    groups = _groups(r, num_nodes)
    order = block.argsort(kind="stable")
    places = np.searchsorted(block[order], np.arange(len(drawn) + 1))
    found, total = np.empty(len(near), dtype=np.float32), np.zeros((2, groups))
    for others, mine in ((drawn[b], order[places[b] : places[b + 1]]) for b in np.unique(block).tolist()):
        nodes, local = np.unique(i[mine], return_inverse=True)
        nearness = between(nodes, others)
        for some in np.array_split(np.arange(len(mine)), max(1, len(mine) * r // _HELD)):
            part = mine[some]
            shares, sums = rank(near[part], nearness[local[some]], others, (i[part], j[part]), groups)
            found[part] = shares
            total += sums
    return found, total


def error_of_mean(sums: Any, references: References, num_nodes: int) -> float:
    """Standard error of the mean AUC, by the sums of `rank_by_blocks` over all edges; 0 where all nodes are counted."""
    groups, r = sums.shape[1], references.drawn.shape[1]
    means = sums[0] / np.maximum(sums[1], 1)
    return float(means.std(ddof=1) / groups**0.5 * (1 - r / num_nodes) ** 0.5) if groups > 1 else 0.0


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
    if all_edges(edge_index.size(1)):
        return edge_index
    return edge_index[:, keep_few(edge_index[0], num_nodes, sampling_generator())]


def all_edges(num_edges: int) -> bool:
    """Whether so few edges are all judged."""
    return num_edges <= _MANY_EDGES


def sampling_generator() -> torch.Generator:
    """Where the random numbers of `sample_edges` come from, one for each edge."""
    return torch.Generator().manual_seed(0)


def keep_few(row: Tensor, num_rows: int, generator: torch.Generator) -> Tensor:
    """Which edges `sample_edges` keeps, bool [E]: of the whole list, or of its next rows by the next random numbers."""
    share = _EDGES_A_NODE / torch.bincount(row, minlength=num_rows).float()
    return torch.rand(row.numel(), generator=generator).to(row.device) < share[row]
