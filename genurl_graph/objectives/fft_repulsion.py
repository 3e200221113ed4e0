"""All pairs of points in one or two dimensions at once: sums of the kernel by particle mesh.

Every ordered pair counts, none is sampled, at a cost of O(n + G log G) for G grid points: points are spread onto a
grid by cubic B-splines, the grid is convolved with the kernel by FFT, and the potential is read off at the points by
the same splines. The gradient is that of the splines, so that it belongs exactly to the value that is returned. This
is smooth particle-mesh Ewald summation (Essmann et al., J. Chem. Phys. 103:8577, 1995) without its short-range part,
which our kernel, smooth at 0, does not need; FIt-SNE (arXiv 1712.09005) reaches the same cost by Lagrange polynomials.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

# Widths of the kernel (the unit of u in exp(-u^2), which it is near 0) between grid points. Measured against all pairs
# in float64 (10,000 points of a half-finished 2-d map, nu = 0.1): relative error of the gradient 1.4 % at 0.5, 0.1 %
# at 0.25; of the sum 3e-4 and 1e-5.
SPACING = 0.5
# Grid points along an axis, padding not counted; a wider map gets a coarser grid.
LARGEST = 2048
# Below, all pairs are few enough to be written out.
FEW = 512
# Points spread or read off at a time: their temporaries stay in a processor's cache; on a GPU only memory counts.
_CHUNK = {"cpu": 1 << 16}
_CHUNK_ELSEWHERE = 1 << 22
# Grids grow by steps of this many points, so that the transformed kernel can be kept for a while.
_STEP = 16
# Products of small primes, for which FFTs are fast.
_FAST: list[int] = sorted(f << a for f in (1, 3, 5, 9, 15) for a in range(2, 14))


class Taps(NamedTuple):
    """The 4 x 4 grid points that each of m points touches, and with what weights."""

    first: Tensor  # int64 [m]: flat index of the first of them
    weights: Tensor  # float [2, 4, m]: along either axis
    slopes: Tensor  # float [2, 4, m]: derivatives of the weights


class Potential(NamedTuple):
    """Sum of the kernel over all sources, a function of the point, given by its spline coefficients."""

    coefficients: Tensor  # float [G0 * G1]
    shape: tuple[int, int]
    origin: Tensor  # float [2, 1]: corner of the grid
    spacing: float  # between grid points, in the units of the points

    def at(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Value [m] and gradient [2, m] at the points [2, m], each of them by itself.

        Points beyond the grid are moved to its edge: there is nothing near them to be repelled by.
        """
        edge = torch.tensor([[s // 2 - 3.0] for s in self.shape], dtype=points.dtype, device=points.device)
        u = ((points - self.origin) / self.spacing + 1).clamp_min(1.0).minimum(edge)
        return self.read([_taps(part, self.shape) for part in _chunks(u)])

    def read(self, taps: list[Taps]) -> tuple[Tensor, Tensor]:
        """The same, of points whose taps are known."""
        found = [self._read(part) for part in taps]
        values = torch.cat([value for value, *_ in found])
        gradient = torch.stack([torch.cat([part[axis] for part in found]) for axis in (1, 2)])
        return values, gradient.div_(self.spacing)

    def _read(self, taps: Taps) -> tuple[Tensor, Tensor, Tensor]:
        first, (weights, across_weights), (slopes, across_slopes) = taps
        zero = torch.zeros_like(weights[0])
        value, slope, across_slope = zero.clone(), zero.clone(), zero.clone()
        # A tap is the same shift for all points: shifting the table leaves one index for all sixteen.
        for i in range(4):
            along, turned = zero.clone(), zero.clone()
            for j in range(4):
                found = self.coefficients[i * self.shape[1] + j :].index_select(0, first)
                along.addcmul_(found, across_weights[j])
                turned.addcmul_(found, across_slopes[j])
            value.addcmul_(along, weights[i])
            slope.addcmul_(along, slopes[i])
            across_slope.addcmul_(turned, weights[i])
        return value, slope, across_slope


class Mesh:
    """Kernel sums over points in one or two dimensions; keeps the transformed kernel between calls.

    Parameters
    ----------
    temperature, nu : float
        Both > 0: the kernel is ``(1 + |z|^2 / (temperature nu))^-(nu + 1)`` (`genurl_graph.graph.affinity.log_kernel`).
    spacing : float
        Of the grid, in widths ``sqrt(temperature nu / (nu + 1))`` of the kernel.
    """

    def __init__(self, temperature: float, nu: float, spacing: float = SPACING) -> None:
        self.width, self.nu, self.spacing = math.sqrt(temperature * nu), nu, spacing
        self._key: Any = None
        self._kernel = torch.empty(0)

    def potential(self, points: Tensor) -> tuple[Potential, list[Taps]]:
        """``sum_j kappa(. - z_j)`` of the points [2, n], and what is needed to read it at these points."""
        origin = points.amin(1, keepdim=True)
        extent: list[float] = (points.amax(1, keepdim=True) - origin).view(-1).tolist()
        # Near 0 the kernel is exp(-(nu + 1) (d / width)^2): large nu make it narrow.
        spacing = max(self.spacing * self.width / math.sqrt(self.nu + 1), max(extent) / LARGEST)
        shape = (_size(extent[0] / spacing), _size(extent[1] / spacing))
        taps = [_taps(part, shape) for part in _chunks(((points - origin) / spacing).add_(1))]
        density = points.new_zeros(shape[0] * shape[1])
        for first, (weights, across_weights), _ in taps:
            for i in range(4):
                for j in range(4):
                    spread = weights[i] * across_weights[j]
                    density[i * shape[1] + j :].scatter_add_(0, first, spread)
        transformed = torch.fft.rfft2(density.view(shape)).mul_(self._transformed_kernel(shape, spacing, points))
        return Potential(torch.fft.irfft2(transformed, s=shape).view(-1), shape, origin, spacing), taps

    def _transformed_kernel(self, shape: tuple[int, int], spacing: float, like: Tensor) -> Tensor:
        key = (shape, spacing, like.device)
        if key != self._key:
            # Periodic; the padding of `_size` keeps one image of the points from reaching the next.
            lag = [torch.minimum(i := torch.arange(s), s - i).double() * (spacing / self.width) for s in shape]
            kernel = (1 + lag[0][:, None].square() + lag[1].square()).pow(-(self.nu + 1))
            # Splines smooth what they spread and what they read. Dividing by their transform makes them interpolate.
            smooth = [((2 + torch.cos(2 * math.pi * torch.arange(s, dtype=torch.float64) / s)) / 3) for s in shape]
            both = smooth[0][:, None] * smooth[1][: shape[1] // 2 + 1]
            self._kernel = (torch.fft.rfft2(kernel).real / both.square()).to(like)
            self._key = key
        return self._kernel

    def log_total(self, z: Tensor) -> Tensor:
        """``log sum_{i != j} kappa(z_i - z_j)``, a scalar, differentiable once; `z` is float [n, 1] or [n, 2]."""
        total: Tensor = _LogTotal.apply(z, self)  # type: ignore[no-untyped-call]
        return total


class _LogTotal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, mesh: Mesh) -> Tensor:
        total, gradient = (_all_pairs if z.size(0) < FEW else _by_mesh)(z, mesh)
        ctx.save_for_backward(gradient.div_(total))
        return total.log()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, None]:
        return grads[0] * ctx.saved_tensors[0], None


def _by_mesh(z: Tensor, mesh: Mesh) -> tuple[Tensor, Tensor]:
    """``sum_{i != j} kappa`` and its gradient [n, d], from the grid."""
    n, d = z.shape
    points = as_points(z)
    potential, taps = mesh.potential(points)
    value, gradient = potential.read(taps)
    # Every point has met itself, with kappa = 1. What is left is positive but for rounding, and far from 0 wherever
    # attraction is at work; the bound only keeps the logarithm finite.
    total = (value.sum(dtype=torch.float64) - n).clamp_min(1e-3 * n).to(z.dtype)
    # The sum sees a point twice, as i and as j.
    return total, gradient[:d].t().mul(2.0)


def _all_pairs(z: Tensor, mesh: Mesh) -> tuple[Tensor, Tensor]:
    """The same, pair by pair."""
    difference = (z[:, None] - z[None]) / mesh.width
    base = 1 + difference.square().sum(2)
    kappa = base.pow(-(mesh.nu + 1)).fill_diagonal_(0)
    total = kappa.sum().clamp_min(torch.finfo(z.dtype).tiny)
    factor = kappa.div_(base).mul_(-4 * (mesh.nu + 1) / mesh.width)
    return total, (difference * factor[..., None]).sum(1)


def as_points(z: Tensor) -> Tensor:
    """Points [n, 1] or [n, 2] as coordinates [2, n]; the second of points on a line is 0."""
    columns = z.unbind(1)
    # Several times faster than a transposed copy of two columns.
    return torch.stack(columns if len(columns) == 2 else (columns[0], torch.zeros_like(columns[0])))


def _size(cells: float) -> int:
    """Grid points along an axis: a margin for the splines, rounded up, and as much again to keep images apart."""
    wanted = 2 * _STEP * math.ceil((int(cells) + 5) / _STEP)
    return next(size for size in _FAST if size >= wanted)


def _chunks(u: Tensor) -> list[Tensor]:
    """Columns of `u` [2, m], some at a time."""
    step = _CHUNK.get(u.device.type, _CHUNK_ELSEWHERE)
    return [u[:, start : start + step] for start in range(0, u.size(1), step)]


def _taps(u: Tensor, shape: tuple[int, int]) -> Taps:
    """Taps of points `u` [2, m], in units of the grid."""
    cell = u.floor()
    t = u - cell
    cell = cell.long()
    first = (cell[0] - 1) * shape[1] + (cell[1] - 1)
    t2 = t * t
    t3 = t2 * t
    s = 1 - t
    weights = torch.stack([s * s * s, 3 * t3 - 6 * t2 + 4, 3 * (t + t2 - t3) + 1, t3], 1).mul_(1 / 6)
    slopes = torch.stack([-s * s, 3 * t2 - 4 * t, 1 + 2 * t - 3 * t2, t2], 1).mul_(0.5)
    return Taps(first, weights, slopes)
