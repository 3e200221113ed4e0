"""New samples in a fitted embedding table: each is placed by its neighbours, the table stays as it is.

A new sample i minimises its own part of the divergence (`genurl_graph.losses.gkl`, one scale c for all pairs)::

    - exaggeration sum_j p_ij log kappa(z_i - y_j) + c gamma sum_j kappa(z_i - y_j)        c = P / (gamma Q)

over its k nearest fitted samples j, with the totals P and Q of the fit, from the mean of their coordinates. A sample
that is one of the fitted (at distance 0; the first, if there are several) gets the coordinates of that one. No sample
looks at another new one, nothing is drawn at random, and sums are added in an order that does not depend on the batch:
a sample gets the same coordinates whatever comes with it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.graph.affinity import calibrate, kernel
from genurl_graph.graph.knn import knn, reranked_distances
from genurl_graph.graph.projection import FeatureSpace
from genurl_graph.inference.fitted import FittedModel
from genurl_graph.inputs.hashing import hash_columns
from genurl_graph.objectives.fft_repulsion import Mesh, as_points

STEPS = 50
# First step of Adam, in widths of the kernel.
STEP = 0.5
# Samples placed at a time: so few that torch does not share them among threads, at whatever place.
_BLOCK = 1024
# Samples are filled up to a multiple of this, so that no processor's vectors are left incomplete.
_LANES = 64
# In more than two dimensions this many fitted samples, always the same, stand for all of them,
COLUMNS = 2048
# in float64, so that their order of summation leaves no trace in float32; so many numbers at a time.
_CELLS = 1 << 22
# Calibration goes on until float64 is exhausted: where it stops early depends on the other rows.
_EXHAUSTED = 1e-300


def neighbors_of(x: Tensor, space: FeatureSpace, model: FittedModel) -> tuple[Tensor, Tensor]:
    """The nearest fitted samples of new ones with features x [m, f]: indices and distances [m, k], ascending."""
    c = model.config.neighbors
    # Rows that are not projected are compared as they are.
    x = x if space.projection is None else hash_columns(x, model.config.input.hash_columns)
    placed = space.place(x)
    found = knn(
        space.vectors,
        min(c.n_neighbors, int(space.vectors.size(0))),
        query=placed,
        metric=c.metric,
        # "auto" would look at the size of the batch.
        backend="approximate" if c.backend == "approximate" else "exact",
        memory_mb=c.memory_mb,
        seed=model.seed,
    )
    return reranked_distances(space.vectors, placed, found.indices, c.metric)


def place(indices: Tensor, distances: Tensor, model: FittedModel) -> Tensor:
    """Coordinates [m, d] of new samples, from the `indices` [m, k] of fitted ones near them, nearest first.

    InputError for a table fitted with the cosine of its rows, where a sum of kernels is not defined.
    """
    metric, table = model.config.loss.metric, model.embedding
    if metric != "euclidean":
        raise wrong("transform: loss.metric of an embedding table", metric, "euclidean")
    m = indices.size(0)
    repulsion = _Repulsion(model)
    # Full blocks of full vectors: the last entries of a tensor may take another way through the processor.
    padded = torch.arange(-(-m // _LANES) * _LANES).clamp_max(m - 1)
    parts = [_descend(indices[rows], distances[rows], model, repulsion) for rows in torch.split(padded, _BLOCK)]
    known = distances[:, 0] == 0
    return torch.where(known[:, None], table[indices[:, 0]], torch.cat(parts)[:m])


class _Repulsion:
    """``c sum_j kappa(. - y_j)`` of a frozen table: its gradient anywhere."""

    def __init__(self, model: FittedModel) -> None:
        table, loss = model.embedding, model.config.loss
        self.temperature, self.nu = loss.temperature, loss.nu
        n = len(table)
        self.share = 1.0
        if table.size(1) <= 2:
            self.potential, _ = Mesh(self.temperature, self.nu).potential(as_points(table))
            total = float(self.potential.total) - n
        else:
            generator = torch.Generator().manual_seed(model.seed)
            self.columns = table[torch.randperm(n, generator=generator)[:COLUMNS]].double()
            size = len(self.columns)
            self.share = n / size
            block = torch.cdist(self.columns, self.columns).square() / self.temperature
            total = (float(kernel(block, self.nu).sum()) - size) * (n * (n - 1) / max(size * (size - 1), 1))
        floor = 1e-3 * n  # as in the fit: see `genurl_graph.objectives.fft_repulsion`
        profiled = n * model.mass / max(total, floor)
        self.strength = profiled if isinstance(loss.scale, str) else float(loss.scale) * loss.gamma

    def gradient(self, z: Tensor) -> Tensor:
        """[m, d] at the points z [m, d]."""
        if z.size(1) <= 2:
            return self.potential.at(as_points(z))[1][: z.size(1)].t().contiguous() * self.strength
        step = max(1, _CELLS // self.columns.numel())
        parts = []
        for start in range(0, len(z), step):
            gap = z[start : start + step, None].double() - self.columns
            base = 1 + _sum(gap.square(), 2) / (self.temperature * self.nu)
            slope = base.pow(-(self.nu + 2)) * (-2 * (self.nu + 1) / (self.temperature * self.nu))
            parts.append(((gap * slope[..., None]).sum(1) * (self.strength * self.share)).to(z.dtype))
        return torch.cat(parts)


def _descend(indices: Tensor, distances: Tensor, model: FittedModel, repulsion: _Repulsion) -> Tensor:
    """Coordinates [b, d] of a block of samples, from their neighbours [b, k]."""
    b, k = indices.shape
    row = torch.arange(b).repeat_interleave(k)
    c, loss = model.config.similarity, model.config.loss
    found = calibrate(row, distances.reshape(-1), b, float(c.perplexity), c.nu, _EXHAUSTED)
    p = found.p_conditional.view(b, k)
    # Row sums as those of the symmetric P, to which the other side contributes.
    p = p * (model.mass / _sum(p, 1, keepdim=True))
    near = model.embedding[indices]
    squared_width = loss.temperature * loss.nu
    z = _sum(near * p[..., None], 1) / _sum(p, 1, keepdim=True)
    optimizer = torch.optim.Adam([z], lr=1.0)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = STEP * squared_width**0.5 * (1 - step / STEPS)
        gap = z[:, None] - near
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
