"""New samples in a finished table of coordinates: each is placed by its neighbours, the table stays as it is.

A new sample i minimises its own part of the divergence (`genurl_graph.losses.gkl`, one scale c for all pairs)::

    - exaggeration sum_j p_ij log kappa(z_i - y_j) + c gamma sum_j kappa(z_i - y_j)        c = P / (gamma Q)

over its k nearest fitted samples j, with the totals P and Q of the fit, from the mean of their coordinates. A sample
that is one of the fitted (at distance 0; the first, if there are several) gets the coordinates of that one. No sample
looks at another new one, nothing is drawn at random, and sums are added in an order that does not depend on the batch:
a sample gets the same place whatever comes with it.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor

from genurl_graph._grid import Mesh, as_plane
from genurl_graph.config import Config, NeighborConfig
from genurl_graph.exceptions import InputError
from genurl_graph.neighbors import Metric, knn
from genurl_graph.similarity import calibrate_rows, kernel
from genurl_graph.space import FeatureSpace

STEPS = 50
# First step of Adam, in widths of the kernel.
STEP = 0.5
# Samples placed at a time.
_CHUNK = 1 << 15
# In more than two dimensions this many fitted samples, always the same, stand for all of them,
COLUMNS = 2048
# in float64, so that their order of summation leaves no trace in float32; so many numbers at a time.
_CELLS = 1 << 22
# Calibration goes on until float64 is exhausted: where it stops early depends on the other rows.
_EXHAUSTED = 1e-300


class Fitted(NamedTuple):
    """A fitted table and what its samples were compared in."""

    table: Tensor  # float32 [n, d]
    space: FeatureSpace
    mass: float  # mean row sum of P
    seed: int


def place(x: Tensor, fitted: Fitted, config: Config) -> Tensor:
    """Coordinates of new samples.

    Parameters
    ----------
    x : Tensor, float32, shape [m, f]
        Features as in the fit, strided or CSR.
    fitted : Fitted
    config : Config
        Of the fit.

    Returns
    -------
    Tensor, float32, shape [m, d]

    Raises
    ------
    InputError
        A table fitted with the cosine of its rows, which has no place for a sum of kernels.
    """
    if config.loss.metric != "euclidean":
        raise InputError(f"transform: a free table needs loss.metric euclidean; found {config.loss.metric}")
    near, p, known = _neighbors(x, fitted, config.neighbors, config)
    repulsion = _Repulsion(fitted, config)
    parts = [
        _settled(fitted.table[near[start : start + _CHUNK]], p[start : start + _CHUNK], repulsion, config)
        for start in range(0, len(near), _CHUNK)
    ]
    return torch.where(known[:, None], fitted.table[near[:, 0]], torch.cat(parts))


def _neighbors(x: Tensor, fitted: Fitted, neighbors: NeighborConfig, config: Config) -> tuple[Tensor, Tensor, Tensor]:
    """Nearest fitted samples [m, k] of new ones, similarities [m, k] with row sums as those of P, and which samples [m]
    are fitted ones.
    """
    found = knn(
        fitted.space.vectors,
        min(neighbors.n_neighbors, len(fitted.table)),
        query=fitted.space.place(x),
        metric=cast(Metric, neighbors.metric),
        # "auto" would look at the size of the batch.
        backend="faiss" if neighbors.backend == "faiss" else "exact",
        memory_mb=neighbors.memory_mb,
        seed=fitted.seed,
    )
    m, k = found.indices.shape
    row = torch.arange(m).repeat_interleave(k)
    distance = found.distances.reshape(-1)
    perplexity = float(config.similarity.perplexity)
    p = calibrate_rows(row, distance, m, perplexity, config.similarity.nu, _EXHAUSTED).p_conditional.view(m, k)
    known = found.distances[:, 0] == (0 if neighbors.metric != "inner_product" else -torch.inf)
    return found.indices, p * (fitted.mass / _sum(p, 1, keepdim=True)), known


class _Repulsion:
    """``c sum_j kappa(. - y_j)`` of a frozen table: its gradient anywhere."""

    def __init__(self, fitted: Fitted, config: Config) -> None:
        self.temperature, self.nu = config.loss.temperature, config.loss.nu
        table = fitted.table
        n = len(table)
        self.share = 1.0
        if table.size(1) <= 2:
            self.potential, taps = Mesh(self.temperature, self.nu).potential(as_plane(table))
            total = float(self.potential.read(taps)[0].double().sum()) - n
        else:
            generator = torch.Generator().manual_seed(fitted.seed)
            self.columns = table[torch.randperm(n, generator=generator)[:COLUMNS]].double()
            size = len(self.columns)
            self.share = n / size
            block = torch.cdist(self.columns, self.columns).square() / self.temperature
            total = (float(kernel(block, self.nu).sum()) - size) * (n * (n - 1) / max(size * (size - 1), 1))
        scale = config.loss.scale
        floor = 1e-3 * n  # as in the fit: see `genurl_graph._grid`
        profiled = n * fitted.mass / max(total, floor)
        self.strength = profiled if isinstance(scale, str) else float(scale) * config.loss.gamma

    def gradient(self, z: Tensor) -> Tensor:
        """[m, d] at the places z [m, d]."""
        if z.size(1) <= 2:
            return self.potential.at(as_plane(z))[1][: z.size(1)].t() * self.strength
        step = max(1, _CELLS // self.columns.numel())
        parts = []
        for start in range(0, len(z), step):
            gap = z[start : start + step, None].double() - self.columns
            base = 1 + _sum(gap.square(), 2) / (self.temperature * self.nu)
            slope = base.pow(-(self.nu + 2)) * (-2 * (self.nu + 1) / (self.temperature * self.nu))
            parts.append(((gap * slope[..., None]).sum(1) * (self.strength * self.share)).to(z.dtype))
        return torch.cat(parts)


def _settled(anchors: Tensor, p: Tensor, repulsion: _Repulsion, config: Config) -> Tensor:
    """Places [m, d] of samples whose neighbours are at `anchors` [m, k, d]."""
    loss = config.loss
    squared_width = loss.temperature * loss.nu
    z = _sum(anchors * p[..., None], 1) / _sum(p, 1, keepdim=True)
    optimizer = torch.optim.Adam([z], lr=1.0)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = STEP * squared_width**0.5 * (1 - step / STEPS)
        gap = z[:, None] - anchors
        pull = p / (1 + _sum(gap.square(), 2) / squared_width)
        attraction = _sum(gap * pull[..., None], 1) * (2 * (loss.nu + 1) / squared_width * loss.exaggeration)
        z.grad = attraction + repulsion.gradient(z)
        optimizer.step()
    return z


def _sum(values: Tensor, dim: int, keepdim: bool = False) -> Tensor:
    """A sum over a short dimension in one fixed order: torch's own depends on the shape of the rest."""
    total = values.select(dim, 0).clone()
    for i in range(1, values.size(dim)):
        total += values.select(dim, i)
    return total.unsqueeze(dim) if keepdim else total
