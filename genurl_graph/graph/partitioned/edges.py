"""Edges by partition of their first nodes, as the three arrays of a CSR matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genurl_graph.inputs.sparse import row_pointers
from genurl_graph.runtime.partitions import Store


class EdgeArrays(NamedTuple):
    """Names of the arrays in a store that hold the edges of a graph.

    Attributes
    ----------
    crow : str
        int64 [m + 1] for the m rows of a partition: where the edges of each begin, from 0.
    col : str
        int32 or int64 [e]: their second nodes, in the numbering of the whole graph, sorted within a row.
    weight : str
        float32 [e]
    """

    crow: str
    col: str
    weight: str


GIVEN = EdgeArrays("crow", "col", "weight")
"""Predefined edges as they were prepared; without an array of weights each weighs 1."""
NEAR = EdgeArrays("near_crow", "near_col", "near_p")
"""kNN edges in both directions, and their similarities."""
MERGED = EdgeArrays("p_crow", "p_col", "p")
"""P."""
SPREAD = EdgeArrays("a_crow", "a_col", "a")
"""The graph that the encoder propagates over, without self loops."""


def load_edges(store: Store, names: EdgeArrays, part: int) -> tuple[Tensor, Tensor]:
    """Edges int64 [2, e] of a partition's rows, and their weights, float32 [e]; 1 where there are none."""
    crow, col = (torch.from_numpy(store.load(name, part)) for name in names[:2])
    row = torch.arange(*store.span(part)).repeat_interleave(crow.diff())
    weighted = store.has([names.weight], part)
    weight = torch.from_numpy(store.load(names.weight, part)) if weighted else torch.ones(len(col))
    return torch.stack([row, col.long()]), weight


def save_edges(store: Store, names: EdgeArrays, part: int, edge_index: Tensor, weight: Tensor) -> None:
    """Write the edges int64 [2, e] of a partition's rows, sorted, and their weights."""
    row, col = edge_index
    store.save(names.crow, part, row_pointers(row - store.bounds[part], store.size(part)).numpy())
    store.save(names.col, part, small(store, col.numpy()))
    store.save(names.weight, part, weight.numpy())


def small(store: Store, nodes: Any) -> Any:
    """Numbers of nodes in the smallest type that holds all of a store."""
    return nodes.astype(np.int32 if store.num_rows < 2**31 else np.int64)


def by_owner(store: Store, nodes: Any) -> Iterator[tuple[int, Any]]:
    """The partitions that own some of `nodes`, int64 [e], and where theirs are among them, ascending."""
    owner = store.owner(nodes).astype(np.int32)
    order = owner.argsort(kind="stable")
    ends = np.searchsorted(owner[order], np.arange(store.count + 1))
    return ((part, order[ends[part] : ends[part + 1]]) for part in np.unique(owner).tolist())


def mean_of_ends(store: Store, name: str, part: int, edge_index: Tensor) -> Tensor:
    """Mean of a value of nodes over both ends of a partition's edges [2, e], float32 [e]."""
    row, col = edge_index
    own, other = torch.from_numpy(store.load(name, part)), torch.from_numpy(store.take(name, col.numpy()))
    return own[row - store.bounds[part]].add_(other).div_(2)
