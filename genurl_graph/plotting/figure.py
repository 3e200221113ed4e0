"""Scatter plots of two-dimensional embeddings: one map, or a panel of several."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.plotting.canvas import check_axes, new_figure, save_figure
from genurl_graph.plotting.density import density_image
from genurl_graph.plotting.legend import draw_bar, draw_key, draw_legend
from genurl_graph.plotting.palette import Paint, paint
from genurl_graph.runtime.files import StrPath, check_output

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from genurl_graph.plotting.palette import Cmap, Norm


PLOT_SUFFIXES = (".png", ".pdf", ".svg")
MAX_POINTS = 50_000  # beyond, points would only hide each other: their density is drawn
SIDE = 6.0  # inches of a map
SIDE_IN_PANEL = 4.2
TITLE, LINE, GAP = 0.28, 0.15, 0.3  # inches of a title, of each smaller line, and beside a legend

Array = npt.NDArray[Any]


def scatter(
    embedding: Tensor | Array,
    labels: Tensor | Array | Sequence[Any] | None = None,
    *,
    ax: Axes | None = None,
    path: StrPath | None = None,
    title: str | None = None,
    subtitle: str | None = None,
    label: str | None = None,
    cmap: Cmap = None,
    norm: Norm = None,
    size: float | None = None,
    alpha: float | None = None,
    legend: bool = True,
) -> Axes:
    """Draw a 2-d map, coloured by labels.

    A notebook shows the map under its cell. A script saves it (`path`), or opens a window with ``plt.show()`` if it has
    imported pyplot. Without a display, only the caller holds the figure, and nothing has to be closed.

    Points shrink and become transparent as their number grows. They are drawn in a fixed random order, so that no
    class covers another because it comes last; points without a label are grey and lie under the others. Beyond 50,000
    points the map shows their density: each pixel has the mean colour of its points
    (`genurl_graph.plotting.density.density_image`).

    Classes get a legend beside the map, numbers and dates a colour bar; `genurl_graph.plotting.labels.read_labels` says
    which labels are what. The map keeps its size: the figure grows by the legend, and long names are cut. Beyond
    60 classes, the 59 largest are named, and the others share pale colours; the name of a colour map ("turbo")
    colours all of them by number instead.

    Parameters
    ----------
    embedding : Tensor or array, shape [n, 2]
    labels : Tensor, array, sequence, or pandas Series, Index or Categorical, shape [n], optional
        Text, booleans, numbers or dates; without them all points have one colour. ``pandas.Categorical(numbers)`` makes
        classes of numbers, ``norm="linear"`` numbers of what looks like the numbers of classes. Of a Categorical, whose
        order the legend keeps, categories without a point keep their colour and are not listed.
    ax : matplotlib.axes.Axes, optional
        Axes to draw in. Their size and that of their figure do not change; the legend is to their right.
    path : str or Path, optional
        Also write the figure to this ``.png``, ``.pdf`` or ``.svg``, completely or not at all.
    title, subtitle : str, optional
        Lines above the map.
    label : str, optional
        Title of the colour bar or the legend; by default the name of a pandas Series.
    cmap : str, Colormap, sequence or mapping, optional
        A colour map for numbers and dates; for classes also a list of colours, or a mapping from class to colour, which
        may name more classes than there are. By default viridis and, for classes, a palette of 60 colours that
        colour-blind readers can tell apart.
    norm : str or matplotlib.colors.Normalize, optional
        Scale of the numbers: "linear", "log", ``Normalize(0, 1)``, ``TwoSlopeNorm(0)``.
    size : float, optional
        Area of a point, in typographic points squared, as ``s`` of matplotlib.
    alpha : float, optional
        Opacity of a point.
    legend : bool
        Draw the legend or colour bar.

    Returns
    -------
    matplotlib.axes.Axes
        That of the map; its figure is ``ax.figure``.

    Raises
    ------
    InputError
        Coordinates that are not [n, 2] and finite, labels that are not n, colours or a scale that do not fit them, or a
        path that cannot be written.

    Examples
    --------
    >>> ax = scatter(model.embedding_, data.y, title="Cora")
    >>> ax = scatter(z, frame["age"], norm="log", path="age.pdf")
    >>> ax = scatter(z, names, cmap={"cat": "tab:orange", "dog": "0.3"}, ax=axes[1])
    """
    target = None if path is None else check_output(path, PLOT_SUFFIXES)
    points = check_points("embedding", embedding)
    style = _point_style(size, alpha)
    found = paint(labels, len(points), cmap, norm, label)
    drawn = new_figure((SIDE, SIDE), saved=target is not None).add_subplot() if ax is None else check_axes(ax)
    side = SIDE if ax is None else min(drawn.get_window_extent().size) / drawn.figure.dpi
    draw_points(drawn, points, found, side, square=ax is None, **style)
    lines = write_titles(drawn, title, subtitle, side)
    key = draw_key(drawn, found) if legend else None
    if ax is None:
        grow(drawn.figure, key, lines)
    if target is not None:
        save_figure(drawn.figure.canvas.figure, target)
    return drawn


def panel(
    embeddings: Mapping[str, Tensor | Array],
    labels: Tensor | Array | Sequence[Any] | None = None,
    *,
    path: StrPath | None = None,
    title: str | None = None,
    label: str | None = None,
    cmap: Cmap = None,
    norm: Norm = None,
    size: float | None = None,
    alpha: float | None = None,
) -> list[Axes]:
    """Draw several 2-d maps of the same points side by side, with one legend or colour bar for all.

    Parameters
    ----------
    embeddings : mapping
        Title of each map -> coordinates [n, 2], all of the same n points.
    labels, path, label, cmap, norm, size, alpha
        As in `scatter`.
    title : str, optional
        Line above all.

    Returns
    -------
    list of matplotlib.axes.Axes
        One a map, in their order.

    Raises
    ------
    InputError
        As `scatter`, and for no embeddings or different numbers of points; the message names the map.

    Examples
    --------
    >>> left, right = panel({"GenURL": z, "UMAP": other}, y)
    """
    target = None if path is None else check_output(path, PLOT_SUFFIXES)
    if not embeddings:
        raise wrong("embeddings", "none", "at least one to draw")
    parts = {name: check_points(name.partition("\n")[0], z) for name, z in embeddings.items()}
    n = len(next(iter(parts.values())))
    for name, points in parts.items():
        if len(points) != n:
            raise wrong(name.partition("\n")[0], f"{len(points)} points", f"{n}, as in the first embedding")
    style = _point_style(size, alpha)
    found = paint(labels, n, cmap, norm, label)
    columns = min(len(parts), 4 if len(parts) > 6 else 3)
    rows = -(-len(parts) // columns)
    lines = 1 + max(name.count("\n") for name in parts)
    height = rows * (SIDE_IN_PANEL + LINE * lines) + TITLE * bool(title)
    figure = new_figure((SIDE_IN_PANEL * columns, height), saved=target is not None)
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, (name, points) in zip(grid, parts.items(), strict=False):
        draw_points(axes, points, found, SIDE_IN_PANEL, square=True, **style)
        axes.set_title(name, fontsize=9)
    for axes in grid[len(parts) :]:
        axes.remove()
    if title:
        figure.suptitle(title, fontsize=13)
    drawn = grid[: len(parts)]
    if found.scale is not None:
        figure.set_size_inches(figure.get_figwidth() + 1.0, figure.get_figheight())
        from matplotlib.colorbar import make_axes

        draw_bar(make_axes(drawn, shrink=0.7, aspect=25)[0], found)
    elif found.entries:
        grow(figure, draw_legend(figure, found, loc="outside right center"))
    if target is not None:
        save_figure(figure, target)
    return drawn


def point_style(n: int) -> tuple[float, float]:
    """Area (points squared) and opacity that keep n points on one page readable."""
    size = float(np.clip(420 / np.sqrt(n), 1.0, 45.0))
    alpha = float(np.clip(0.85 * (5000 / n) ** 0.25, 0.25, 0.85))
    return size, alpha


def draw_points(
    axes: Any,
    points: Array,
    found: Paint,
    side: float,
    *,
    square: bool,
    size: float | None = None,
    alpha: float | None = None,
) -> None:
    """Draw points [n, 2], or beyond 50,000 their density, in axes of `side` inches with equal scales of both."""
    if len(points) > MAX_POINTS:
        _draw_density(axes, points, found)
    else:
        order = np.random.default_rng(0).permutation(len(points))
        if found.known is not None:
            order = order[np.argsort(found.known[order], kind="stable")]
        usual = point_style(len(points))
        # Smaller axes, smaller points.
        area = max(usual[0] * float(np.clip(side / SIDE, 0.2, 3.0)) ** 2, 0.5) if size is None else size
        colours = found.colours[order] if found.colours.ndim == 2 else found.colours[None]
        style: dict[str, Any] = {"alpha": usual[1] if alpha is None else alpha, "linewidths": 0}
        # Rasterised: a vector file with 100,000 circles opens in no viewer.
        axes.scatter(*points[order].T, c=colours, s=area, rasterized=len(points) > 10_000, **style)
    axes.set(xticks=[], yticks=[])
    shared = any(len(group.get_siblings(axes)) > 1 for group in (axes.get_shared_x_axes(), axes.get_shared_y_axes()))
    axes.set_aspect("equal", adjustable="box" if shared else "datalim")
    if square:
        axes.set_box_aspect(1)
        axes.set_anchor("W")  # or a wide legend would push the map aside
    for spine in axes.spines.values():
        spine.set_color("#cccccc")


def _draw_density(axes: Any, points: Array, found: Paint) -> None:
    # As many pixels a side as there would be points along it.
    pixels = int(np.clip(1.2 * np.sqrt(len(points)), 300, 900))
    # A pixel is grey where none of its points has a label.
    weight = None if found.known is None else np.where(found.known, 1.0, 1e-9)
    image, extent = density_image(points, found.colours, pixels, weight)
    if found.share is not None:
        known = np.ones(len(points)) if found.known is None else found.known
        means, _ = density_image(points, np.nan_to_num(np.c_[found.share, known]), pixels, weight)
        # The colour of the mean value, not the mean of colours.
        some = means[..., 1] > 0.5
        image[some, :3] = found.scale.cmap(means[some, 0])[:, :3]
    axes.imshow(image, origin="lower", extent=extent, interpolation="nearest", aspect="equal")
    axes.margins(0.03)
    axes.autoscale_view()


def _point_style(size: float | None, alpha: float | None) -> dict[str, float | None]:
    if size is not None and not size > 0:
        raise wrong("size", size, "a number above 0")
    if alpha is not None and not 0 <= alpha <= 1:
        raise wrong("alpha", alpha, "a number from 0 to 1")
    return {"size": size, "alpha": alpha}


def write_titles(axes: Any, title: str | None, subtitle: str | None, side: float) -> float:
    """Write both above axes, in lines as long as these are wide (`side` inches); the inches that they take."""
    small = textwrap.fill(subtitle, max(int(13 * side), 20)) if subtitle else ""
    large = textwrap.fill(title, max(int(8.5 * side), 15)) if title else ""
    below, above = (len(text.splitlines()) for text in (small, large))
    if large:
        axes.set_title(large, fontsize=13, pad=6 + 13 * below + below)
    if small:
        place: dict[str, Any] = {"xytext": (0, 5), "textcoords": "offset points", "ha": "center", "va": "bottom"}
        axes.annotate(small, (0.5, 1.0), xycoords="axes fraction", fontsize=9, color="#555555", **place)
    return TITLE * above + LINE * below


def grow(figure: Any, key: Any, height: float = 0.0) -> None:
    """Enlarge a figure by the room that a legend or a colour bar takes beside its map, and by that of lines above."""
    width = 0.0
    if key is not None:
        box = key.get_tightbbox() if hasattr(key, "get_tightbbox") else key.get_window_extent()
        width = box.width / figure.dpi + GAP
    figure.set_size_inches(figure.get_figwidth() + width, figure.get_figheight() + height)


def check_points(name: str, embedding: Any) -> Array:
    """Coordinates of a map as an array [n, 2]; InputError where they are none or not finite."""
    points = embedding.detach().cpu().numpy() if isinstance(embedding, Tensor) else np.asarray(embedding)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise wrong(name, f"shape {points.shape}", "[n, 2] with n >= 1 for a map")
    if not np.isfinite(points).all():
        raise wrong(name, "NaN or infinite numbers", "finite coordinates")
    return points
