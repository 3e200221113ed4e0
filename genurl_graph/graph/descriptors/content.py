"""What kinds of nodes and edges there are, as 64-bit hashes of their content: the same in every collection."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from genurl_graph.inputs.collection.collection import GraphCollection
from genurl_graph.inputs.hashing import mix

Numbers = npt.NDArray[np.uint64]
# Kinds of edges beyond which an attribute is a measurement, and the share of nodes with a kind of their own beyond
# which that is no kind.
MOST_EDGE_KINDS, MOST_KINDS_A_NODE = 64, 0.5
# What tells one place where a number is hashed from another: any odd constants.
_NODE, _EDGE, _COLUMN = np.uint64(0xD1342543DE82EF95), np.uint64(0xAF251AF3B0F025B5), np.uint64(0x9E6C63D0876A9A47)


class Content(NamedTuple):
    """Which columns say of what kind a node or an edge is; found once, for a collection and all later graphs.

    Attributes
    ----------
    nodes : Tensor, bool, shape [f]
        Columns of the features that hold whole numbers. None of them: a node's kind is its degree.
    edges : Tensor, bool, shape [a]
        Columns of the edge attributes that count as kinds.
    """

    nodes: Tensor
    edges: Tensor

    @classmethod
    def of(cls, collection: GraphCollection) -> Content:
        """Columns of whole numbers, unless they tell most nodes (or more than a few edges) from each other."""
        nodes, edges = _whole(collection.x), _whole(collection.edge_attr)
        if nodes.any() and collection.x is not None:
            kinds = len(np.unique(_row_hashes(collection.x[:, nodes], _NODE)))
            if kinds > max(MOST_EDGE_KINDS, MOST_KINDS_A_NODE * collection.num_nodes):
                nodes = torch.zeros_like(nodes)
        if edges.any() and collection.edge_attr is not None:
            kinds = len(np.unique(_row_hashes(collection.edge_attr[:, edges], _EDGE)))
            if not 1 < kinds <= MOST_EDGE_KINDS:
                edges = torch.zeros_like(edges)
        return cls(nodes, edges)

    def node_hashes(self, collection: GraphCollection) -> Numbers:
        """Kind of each node, uint64 [N]: of its whole-numbered features, else of its degree."""
        if self.nodes.any() and collection.x is not None:
            return _row_hashes(collection.x[:, self.nodes], _NODE)
        return mix(collection.degrees().numpy().astype(np.uint64) ^ _NODE)

    def edge_hashes(self, collection: GraphCollection) -> Numbers | None:
        """Kind of each edge, uint64 [E]; None where all are of one kind."""
        if not self.edges.any() or collection.edge_attr is None:
            return None
        return _row_hashes(collection.edge_attr[:, self.edges], _EDGE)


def _whole(x: Tensor | None) -> Tensor:
    """Columns of whole numbers, bool [f]."""
    if x is None:
        return torch.zeros(0, dtype=torch.bool)
    return (x == x.round()).all(0)


def _row_hashes(x: Tensor, salt: np.uint64) -> Numbers:
    """Hash of each row of whole numbers, uint64 [n]: a sum over the columns that are not 0."""
    row, column = x.nonzero(as_tuple=True)
    value = x[row, column].long().numpy().view(np.uint64)
    place = mix(column.numpy().astype(np.uint64) ^ _COLUMN)
    found = torch.zeros(x.size(0), dtype=torch.int64)
    found.index_add_(0, row, torch.from_numpy(mix(value ^ place).view(np.int64)))
    return mix(found.numpy().view(np.uint64) ^ salt)
