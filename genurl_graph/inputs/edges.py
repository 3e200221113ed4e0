"""Repeated edges: what a list says several times counts several times; and how edges are counted for people."""

from __future__ import annotations

import torch
from torch import Tensor

# Edges that are compared at a time.
_BLOCK = 1 << 22


def sum_repeats(
    edge_index: Tensor, weight: Tensor | None, num_nodes: int, lengths: bool = False
) -> tuple[Tensor, Tensor | None]:
    """Each ordered pair of nodes once, with the sum of the weights that its edges have.

    Of k unweighted edges between two nodes one edge of weight k is left. The order of the edges makes no difference,
    not even in the last bit: of each pair the smallest weights are added first, in float64.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Between nodes 0 to `num_nodes` - 1. (i, j) and (j, i) are two pairs.
    weight : Tensor, float32, shape [E], or None
        1 each if None.
    num_nodes : int
    lengths : bool
        Weights are lengths: the shortest counts.

    Returns
    -------
    edge_index : Tensor, int64, shape [2, E']
        What was given, in its order, where nothing repeats; sorted otherwise.
    weight : Tensor, float32, shape [E'], or None
        None where none was given and nothing repeats.

    Examples
    --------
    >>> edges, weight = sum_repeats(torch.tensor([[0, 0, 1], [1, 1, 0]]), None, 2)
    >>> edges.tolist(), weight.tolist()
    ([[0, 1], [1, 0]], [2.0, 1.0])
    """
    if is_sorted(edge_index):
        return edge_index, weight
    key = edge_index[0] * num_nodes + edge_index[1]
    ordered = key.sort().values
    if not bool((ordered[1:] == ordered[:-1]).any()):
        return edge_index, weight
    pairs, count = torch.unique_consecutive(ordered, return_counts=True)
    edges = torch.stack([pairs // num_nodes, pairs % num_nodes])
    if weight is None:
        return edges, torch.ones_like(count).float() if lengths else count.float()
    order = weight.argsort()
    order = order[key[order].argsort(stable=True)]
    if lengths:
        return edges, weight[order[count.cumsum(0) - count]]
    total = torch.segment_reduce(weight[order].double(), "sum", lengths=count)
    return edges, total.clamp_max(torch.finfo(torch.float32).max).float()


def join_directions(edge_index: Tensor, weight: Tensor | None, num_nodes: int) -> tuple[Tensor, Tensor | None]:
    """The edges of an undirected list, in both directions: an edge that is written either way is summed.

    Parameters
    ----------
    edge_index, weight, num_nodes
        As `sum_repeats` returns: every ordered pair once.

    Returns
    -------
    edge_index : Tensor, int64, shape [2, E']
    weight : Tensor, float32, shape [E'], or None
        What was given where every edge is there in both directions with equal weights.
    """
    inverse, turned = sum_repeats(edge_index.flip(0), weight, num_nodes)
    own, given = (
        key.argsort() for key in (inverse[0] * num_nodes + inverse[1], edge_index[0] * num_nodes + edge_index[1])
    )
    if torch.equal(inverse[:, own], edge_index[:, given]) and (
        weight is None or turned is None or torch.equal(turned[own], weight[given])
    ):
        return edge_index, weight
    low = edge_index.sort(0).values
    pairs, total = sum_repeats(low, weight, num_nodes)
    between = pairs[0] != pairs[1]
    both = torch.cat([pairs, pairs[:, between].flip(0)], dim=1)
    return both, None if total is None else torch.cat([total, total[between]])


def is_sorted(edge_index: Tensor) -> bool:
    """Whether the edges [2, E] come by row and column, every pair once. Memory of some millions of edges."""
    row, col = edge_index
    for start in range(0, max(len(row) - 1, 0), _BLOCK):
        part, after = slice(start, start + _BLOCK), slice(start + 1, start + _BLOCK + 1)
        length = len(row[after])
        (i, j), (k, m) = (row[part][:length], col[part][:length]), (row[after], col[after])
        if not bool(((i < k) | ((i == k) & (j < m))).all()):
            return False
    return True


def average_attributes(
    values: Tensor, ends: Tensor, weight: Tensor | None, edge_index: Tensor, num_nodes: int
) -> Tensor:
    """Attributes of edges, of the lines that say them: means over all lines between two nodes, in either direction.

    The node task takes edges for undirected, so that both directions of an edge have the same attributes.

    Parameters
    ----------
    values : Tensor, float32, shape [L, a]
    ends : Tensor, int64, shape [2, L]
    weight : Tensor, float, shape [L], or None
        How far each line counts in the mean; where all lines of an edge weigh 0, or without weights, all count alike.
    edge_index : Tensor, int64, shape [2, E]
        Each of the edges is said by a line in one direction or the other.
    num_nodes : int

    Returns
    -------
    Tensor, float32, shape [E, a]

    Examples
    --------
    >>> lines = torch.tensor([[0, 1, 1], [1, 0, 2]])
    >>> average_attributes(torch.tensor([[1.0], [3.0], [5.0]]), lines, None, torch.tensor([[0, 2], [1, 1]]), 3).tolist()
    [[2.0], [5.0]]
    """
    said, wanted = (low * num_nodes + high for low, high in (part.sort(0).values for part in (ends, edge_index)))
    keys, place = torch.unique(said, return_inverse=True)
    counts = torch.ones(len(said)).double() if weight is None else weight.double()
    total = torch.zeros(len(keys)).double().index_add_(0, place, counts)
    counts = torch.where(total[place] > 0, counts, 1.0)
    total = torch.zeros(len(keys)).double().index_add_(0, place, counts)
    summed = torch.zeros(len(keys), values.size(1)).double().index_add_(0, place, values.double() * counts[:, None])
    return (summed / total[:, None]).float()[torch.searchsorted(keys, wanted)]


def describe_edges(edge_index: Tensor) -> str:
    """Count edges as people do: "5,278 edges" where each has its inverse, and counts once, else "298 directed edges".

    Inverses are compared by a sum of 64-bit hashes, in one pass and without a sort.

    Examples
    --------
    >>> describe_edges(torch.tensor([[0, 1], [1, 0]])), describe_edges(torch.tensor([[0, 1, 2], [1, 0, 0]]))
    ('1 edge', '3 directed edges')
    """
    there, back, loops = 0, 0, 0
    for source, target in (part.unbind() for part in torch.split(edge_index, _BLOCK, dim=1)):
        there, back = there + int(_hashed(source, target).sum()), back + int(_hashed(target, source).sum())
        loops += int((source == target).sum())
    symmetric = (there - back) % (1 << 64) == 0
    count = (edge_index.size(1) + loops) // 2 if symmetric else edge_index.size(1)
    return f"{count:,} {'' if symmetric else 'directed '}edge{'' if count == 1 else 's'}"


def _hashed(source: Tensor, target: Tensor) -> Tensor:
    # Steps of splitmix64; products wrap around.
    key = source * -7046029254386353131 + target
    key = (key ^ (key >> 30)) * -4658895280553007687
    key = (key ^ (key >> 27)) * -7723592293110705685
    return key ^ (key >> 31)
