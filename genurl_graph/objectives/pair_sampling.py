"""Pairs that stand for all pairs: uniform negatives, cheap to draw and to evaluate.

Two shapes (see `genurl_graph.losses` for how they are weighted):

* shared: a few columns against all rows, one dense product, for wide embeddings;
* permuted: every node against its image under a few random permutations, flat pairs, for 2-d embeddings.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from genurl_graph.inputs.sparse import row_pointers
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.random import rand, randperm


def shared_negatives(num_nodes: int, n_negatives: int, device: torch.device | str = "cpu") -> Tensor:
    """Distinct random nodes, the columns that every row is compared with; int64 [min(n_negatives, n)]."""
    return randperm(num_nodes, device)[:n_negatives]


def permuted_negatives(num_nodes: int, n_negatives: int, device: torch.device | str = "cpu") -> Tensor:
    """Pairs (i, j), i != j, every i exactly `n_negatives` times and every j too.

    A cyclic shift of a random order has no fixed point, so that no pair is wasted on a node and itself. All
    ordered pairs i != j are equally likely.

    Parameters
    ----------
    num_nodes : int
        Number of nodes n, at least 2.
    n_negatives : int
        Pairs for each node.
    device : torch.device or str
        Where the pairs are drawn, from the run's generator of that device.

    Returns
    -------
    Tensor, int64, shape [2, n * n_negatives]
    """
    order = randperm(num_nodes, device)
    # One order and distinct shifts: each node meets n_negatives nodes, uniform over the others.
    shifts = 1 + randperm(num_nodes - 1, device)[:n_negatives]
    if shifts.numel() < n_negatives:
        shifts = shifts.repeat(-(-n_negatives // shifts.numel()))[:n_negatives]
    position = torch.arange(num_nodes, device=device)
    partner = order[(position[None, :] + shifts[:, None]) % num_nodes]
    return torch.stack([order.expand_as(partner).reshape(-1), partner.reshape(-1)])


class RowEdges(NamedTuple):
    """Second ends of the edges of consecutive rows, row by row.

    Attributes
    ----------
    crow : Tensor, int64, shape [m + 1]
        Where the edges of each row begin, and the last ones end.
    col : Tensor, int64 or int32, shape [E]
        Numbers of nodes of the whole graph.
    first : int
        Number of the first of these rows.
    """

    crow: Tensor
    col: Tensor
    first: int = 0

    @classmethod
    def of(cls, edge_index: Tensor, num_nodes: int) -> RowEdges:
        """Those of a whole graph, of its edges [2, E], sorted by row."""
        return cls(row_pointers(edge_index[0], num_nodes), edge_index[1])


class NeighborDraws(nn.Module):
    """Draws neighbours j of nodes i with probability ``p_ij / (p_ii + m_i)``, ``m_i = sum_j p_ij`` over j != i.

    Parameters
    ----------
    edges : RowEdges
        Edges of P, each once.
    p : Tensor, float32, shape [E]
        Their similarities > 0.
    self_weight : float
        ``p_ii`` of every node, >= 0.

    Attributes
    ----------
    node_mass : Tensor, float64, shape [m]
        m_i of all rows.
    """

    def __init__(self, edges: RowEdges, p: Tensor, self_weight: float) -> None:
        super().__init__()
        self.self_weight, self.first = self_weight, edges.first
        self.crow, self.col, self.p = constant(edges.crow), constant(edges.col), constant(p)
        # In float64: millions of edges are told apart by their place in it.
        total = p.new_zeros(len(p) + 1, dtype=torch.float64)
        total[1:] = p
        total.cumsum_(0)
        self.cumulative, self.start = constant(total[1:]), constant(total[self.crow])
        self.node_mass = constant(self.start.diff())

    def draw(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """A neighbour of each of `rows`, which count from the first held; and the similarity of the pair.

        A node that draws itself, or that has no neighbours, is its own; a pair without similarity has 1.

        Parameters
        ----------
        rows : Tensor, int64, shape [B]

        Returns
        -------
        ends : Tensor, int64, shape [B]
            Numbers of nodes of the whole graph.
        p : Tensor, float32, shape [B]
        """
        mass, itself = self.node_mass[rows], self.self_weight
        shares = rand(len(rows), rows.device, torch.float64) * (mass + itself)
        here = (self.crow[rows] < self.crow[rows + 1]).nonzero().squeeze(1)
        asked = rows[here]
        edges = torch.searchsorted(self.cumulative, self.start[asked] + shares[here], right=True)
        # Rounding may lead beyond a row.
        edges = edges.maximum(self.crow[asked]).minimum(self.crow[asked + 1] - 1)
        ends, p = torch.zeros_like(rows), self.p.new_zeros(len(rows))
        ends[here], p[here] = self.col[edges].long(), self.p[edges]
        alone = shares >= mass
        return torch.where(alone, rows + self.first, ends), p.masked_fill(alone, itself or 1.0)
