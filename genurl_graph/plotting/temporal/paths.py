"""The paths of single nodes over the map of all windows."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.plotting.canvas import new_figure, save_figure
from genurl_graph.plotting.figure import LINE, PLOT_SUFFIXES, TITLE, draw_points, grow
from genurl_graph.plotting.legend import draw_key, shorten
from genurl_graph.plotting.palette import MISSING, PALETTE, Paint
from genurl_graph.plotting.temporal.colours import paint_rows, square_extent
from genurl_graph.plotting.temporal.movement import most_moving, most_text
from genurl_graph.plotting.temporal.tags import place_tags
from genurl_graph.runtime.files import StrPath, check_output

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from genurl_graph.plotting.palette import Cmap, Norm

Array = npt.NDArray[Any]

MAP = 7.0  # inches
MOST_PATHS = 20
INK = "#1c2330"


class Way(NamedTuple):
    """Where one node was, window by window.

    Attributes
    ----------
    name : str
    points : array, float32, shape [w, 2]
    colour : str
    """

    name: str
    points: Array
    colour: str


def paths(
    trajectory: Trajectory,
    nodes: Sequence[int] | None = None,
    labels: Any = None,
    *,
    count: int = 8,
    names: Sequence[Any] | None = None,
    path: StrPath | None = None,
    title: str | None = None,
    subtitle: str | None = None,
    label: str | None = None,
    cmap: Cmap = None,
    norm: Norm = None,
) -> Axes:
    """Draw the paths of some nodes over the map of all rows, from a hollow ring (its first window) to a dot (its last).

    Arrows point from one window to the next in which the node has an event, the earlier the fainter.

    Parameters
    ----------
    trajectory : Trajectory
        Of two columns, as `genurl_graph.inference.drawing.trajectory_map` makes them of any.
    nodes : sequence of int, optional
        At most 20. By default the `count` that move most (`genurl_graph.plotting.temporal.movement.most_moving`).
    labels : Tensor, array, sequence, or pandas Series, Index or Categorical, shape [n] or [R], optional
        They colour the map below the paths: one for each node, or for each row. Without them the map is grey and each
        way has a colour of its own.
    count : int
    names : sequence, length n, optional
        Names of the nodes; by default their numbers.
    path, title, subtitle, label, cmap, norm
        As in `genurl_graph.plotting.scatter`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        A trajectory that is empty or not of two finite columns, nodes that have no row or are more than 20, other than
        n names, and what `genurl_graph.plotting.scatter` refuses.

    Examples
    --------
    >>> ax = paths(trajectory_map(model.trajectory_, 0).trajectory, [3, 14], names=data.node_id)
    """
    target = None if path is None else check_output(path, PLOT_SUFFIXES)
    found = paint_rows(trajectory, labels, cmap, norm, label)
    ways = _ways(trajectory, nodes, count, names, coloured=labels is None)
    points = trajectory.embedding.numpy()
    limits = square_extent(points, 0.06)
    figure = new_figure((MAP, MAP), saved=target is not None)
    axes = figure.add_subplot()
    grey = found._replace(colours=np.tile(_rgb(MISSING), (len(points), 1))) if labels is None else found
    draw_points(axes, points, grey, MAP, square=True, alpha=0.35 if labels is None else 0.25)
    axes.set(xlim=limits[0], ylim=limits[1], aspect="equal")
    for way in ways:
        _draw(axes, way, (limits[0][1] - limits[0][0]) / MAP)
    note = f"Ring: a node's first window. Dot: its last. Map: all {len(points):,} rows of {_count(trajectory):,} nodes."
    most = f"{most_text(len(ways))} on this map." if ways else "No node moves."
    below = [most] * (nodes is None) + [note] + ([subtitle] if subtitle else [])
    small = "\n".join(textwrap.fill(line, int(14 * MAP)) for line in below)
    figure.supxlabel(small, fontsize=8.5, color="#555555")
    lines = LINE * (small.count("\n") + 1)
    if title:
        axes.set_title(textwrap.fill(title, int(8.5 * MAP)), fontsize=13)
        lines += TITLE
    grow(figure, draw_key(axes, Paint(grey.colours) if labels is None else found), lines)
    figure.draw_without_rendering()  # the map has its final place from here on
    place_tags(axes, [(way.name, way.points, way.colour) for way in ways])
    if target is not None:
        save_figure(figure, target)
    return axes


def _ways(
    trajectory: Trajectory, nodes: Sequence[int] | None, count: int, names: Sequence[Any] | None, *, coloured: bool
) -> list[Way]:
    n = trajectory.num_nodes
    if names is not None and len(names) != n:
        raise wrong("names", f"{len(names):,}", f"{n:,}, one for each node")
    if not len(trajectory.node):
        raise wrong("trajectory", "no rows", "some nodes with an event")
    if nodes is None and not 1 <= count <= MOST_PATHS:
        raise wrong("count", count, f"1 to {MOST_PATHS}")
    chosen = most_moving(trajectory, count) if nodes is None else torch.as_tensor(nodes).flatten()
    if not len(chosen) and nodes is None:
        return []
    if not 1 <= len(chosen) <= MOST_PATHS or chosen.is_floating_point():
        raise wrong("nodes", f"{len(chosen)}", f"1 to {MOST_PATHS} numbers of nodes")
    lost = [int(one) for one in chosen if not bool((trajectory.node == one).any())]
    if lost:
        raise wrong("nodes", f"{lost[0]}, which has no row", "nodes with an event in some window")
    called = shorten([str(int(one) if names is None else names[int(one)]) for one in chosen], 24)
    # Rows are in the order of time.
    rows = [trajectory.embedding[trajectory.node == one].numpy() for one in chosen]
    colours = [PALETTE[one % len(PALETTE)] if coloured else INK for one in range(len(chosen))]
    return [Way(*one) for one in zip(called, rows, colours, strict=True)]


def _draw(axes: Any, way: Way, inch: float) -> None:
    """Arrows of one way; `inch` is the length of an inch of paper in the units of the map."""
    from matplotlib.patheffects import withStroke

    steps = len(way.points) - 1
    for step, (begin, end) in enumerate(zip(way.points[:-1], way.points[1:], strict=True)):
        age = (step + 1) / steps
        # Heads only where there is room for them.
        style = "-|>" if float(np.linalg.norm(end - begin)) > 0.18 * inch else "-"
        arrow: dict[str, Any] = {"arrowstyle": style, "mutation_scale": 9, "shrinkA": 1.5, "shrinkB": 2.0}
        arrow |= {"color": way.colour, "lw": 1.0 + 0.5 * age, "alpha": 0.35 + 0.6 * age, "zorder": 4}
        arrow |= {"connectionstyle": "arc3,rad=0.12"}  # there and back are two lines
        arrow |= {"path_effects": [withStroke(linewidth=3.2, foreground="white")]}  # ways that cross stay apart
        axes.annotate("", end, begin, arrowprops=arrow)
    ring: dict[str, Any] = {"edgecolors": way.colour, "linewidths": 1.4, "zorder": 5}
    axes.scatter(*way.points[:1].T, s=34, c="white", **ring)
    axes.scatter(*way.points[-1:].T, s=40, c=way.colour, edgecolors="white", linewidths=0.9, zorder=6)


def _count(trajectory: Trajectory) -> int:
    return len(torch.unique(trajectory.node))


def _rgb(colour: str) -> Array:
    from matplotlib.colors import to_rgb

    return np.array(to_rgb(colour))
