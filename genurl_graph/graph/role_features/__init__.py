"""Role features: columns that say what place a node has in its neighbourhood, whatever part of the graph it lies in.

Counts of a node's surroundings, and their mean and deviation over its neighbours and the neighbours of these, as ReFeX
has them (Henderson et al., KDD 2011). They are functions of the graph alone: nodes of any graph can be compared.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genurl_graph.graph.role_features.counts import degree_profile, h_index, page_rank, triangles
from genurl_graph.graph.role_features.walks import return_probabilities, sampled_return_probabilities
from genurl_graph.inputs.sparse import csr_tensor, row_pointers

# Steps of the longest walk back are one more; rounds over the neighbours; H-indices of neighbours' H-indices.
STEPS, HOPS, ORDER = 8, 2, 3
# Columns of a node's own counts, and all of them.
OWN = 9 + STEPS
ROLE_COLUMNS = OWN * (1 + 2 * HOPS)
# Columns of one step farther away count so much in what tells roles apart.
FARTHER = 0.5
# Random cosines that stand for all functions of these, and their seed, which is no run's.
KERNEL_COLUMNS, KERNEL_SEED = 256, 0
# Products of nodes and edges up to which the probabilities of walks back are exact; beyond, time stays linear.
EXACT = 10**9


def role_features(
    edge_index: Tensor, edge_weight: Tensor, num_nodes: int, device: torch.device | str = "cpu"
) -> Tensor:
    """Role features of every node.

    A node's own `OWN` counts are its local degree profile (Cai & Wang, arXiv 1811.03508), clustering coefficient,
    triangles, H-index, PageRank and probabilities of walks back; after them stand mean and standard deviation of each
    over the neighbours, and over the neighbours' means. Counts are logarithms.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Symmetric, sorted by row, without self loops (as `genurl_graph.graph.merge.merge_graphs` returns).
    edge_weight : Tensor, float32, shape [E]
        Weights >= 0, which walks follow; everything else counts edges.
    num_nodes : int
    device : torch.device
        Where exact walks are computed.

    Returns
    -------
    Tensor, float32, shape [num_nodes, `ROLE_COLUMNS`], on the CPU
        Not standardised; 0 for isolated nodes, but for their PageRank. Up to `EXACT` the same for a node wherever it
        stands among the others; beyond, walks are estimated from random vectors that are the same in every run. Time
        O(E^1.5) at worst, of triangles; the rest is linear.

    Examples
    --------
    >>> ring = torch.stack([torch.arange(6), (torch.arange(6) + 1) % 6])
    >>> edges = merge_graphs(ring, None, None, None, num_nodes=6)
    >>> role_features(*edges[:2], 6).unique(dim=0).shape
    torch.Size([1, 85])
    """
    edge_index, edge_weight = edge_index.cpu(), edge_weight.cpu()
    degree = torch.bincount(edge_index[0], minlength=num_nodes).double()
    closed = triangles(edge_index, num_nodes)
    counts = [
        degree_profile(edge_index, num_nodes).double(),
        (closed / (degree * (degree - 1) / 2).clamp_min(1))[:, None],
        closed.log1p()[:, None],
        h_index(edge_index, num_nodes, ORDER).double().log1p()[:, None],
        (num_nodes * page_rank(edge_index, num_nodes)).log()[:, None],
    ]
    if num_nodes * edge_index.size(1) <= EXACT:
        walks = return_probabilities(edge_index.to(device), edge_weight.to(device), num_nodes, STEPS).cpu()
    else:
        walks = sampled_return_probabilities(edge_index, edge_weight, num_nodes, STEPS)
    own = torch.cat([*counts, walks.double()], 1)
    share = (1 / degree.clamp_min(1))[edge_index[0]]
    mean_of = csr_tensor(row_pointers(edge_index[0], num_nodes), edge_index[1], share, (num_nodes, num_nodes))
    found, level = [own], own
    for _ in range(HOPS):
        # Around the mean of all: the difference of two large squares would be rounding.
        centre = level.mean(0)
        level = level - centre
        mean = mean_of @ level
        spread = (mean_of @ level.square() - mean.square()).clamp_min(0).sqrt()
        near = torch.where(degree[:, None] > 0, mean + centre, 0.0)
        # Nearly equal neighbours are equal.
        found += [near, torch.where(spread > 1e-6, spread, 0.0)]
        level = near
    return torch.cat(found, 1).float()


def role_weights() -> Tensor:
    """Weights of standardised role columns, float32 [`ROLE_COLUMNS`], of mean square 1: each step away counts half.

    Four fifths of the columns are means and deviations around a node, which in equal parts drown its own counts.
    """
    steps = torch.arange(HOPS + 1).repeat_interleave(torch.tensor([OWN, *[2 * OWN] * HOPS]))
    weights = FARTHER ** steps.float()
    return weights / weights.square().mean().sqrt()


def kernel_columns(roles: Tensor) -> Tensor:
    """Random cosines ``sqrt(2 / m) cos(r W + b)`` of rows r: their products approach a Gaussian kernel of the rows.

    A linear classifier of these columns knows smooth functions of the roles (Rahimi & Recht, NIPS 2007), such as the
    middle of three degrees, and they hold their own beside hundreds of others, which a few columns of degrees do not.

    Parameters
    ----------
    roles : Tensor, float32, shape [n, c]
        Standardised role features; W is divided by sqrt(c), so that the kernel is as wide as most rows are long.

    Returns
    -------
    Tensor, float32, shape [n, `KERNEL_COLUMNS`]
        Rows of length 1 on average. The same function in every run.
    """
    generator = torch.Generator().manual_seed(KERNEL_SEED)
    c = roles.size(1)
    w = torch.randn(c, KERNEL_COLUMNS, generator=generator) / math.sqrt(c)
    b = torch.rand(KERNEL_COLUMNS, generator=generator) * (2 * math.pi)
    return (roles @ w.to(roles) + b.to(roles)).cos() * math.sqrt(2 / KERNEL_COLUMNS)
