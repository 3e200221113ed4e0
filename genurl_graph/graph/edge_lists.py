"""Sorted edge lists: check them, add inverse edges, and align two of them row by row."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.edges import is_sorted, sum_repeats
from genurl_graph.inputs.sparse import row_pointers
from genurl_graph.inputs.validation import check_edges

# Edges that are processed at a time.
BLOCK = 1 << 22
# Entries of two lists that are aligned at a time: 100 MB.
ALIGNED = 1 << 20


def clean_edges(
    name: str, edge_index: Tensor | None, weight: Tensor | None, num_nodes: int, lengths: bool
) -> tuple[Tensor, Tensor]:
    """Check an edge list; return its edges, sorted, each once, without self loops, and their float32 weights.

    Weights of repeated edges are summed; of repeated lengths the shortest counts
    (`genurl_graph.inputs.edges.sum_repeats`).
    """
    weight_name = "knn_weight" if name.startswith("knn") else "edge_weight"
    if edge_index is None:
        if weight is not None:
            raise wrong(weight_name, f"weights, but no {name}", "edges too")
        return torch.empty(2, 0, dtype=torch.long), torch.empty(0)
    edge_index, weight = check_edges(edge_index, num_nodes, name, weight, weight_name)
    weight = torch.ones(edge_index.size(1), device=edge_index.device) if weight is None else weight
    if bool((edge_index[0] == edge_index[1]).any()):
        from torch_geometric.utils import remove_self_loops

        edge_index, weight = remove_self_loops(edge_index, weight)
    edge_index, weight = sum_repeats(edge_index, weight, num_nodes, lengths)
    assert weight is not None
    if is_sorted(edge_index):
        # Pairs are often written as rows, and transposed: a view, which every search in its rows would copy.
        return edge_index.contiguous(), weight
    order = (edge_index[0] * num_nodes + edge_index[1]).argsort()
    return edge_index[:, order], weight[order]


def add_inverses(edge_index: Tensor, weight: Tensor, num_nodes: int, lengths: bool) -> tuple[Tensor, Tensor]:
    """The edges and their inverses, each once; of the weights of both directions the larger counts (lengths: smaller).

    `edge_index` holds every ordered pair once: an edge that is listed in both directions is not two edges.
    """
    if edge_index.size(1) == 0:
        return edge_index, weight
    # Most graphs are symmetric already; the check takes a third of the time and memory of `to_undirected`.
    inverse = inverses(edge_index)
    if inverse is not None and torch.equal(weight[inverse], weight):
        return edge_index, weight
    del inverse
    from torch_geometric.utils import to_undirected

    edges, weights = to_undirected(edge_index, weight, num_nodes, reduce="min" if lengths else "max")
    return edges, weights


def inverses(edge_index: Tensor) -> Tensor | None:
    """Position of each edge's inverse, int64 [E], in a sorted list; None if an edge has no inverse."""
    row, col = edge_index
    # A stable sort by column puts every edge where its inverse stands, if all inverses are there.
    order = _sorted_by(col)
    for start in range(0, len(order), BLOCK):
        part = slice(start, start + BLOCK)
        if not (torch.equal(col[order[part]], row[part]) and torch.equal(row[order[part]], col[part])):
            return None
    return order


def _sorted_by(node: Tensor) -> Tensor:
    """The stable order of whole numbers >= 0, int64."""
    if node.is_cuda or not node.numel():
        return node.sort(stable=True).indices
    import numpy as np
    from scipy.sparse import csc_array

    # SciPy counts them for a matrix of one row, a quarter of the time of a sort.
    size = int(node.max()) + 1
    small = np.int32 if max(size, len(node)) < 2**31 else np.int64
    column = csc_array(
        (np.arange(len(node), dtype=small), node.numpy().astype(small), np.arange(len(node) + 1, dtype=small)),
        shape=(size, len(node)),
    )
    return torch.from_numpy(column.tocsr().data).long()


def both_directions(edge_index: Tensor, num_nodes: int) -> tuple[Tensor, Tensor, Tensor]:
    """Edges in both directions, and where each stands in the list and where its inverse does, from 1; 0 for nowhere.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
        In any order.

    Returns
    -------
    edges : Tensor, int64, shape [2, E']
        Sorted, each once.
    forward, backward : Tensor, int64, shape [E']
        For `values_at`.

    Raises
    ------
    InputError
        Duplicate edges.
    """
    import numpy as np
    from scipy.sparse import coo_array

    row, col = edge_index.numpy()
    small = np.int32 if max(num_nodes, 2 * len(row)) < 2**31 else np.int64
    position = np.arange(1, len(row) + 1)
    shape = (num_nodes, num_nodes)
    ahead = coo_array((position, (row.astype(small), col.astype(small))), shape=shape).tocsr()
    if ahead.nnz < len(row):
        raise wrong("edge_index", f"{len(row) - ahead.nnz} duplicate edges", "each edge once")
    back = ahead.T.tocsr()
    back.data <<= 32
    # Both positions share an int64, so that one addition finds them.
    union = ahead + back
    found = torch.from_numpy(union.data)
    rows = torch.arange(num_nodes).repeat_interleave(torch.from_numpy(union.indptr).long().diff())
    edges = torch.stack([rows, torch.from_numpy(union.indices).long()])
    return edges, found & 0xFFFFFFFF, found >> 32


def align(first: Tensor, second: Tensor, num_nodes: int, start: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Union of two edge lists, and the position of each of its edges in either list, from 1; 0 where it is absent.

    Both lists [2, E] are sorted, every edge once, their first nodes at least `start`. SciPy adds two CSR matrices in
    linear time: 5 and 7 million edges take 0.8 s on the CPU, `torch.unique` of their keys, which serves on a GPU, 2 s.
    """
    if first.is_cuda:
        return align_by_keys(first, second, num_nodes)
    import numpy as np
    from scipy.sparse import csr_array

    size = max((int(edges[0, -1]) + 1 - start for edges in (first, second) if edges.size(1)), default=0)

    def positions(edges: Tensor, shift: int) -> Any:
        row, col = edges
        position = np.arange(1, len(row) + 1) << shift
        return csr_array((position, col.numpy(), row_pointers(row - start, size).numpy()), shape=(size, num_nodes))

    # Both positions share an int64, so that one addition finds them.
    union = positions(first, 0) + positions(second, 32)
    found = torch.from_numpy(union.data)
    row = torch.arange(start, start + size).repeat_interleave(torch.from_numpy(union.indptr).long().diff())
    edges = torch.stack([row, torch.from_numpy(union.indices).long()])
    return edges, found & 0xFFFFFFFF, found >> 32


def align_by_keys(first: Tensor, second: Tensor, num_nodes: int) -> tuple[Tensor, Tensor, Tensor]:
    """`align` by sorting, on any device."""
    keys = torch.cat([edges[0] * num_nodes + edges[1] for edges in (first, second)])
    union, place = torch.unique(keys, return_inverse=True)
    positions = []
    for part in place.split([first.size(1), second.size(1)]):
        positions.append(torch.zeros_like(union))
        positions[-1][part] = torch.arange(1, len(part) + 1, device=part.device)
    return torch.stack([union // num_nodes, union % num_nodes]), positions[0], positions[1]


def align_blocks(
    first: Tensor, second: Tensor, num_nodes: int
) -> Iterator[tuple[tuple[Tensor, Tensor, Tensor], slice, slice]]:
    """`align` in blocks of rows with about `ALIGNED` entries, and the entries of either list in each block."""
    step = max(1, ALIGNED // 2)
    marks = torch.unique(torch.cat([first[0, ::step], second[0, ::step]]))
    ends = ([*torch.searchsorted(rows[0].contiguous(), marks).tolist(), rows.size(1)] for rows in (first, second))
    for start, one, two in zip(marks.tolist(), *map(pairwise, ends), strict=True):
        a, b = slice(*one), slice(*two)
        yield align(first[:, a], second[:, b], num_nodes, start), a, b


def values_at(values: Tensor, position: Tensor, absent: float = 0) -> Tensor:
    """Values [E] of a list at the positions [U] that `align` returns; `absent` at 0."""
    return torch.cat([values.new_full((1,), absent), values])[position]
