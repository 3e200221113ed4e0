"""Counts of a node's surroundings: degrees, triangles, H-index and PageRank."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from genurl_graph.inputs.sparse import row_pointers

# Paths of two edges that are looked at together.
_PATHS = 1 << 24
# Probability of a step along an edge, and rounds of the power iteration: the rest is below .85^50 = 3e-4.
DAMPING, ROUNDS = 0.85, 50


def degree_profile(edge_index: Tensor, num_nodes: int) -> Tensor:
    """``log(1 + v)`` of each node's degree and of minimum, maximum, mean and deviation of its neighbours', [n, 5]."""
    from torch_geometric.data import Data
    from torch_geometric.transforms import LocalDegreeProfile

    profile: Tensor = LocalDegreeProfile()(Data(edge_index=edge_index, num_nodes=num_nodes)).x
    return profile.float().log1p()


def triangles(edge_index: Tensor, num_nodes: int) -> Tensor:
    """Triangles that each node is part of, float64 [n].

    Edges point to the end of higher degree, which leaves O(E^1.5) paths of two edges (Chiba & Nishizeki, SIAM J.
    Comput. 14, 1985); they are closed, or not, in blocks of rows. `edge_index` [2, E] is symmetric, each edge once.
    """
    import scipy.sparse as sp

    row, col = edge_index.cpu().numpy()
    degree = np.bincount(row, minlength=num_nodes)
    up = (degree[row] < degree[col]) | ((degree[row] == degree[col]) & (row < col))
    a = sp.csr_array((np.ones(int(up.sum())), (row[up], col[up])), shape=(num_nodes, num_nodes))
    back = sp.csr_array(a.T)
    found = np.zeros(num_nodes)
    out = np.diff(a.indptr)
    # Work of a row: paths over the ends of its edges, forth and back.
    work = np.bincount(row[up], (out + np.diff(back.indptr))[col[up]], num_nodes).cumsum()
    marks = np.searchsorted(work, np.arange(_PATHS, work[-1] + _PATHS, _PATHS)) + 1
    low = 0
    for high in np.unique(np.minimum(marks, num_nodes)):
        part = a[low:high]
        first = sp.csr_array((part @ a).multiply(part))
        found[low:high] += first.sum(1)
        found += first.sum(0)
        found += sp.csr_array((part @ back).multiply(part)).sum(0)
        low = high
    return torch.from_numpy(found)


def h_index(edge_index: Tensor, num_nodes: int, order: int = 1) -> Tensor:
    """H-index of each node, int64 [n]: so many neighbours have a degree as large, or at a higher `order` an H-index.

    With the order they fall to the core number (Lü et al., Nature Communications 7, 2016), which takes one round a node
    of a path; few orders take few rounds. `edge_index` [2, E] is symmetric and sorted by row.
    """
    row, col = edge_index
    start = row_pointers(row, num_nodes)[:-1]
    value = torch.bincount(row, minlength=num_nodes)
    rank = torch.arange(len(row), device=row.device) - start[row] + 1
    for _ in range(order):
        near = value[col]
        # By row, the largest first.
        near = near[(row * (num_nodes + 1) + num_nodes - near).argsort()]
        value = torch.zeros_like(value).index_add_(0, row, (near >= rank).long())
    return value


def page_rank(edge_index: Tensor, num_nodes: int) -> Tensor:
    """PageRank of an undirected graph without weights, float64 [n], of sum 1 (Page et al., 1999).

    Isolated nodes jump anywhere.
    """
    row, col = edge_index
    degree = torch.bincount(row, minlength=num_nodes).double()
    share = DAMPING / degree.clamp_min(1)
    rank = torch.full((num_nodes,), 1 / num_nodes, dtype=torch.float64, device=row.device)
    for _ in range(ROUNDS):
        flow = torch.zeros_like(rank).index_add_(0, row, (rank * share)[col])
        rank = flow + (1 - flow.sum()) / num_nodes
    return rank
