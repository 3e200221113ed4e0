"""How edges lie in space: length, straightness, direction, bearings and middle of lines."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# Metres of a degree of latitude, on a sphere of the earth's mean radius, 6,371,008.8 m.
METRES = 111_195.0797


class Lines(NamedTuple):
    """m lines of straight pieces.

    Attributes
    ----------
    points : Tensor, float64, shape [P, 2]
        x and y (longitude and latitude), line after line, each from the first end of its edge to the second.
    ptr : Tensor, int64, shape [m + 1]
        Line i has the points ``ptr[i]`` to ``ptr[i + 1] - 1``. Fewer than two: where it lies is unknown.
    """

    points: Tensor
    ptr: Tensor

    @classmethod
    def between(cls, start: Tensor, end: Tensor) -> Lines:
        """Straight lines from `start` to `end`, [m, 2] each; those with a coordinate that is not finite have no points.

        Examples
        --------
        >>> Lines.between(torch.zeros(2, 2), torch.ones(2, 2)).ptr.tolist()
        [0, 2, 4]
        """
        both = torch.stack([start, end], 1).double()
        known = both.isfinite().flatten(1).all(1)
        return cls(both[known].reshape(-1, 2), _ptr(2 * known.long()))

    def __len__(self) -> int:
        return self.ptr.numel() - 1

    def tips(self) -> Tensor:
        """First and last point of each line, float64 [2, m, 2]; NaN where it is unknown."""
        known = self.ptr.diff() > 0
        found = self.points.new_full((2, len(self), 2), float("nan"))
        found[0, known] = self.points[self.ptr[:-1][known]]
        found[1, known] = self.points[self.ptr[1:][known] - 1]
        return found

    def turned(self, which: Tensor) -> Lines:
        """The same lines, of which those of a mask [m] run the other way."""
        line = torch.repeat_interleave(torch.arange(len(self), device=which.device), self.ptr.diff())
        place = torch.arange(len(self.points), device=which.device)
        mirrored = self.ptr[line] + self.ptr[line + 1] - 1 - place
        return Lines(self.points[torch.where(which[line], mirrored, place)], self.ptr)


class Geometry(NamedTuple):
    """What lines tell of m edges; NaN where a line is unknown.

    Attributes
    ----------
    length : Tensor, float64, shape [m]
        In metres, where coordinates are degrees, else in their unit.
    straightness : Tensor, float64, shape [m]
        Distance of the ends by the length, 0 (a loop) to 1; 1 by it is the sinuosity.
    axis : Tensor, float64, shape [m, 2]
        Cosine and sine of twice the angle of the line from end to end: the same in both directions; 0, 0 of a loop.
    bearings : Tensor, float32, shape [2, m]
        Angle, in radians from the axis of x (east) to that of y (north), in which a line leaves its first end, and in
        which it leaves its second.
    middle : Tensor, float64, shape [m, 2]
        The point halfway along the line, in the unit of the coordinates.
    """

    length: Tensor
    straightness: Tensor
    axis: Tensor
    bearings: Tensor
    middle: Tensor


def measure(lines: Lines, degrees: bool = False) -> Geometry:
    """Measure lines.

    Parameters
    ----------
    lines : Lines
    degrees : bool
        Whether coordinates are longitudes and latitudes: differences are then metres on the sphere, those of longitude
        shrunk by the cosine of the latitude (equirectangular approximation, good to a few parts in 10,000 for roads).

    Returns
    -------
    Geometry

    Examples
    --------
    >>> found = measure(Lines(torch.tensor([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]]).double(), torch.tensor([0, 3])))
    >>> found.length.tolist(), round(float(found.straightness), 3), found.middle.tolist()
    ([7.0], 0.714, [[3.0, 0.5]])
    """
    points, ptr, m = lines.points, lines.ptr, len(lines)
    unknown = ptr.diff() < 2
    line = torch.repeat_interleave(torch.arange(m, device=ptr.device), ptr.diff())
    first = torch.nonzero(line[1:] == line[:-1]).flatten()
    line = line[first]
    step = _in_metres(points[first], points[first + 1], degrees)
    size = step.norm(dim=1)
    length = size.new_zeros(m).index_add_(0, line, size)
    start, end = lines.tips()
    whole = torch.where(unknown[:, None], torch.zeros_like(start), _in_metres(start, end, degrees))
    distance = whole.norm(dim=1)
    nan = size.new_full((), float("nan"))
    straight = torch.where(unknown, nan, (distance / length.clamp(min=1e-300)).clamp(max=1))
    # Without the angle itself, so that the sine of lines along x and y is 0, and no rounding error.
    x, y = (whole / distance.clamp(min=1e-300)[:, None]).T
    axis = torch.stack([x * x - y * y, 2 * x * y], 1) * (distance > 1e-9 * length)[:, None]
    axis[unknown] = nan
    return Geometry(
        torch.where(unknown, nan, length),
        straight,
        axis,
        _bearings(step, size, line, m),
        _middle(points[first], points[first + 1], size, line, length, torch.where(unknown[:, None], nan, start)),
    )


def orient(lines: Lines, ends: Tensor, tolerance: float | None = None) -> tuple[Lines, Tensor]:
    """Turn lines so that each begins where its edge does, without knowing where the nodes are.

    A line fits in that direction in which more of the other edges of its nodes have a tip where its own tips are. Tips
    are compared in four grids of cells, shifted by half a cell, so that a border parts nobody.

    Parameters
    ----------
    lines : Lines
    ends : Tensor, int64, shape [2, m]
    tolerance : float, optional
        Within which tips of one node may differ, in the unit of the coordinates; None: a millionth of their extent.

    Returns
    -------
    lines : Lines
    turned : Tensor, bool, shape [m]
        Lines that both directions fit equally well, such as those of edges with no others beside them, stay.

    Examples
    --------
    >>> points = torch.tensor([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]).double()
    >>> orient(Lines(points, torch.tensor([0, 2, 4])), torch.tensor([[0, 1], [1, 2]]))[1].tolist()
    [True, False]
    """
    tips, m = lines.tips(), len(lines)
    if tolerance is None:
        finite = tips.flatten(0, 1)
        finite = finite[finite.isfinite().all(1)]
        extent = float((finite.amax(0) - finite.amin(0)).max()) if len(finite) else 1.0
        tolerance = max(extent * 1e-6, 1e-12)
    # A vote for each (end of the edge, tip of the line, edge).
    edge = torch.arange(m, device=ends.device).expand(2, 2, m).reshape(-1)
    node = ends[:, None].expand(2, 2, m).reshape(-1)
    point = tips[None].expand(2, 2, m, 2).reshape(-1, 2)
    point = torch.where(point.isnan(), torch.zeros_like(point), point)
    vote = torch.zeros(2, 2, m, dtype=torch.int64, device=ends.device)
    for shift in ((0.0, 0.0), (0.0, 0.5), (0.5, 0.0), (0.5, 0.5)):
        cell = (point / (2 * tolerance) + torch.tensor(shift, device=point.device)).floor().long()
        _, group = torch.unique(torch.cat([node[:, None], cell], 1), dim=0, return_inverse=True)
        others = torch.bincount(torch.unique(group * m + edge) // m)[group] - 1
        vote = torch.maximum(vote, others.reshape(2, 2, m))
    turned = vote[0, 1] + vote[1, 0] > vote[0, 0] + vote[1, 1]
    return lines.turned(turned), turned


def _ptr(count: Tensor) -> Tensor:
    return torch.cat([count.new_zeros(1), count.cumsum(0)])


def _in_metres(start: Tensor, end: Tensor, degrees: bool) -> Tensor:
    step = end - start
    if not degrees:
        return step
    shrunk = torch.deg2rad((start[:, 1] + end[:, 1]) / 2).cos()
    return METRES * torch.stack([step[:, 0] * shrunk, step[:, 1]], 1)


def _bearings(step: Tensor, size: Tensor, line: Tensor, m: int) -> Tensor:
    """By the first and the last piece that has a length."""
    some = torch.nonzero(size > 0).flatten()
    step, line = step[some], line[some]
    place = torch.arange(len(line), device=line.device)
    found = torch.full((2, m), float("nan"), device=line.device)
    for end, (reduce, sign) in enumerate((("amin", 1), ("amax", -1))):
        chosen = line.new_full((m,), -1).scatter_reduce_(0, line, place, reduce, include_self=False)
        known = chosen >= 0
        leaving = sign * step[chosen[known]] + 0.0  # no -0, whose angle would be -pi where it is pi
        found[end, known] = torch.atan2(leaving[:, 1], leaving[:, 0]).float()
    return found


def _middle(start: Tensor, end: Tensor, size: Tensor, line: Tensor, length: Tensor, tip: Tensor) -> Tensor:
    """Of each line the point of the piece in which half of its length is reached."""
    before = size.cumsum(0) - size
    # A cumulative sum over all lines, less what came before this one.
    begin = size.new_full(length.shape, float("inf")).scatter_reduce_(0, line, before, "amin")
    along = before - begin[line]
    half = length / 2
    reached = torch.nonzero((size > 0) & (along <= half[line])).flatten()
    last = line.new_full(length.shape, -1).scatter_reduce_(0, line[reached], reached, "amax")
    found, known = tip.clone(), last >= 0
    last = last[known]
    share = ((half[known] - along[last]) / size[last]).clamp(0, 1)[:, None]
    found[known] = start[last] + share * (end[last] - start[last])
    return found
