"""A skip from the input of an encoder to its embedding: principal components, raw and averaged over the graph.

A contrastive loss keeps what tells neighbours from others and drops the rest, some of which still tells classes apart.
These columns keep the leading part of it: of the input X and of ``A X, ..., A^K X`` (SGC, Wu et al., arXiv 1902.07153;
SIGN, Frasca et al., arXiv 2004.11198). They are linear maps of the input that are fitted once, without labels, and that
new nodes go through as well.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from genurl_graph.graph.projection import equal_variance_axes
from genurl_graph.graph.propagation import Propagation
from genurl_graph.inputs.sparse import csr_tensor
from genurl_graph.nn.features import Features

# Directions beyond the wanted ones, rounds of the subspace iteration (Halko et al., arXiv 0909.4061, algorithm 4.4),
# and the seed of its first directions, which is no run's: components are a property of the data.
OVERSAMPLING, ROUNDS, SEED = 10, 4, 0
# Rows that the axes are found on where each is read alone.
SAMPLE = 100_000


class Skip(nn.Module):
    """Columns beside the trained ones: principal components of the input, and of its averages over the graph.

    Each block is rotated so that all of its columns have one variance (`equal_variance_rotation`): standardising the
    columns, as a linear probe does, then changes no distance and no cosine inside a block.

    Parameters
    ----------
    columns : int
        Features, the first columns of what the encoder reads; of an encoder of several averages, those of one.
    width : int
        Columns of each block, at most `columns`.
    hops : int
        Steps over the graph: one block of the input and one of each of its averages.
    deviation : float
        Of a column, where a trained one has 1.
    unit : bool
        Rows are read with length 1, as a cosine compares them; an encoder reads bags of words with sum 1.
    """

    axes: Tensor
    mean: Tensor

    def __init__(self, columns: int, width: int, hops: int, deviation: float, unit: bool = False) -> None:
        super().__init__()
        self.deviation, self.unit = deviation, unit
        self.register_buffer("axes", torch.zeros(hops + 1, columns, width))
        self.register_buffer("mean", torch.zeros(hops + 1, width))

    @torch.no_grad()
    def fit(self, features: Features, propagation: Propagation | None) -> None:
        """Find the axes of what the encoder reads, and propagates over; None where the features hold the averages."""
        features, propagation = _read(features, propagation)
        if propagation is None and features.num_nodes > SAMPLE:
            features = features.rows(sample_rows(features.num_nodes, SAMPLE))
        for hops, (axes, mean) in enumerate(zip(self.axes, self.mean, strict=True)):
            found = component_axes(Averages.of(features, propagation, hops, axes.size(0), self.unit), axes.size(1))
            axes.copy_(found.axes * self.deviation)
            mean.copy_(found.mean * self.deviation)

    @torch.no_grad()
    def forward(self, features: Features, propagation: Propagation | None) -> Tensor:
        """All blocks, float32 [n, (hops + 1) width], of the nodes of any graph."""
        features, propagation = _read(features, propagation)
        columns, hops = self.axes.size(1), range(len(self.axes))
        averages = (Averages.of(features, propagation, step, columns, self.unit) for step in hops)
        return torch.cat(
            [x.times(axes) - mean for x, axes, mean in zip(averages, self.axes, self.mean, strict=True)], 1
        )


def _read(features: Features, propagation: Propagation | None) -> tuple[Features, Propagation | None]:
    """What a skip reads, and averages over: columns that go around the network may hold averages of their own."""
    aside = features.aside
    if aside is None:
        return features, propagation
    return aside, None if aside.parts > 1 else propagation


def sample_rows(num_rows: int, most: int) -> Tensor:
    """Rows that axes are found on, int64 [m]: all, or `most` at equal distances."""
    if num_rows <= most:
        return torch.arange(num_rows)
    # Of more rows float32 does not hold every number: the last could come out as one beyond them.
    exact = torch.float32 if num_rows <= 2**24 else torch.float64
    return torch.linspace(0, num_rows - 1, most, dtype=exact).long()


class Averages(NamedTuple):
    """The matrix ``A^K X`` [n, f], which is multiplied by, but never made."""

    features: Features
    operator: Tensor | None  # A [n, n], CSR, symmetric
    hops: int
    first: int  # of the columns that are read
    columns: int
    scale: Tensor | None = None  # of the rows of X, [n, 1]

    @classmethod
    def of(
        cls, features: Features, propagation: Propagation | None, hops: int, columns: int, unit: bool = False
    ) -> Averages:
        """The matrix of `hops` steps of the first `columns`, over a graph or of features that hold several averages.

        `unit`: rows of length 1 are averaged; of features that hold averages, all of them have length 1.
        """
        if propagation is not None:
            found = cls(features, propagation.operator("sym") if hops else None, hops, 0, columns)
        else:
            found = cls(features, None, 0, hops * features.num_features // features.parts, columns)
        return found._replace(scale=found.inverse_lengths()) if unit else found

    def inverse_lengths(self) -> Tensor:
        """One over the length of each row of X, 0 for empty rows, [n, 1]."""
        x = self.features.x
        if x.layout == torch.sparse_csr:
            x = csr_tensor(x.crow_indices(), x.col_indices(), x.values().square(), (x.size(0), x.size(1)))
            read = torch.zeros(x.size(1), 1, device=x.device)
            read[self.first : self.first + self.columns] = 1.0
            squares = x @ read
        else:
            squares = x[:, self.first : self.first + self.columns].square().sum(1, keepdim=True)
        return torch.where(squares > 0, squares.clamp_min(torch.finfo(squares.dtype).tiny).rsqrt(), 0.0)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.features.num_nodes, self.columns

    def times(self, v: Tensor) -> Tensor:
        """``A^K X v``, [n, c]."""
        after = self.features.num_features - self.first - self.columns
        h = self.features.matmul(torch.nn.functional.pad(v, (0, 0, self.first, after)))
        return self._averaged(h if self.scale is None else h * self.scale)

    def transposed_times(self, h: Tensor) -> Tensor:
        """``(A^K X)^T h``, [f, c]."""
        h, x_t = self._averaged(h), self.features.x_t
        h = h if self.scale is None else h * self.scale
        product = self.features.x.to(h.device).T @ h if x_t is None else x_t @ h
        return product[self.first : self.first + self.columns]

    def _averaged(self, h: Tensor) -> Tensor:
        for _ in range(self.hops):
            assert self.operator is not None
            h = self.operator @ h
        return h


class Axes(NamedTuple):
    """Axes [f, k], and the mean [k] along them."""

    axes: Tensor
    mean: Tensor


def component_axes(x: Averages, columns: int) -> Axes:
    """Axes of the leading principal components of a matrix that is only multiplied by, rotated and scaled.

    Along each of them the rows have deviation 1 (0 if the matrix has no variance); together, distances between rows are
    those between their leading components, times one factor. Sparse features stay sparse.

    Parameters
    ----------
    x : Averages
        The matrix [n, f].
    columns : int
        At most min(n, f).

    Returns
    -------
    Axes
        float32, on the device of the features. Time O(products with `columns` + 10 columns); memory O(n columns).
    """
    n, f = x.shape
    device = x.features.x.device
    wanted = min(columns + OVERSAMPLING, n, f)
    if wanted == f:
        v = torch.eye(f, device=device)
    else:
        v = torch.randn(f, wanted, generator=torch.Generator().manual_seed(SEED)).to(device)
        for _ in range(ROUNDS):
            v = torch.linalg.qr(x.transposed_times(_centred(x.times(v))[0])).Q
    turned, mean = equal_variance_axes(x.times(v), columns)
    return Axes((v.double() @ turned).float(), mean.float())


def _centred(h: Tensor) -> tuple[Tensor, Tensor]:
    """Columns of mean 0, and the means."""
    mean = h.mean(0)
    return h - mean, mean
