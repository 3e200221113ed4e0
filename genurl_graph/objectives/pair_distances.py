"""Distances of the pairs named by a list of edges: the inner loop of every step.

For wide embeddings gathering both end points of every edge would move E x d numbers; a sampled dense-dense
product (SDDMM) on the CSR pattern of the edges reads the table where it lies. Its backward pass is two sparse x
dense products.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.sparse import csr_tensor, product, row_pointers
from genurl_graph.runtime.devices import Constants, constant

# From this width on the SDDMM beats gathering.
WIDE = 16


class EdgePattern(Constants):
    """A list of edges as CSR patterns, by row and by column, each made when it is first asked for.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Sorted by row, each edge once.
    num_nodes : int
    num_columns : int, optional
        Of a bipartite graph: how many nodes there are at the second ends; by default `num_nodes`.
    """

    def __init__(self, edge_index: Tensor, num_nodes: int, num_columns: int | None = None) -> None:
        super().__init__()
        self.edge_index, self.num_nodes = constant(edge_index), num_nodes
        self.num_columns = num_nodes if num_columns is None else num_columns

    @property
    def row(self) -> Tensor:
        """First nodes of the edges, int64 [E]."""
        return self.edge_index[0]

    @property
    def col(self) -> Tensor:
        """Second nodes, int64 [E]."""
        return self.edge_index[1]

    @cached_property
    def crow(self) -> Tensor:
        """Where the edges of each row begin and end, int64 [n + 1]."""
        return row_pointers(self.row, self.num_nodes)

    @cached_property
    def ccol(self) -> Tensor:
        """The same of the edges sorted by column."""
        return row_pointers(self.col[self.by_column], self.num_columns)

    @cached_property
    def by_column(self) -> Tensor:
        """The edges in the order of their columns, int64 [E]."""
        return (self.col * self.num_nodes + self.row).argsort()

    @cached_property
    def reverse(self) -> Tensor:
        """Which edge is each edge's reverse, int64 [E]; InputError if there is one without."""
        # What comes k-th by column is the reverse of what comes k-th by row.
        if not (torch.equal(self.row_by_column, self.col) and torch.equal(self.col[self.by_column], self.row)):
            raise wrong("edges", "one without its reverse", "both directions of each")
        return self.by_column

    @cached_property
    def row_by_column(self) -> Tensor:
        """Rows of the edges in that order, int64 [E]."""
        return self.row[self.by_column]

    def matrix(self, values: Tensor) -> Tensor:
        """CSR [n, n] (or [n, columns]) with a value for each edge."""
        return csr_tensor(self.crow, self.col, values, (self.num_nodes, self.num_columns))

    def transposed(self, values: Tensor) -> Tensor:
        """The transpose of `matrix`, CSR too."""
        return csr_tensor(
            self.ccol, self.row_by_column, values.index_select(0, self.by_column), (self.num_columns, self.num_nodes)
        )


class _EdgeProducts(torch.autograd.Function):
    """``<a_i, b_j>`` of every edge."""

    @staticmethod
    def forward(ctx: Any, pattern: EdgePattern, a: Tensor, b: Tensor) -> Tensor:
        ctx.pattern = pattern
        ctx.save_for_backward(a, b)
        zero = pattern.matrix(a.new_zeros(pattern.col.numel()))
        sampled: Tensor = torch.sparse.sampled_addmm(zero, a, b.t(), beta=0.0)
        return sampled.values()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[None, Tensor, Tensor]:
        a, b = ctx.saved_tensors
        values = grads[0].contiguous()
        return None, product(ctx.pattern.matrix(values), b), product(ctx.pattern.transposed(values), a)


class _BothEdgeProducts(torch.autograd.Function):
    """``<a_i, b_j>`` and ``<b_i, a_j>`` of every edge: the second is the first of the edge's reverse."""

    @staticmethod
    def forward(ctx: Any, pattern: EdgePattern, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        found = _EdgeProducts.forward(ctx, pattern, a, b)
        return found, found.index_select(0, pattern.reverse)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[None, Tensor, Tensor]:
        return _EdgeProducts.backward(ctx, grads[0] + grads[1].index_select(0, ctx.pattern.reverse))


def edge_products(pattern: EdgePattern, a: Tensor, b: Tensor) -> Tensor:
    """Inner products ``<a_i, b_j>`` of the edges (i, j).

    Parameters
    ----------
    pattern : EdgePattern
    a, b : Tensor, float, shape [n, d]
        Of a bipartite pattern b has its number of columns as rows.

    Returns
    -------
    Tensor, float, shape [E]
    """
    if a.size(1) < WIDE:
        return (a.index_select(0, pattern.row) * b.index_select(0, pattern.col)).sum(1)
    out: Tensor = _EdgeProducts.apply(pattern, a, b)  # type: ignore[no-untyped-call]
    return out


def edge_distances(pattern: EdgePattern, a: Tensor, b: Tensor, metric: str) -> Tensor:
    """Squared Euclidean or cosine distances of the edges (i, j), shape [E].

    For cosine the rows must be normalised already (`normalize`).
    """
    if metric == "cosine":
        return 1 - edge_products(pattern, a, b)
    if a.size(1) < WIDE:
        return (a.index_select(0, pattern.row) - b.index_select(0, pattern.col)).square().sum(1)
    # Not by indexing: the gradient of that adds up in no fixed order.
    squares = a.square().sum(1).index_select(0, pattern.row) + b.square().sum(1).index_select(0, pattern.col)
    return (squares - 2 * edge_products(pattern, a, b)).clamp_min(0)


def view_distances(pattern: EdgePattern, a: Tensor, b: Tensor, metric: str) -> tuple[Tensor, Tensor]:
    """`edge_distances` from `a` to `b` and from `b` to `a`; each edge is there with its reverse.

    InputError if it is not.
    """
    if metric != "cosine" or a.size(1) < WIDE:
        return edge_distances(pattern, a, b, metric), edge_distances(pattern, b, a, metric)
    there, back = _BothEdgeProducts.apply(pattern, a, b)  # type: ignore[no-untyped-call]
    return 1 - there, 1 - back


def block_distances(a: Tensor, b: Tensor, metric: str) -> Tensor:
    """Distances of all rows of `a` [R, d] to all rows of `b` [S, d], shape [R, S]; as `edge_distances`."""
    if metric == "cosine":
        return 1 - a @ b.t()
    squares = a.square().sum(1)[:, None] + b.square().sum(1)[None, :]
    return torch.addmm(squares, a, b.t(), alpha=-2).clamp_min(0)


def normalize(z: Tensor, metric: str) -> Tensor:
    """Rows of unit length for the cosine metric, `z` itself otherwise."""
    return F.normalize(z, dim=1) if metric == "cosine" else z


# Cells of a slice, float32: 1 MB in a core's cache; on a GPU a slice only bounds memory.
_CELLS = {"cpu": 1 << 18}
_CELLS_ELSEWHERE = 1 << 26


class _RowTotals(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, metric: str, temperature: float, nu: float) -> Tensor:
        rows, columns = a.size(0), b.size(0)
        unit = 1.0 / (temperature * nu)
        cosine = metric == "cosine"
        # kappa = base^-(nu + 1) with base = 1 + d / (temperature nu), which is linear in the inner products.
        if cosine:
            ends_a, ends_b = a.new_full((rows, 1), 1 + unit), a.new_zeros(columns)
        else:
            ends_a, ends_b = 1 + unit * a.square().sum(1, keepdim=True), unit * b.square().sum(1)
        derivative = a.new_empty(rows, columns)
        totals = a.new_empty(rows)
        step = max(1, _CELLS.get(a.device.type, _CELLS_ELSEWHERE) // columns)
        for start in range(0, rows, step):
            part = slice(start, start + step)
            constant = ends_a[part] if cosine else ends_a[part] + ends_b
            base = torch.addmm(constant, a[part], b.t(), alpha=-unit if cosine else -2 * unit).clamp_min_(1.0)
            log_q = base.log().mul_(-(nu + 1))
            top = log_q.amax(1, keepdim=True)
            share = log_q.sub_(top).exp_()
            total = share.sum(1, keepdim=True)
            totals[part] = (top + total.log()).squeeze(1)
            # Minus the derivative by d: the share of q in its row, times (nu + 1) / (temperature nu base).
            torch.div(share, base, out=derivative[part]).mul_((nu + 1) * unit / total)
        ctx.save_for_backward(a, b, derivative)
        ctx.cosine = cosine
        return totals

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, Tensor, None, None, None]:
        a, b, derivative = ctx.saved_tensors
        weight = grads[0][:, None]
        weighted = weight * a
        grad_a, grad_b = weight * (derivative @ b), derivative.t() @ weighted
        if not ctx.cosine:
            # d = |a|^2 + |b|^2 - 2 <a, b>; for the cosine d = 1 - <a, b>.
            grad_a = 2 * (grad_a - weighted * derivative.sum(1, keepdim=True))
            grad_b = 2 * (grad_b - b * (derivative.t() @ weight))
        return grad_a, grad_b, None, None, None


def row_log_totals(a: Tensor, b: Tensor, metric: str, temperature: float, nu: float) -> Tensor:
    r"""``log sum_j kappa(d(a_i, b_j) / temperature; nu)`` for every row i of `a` over all rows j of `b`.

    The same as ``log_kernel(block_distances(a, b, metric) / temperature, nu).logsumexp(1)``, a fraction of its time.

    Parameters
    ----------
    a : Tensor, float, shape [R, d]
    b : Tensor, float, shape [S, d]
        Rows of unit length where the metric is cosine.
    metric : "cosine" or "euclidean"
    temperature, nu : float
        Both > 0; nu is the kernel's degrees of freedom (`genurl_graph.graph.affinity.log_kernel`, normalised).

    Returns
    -------
    Tensor, float, shape [R]
        Differentiable once. Memory: one block [R, S] until the backward pass.
    """
    totals: Tensor = _RowTotals.apply(a, b, metric, temperature, nu)  # type: ignore[no-untyped-call]
    return totals


def spread(log_total: Tensor, pairs: float) -> Tensor:
    """Row totals as a block [R, 1] whose one entry stands for the whole row, each sampled pair for `pairs` of them.

    Every loss that reads q off the edges only through its sums (`genurl_graph.losses`) takes it for the block.
    """
    return (log_total + math.log(pairs))[:, None]
