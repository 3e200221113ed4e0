"""Pairs that stand for all pairs: uniform negatives, cheap to draw and to evaluate.

Two shapes (see `genurl_graph.losses` for how they are weighted):

* shared: a few columns against all rows, one dense product, for wide embeddings;
* permuted: every node against its image under a few random permutations, flat pairs, for 2-d embeddings.
"""

from __future__ import annotations

import torch
from torch import Tensor


def shared_negatives(num_nodes: int, n_negatives: int, device: torch.device | str = "cpu") -> Tensor:
    """Distinct random nodes, the columns that every row is compared with; int64 [min(n_negatives, n)]."""
    return torch.randperm(num_nodes, device=device)[:n_negatives]


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
        Where the pairs are drawn, from torch's generator of that device.

    Returns
    -------
    Tensor, int64, shape [2, n * n_negatives]
    """
    order = torch.randperm(num_nodes, device=device)
    # One order and distinct shifts: each node meets n_negatives nodes, uniform over the others.
    shifts = 1 + torch.randperm(num_nodes - 1, device=device)[:n_negatives]
    if shifts.numel() < n_negatives:
        shifts = shifts.repeat(-(-n_negatives // shifts.numel()))[:n_negatives]
    position = torch.arange(num_nodes, device=device)
    partner = order[(position[None, :] + shifts[:, None]) % num_nodes]
    return torch.stack([order.expand_as(partner).reshape(-1), partner.reshape(-1)])
