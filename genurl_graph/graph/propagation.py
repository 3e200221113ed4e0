"""The graph an encoder propagates over: a fixed CSR structure whose values change from view to view."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from math import prod
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from genurl_graph.exceptions import InputError, wrong
from genurl_graph.inputs.sparse import csr_tensor, row_pointers
from genurl_graph.runtime.devices import Constants, constant
from genurl_graph.runtime.random import rand

Norm = Literal["sym", "row", "none", "edges", "attributes"]


class DescribedEdges(NamedTuple):
    """Edges with columns of their own, for convolutions that read them.

    Attributes
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Without self loops.
    columns : Tensor, float32, shape [E, c]
        The weight, and the attributes that `Propagation` was given.
    """

    edge_index: Tensor
    columns: Tensor


class Propagation(Constants):
    """Weighted undirected graph, with self loops, as the matrices that convolutions multiply by.

    Dropping edges takes entries out of the sorted lists: no sorting in the training loop. The two directions of an edge
    are dropped together, so that every matrix stays symmetric in structure.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Symmetric, sorted by row, without self loops (as `genurl_graph.graph.merge.merge_graphs` returns).
    edge_weight : Tensor, float32, shape [E]
    num_nodes : int
    attributes : Tensor, float32, shape [E, a], optional
        Of the edges, for convolutions that read them.
    """

    def __init__(
        self, edge_index: Tensor, edge_weight: Tensor, num_nodes: int, attributes: Tensor | None = None
    ) -> None:
        super().__init__()
        device = edge_index.device
        loop = torch.arange(num_nodes, device=device)
        row, col = torch.cat([edge_index, loop.expand(2, -1)], dim=1)
        weight = torch.cat([edge_weight, torch.ones(num_nodes, device=device)])
        order = (row * num_nodes + col).argsort()
        self.row, self.col, self.weight = (constant(part[order]) for part in (row, col, weight))
        held = None
        if attributes is not None:
            held = torch.cat([attributes, attributes.new_zeros(num_nodes, attributes.size(1))])[order]
        self.attributes = held if held is None else constant(held)
        self.num_nodes = num_nodes
        self.is_loop = constant(self.row == self.col)
        self.crow = constant(row_pointers(self.row, num_nodes))

    @cached_property
    def pair(self) -> Tensor:
        """Which undirected edge an entry belongs to: both directions draw the same random number."""
        low, high = torch.minimum(self.row, self.col), torch.maximum(self.row, self.col)
        pair: Tensor = torch.unique(low * self.num_nodes + high, return_inverse=True)[1]
        return pair

    @cached_property
    def num_pairs(self) -> int:
        """Number of undirected edges and loops."""
        return int(self.pair.max()) + 1 if self.pair.numel() else 0

    def operator(self, norm: Norm = "sym", drop_edges: float = 0.0) -> Any:
        """Adjacency matrix [n, n] in CSR, with its transpose as the attribute ``transposed``, or the edges themselves.

        Parameters
        ----------
        norm : str
            "sym": ``D^-1/2 (A + I) D^-1/2``; "row": ``D^-1 A``; "none": A, without self loops;
            "edges": an edge_index [2, E'] without self loops and without the dropped edges; "attributes": such
            `DescribedEdges`.
        drop_edges : float
            Share of undirected edges left out, drawn anew at each call from the run's generator.
        """
        crow, entry = self._left(drop_edges)
        row, col, weight, is_loop = (
            part if entry is None else part.index_select(0, entry)
            for part in (self.row, self.col, self.weight, self.is_loop)
        )
        if norm != "sym":
            weight = weight * ~is_loop
        if norm == "edges":
            left = weight > 0
            return torch.stack([row[left], col[left]])
        if norm == "attributes":
            left = weight > 0
            columns = weight[left, None]
            if self.attributes is not None:
                held = self.attributes if entry is None else self.attributes.index_select(0, entry)
                columns = torch.cat([columns, held[left]], 1)
            return DescribedEdges(torch.stack([row[left], col[left]]), columns)
        transposed = weight
        if norm != "none":
            degree = torch.zeros(self.num_nodes, device=weight.device).index_add_(0, row, weight)
            if norm == "sym":
                scale = degree.rsqrt()
                transposed = weight = weight * scale.index_select(0, row) * scale.index_select(0, col)
            else:
                share = 1 / degree.clamp_min(torch.finfo(degree.dtype).tiny)
                weight, transposed = weight * share.index_select(0, row), weight * share.index_select(0, col)
        matrix, other = (
            csr_tensor(crow, col, values, (self.num_nodes, self.num_nodes)) for values in (weight, transposed)
        )
        # An object of its own, though of the same memory: a tensor that refers to itself would outlive its epoch.
        matrix.transposed = other  # type: ignore[attr-defined]
        return matrix

    def _left(self, drop_edges: float) -> tuple[Tensor, Tensor | None]:
        """Row pointers and entries of a random part of the edges, with all loops; None: all entries."""
        if drop_edges == 0:
            return self.crow, None
        kept = rand(self.num_pairs, self.weight.device) >= drop_edges
        left = kept.index_select(0, self.pair) | self.is_loop
        entry = left.nonzero().squeeze(1)
        return torch.cat([entry.new_zeros(1), left.cumsum(0)])[self.crow], entry


# Entries of a product at a time, and float32 numbers of the columns that are propagated together.
_EDGES, _CELLS = 1 << 24, 1 << 26


@torch.no_grad()
def propagated(
    edge_index: Tensor,
    edge_weight: Tensor,
    x: Tensor,
    hops: int,
    *,
    memory_mb: float = 4096.0,
    device: torch.device | str = "cpu",
) -> Tensor:
    """The features of every node, and their averages over 1 to `hops` steps.

    Parameters
    ----------
    edge_index : Tensor, int64, shape [2, E]
        Symmetric, sorted by row, without self loops (as `genurl_graph.graph.merge.merge_graphs` returns).
    edge_weight : Tensor, float32, shape [E]
        Weights >= 0. Each node has a self loop of weight 1 besides.
    x : Tensor, float32, shape [n, f]
        Strided.
    hops : int
        Powers of the normalised adjacency matrix, >= 0.
    memory_mb : float
        A larger result is mapped from a temporary file (in ``TMPDIR``), which the system deletes with the process.
    device : torch.device
        Where products are computed.

    Returns
    -------
    Tensor, float32, shape [n, (hops + 1) f], on the CPU
        Columns ``k f`` to ``(k + 1) f`` hold ``A^k x``.

    Notes
    -----
    Memory besides the result: a block of the matrix, and 0.8 GB at most of columns that are propagated together.
    """
    if hops < 0:
        raise wrong("hops", hops, "at least 0")
    n, f = x.shape
    device = torch.device(device)
    out = _zeros((n, (hops + 1) * f), memory_mb)
    out[:, :f] = x
    if hops == 0:
        return out
    row, weight = edge_index[0].to(device), edge_weight.to(device)
    scale = node_scale(row, weight, n)[:, None]
    crow = row_pointers(row, n)
    del row
    # Half the memory of the indices torch would have, where they fit; CSR products are the same. Where the edges are
    # already, of a block at a time: all those of a large graph are the better part of a gigabyte.
    dtype = torch.int32 if n < 2**31 else torch.int64
    col = edge_index[1] if edge_index.device == device else edge_index[1].to(device, dtype)
    ends = _ends(crow.cpu(), n)
    width = max(1, min(f, _CELLS // max(n, 1)))
    for first in range(0, f, width):
        columns = slice(first, min(first + width, f))
        h = x[:, columns].to(device)
        for k in range(1, hops + 1):
            scaled = h * scale
            # The self loop of every node, in place of n entries more.
            h = scaled.clone()
            for low, high in pairwise(ends):
                start, stop = int(crow[low]), int(crow[high])
                block = csr_tensor(
                    (crow[low : high + 1] - start).to(dtype),
                    col[start:stop].to(dtype),
                    weight[start:stop],
                    (high - low, n),
                )
                h[low:high] += block @ scaled
            h *= scale
            out[:, k * f + columns.start : k * f + columns.stop] = h.cpu()
    return out


def node_scale(row: Tensor, weight: Tensor, num_rows: int) -> Tensor:
    """``1 / sqrt(1 + weighted degree)`` of the first nodes of edges [E], float32 [num_rows]."""
    return torch.ones(num_rows, device=row.device).index_add_(0, row, weight).rsqrt()


def _ends(crow: Tensor, n: int) -> list[int]:
    """First rows of blocks of about `_EDGES` edges, and n."""
    marks = torch.arange(0, int(crow[-1]), _EDGES)
    inner = torch.searchsorted(crow, marks, right=True) - 1
    return sorted({0, *inner.tolist(), n})


def is_mapped(shape: Sequence[int], memory_mb: float) -> bool:
    """Whether a result of this shape is kept in a file."""
    return 4 * prod(shape) > memory_mb * 2**20


def _zeros(shape: tuple[int, int], memory_mb: float) -> Tensor:
    if not is_mapped(shape, memory_mb):
        return torch.zeros(shape)
    # Unlinked at once: whatever ends the process, nothing is left behind.
    with tempfile.TemporaryFile(prefix="genurl-graph-") as file:
        size = 4 * prod(shape)
        try:
            # Not truncate: a disk that fills up under a mapped file ends the process without a word.
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            raise InputError(
                f"encoder sign: no room for {size / 2**20:.0f} MiB of averaged features in {tempfile.gettempdir()}: "
                f"{error.strerror}; name a folder on a larger disk by $TMPDIR, or raise encoder.memory_mb"
            ) from error
        import numpy as np

        return torch.from_numpy(np.memmap(file, dtype=np.float32, mode="r+", shape=shape))
