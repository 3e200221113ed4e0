"""Probabilities of random walks that come back: exactly by unit vectors, or estimated from random ones."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.inputs.sparse import csr_tensor, row_pointers

# Numbers of float32 in each of the three blocks [n, B] of a random walk: on a CPU 2 MB, which fit into its caches
# (blocks of 64 MB took three times as long), elsewhere 64 MB.
_CELLS = {"cpu": 1 << 19}
_CELLS_ELSEWHERE = 1 << 24
# Random vectors, how many of them walk together, and their seed, which is no run's.
VECTORS, _TOGETHER, SEED = 64, 8, 0


def return_probabilities(edge_index: Tensor, edge_weight: Tensor, num_nodes: int, steps: int) -> Tensor:
    """Probabilities ``(D^-1 W)^t_ii`` of t = 2, ..., steps + 1, exactly (t = 1 is 0 without self loops).

    PyG's `AddRandomWalkPE` multiplies sparse matrices with each other, which fill up to n x n. Here blocks of unit
    vectors walk. With ``S = D^-1/2 W D^-1/2``, ``v_s = S^s e_i`` and symmetry, ``(D^-1 W)^(a + b)_ii = <v_a, v_b>``:
    half the steps suffice. O(n E steps / 2) operations: 16 steps on 20,000 nodes with 200,000 directed edges took 37 s
    on one core of a busy machine; ten times as many nodes take a hundred times as long.

    Parameters
    ----------
    edge_index, edge_weight, num_nodes
        As in `genurl_graph.graph.structural_features.structural_features`; computed on their device.
    steps : int
        Number of columns.

    Returns
    -------
    Tensor, float32, shape [num_nodes, steps]
        0 for isolated nodes.
    """
    operator = _operator(edge_index, edge_weight, num_nodes)
    found = edge_weight.new_zeros(num_nodes, steps)
    width = max(1, _CELLS.get(edge_index.device.type, _CELLS_ELSEWHERE) // num_nodes)
    for start in range(0, num_nodes, width):
        nodes = torch.arange(start, min(start + width, num_nodes), device=edge_index.device)
        before = edge_weight.new_zeros(num_nodes, nodes.numel())
        before[nodes, nodes - start] = 1.0
        before = operator @ before
        for length in range(2, steps + 2, 2):
            found[nodes, length - 2] = before.square().sum(0)
            if length <= steps:
                after = operator @ before
                found[nodes, length - 1] = (before * after).sum(0)
                before = after
    return found


def sampled_return_probabilities(edge_index: Tensor, edge_weight: Tensor, num_nodes: int, steps: int) -> Tensor:
    """The same in time O(E steps): means of ``(S^a v)_i (S^b v)_i``, a + b = t, over `VECTORS` vectors v of signs.

    An estimate of a diagonal (Hutchinson, Commun. Stat. 18, 1989) whose relative deviation is at most sqrt(2 / 64), or
    .18, where t is even; below 0 it is 0. The vectors are the same in every run.
    """
    operator = _operator(edge_index, edge_weight, num_nodes)
    generator = torch.Generator().manual_seed(SEED)
    found = edge_weight.new_zeros(num_nodes, steps)
    for _ in range(0, VECTORS, _TOGETHER):
        signs = torch.randint(2, (num_nodes, _TOGETHER), generator=generator).to(edge_weight) * 2 - 1
        before = operator @ signs
        for length in range(2, steps + 2, 2):
            found[:, length - 2] += before.square().sum(1)
            if length <= steps:
                after = operator @ before
                found[:, length - 1] += (before * after).sum(1)
                before = after
    return found.div_(VECTORS).clamp_min_(0)


def _operator(edge_index: Tensor, edge_weight: Tensor, num_nodes: int) -> Tensor:
    """``D^-1/2 W D^-1/2``, CSR [n, n]."""
    row, col = edge_index
    degree = edge_weight.new_zeros(num_nodes).index_add_(0, row, edge_weight)
    scale = torch.where(degree > 0, degree.clamp_min(torch.finfo(degree.dtype).tiny).rsqrt(), 0.0)
    values = edge_weight * scale[row] * scale[col]
    return csr_tensor(row_pointers(row, num_nodes), col, values, (num_nodes, num_nodes))
