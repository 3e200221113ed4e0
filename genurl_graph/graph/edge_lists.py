"""Sorted lists of edges: checked, made symmetric, and merged block by block of their rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.exceptions import InputError

# Edges that are worked on at a time.
BLOCK = 1 << 22


def clean(
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


class Slots(NamedTuple):
    """Where the keys of two lists lie in their union."""

    first: Tensor
    second: Tensor
    size: int


def merged_keys(first: Tensor, second: Tensor) -> Slots:
    """Two sorted lists of distinct keys, merged without sorting anything."""
    place = torch.searchsorted(first, second)
    new = first[place.clamp_max(max(first.numel() - 1, 0))] != second if first.numel() else torch.ones_like(place) > 0
    before = new.cumsum(0) - new.long()
    # A key of the first list moves up by the new ones that are smaller.
    moved = torch.bincount(place[new], minlength=first.numel() + 1)[: first.numel()].cumsum_(0)
    moved += torch.arange(first.numel(), device=first.device)
    return Slots(moved, place + before, first.numel() + int(new.sum()))


def both_ways(edge_index: Tensor, weight: Tensor, num_nodes: int, lengths: bool) -> tuple[Tensor, Tensor]:
    """The edges and their inverses, each once; of two weights the larger (of lengths the smaller)."""
    from torch_geometric.utils import to_undirected

    if edge_index.size(1) == 0:
        return edge_index, weight
    # Most graphs hold both ways already; seeing that takes a third of the time and memory of making sure of it.
    inverse = inverses(edge_index)
    if inverse is not None and torch.equal(weight[inverse], weight):
        return edge_index, weight
    del inverse
    edges, weights = to_undirected(edge_index, weight, num_nodes, reduce="min" if lengths else "max")
    return edges, weights


def inverses(edge_index: Tensor) -> Tensor | None:
    """Where the inverse of each edge stands, int64 [E]; None if one has none. Sorted by row, every edge once."""
    row, col = edge_index
    small = int(edge_index.max()) < 2**31 if edge_index.numel() else True
    # Sorted by their ends, those of one end in the order they are in: the inverses, if there are all.
    order: Tensor = (col.int() if small else col).sort(stable=True).indices
    for start in range(0, len(order), BLOCK):
        part = slice(start, start + BLOCK)
        if not (torch.equal(col[order[part]], row[part]) and torch.equal(row[order[part]], col[part])):
            return None
    return order


def row_blocks(first: Tensor, second: Tensor) -> tuple[list[int], list[int]]:
    """Where two sorted lists of rows are cut into blocks of the same rows, of about `BLOCK` entries in all."""
    marks = torch.unique(torch.cat([first[::BLOCK], second[::BLOCK]]))
    ends = [[*torch.searchsorted(rows.contiguous(), marks).tolist(), len(rows)] for rows in (first, second)]
    return ends[0], ends[1]


def merged_blocks(
    first: Tensor, second: Tensor, blocks: tuple[list[int], list[int]], num_nodes: int
) -> Iterator[tuple[slice, slice, Slots]]:
    """The parts of two lists of edges [2, E] that lie in one block of rows, and where they go in its union."""
    for one, two in zip(pairwise(blocks[0]), pairwise(blocks[1]), strict=True):
        a, b = slice(*one), slice(*two)
        keys = (rows[0, part] * num_nodes + rows[1, part] for rows, part in ((first, a), (second, b)))
        yield a, b, merged_keys(*keys)
