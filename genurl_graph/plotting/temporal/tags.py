"""Names beside points of a map, where they cover neither each other nor the ends of the paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# Where a name may stand: in which of sixteen directions, the right one first, and how many typographic points away.
ANGLES = np.pi / 8 * np.array([0, 1, -1, 2, -2, 3, -3, 8, 7, -7, 6, -6, 5, -5, 4, -4])
DISTANCES = (6.0, 16.0, 30.0, 48.0, 70.0, 95.0)
SIZE = 8.5


def place_tags(axes: Any, ways: Sequence[tuple[str, Array, str]]) -> list[Any]:
    """Write the name of each way beside its last point, in its colour.

    Each name takes the first of 96 positions where it lies within the axes and covers no name written before and no
    first or last point; where there is none, the one that covers least. Names at a distance get a thin line.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        In their final place.
    ways : sequence of (name, points [w, 2], colour)

    Returns
    -------
    list of matplotlib.text.Annotation
    """
    from matplotlib.patheffects import withStroke

    unit = axes.figure.dpi / 72  # pixels of a typographic point
    ends = np.array([axes.transData.transform(points[at]) for _, points, _ in ways for at in (0, -1)]).reshape(-1, 2)
    taken = [np.r_[end - 4 * unit, end + 4 * unit] for end in ends]
    steps = [axes.transData.transform(points) for _, points, _ in ways]
    frame, written = axes.get_window_extent(), []
    for (name, points, colour), _ in zip(ways, steps, strict=True):
        at = axes.transData.transform(points[-1])
        text = axes.annotate(
            name, points[-1], (0, 0), textcoords="offset points", fontsize=SIZE, color=_darker(colour), zorder=8
        )
        text.set_parse_math(False)
        text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
        extent = text.get_window_extent()
        size = np.array([extent.width, extent.height])
        best: tuple[float, Any, float] | None = None
        for distance in DISTANCES:
            for direction in np.c_[np.cos(ANGLES), np.sin(ANGLES)]:
                # The corner or side of the text that faces the point lies at the distance.
                low = at + direction * distance * unit + (np.clip(1.5 * direction, -1, 1) - 1) / 2 * size
                box = np.r_[low, low + size]
                outside = _outside(box, frame)
                covered = sum(_overlap(box, other) for other in taken)
                cost = 10 * (outside + covered) + 0.02 * _crossed(box, np.concatenate(steps)) * size.prod() + distance
                if best is None or cost < best[0]:
                    best = (cost, box, distance)
        assert best is not None
        _, box, distance = best
        taken.append(box)
        text.set_position(tuple((box[:2] - at) / unit))
        if distance > DISTANCES[1]:
            line: dict[str, Any] = {"color": colour, "lw": 0.6, "alpha": 0.7, "zorder": 7}
            near = np.clip(at, box[:2], box[2:])
            axes.plot(*axes.transData.inverted().transform([at, near]).T, scalex=False, scaley=False, **line)
        written.append(text)
    return written


def _darker(colour: str) -> Array:
    """A colour in which small letters can be read on white: lightness (of Rec. 709) at most a third."""
    from matplotlib.colors import to_rgb

    rgb = np.array(to_rgb(colour))
    found: Array = rgb * min(1.0, 0.33 / max(float(rgb @ np.array([0.2126, 0.7152, 0.0722])), 1e-6))
    return found


def _overlap(one: Array, other: Array) -> float:
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    return float(np.prod(np.clip(sides, 0, None)))


def _outside(box: Array, frame: Any) -> float:
    inside = _overlap(box, np.array([frame.x0, frame.y0, frame.x1, frame.y1]))
    return float(np.prod(box[2:] - box[:2])) - inside


def _crossed(box: Array, points: Array) -> int:
    """Points of the paths that a box covers."""
    return int(((points >= box[:2]) & (points <= box[2:])).all(1).sum())
