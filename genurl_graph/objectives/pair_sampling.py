"""Pairs that stand for all pairs: uniform negatives, cheap to draw and to evaluate.

Two shapes (see `genurl_graph.losses` for how they are weighted):

* shared: a few columns against all rows, one dense product, for wide embeddings;
* permuted: every node against its image under a few random permutations, flat pairs, for 2-d embeddings.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genurl_graph.inputs.sparse import row_pointers
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.processes import rank, sent, total_of, world_size
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


class NeighborDraws(nn.Module):
    """Draws neighbours j of nodes i with probability ``p_ij / (p_ii + m_i)``, ``m_i = sum_j p_ij`` over j != i.

    Of several processes each holds rows of P, the earlier processes those of earlier nodes, no two the same row. All
    draw the same random numbers. The process that has a row finds the neighbour and tells the others. On the CPU the
    draws are those of one process, to the bit.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Edges of this process's rows, sorted by row, each once.
    p : Tensor, float32, shape [E]
        Their similarities > 0.
    num_nodes : int
        Of the whole graph.
    self_weight : float
        ``p_ii`` of every node, >= 0.

    Attributes
    ----------
    node_mass : Tensor, float64, shape [n]
        m_i of all nodes.
    """

    def __init__(self, edge_index: Tensor, p: Tensor, num_nodes: int, self_weight: float) -> None:
        super().__init__()
        self.self_weight = self_weight
        self.col, self.p = constant(edge_index[1]), constant(p)
        self.crow = constant(row_pointers(edge_index[0], num_nodes))
        total = _running_sum(p)
        self.cumulative, self.start = constant(total[1:]), constant(total[self.crow])
        self.node_mass = constant(total_of(self.start.diff()))

    def draw(self, nodes: Tensor) -> tuple[Tensor, Tensor]:
        """A neighbour of each of `nodes`, int64 [B], and the similarity of the pair, float32 [B].

        A node that draws itself, or that has no neighbours, is its own; a pair without similarity has 1.
        """
        mass, itself = self.node_mass[nodes], self.self_weight
        shares = rand(len(nodes), nodes.device, torch.float64) * (mass + itself)
        here = (self.crow[nodes] < self.crow[nodes + 1]).nonzero().squeeze(1)
        rows = nodes[here]
        edges = torch.searchsorted(self.cumulative, self.start[rows] + shares[here], right=True)
        # Rounding may lead beyond a row.
        edges = edges.maximum(self.crow[rows]).minimum(self.crow[rows + 1] - 1)
        # One message: float64 holds numbers of nodes and float32 as they are.
        found = torch.zeros(2, len(nodes), dtype=torch.float64, device=nodes.device)
        found[0, here], found[1, here] = self.col[edges].double(), self.p[edges].double()
        ends, p = total_of(found)
        alone = shares >= mass
        return torch.where(alone, nodes, ends.long()), p.float().masked_fill(alone, itself or 1.0)


def _running_sum(p: Tensor) -> Tensor:
    """Sums of P up to each edge of this process, float64 [E + 1]: the first is that of the earlier processes' edges."""
    # In float64: millions of edges are told apart by their place in it.
    total = p.new_zeros(len(p) + 1, dtype=torch.float64)
    total[1:] = p
    # One process after the other: added in one order, sums are those of one process to the bit.
    for turn in range(world_size()):
        if turn == rank():
            total.cumsum_(0)
        end = sent(total[-1], turn)
        if turn + 1 == rank():
            total[0] = end
    return total
