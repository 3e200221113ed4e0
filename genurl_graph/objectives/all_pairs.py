"""GKL over all pairs, none of them sampled, for embeddings in one or two dimensions: the objective of 2-d maps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from genurl_graph.config.parameters import LossConfig
from genurl_graph.config.views import ViewConfig
from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.sparse import csr_tensor, row_pointers
from genurl_graph.losses.pairwise import gkl_of_sums
from genurl_graph.losses.terms import LossTerms
from genurl_graph.objectives.fft_repulsion import Mesh, as_rows, with_gradients
from genurl_graph.objectives.full_batch import PairwiseObjective
from genurl_graph.objectives.pair_sampling import RowEdges
from genurl_graph.runtime.devices import constant
from genurl_graph.runtime.workers import few_threads, side_by_side

# What sums of P log Q and of Q determine.
LOSSES = ("gkl", "kl")
# Nodes from which on their order matters to a processor's cache.
ORDERED = 20_000
# Below, a step is so short that threads would mostly wait for each other.
_SHARED = 4_000
# Edges read at a time by a thread: their temporaries stay in a core's cache; on a GPU only memory counts.
_EDGES = 1 << 16
_EDGES_ELSEWHERE = 1 << 24


class AllPairsObjective(PairwiseObjective):
    """`PairwiseObjective` whose repulsion counts every ordered pair i != j, by particle mesh
    (`genurl_graph.objectives.fft_repulsion`).

    Without sampling noise a few hundred large steps draw a 2-d map. A step costs O(E + n + G log G), G the points of
    the grid. Parameters are those of `PairwiseObjective`; `sampling` is ``negatives="all"``.

    Raises
    ------
    InputError
        As there, and for what a mesh cannot do: another loss than gkl and kl, sums by row, the cosine, two views.
    """

    negatives = ("all",)
    pattern: UndirectedEdges  # type: ignore[assignment]

    def _keep(self, edge_index: Tensor | RowEdges, p: Tensor) -> None:
        assert isinstance(edge_index, Tensor)
        lacking = why_not(self.loss, self.views)
        if lacking:
            raise InputError(f"sampling.negatives: all pairs can be counted only with {lacking}")
        p = p / p.sum() if self.loss.name == "kl" else p
        self.pattern = UndirectedEdges(edge_index, p, self.num_nodes)
        self.total, self.entropy = constant(p.sum().view(1)), constant(torch.xlogy(p, p).sum())
        self.mesh = Mesh(self.loss.temperature, self.loss.nu)

    def _terms(self, a: Tensor, b: Tensor, distance: Tensor | None = None) -> LossTerms:
        if a.size(1) > 2:
            raise wrong("sampling.negatives", f"all pairs with encoder.dim {a.size(1)}", "1 or 2 dimensions for them")
        found = self._sums(self.pattern.ordered(a.detach()))
        similarity, log_total = with_gradients(a, *((sum_, self.pattern.restored(grad)) for sum_, grad in found))
        divergence, log_total = self.entropy - similarity, log_total.view(1)
        gamma, scale = (1.0, None) if self.loss.name == "kl" else (self.loss.gamma, number(self.loss.scale))
        return self.finished(gkl_of_sums(divergence, self.total, log_total, gamma=gamma, scale=scale))

    def _sums(self, z: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """``sum_ij p_ij log kappa`` of the edges, and the log of the sum of kappa over all pairs, with their gradients.

        Rows of z and of the gradients lie in the pattern's order.
        """

        def attraction() -> tuple[Tensor, Tensor]:
            return similarity_and_gradient(z, self.pattern, self.loss.temperature, self.loss.nu)

        def repulsion() -> tuple[Tensor, Tensor]:
            return self.mesh.log_total_and_gradient(z)

        if self.num_nodes < _SHARED:
            with few_threads():
                return attraction(), repulsion()
        return side_by_side(attraction, repulsion, z.device)


def number(scale: float | str) -> float | None:
    """The scale of `gkl`; None if the loss chooses it."""
    return None if isinstance(scale, str) else float(scale)


def why_not(loss: LossConfig, views: ViewConfig) -> str | None:
    """What has to change before all pairs can be counted; None if nothing."""
    if loss.name not in LOSSES:
        return f"loss.name gkl or kl; found {loss.name}"
    if loss.per != "global":
        return f"loss.per global; found {loss.per}"
    if loss.metric != "euclidean":
        return f"loss.metric euclidean; found {loss.metric}"
    return "one view (views.self_weight 0)" if views.self_weight > 0 else None


class UndirectedEdges(nn.Module):
    """A symmetric P: each undirected edge once, and the pattern of both directions as CSR.

    Many nodes are numbered anew, neighbours near each other (reverse Cuthill-McKee), so that what edges read lies in a
    processor's cache.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Both directions of every edge, sorted by row, each once.
    p : Tensor, float, shape [E]
        The same for both directions.
    num_nodes : int

    Attributes
    ----------
    order, number : Tensor, int64, shape [n], or None
        The nodes in the order of their new numbers, and the new number of each node.
    low, high : Tensor, int32, shape [E / 2]
        Smaller and larger end of the undirected edges.
    p : Tensor, float, shape [E / 2]
    crow, col : Tensor, int32, shapes [n + 1] and [E]
        CSR of both directions.
    undirected : Tensor, int32, shape [E]
        The undirected edge of each direction.

    Raises
    ------
    InputError
        P is not symmetric.
    """

    def __init__(self, edge_index: Tensor, p: Tensor, num_nodes: int) -> None:
        import scipy.sparse as sp
        from scipy.sparse.csgraph import reverse_cuthill_mckee

        super().__init__()
        row, col = edge_index
        crow = row_pointers(row, num_nodes)
        matrix = sp.csr_matrix((p.cpu().numpy(), *(t.int().cpu().numpy() for t in (col, crow))), (num_nodes, num_nodes))
        matrix.sort_indices()
        other = matrix.T.tocsr()
        same = (np.array_equal(getattr(matrix, part), getattr(other, part)) for part in ("indptr", "indices", "data"))
        if not all(same) or matrix.diagonal().any():
            raise wrong("similarities P", "p_ij unlike p_ji", "a symmetric P")
        del other
        order = None
        if num_nodes >= ORDERED:
            order = reverse_cuthill_mckee(matrix, symmetric_mode=True)
            matrix = matrix[order][:, order]
            matrix.sort_indices()
        entry = np.arange(matrix.nnz, dtype=np.int32)
        twin = sp.csr_matrix((entry, matrix.indices, matrix.indptr), matrix.shape).T.tocsr().data
        first = np.repeat(np.arange(num_nodes, dtype=np.int32), np.diff(matrix.indptr))
        upper = first < matrix.indices
        known = np.cumsum(upper, dtype=np.int32) - 1

        def kept(values: Any) -> Tensor:
            return constant(torch.from_numpy(values).to(p.device))

        self.order = None if order is None else kept(order.astype(np.int64))
        self.number = None if order is None else kept(np.argsort(order))
        self.low, self.high, self.p = kept(first[upper]), kept(matrix.indices[upper]), kept(matrix.data[upper])
        self.crow, self.col = kept(matrix.indptr), kept(matrix.indices)
        self.undirected = kept(np.where(upper, known, known[twin]))

    def ordered(self, z: Tensor) -> Tensor:
        """Rows of z [n, d] in the order of the new numbers."""
        return z if self.order is None else take_rows(z, self.order)

    def restored(self, z: Tensor) -> Tensor:
        """Rows in the order of the new numbers as those of the nodes."""
        return z if self.number is None else take_rows(z, self.number)


def take_rows(z: Tensor, index: Tensor) -> Tensor:
    """``z[index]`` of rows [n, d], fast where d is 2."""
    if z.size(1) == 2 and z.dtype in (torch.float32, torch.float64):
        return torch.view_as_real(torch.view_as_complex(z.contiguous()).index_select(0, index))
    return z.index_select(0, index)


def log_similarity(z: Tensor, edges: UndirectedEdges, temperature: float, nu: float) -> Tensor:
    """``sum_ij p_ij log kappa(|z_i - z_j|^2 / temperature; nu)`` over both directions of all edges.

    Parameters
    ----------
    z : Tensor, float, shape [n, d]
    edges : UndirectedEdges
    temperature, nu : float
        Both > 0; the kernel is `genurl_graph.graph.affinity.log_kernel`, normalised.

    Returns
    -------
    Tensor, float, scalar
        Differentiable once.
    """
    value, gradient = similarity_and_gradient(edges.ordered(z.detach()), edges, temperature, nu)
    return with_gradients(z, (value, edges.restored(gradient)))[0]


def similarity_and_gradient(z: Tensor, edges: UndirectedEdges, temperature: float, nu: float) -> tuple[Tensor, Tensor]:
    """`log_similarity` and its gradient [n, d]; rows of both lie in the order of the new numbers."""
    width = math.sqrt(temperature * nu)
    n, d = z.shape
    columns = [column / width for column in z.unbind(1)]
    pull = z.new_empty(edges.p.numel())
    logs = []
    step = _EDGES * torch.get_num_threads() if z.device.type == "cpu" else _EDGES_ELSEWHERE
    for start in range(0, len(pull), step):
        low, high, p, out = (part[start : start + step] for part in (edges.low, edges.high, edges.p, pull))
        base = torch.ones_like(p)
        for column in columns:
            gap = column.index_select(0, low).sub_(column.index_select(0, high))
            base.addcmul_(gap, gap)
        torch.div(p, base, out=out)
        logs.append(torch.dot(p, base.log_()))
    # Sums of rows beside the coordinates; products with four columns are the fastest ones.
    table = z.new_zeros(n, max(d + 1, 4))
    table[:, d] = 1.0
    for i, column in enumerate(columns):
        table[:, i] = column
    matrix = csr_tensor(edges.crow, edges.col, pull.index_select(0, edges.undirected), (n, n))
    *sums, total = (matrix @ table).unbind(1)[: d + 1]
    pulled = [(total * column).sub_(found) for column, found in zip(columns, sums, strict=True)]
    gradient = as_rows(torch.stack(pulled)).mul_(-4 * (nu + 1) / width)
    return torch.stack(logs).sum().mul_(-2 * (nu + 1)), gradient
