"""The attraction of a symmetric P in one or two dimensions, fused: its value and its gradient in one pass.

Written out with autograd, ``sum p log kappa(|z_i - z_j|^2)`` gathers both ends of every edge as rows of two numbers,
and its backward pass scatters them again. Here coordinates are gathered one at a time, each undirected edge once, and
the gradient is one sparse product with the rows of z.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from genurl_graph.exceptions import InputError
from genurl_graph.pairs import EdgePattern


class UndirectedEdges(EdgePattern):
    """The pattern of a symmetric P, with each edge once beside it, and the way from both directions to that.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Both directions of every edge, sorted by row, each once.
    p : Tensor, float, shape [E]
        The same for both directions.
    num_nodes : int

    Raises
    ------
    InputError
        P is not symmetric.
    """

    def __init__(self, edge_index: Tensor, p: Tensor, num_nodes: int) -> None:
        super().__init__(edge_index, num_nodes)
        row, col = edge_index
        upper = row < col
        self.low, self.high, self.p = row[upper], col[upper], p[upper]
        # Sorted by row and column, the undirected edges are found by their smaller and larger end.
        key = torch.minimum(row, col) * num_nodes + torch.maximum(row, col)
        known = self.low * num_nodes + self.high
        self.undirected = torch.searchsorted(known, key).clamp_max(max(len(known) - 1, 0))
        # Both directions exist if every edge finds its undirected one, which has two of them.
        paired = len(known) * 2 == len(key) and torch.equal(known[self.undirected], key)
        if not paired or not torch.equal(self.p[self.undirected], p):
            raise InputError("similarities P: found p_ij unlike p_ji; expected a symmetric P")


class _LogSimilarity(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, edges: UndirectedEdges, squared_width: float, nu: float) -> Tensor:
        d = z.size(1)
        base = z.new_ones(edges.p.numel())
        for column in z.unbind(1):
            coordinate = column.contiguous()
            gap = coordinate.index_select(0, edges.low).sub_(coordinate.index_select(0, edges.high))
            base.addcmul_(gap, gap, value=1 / squared_width)
        pull = (edges.p / base).index_select(0, edges.undirected)
        laplacian = edges.matrix(pull) @ torch.cat([z, z.new_ones(len(z), 1)], 1)
        gradient = laplacian[:, d:] * z - laplacian[:, :d]
        ctx.save_for_backward(gradient.mul_(-4 * (nu + 1) / squared_width))
        return torch.dot(edges.p, base.log_()).mul_(-2 * (nu + 1))

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, None, None, None]:
        return grads[0] * ctx.saved_tensors[0], None, None, None


def log_similarity(z: Tensor, edges: UndirectedEdges, temperature: float, nu: float) -> Tensor:
    """``sum_ij p_ij log kappa(|z_i - z_j|^2 / temperature; nu)`` over both directions of all edges.

    Parameters
    ----------
    z : Tensor, float, shape [n, d]
    edges : UndirectedEdges
    temperature, nu : float
        Both > 0; the kernel is `genurl_graph.similarity.log_kernel`, normalised.

    Returns
    -------
    Tensor, float, scalar
        Differentiable once.
    """
    total: Tensor = _LogSimilarity.apply(z, edges, temperature * nu, nu)  # type: ignore[no-untyped-call]
    return total
