"""One map of edges where they lie: a line for each, coloured by its label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.edge_rows import EdgeSet
from genurl_graph.inputs.edge_rows.geometry import Lines
from genurl_graph.plotting.canvas import check_axes, new_figure, save_figure
from genurl_graph.plotting.figure import PLOT_SUFFIXES, SIDE, grow, write_titles
from genurl_graph.plotting.legend import draw_key
from genurl_graph.plotting.palette import Paint, paint
from genurl_graph.runtime.files import StrPath, check_output

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from genurl_graph.plotting.palette import Cmap, Norm

# Beyond, a vector file holds an image of the lines.
MOST_VECTORS = 10_000


def edge_map(
    edges: EdgeSet,
    labels: Any = None,
    *,
    ax: Axes | None = None,
    path: StrPath | None = None,
    title: str | None = None,
    subtitle: str | None = None,
    label: str | None = None,
    cmap: Cmap = None,
    norm: Norm = None,
    width: float | None = None,
    legend: bool = True,
) -> Axes:
    """Draw edges where they lie, each as a line of the colour of its label.

    Lines become thinner as their number grows. They are drawn in a fixed random order, those without a label first and
    in grey. Longitudes and latitudes are drawn by the equirectangular projection about the mean latitude, so that
    angles are right in a town. Edges whose place is unknown are left out, and a line above the map says how many.

    Parameters
    ----------
    edges : EdgeSet
        With `EdgeSet.lines`: of a file with the coordinates of nodes, or with lines.
    labels : Tensor, array, sequence, or pandas Series, Index or Categorical, shape [m], optional
        Of all edges, such as predicted classes or a column of the embedding, as of `genurl_graph.plotting.scatter`.
    ax, path, title, subtitle, label, cmap, norm, legend
        As of `genurl_graph.plotting.scatter`.
    width : float, optional
        Of a line, in typographic points.

    Returns
    -------
    matplotlib.axes.Axes
        That of the map; its figure is ``ax.figure``.

    Raises
    ------
    InputError
        Edges of which no place is known, a width that is not positive, and what `genurl_graph.plotting.scatter`
        refuses.

    Examples
    --------
    >>> ax = edge_map(roads, model.predict(roads), title="Predicted")
    >>> ax = edge_map(roads, model.embedding_[:, 0], label="first column", path="roads.pdf")
    """
    target = None if path is None else check_output(path, PLOT_SUFFIXES)
    lines, known = known_lines(edges)
    if width is not None and not width > 0:
        raise wrong("width", width, "a number above 0")
    found = paint(labels, len(edges), cmap, norm, label)
    drawn = new_figure((SIDE, SIDE), saved=target is not None).add_subplot() if ax is None else check_axes(ax)
    side = SIDE if ax is None else min(drawn.get_window_extent().size) / drawn.figure.dpi
    draw_lines(drawn, lines, known, found, width, edges.degrees)
    if ax is None:
        drawn.set_box_aspect(1)
        drawn.set_anchor("W")  # or a wide legend would push the map aside
    lost = int((~known).sum())
    left_out = f"{lost:,} edges whose place is unknown are not drawn" if lost > 1 else ""
    left_out = "1 edge whose place is unknown is not drawn" if lost == 1 else left_out
    above = write_titles(drawn, title, "; ".join(part for part in (subtitle, left_out) if part) or None, side)
    key = draw_key(drawn, found) if legend else None
    if ax is None:
        grow(drawn.figure, key, above)
    if target is not None:
        save_figure(drawn.figure.canvas.figure, target)
    return drawn


def known_lines(edges: EdgeSet) -> tuple[Lines, Tensor]:
    """The lines of edges, and a mask [m] of those that can be drawn; InputError where none can."""
    lines = edges.lines
    known = None if lines is None else lines.ptr.diff() > 1
    if lines is None or known is None or not bool(known.any()):
        raise wrong("edges", "none with a known position", "lines, or coordinates of their nodes")
    if not bool(lines.points.isfinite().all()):
        raise wrong("edges", "NaN or infinite numbers", "finite coordinates")
    return lines, known


def draw_lines(axes: Any, lines: Lines, known: Tensor, found: Paint, width: float | None, degrees: bool) -> None:
    """Draw those of m lines that are `known`, in their colours, with equal scales of both axes."""
    from matplotlib.collections import LineCollection

    chosen = np.random.default_rng(0).permutation(known.nonzero().flatten().numpy())
    if found.known is not None:
        chosen = chosen[np.argsort(found.known[chosen], kind="stable")]
    pieces = np.split(lines.points.numpy(), lines.ptr[1:-1].numpy())
    colours: Any = found.colours[chosen] if found.colours.ndim == 2 else found.colours[None]
    usual = float(np.clip(110 / np.sqrt(len(chosen)), 0.3, 2.5))
    drawn = LineCollection(
        [pieces[one] for one in chosen.tolist()],
        colors=colours,
        linewidths=usual if width is None else width,
        capstyle="round",
        rasterized=len(chosen) > MOST_VECTORS,
    )
    axes.add_collection(drawn)
    axes.autoscale_view()
    axes.set(xticks=[], yticks=[])
    latitude = float(lines.points[:, 1].mean()) if degrees else 0.0
    axes.set_aspect(1 / max(float(np.cos(np.deg2rad(latitude))), 0.01), adjustable="datalim")
    for spine in axes.spines.values():
        spine.set_color("#cccccc")
