"""Small multiples: one map, a panel for each window of time with the nodes that are active in it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.plotting.canvas import new_figure, save_figure
from genurl_graph.plotting.figure import PLOT_SUFFIXES, SIDE, TITLE, draw_points, grow, point_style
from genurl_graph.plotting.legend import draw_bar, draw_legend
from genurl_graph.plotting.palette import MISSING
from genurl_graph.plotting.temporal.colours import paint_rows, part, square_extent
from genurl_graph.plotting.temporal.names import window_names
from genurl_graph.runtime.files import StrPath, check_output

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from genurl_graph.plotting.palette import Cmap, Norm

MOST_PANELS = 12
PANEL = 2.7  # inches of a panel's map
LINES = 0.36  # inches of the two lines above it


def window_panels(
    trajectory: Trajectory,
    labels: Any = None,
    *,
    unit: str = "numbers",
    path: StrPath | None = None,
    title: str | None = None,
    subtitle: str | None = None,
    label: str | None = None,
    cmap: Cmap = None,
    norm: Norm = None,
) -> list[Axes]:
    """Draw nodes window by window on one map: small multiples of the same axes and colours.

    A panel has the nodes with an event in its window in colour, and in grey those of earlier windows where they last
    were. Of more than twelve windows, twelve are drawn, evenly chosen among those with events, the first and the last
    always; a line below the panels says so.

    Parameters
    ----------
    trajectory : Trajectory
        Of two columns, as `genurl_graph.inference.drawing.trajectory_map` makes them of any.
    labels : Tensor, array, sequence, or pandas Series, Index or Categorical, shape [n] or [R], optional
        A label for each node, or one for each row of the trajectory, which may change with time.
    unit : str
        Of the times, as "seconds" (`genurl_graph.plotting.temporal.window_names`).
    path, label, cmap, norm
        As in `genurl_graph.plotting.scatter`.
    title, subtitle : str, optional
        Lines above all panels, and below them.

    Returns
    -------
    list of matplotlib.axes.Axes
        One for each window that is drawn.

    Raises
    ------
    InputError
        A trajectory that is empty or not of two finite columns, labels of neither n nodes nor R rows, and what
        `genurl_graph.plotting.scatter` refuses.

    Examples
    --------
    >>> axes = window_panels(trajectory_map(model.trajectory_, 0).trajectory, y, path="windows.png")
    """
    target = None if path is None else check_output(path, PLOT_SUFFIXES)
    found = paint_rows(trajectory, labels, cmap, norm, label)
    names = window_names(trajectory.starts, unit)
    chosen, note = choose_windows(trajectory)
    columns = min(len(chosen), 4 if len(chosen) > 6 or len(chosen) == 4 else 3)
    rows = -(-len(chosen) // columns)
    points = trajectory.embedding.numpy()
    limits = square_extent(points)
    active = [trajectory.rows(window) for window in chosen]
    size, alpha = point_style(max(one.stop - one.start for one in active))
    style = {"size": max(size * (PANEL / SIDE) ** 1.5, 1.5), "alpha": alpha}
    below = [f"Colour: nodes with an event in the window. Grey: nodes of earlier windows, where they last were. {note}"]
    # About as many letters as fit under the panels.
    width = max(int(13 * PANEL * columns), 30)
    caption = "\n".join(textwrap.fill(line, width) for line in [*below, *([subtitle] if subtitle else [])])
    height = rows * (PANEL + LINES) + TITLE * bool(title) + 0.17 * (caption.count("\n") + 1) + 0.1
    figure = new_figure((PANEL * columns, height), saved=target is not None)
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, window, here in zip(grid, chosen, active, strict=False):
        before, seen = trajectory.before(window)
        seen[trajectory.node[here]] = False
        if bool(seen.any()):
            grey: dict[str, Any] = {"c": MISSING, "alpha": 0.8, "linewidths": 0, "rasterized": True}
            axes.scatter(*before[seen].numpy().T, s=0.7 * style["size"], **grey)
        if here.stop > here.start:
            draw_points(axes, points[here], part(found, here), PANEL, square=True, **style)
        axes.set(xlim=limits[0], ylim=limits[1], xticks=[], yticks=[], aspect="equal")
        axes.set_title(f"window {window}, from {names[window]}\n{here.stop - here.start:,} nodes", fontsize=8)
    for axes in grid[len(chosen) :]:
        axes.remove()
    if title:
        figure.suptitle(title, fontsize=13)
    figure.supxlabel(caption, fontsize=8, color="#555555")
    drawn = grid[: len(chosen)]
    if found.scale is not None:
        figure.set_size_inches(figure.get_figwidth() + 0.9, figure.get_figheight())
        from matplotlib.colorbar import make_axes

        draw_bar(make_axes(drawn, shrink=0.7, aspect=25)[0], found)
    elif found.entries:
        grow(figure, draw_legend(figure, found, loc="outside right center"))
    if target is not None:
        save_figure(figure, target)
    return drawn


def choose_windows(trajectory: Trajectory, most: int = MOST_PANELS) -> tuple[list[int], str]:
    """Windows to draw, and a line on how they were chosen; "" if all are."""
    if not len(trajectory.node):
        raise wrong("trajectory", "no rows", "some nodes with an event")
    full = torch.unique(trajectory.window)
    places = np.unique(np.linspace(0, len(full) - 1, min(most, len(full))).round().astype(int))
    chosen = full[torch.from_numpy(places)].tolist()
    empty = trajectory.num_windows - len(full)
    notes = []
    if len(chosen) < len(full):
        notes.append(f"{len(chosen)} of {len(full)} windows{' with events' if empty else ''}, evenly chosen")
    if empty:
        notes.append(f"{empty} window{'s' if empty > 1 else ''} without events left out")
    return chosen, f"{'; '.join(notes)}." if notes else ""
