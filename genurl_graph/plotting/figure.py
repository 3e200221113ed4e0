"""Scatter plots of two-dimensional embeddings as image files: one map, or a panel of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.runtime.files import StrPath, atomic_write, check_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure


PLOT_SUFFIXES = (".png", ".pdf", ".svg")
MAX_LEGEND = 20  # more classes than the largest qualitative palette has colours: a colour bar instead
MAX_POINTS = 50_000  # beyond, points would only hide each other: their density is drawn

Array = npt.NDArray[Any]


def scatter(
    embedding: Tensor | npt.NDArray[Any],
    labels: Tensor | npt.NDArray[Any] | Sequence[Any] | None = None,
    *,
    path: StrPath,
    title: str | None = None,
    subtitle: str | None = None,
) -> None:
    """Draw a 2-d map, coloured by label, and write it to `path`.

    Points shrink and become transparent as their number grows. They are drawn in a fixed random order, so that no
    class covers another because it comes last. Beyond 50,000 points the map shows their density: each pixel has the
    mean colour of its points. Integer, boolean and string labels of at most 20 classes get a legend; more classes,
    and real numbers, get a colour bar.

    Parameters
    ----------
    embedding : Tensor or array, shape [n, 2]
    labels : Tensor, array or sequence, shape [n], optional
        Numbers or strings; without them all points have one colour.
    path : str or Path
        ``.png``, ``.pdf`` or ``.svg``.
    title, subtitle : str, optional
        Lines above the map.

    Raises
    ------
    InputError
        Coordinates that are not [n, 2] and finite, labels that are not n, or a path that cannot be written.

    Examples
    --------
    >>> scatter(model.embedding_, data.y, path="cora.png", title="Cora")  # doctest: +SKIP
    """
    target = check_output(path, PLOT_SUFFIXES)
    points = check_points("embedding", embedding)
    _save(draw(points, _labels(labels, len(points)), title, subtitle), target)


def panel(
    embeddings: Mapping[str, Tensor | Array],
    labels: Tensor | Array | Sequence[Any] | None = None,
    *,
    path: StrPath,
    title: str | None = None,
) -> None:
    """Draw several 2-d maps of the same points side by side, with one legend or colour bar for all.

    Parameters
    ----------
    embeddings : mapping
        Title of each map -> coordinates [n, 2], all of the same n points.
    labels, path
        As in `scatter`.
    title : str, optional
        Line above all.

    Raises
    ------
    InputError
        As `scatter`, and for no embeddings or different numbers of points; the message names the map.
    """
    target = check_output(path, PLOT_SUFFIXES)
    if not embeddings:
        raise wrong("embeddings", "none", "at least one to draw")
    parts = {name: check_points(name.partition("\n")[0], z) for name, z in embeddings.items()}
    n = len(next(iter(parts.values())))
    for name, points in parts.items():
        if len(points) != n:
            raise wrong(name.partition("\n")[0], f"{len(points)} points", f"{n}, as in the first embedding")
    _save(draw_panel(parts, _labels(labels, n), title), target)


def draw(points: Array, labels: Array | None, title: str | None, subtitle: str | None) -> Figure:
    """Draw the figure of `scatter` from coordinates [n, 2] and labels [n]."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 6), layout="constrained")
    axes = figure.subplots()
    paint = _paint(labels)
    _draw_points(axes, points, paint, 1.0)
    _draw_key(figure, axes, paint)
    if title:
        figure.suptitle(title, fontsize=13)
    if subtitle:
        axes.set_title(subtitle, fontsize=9, color="#555555")
    return figure


def draw_panel(parts: Mapping[str, Array], labels: Array | None, title: str | None) -> Figure:
    """Draw the figure of `panel`."""
    from matplotlib.figure import Figure

    columns = min(len(parts), 4 if len(parts) > 6 else 3)
    rows = -(-len(parts) // columns)
    figure = Figure(figsize=(4.2 * columns, 4.2 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    paint = _paint(labels)
    for axes, (name, points) in zip(grid.flat, parts.items(), strict=False):
        # A third of the page's area, so a third of the points' size.
        _draw_points(axes, points, paint, 0.35)
        axes.set_title(name, fontsize=9)
    for axes in list(grid.flat)[len(parts) :]:
        axes.set_axis_off()
    _draw_key(figure, list(grid.flat), paint)
    if title:
        figure.suptitle(title, fontsize=13)
    return figure


def point_style(n: int) -> tuple[float, float]:
    """Area (points squared) and opacity that keep n points on one page readable."""
    size = float(np.clip(420 / np.sqrt(n), 1.0, 45.0))
    alpha = float(np.clip(0.85 * (5000 / n) ** 0.25, 0.25, 0.85))
    return size, alpha


class _Paint(NamedTuple):
    """Colours of points, and what explains them: names of classes, or the range of a colour map."""

    colours: Array  # [n, 3], or [3] for all points
    classes: tuple[tuple[str, Any], ...] = ()
    scale: tuple[str, float, float, str] | None = None  # colour map, its ends, text


def _paint(labels: Array | None) -> _Paint:
    from matplotlib import colormaps
    from matplotlib.colors import to_rgb

    if labels is None:
        return _Paint(np.array(to_rgb("#3b6ea8")))
    if labels.dtype.kind == "f" and np.any(labels[np.isfinite(labels)] % 1):
        return _continuous(labels, "viridis", "label")
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) > MAX_LEGEND:
        return _continuous(codes, "turbo", f"class ({len(classes)} of them, in sorted order)")
    size = 10 if len(classes) <= 10 else 20
    palette = colormaps[f"tab{size}"](np.arange(size))[:, :3]
    named = tuple(zip(map(str, classes.tolist()), palette, strict=False))
    return _Paint(palette[codes], classes=named)


def _continuous(values: Array, name: str, text: str) -> _Paint:
    from matplotlib import colormaps

    known = values[np.isfinite(values)].astype(np.float64)
    low, high = float(known.min()), float(known.max())
    share = (values - low) / ((high - low) or 1.0)
    colours = colormaps[name](np.nan_to_num(share, nan=0.0))[:, :3]
    colours[~np.isfinite(values)] = 0.8  # grey: no label
    return _Paint(colours, scale=(name, low, high, text))


def _draw_points(axes: Any, points: Array, paint: _Paint, scale: float) -> None:
    if len(points) > MAX_POINTS:
        # As many pixels a side as there would be points along it.
        pixels = int(np.clip(1.2 * np.sqrt(len(points)), 300, 900))
        image, extent = density_image(points, paint.colours, pixels)
        axes.imshow(image, origin="lower", extent=extent, interpolation="nearest", aspect="equal")
    else:
        order = np.random.default_rng(0).permutation(len(points))
        size, alpha = point_style(len(points))
        colours = paint.colours[order] if paint.colours.ndim == 2 else paint.colours[None]
        # Rasterised: a vector file with 100,000 circles opens in no viewer.
        style: dict[str, Any] = {"alpha": alpha, "linewidths": 0, "rasterized": len(points) > 10_000}
        axes.scatter(*points[order].T, c=colours, s=max(scale * size, 0.5), **style)
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.set_adjustable("datalim")
    for side in axes.spines.values():
        side.set_color("#cccccc")


def _draw_key(figure: Any, axes: Any, paint: _Paint) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.lines import Line2D

    if paint.scale:
        name, low, high, text = paint.scale
        figure.colorbar(ScalarMappable(Normalize(low, high), name), ax=axes, shrink=0.7, label=text)
    elif paint.classes:
        dot: dict[str, Any] = {"marker": "o", "linestyle": ""}
        handles = [Line2D([], [], color=colour, label=label, **dot) for label, colour in paint.classes]
        figure.legend(handles=handles, loc="outside right center", frameon=False, fontsize=9)


def check_points(name: str, embedding: Any) -> Array:
    """Coordinates of a map as an array [n, 2]; InputError where they are none or not finite."""
    points = _numpy(embedding)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise wrong(name, f"shape {points.shape}", "[n, 2] with n >= 1 for a map")
    if not np.isfinite(points).all():
        raise wrong(name, "NaN or infinite numbers", "finite coordinates")
    return points


def _labels(labels: Any, n: int) -> Array | None:
    if labels is None:
        return None
    values = _numpy(labels)
    if values.shape != (n,):
        raise wrong("labels", f"shape {values.shape}", f"[{n}], one for each point")
    return values


def _save(figure: Figure, target: Any) -> None:
    # The backend follows from the suffix (Agg for PNG), so no display and no pyplot state is involved.
    with atomic_write(target) as temporary:
        figure.savefig(temporary, dpi=150, bbox_inches="tight")


def _numpy(values: Any) -> npt.NDArray[Any]:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


def density_image(points: Array, colours: Array, pixels: int = 600) -> tuple[Array, tuple[float, float, float, float]]:
    """Two-dimensional histogram of points as a coloured image.

    A pixel has the mean colour of its points. Its opacity is the share of occupied pixels that hold as many points or
    fewer (histogram equalisation), from a quarter up, so that single points stay visible beside the densest spots.

    Parameters
    ----------
    points : array, float, shape [n, 2]
    colours : array, float, shape [n, 3] or [3]
        Red, green and blue in [0, 1] of each point, or of all.
    pixels : int
        Of the longer side.

    Returns
    -------
    image : array, float32, shape [height, width, 4]
        Red, green, blue and opacity; the first row is the lowest, empty pixels are transparent.
    extent : (left, right, bottom, top)
        Coordinates of the image's borders, as ``imshow(origin="lower", extent=...)`` wants them.
    """
    points, colours = np.asarray(points, dtype=np.float64), np.broadcast_to(colours, (len(points), 3))
    low, high = points.min(0), points.max(0)
    # Points on one spot, or on a line along an axis, still have a pixel around them.
    step = max(float((high - low).max()) / pixels, 1e-9 * float(np.abs(points).max())) or 1.0
    pixel = np.minimum(((points - low) / step).astype(np.int64), pixels - 1)
    width, height = (int(size) for size in pixel.max(0) + 1)
    flat = pixel[:, 1] * width + pixel[:, 0]
    counts = np.bincount(flat, minlength=width * height)
    image = np.zeros((width * height, 4), dtype=np.float32)
    occupied = counts > 0
    for channel in range(3):
        total = np.bincount(flat, weights=colours[:, channel], minlength=width * height)
        image[occupied, channel] = total[occupied] / counts[occupied]
    levels, level = np.unique(counts[occupied], return_inverse=True)
    shares = np.cumsum(np.bincount(level)) / occupied.sum()
    image[occupied, 3] = 0.25 + 0.75 * shares[level] if len(levels) > 1 else 1.0
    left, bottom = (float(value) for value in low)
    return np.clip(image, 0, 1).reshape(height, width, 4), (left, left + width * step, bottom, bottom + height * step)
