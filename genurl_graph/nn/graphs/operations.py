"""The operations that a network on graphs consists of, twice: for the training, and exact for the embedding.

A row of a matrix product depends, in its last bits, on how many rows there are: libraries choose another order of
addition for other shapes. The embedding of a graph must not depend on what else is in its batch. `Exact` therefore
rounds both factors to so many bits that the products and all of their partial sums are whole multiples of one unit
below 2^53 of them: they are exact in float64, and then no order matters. Sums over neighbours and over nodes run over a
graph's own rows, one after the other.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from genurl_graph.nn.graphs.adjacency import Adjacency, at_neighbors, neighbor_sum, run_sum
from genurl_graph.nn.graphs.pooling import Pooling, pooled

# Bits of a float64's significand.
_SIGNIFICAND = 53
# Terms of the series of a logarithm: the next one is below 1e-18.
_TERMS = 11


class Operations:
    """As torch does it, with gradients, in the dtype of the weights."""

    def start(self, x: Tensor) -> Tensor:
        """What the first layer reads."""
        return x

    def linear(self, layer: nn.Linear, h: Tensor) -> Tensor:
        """``h W^T + b``."""
        out: Tensor = layer(h)
        return out

    def norm(self, layer: nn.Module, h: Tensor) -> Tensor:
        """Batch normalisation, or nothing (``nn.Identity``)."""
        out: Tensor = layer(h)
        return out

    def neighbors(self, h: Tensor, graph: Adjacency) -> Tensor:
        """Sum over the neighbours of each node."""
        return neighbor_sum(h, graph)

    def messages(self, h: Tensor, edges: Tensor, graph: Adjacency) -> Tensor:
        """Sum over the edges of each node of ``relu(h_j + e_ij)``, times the edge's weight."""
        message = torch.relu(at_neighbors(h, graph) + edges)
        return run_sum(message if graph.weight is None else message * graph.weight[:, None], graph.start)

    def pool(self, h: Tensor, node_ptr: Tensor, how: Pooling) -> Tensor:
        """One row a graph."""
        return pooled(h, node_ptr, how)


class Exact(Operations):
    """On the CPU in float64, without gradients: a graph gets the same bits in every batch."""

    def start(self, x: Tensor) -> Tensor:
        return x.detach().cpu().double()

    def linear(self, layer: nn.Linear, h: Tensor) -> Tensor:
        out = exact_product(h, layer.weight.detach().cpu().double().T)
        return out if layer.bias is None else out + layer.bias.detach().cpu().double()

    def norm(self, layer: nn.Module, h: Tensor) -> Tensor:
        if not isinstance(layer, nn.BatchNorm1d):
            return h
        assert layer.running_mean is not None
        assert layer.running_var is not None
        mean, variance = layer.running_mean.cpu().double(), layer.running_var.cpu().double()
        h = (h - mean) * (variance + layer.eps).rsqrt()
        # Two operations, each rounded: no fused one, which only some elements of a vector might get.
        return h if not layer.affine else h * layer.weight.detach().cpu().double() + layer.bias.detach().cpu().double()

    def neighbors(self, h: Tensor, graph: Adjacency) -> Tensor:
        return _sum_in_order(graph.neighbor, h, graph.start, graph.weight)

    def messages(self, h: Tensor, edges: Tensor, graph: Adjacency) -> Tensor:
        message = torch.relu(h[graph.neighbor] + edges)
        return _sum_in_order(torch.arange(len(message)), message, graph.start, graph.weight)

    def pool(self, h: Tensor, node_ptr: Tensor, how: Pooling) -> Tensor:
        if how == "max":
            return pooled(h, node_ptr, how)
        total = _sum_in_order(torch.arange(len(h)), h, node_ptr, None)
        if how == "sum":
            return total
        mean = total / node_ptr.diff().clamp_min(1)[:, None]
        return mean if how == "mean" else torch.cat([exact_log1p(total), mean, pooled(h, node_ptr, "max")], 1)


def exact_product(h: Tensor, weight: Tensor) -> Tensor:
    """``h @ weight`` with both factors rounded so that every sum is exact: a row never depends on the other rows.

    Parameters
    ----------
    h : Tensor, float64, shape [n, k]
        Rounded relative to the largest number of its row.
    weight : Tensor, float64, shape [k, d]
        Rounded relative to the largest number of its column. Both keep half of ``53 - log2 k`` bits: 24 for 32 columns.

    Returns
    -------
    Tensor, float64, shape [n, d]
    """
    bits = _SIGNIFICAND - math.ceil(math.log2(max(h.size(1), 1)))
    rows, row_unit = _whole(h, 1, bits - bits // 2)
    columns, column_unit = _whole(weight, 0, bits // 2)
    return (rows @ columns) * (row_unit * column_unit)


def _whole(x: Tensor, dim: int, bits: int) -> tuple[Tensor, Tensor]:
    """Whole numbers of at most 2^bits, and the power of 2 that each row or column is a multiple of."""
    if x.numel() == 0:
        return x, x.new_ones(x.size(0) if dim else 1, 1 if dim else x.size(1))
    exponent = np.frexp(x.abs().amax(dim, keepdim=True).numpy())[1] - bits
    unit = torch.from_numpy(np.ldexp(1.0, exponent))
    return (x / unit).round(), unit


def exact_log1p(x: Tensor) -> Tensor:
    """``log(1 + x)`` of x >= 0, float64, to 1e-15, by operations that are rounded as IEEE 754 says.

    Libraries compute the logarithms of a vector and of what is left at its end by different code.
    """
    mantissa, exponent = np.frexp(1.0 + x.numpy())
    # log m = 2 artanh((m - 1) / (m + 1)), whose series converges fast for m near 1.
    small = mantissa < math.sqrt(0.5)
    mantissa, exponent = np.where(small, 2 * mantissa, mantissa), exponent - small
    s = (mantissa - 1) / (mantissa + 1)
    square, total = s * s, np.zeros_like(s)
    for k in range(_TERMS, -1, -1):
        total = total * square + 1 / (2 * k + 1)
    return torch.from_numpy(2 * s * total + exponent * math.log(2))


def _sum_in_order(rows: Tensor, h: Tensor, start: Tensor, weight: Tensor | None) -> Tensor:
    """`genurl_graph.nn.graphs.adjacency.bag_sum`, certainly from the first row of a bag to its last one."""
    values = np.ones(len(rows)) if weight is None else weight.double().numpy()
    matrix = sp.csr_array((values, rows.numpy(), start.numpy()), shape=(len(start) - 1, h.size(0)))
    return torch.from_numpy(matrix @ h.numpy())
