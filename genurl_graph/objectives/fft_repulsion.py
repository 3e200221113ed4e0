"""All pairs of points in one or two dimensions at once: sums of the kernel by particle mesh.

Every ordered pair counts, none is sampled, at a cost of O(n + G log G) for G grid points: points are spread onto a
grid by cubic B-splines, the grid is convolved with the kernel by FFT, and the potential is read off at the points by
the same splines. The gradient is that of the splines, so that it belongs exactly to the value that is returned. This
is smooth particle-mesh Ewald summation (Essmann et al., J. Chem. Phys. 103:8577, 1995) without its short-range part,
which our kernel, smooth at 0, does not need; FIt-SNE (arXiv 1712.09005) reaches the same cost by Lagrange polynomials.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from genurl_graph.runtime.workers import few_threads

# Widths of the kernel (the unit of u in exp(-u^2), which it is near 0) between grid points. Measured against all pairs
# in float64 (10,000 points of a half-finished 2-d map, nu = 0.1): relative error of the gradient 1.4 % at 0.5, 0.1 %
# at 0.25; of the sum 3e-4 and 1e-5.
SPACING = 0.5
# Grid points along an axis, padding not counted; a wider map gets a coarser grid.
LARGEST = 2048
# Below, all pairs are few enough to be written out.
FEW = 512
# Points spread or read off at a time by a thread: their temporaries stay in its cache; on a GPU only memory counts.
_CHUNK = 1 << 14
_CHUNK_ELSEWHERE = 1 << 22
# Factor between the spacings of grids that are coarser than they should be.
_COARSER = 1.1
# Transformed kernels that are kept.
_KEPT = 4
# Cells for each point up to which polynomials of all cells are made.
_CELLS = 4
# Grids grow by steps of this many points, so that the transformed kernel can be kept for a while.
_STEP = 16
# Products of small primes, for which FFTs are fast.
_FAST: list[int] = sorted(f << a for f in (1, 3, 5, 9, 15) for a in range(2, 14))


class Taps(NamedTuple):
    """The 4 x 4 grid points that each of m points touches, with weights by its position within its cell."""

    first: Tensor  # int64 [m]: flat index of the first of them
    place: Tensor  # float [2, m]: from the middle of the cell, in [-1/2, 1/2]


class Potential(NamedTuple):
    """Sum of the kernel over all sources, a function of the point: a polynomial within each cell of the grid."""

    coefficients: Tensor  # float [a b] of the splines
    polynomials: Tensor | None  # float [16, a b] of each cell; None if there are many more cells than points
    splines: Tensor  # float [4, 4]: weights of the splines that reach into a cell, along an axis, as polynomials
    total: Tensor  # float64 scalar: the potential, summed over its sources
    shape: tuple[int, int]  # a, b
    origin: Tensor  # float [2, 1]: corner of the grid
    spacing: float  # between grid points, in the units of the points

    def at(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Value [m] and gradient [2, m] at the points [2, m], each of them by itself.

        Points beyond the grid are moved to its edge: there is nothing near them to be repelled by.
        """
        edge = torch.tensor([[s - 3.5] for s in self.shape], dtype=points.dtype, device=points.device)
        u = ((points - self.origin) / self.spacing + 0.5).clamp_min(0.5).minimum(edge)
        return self.read([_taps(part, self.shape) for part in _chunks(u)])

    def read(self, taps: list[Taps]) -> tuple[Tensor, Tensor]:
        """The same, of points whose taps are known."""
        found = [self._read(part) for part in taps]
        values = torch.cat([value for value, *_ in found])
        gradient = torch.stack([torch.cat([part[axis] for part in found]) for axis in (1, 2)])
        return values, gradient.div_(self.spacing)

    def _read(self, taps: Taps) -> tuple[Tensor, Tensor, Tensor]:
        x, y = taps.place
        rows = self._rows(taps.first)
        # Horner's rule in either variable, a derivative beside each value.
        for power in (3, 2, 1, 0):
            c0, c1, c2, c3 = (next(rows) for _ in range(4))
            c2.addcmul_(c3, x)
            torch.addcmul(c2, c3, x, out=c3)
            c1.addcmul_(c2, x)
            torch.addcmul(c1, c3, x, out=c3)
            c0.addcmul_(c1, x)
            if power == 3:
                value, slope, across_slope = c0, c3, torch.zeros_like(c0)
                continue
            across_slope = torch.addcmul(value, across_slope, y)
            value, slope = c0.addcmul_(value, y), c3.addcmul_(slope, y)
        return value, slope, across_slope

    def _rows(self, first: Tensor) -> Iterator[Tensor]:
        """The polynomials [m] of points, one coefficient after the other: by powers of y from the third down, and of x
        from 0 up.
        """
        if self.polynomials is None:
            # Not a matrix product, in which a point's last bit depends on the others.
            block = self.coefficients.take(_sixteen(first, self.shape[1])).view(4, 1, 4, -1)
            block = (block * self.splines[:, :, None, None]).sum(0)
            block = (block[:, :, None] * self.splines[..., None]).sum(1).view(16, -1)
        for power in (3, 2, 1, 0):
            for of_x in range(0, 16, 4):
                if self.polynomials is None:
                    yield block[of_x + power]
                else:
                    yield self.polynomials[of_x + power].index_select(0, first)


class Mesh:
    """Kernel sums over points in one or two dimensions; keeps transformed kernels between calls.

    Parameters
    ----------
    temperature, nu : float
        Both > 0: the kernel is ``(1 + |z|^2 / (temperature nu))^-(nu + 1)`` (`genurl_graph.graph.affinity.log_kernel`).
    spacing : float
        Of the grid, in widths ``sqrt(temperature nu / (nu + 1))`` of the kernel.
    """

    def __init__(self, temperature: float, nu: float, spacing: float = SPACING) -> None:
        self.width, self.nu, self.spacing = math.sqrt(temperature * nu), nu, spacing
        self._kernels: dict[Any, Tensor] = {}

    def potential(self, points: Tensor) -> tuple[Potential, list[Taps]]:
        """``sum_j kappa(. - z_j)`` of the points [2, n], and what is needed to read it at these points."""
        low = points.amin(1, keepdim=True)
        extent: list[float] = (points.amax(1, keepdim=True) - low).view(-1).tolist()
        # Near 0 the kernel is exp(-(nu + 1) (d / width)^2): large nu make it narrow.
        spacing = self.spacing * self.width / math.sqrt(self.nu + 1)
        if (wide := max(extent) / LARGEST / spacing) > 1:
            # By steps, so that the transformed kernel can be kept.
            spacing *= _COARSER ** math.ceil(math.log(wide, _COARSER))
        a, b = shape = _size(extent[0] / spacing), _size(extent[1] / spacing)
        taps = [_taps(part, shape) for part in _chunks(((points - low) / spacing).add_(0.5))]
        splines = _splines(points.device, points.dtype)
        # A cell takes as long as a point does: fewer cells than points are worth a table.
        table = a * b <= _CELLS * points.size(1)
        both = torch.kron(splines, splines)
        density = (_spread if table else _spread_apart)(taps, shape, both)
        # Half of the padded grid is 0, and half of the result is not asked for.
        transformed = torch.fft.fft(torch.fft.rfft(density.view(shape), 2 * b), 2 * a, dim=0)
        transformed *= self._transformed_kernel((2 * a, 2 * b), spacing, points)
        coefficients = torch.fft.irfft(torch.fft.ifft(transformed, dim=0)[:a], 2 * b)[:, :b].reshape(-1)
        total = torch.dot(density.double(), coefficients.double())
        polynomials = both.t() @ _shifted(coefficients, b) if table else None
        return Potential(coefficients, polynomials, splines, total, shape, low, spacing), taps

    def _transformed_kernel(self, shape: tuple[int, int], spacing: float, like: Tensor) -> Tensor:
        key = (shape, spacing, like.device, like.dtype)
        found = self._kernels.get(key)
        if found is None:
            # Periodic; the padding of `_size` keeps one image of the points from reaching the next.
            lag = [torch.minimum(i := torch.arange(s), s - i).double() * (spacing / self.width) for s in shape]
            kernel = (1 + lag[0][:, None].square() + lag[1].square()).pow(-(self.nu + 1))
            # Splines smooth what they spread and what they read. Dividing by their transform makes them interpolate.
            smooth = [((2 + torch.cos(2 * math.pi * torch.arange(s, dtype=torch.float64) / s)) / 3) for s in shape]
            both = smooth[0][:, None] * smooth[1][: shape[1] // 2 + 1]
            found = (torch.fft.rfft2(kernel).real / both.square()).to(like)
            self._kernels = dict(list(self._kernels.items())[1 - _KEPT :]) | {key: found}
        return found

    def log_total(self, z: Tensor) -> Tensor:
        """``log sum_{i != j} kappa(z_i - z_j)``, a scalar, differentiable once; `z` is float [n, 1] or [n, 2]."""
        return with_gradients(z, self.log_total_and_gradient(z.detach()))[0]

    def log_total_and_gradient(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and its gradient [n, d]."""
        total, gradient = (_all_pairs if z.size(0) < FEW else _by_mesh)(z, self)
        return total.log(), gradient.div_(total)


class _WithGradients(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, count: int, *found: Tensor) -> tuple[Tensor, ...]:
        ctx.save_for_backward(*found[count:])
        return found[:count]

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        first, *others = ctx.saved_tensors
        with few_threads(max(1, first.numel() >> 16)):
            total = grads[0] * first
            for grad, gradient in zip(grads[1:], others, strict=True):
                total.addcmul_(grad, gradient)
        return total, None, *[None] * (2 * len(grads))


def with_gradients(z: Tensor, *found: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    """Scalar functions of z, of each of which value and gradient are known, as autograd sees them; once."""
    values, gradients = zip(*found, strict=True)
    out: tuple[Tensor, ...] = _WithGradients.apply(z, len(found), *values, *gradients)  # type: ignore[no-untyped-call]
    return out


def _by_mesh(z: Tensor, mesh: Mesh) -> tuple[Tensor, Tensor]:
    """``sum_{i != j} kappa`` and its gradient [n, d], from the grid."""
    n, d = z.shape
    points = as_points(z)
    potential, taps = mesh.potential(points)
    # Every point has met itself, with kappa = 1. What is left is positive but for rounding, and far from 0 wherever
    # attraction is at work; the bound only keeps the logarithm finite.
    total = (potential.total - n).clamp_min(1e-3 * n).to(z.dtype)
    # The sum sees a point twice, as i and as j.
    return total, as_rows(potential.read(taps)[1][:d].mul_(2.0))


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


def as_rows(columns: Tensor) -> Tensor:
    """Columns [d, n] as rows [n, d], contiguous."""
    if len(columns) == 2 and columns.dtype in (torch.float32, torch.float64):
        # Several times faster than a transposed copy.
        return torch.view_as_real(torch.complex(columns[0], columns[1]))
    return columns.t().contiguous()


def _size(cells: float) -> int:
    """Grid points along an axis: a margin for the splines, rounded up so that as many again make a fast FFT."""
    wanted = 2 * _STEP * math.ceil((int(cells) + 5) / _STEP)
    return next(size for size in _FAST if size >= wanted) // 2


def _chunks(u: Tensor) -> list[Tensor]:
    """Columns of `u` [2, m], some at a time."""
    step = _CHUNK * torch.get_num_threads() if u.device.type == "cpu" else _CHUNK_ELSEWHERE
    return [u[:, start : start + step] for start in range(0, u.size(1), step)]


@functools.cache
def _splines(device: torch.device, dtype: torch.dtype) -> Tensor:
    """Weights of the four splines that reach into a cell, along an axis, by powers of the position within it."""
    # (1 - t)^3, 3 t^3 - 6 t^2 + 4, 3 (t + t^2 - t^3) + 1, t^3, by powers of t = 1/2 + position.
    by_t = torch.tensor([[1, -3, 3, -1], [4, 0, -6, 3], [1, 3, 3, -3], [0, 0, 0, 1]], dtype=torch.float64) / 6
    moved = [[math.comb(a, b) * 0.5 ** max(a - b, 0) for b in range(4)] for a in range(4)]
    weights: Tensor = (by_t @ torch.tensor(moved, dtype=torch.float64)).to(device, dtype)
    return weights


def _taps(u: Tensor, shape: tuple[int, int]) -> Taps:
    """Taps of points `u` [2, m], in units of the grid, counted from the middle of its second cell's beginning."""
    cell = u.round()
    place = u - cell
    first = (cell[0] * shape[1]).add_(cell[1]).long()
    return Taps(first, place)


def _spread(taps: list[Taps], shape: tuple[int, int], splines: Tensor) -> Tensor:
    """Density [a b] of points on the grid, from the moments of each cell."""
    b, size = shape[1], shape[0] * shape[1]
    moments = splines.new_zeros(16, size)
    for first, place in taps:
        moments.scatter_add_(1, first.expand(16, -1), _monomials(place))
    weights = (splines @ moments).view(4, 4, size)
    # A tap is the same shift for all cells; there are no points in the last ones.
    along = weights[:, 0]
    for j in (1, 2, 3):
        along[:, j:].add_(weights[:, j, :-j])
    density = along[0]
    for i in (1, 2, 3):
        density[i * b :].add_(along[i, : -i * b])
    return density


def _spread_apart(taps: list[Taps], shape: tuple[int, int], splines: Tensor) -> Tensor:
    """The same, point by point."""
    density = splines.new_zeros(shape[0] * shape[1])
    for first, place in taps:
        density.scatter_add_(0, _sixteen(first, shape[1]).view(-1), (splines @ _monomials(place)).view(-1))
    return density


def _monomials(place: Tensor) -> Tensor:
    """x^a y^b [16, m], a and b from 0 to 3, of positions [2, m] within a cell."""
    square = place * place
    x, y = torch.stack([torch.ones_like(place), place, square, square * place], 1).unbind()
    return (x[:, None] * y).view(16, -1)


def _shifted(values: Tensor, b: int) -> Tensor:
    """Values [16, a b] at the taps of each cell of a grid [a b]; what lies beyond it is 0."""
    padded = torch.nn.functional.pad(values, (0, 3 * (b + 1)))
    return padded.as_strided((4, 4, values.numel()), (b, 1, 1)).reshape(16, -1)


def _sixteen(first: Tensor, b: int) -> Tensor:
    """Flat indices [16, m] of taps whose first ones are known."""
    shift = torch.arange(4, device=first.device)
    return (shift[:, None] * b + shift).view(16, 1) + first
