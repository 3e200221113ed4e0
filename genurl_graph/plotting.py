"""A static picture of a two-dimensional embedding."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from genurl_graph.exceptions import InputError
from genurl_graph.io import StrPath, atomic_write, check_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLOT_SUFFIXES = (".png", ".pdf", ".svg")
MAX_LEGEND = 20  # more classes than the largest qualitative palette has colours: a colour bar instead


def scatter(
    embedding: Tensor | npt.NDArray[Any],
    labels: Tensor | npt.NDArray[Any] | Sequence[Any] | None = None,
    *,
    path: StrPath,
    title: str | None = None,
    subtitle: str | None = None,
) -> None:
    """Draw points in the plane, coloured by label, and write the picture to `path`.

    Points shrink and become transparent as their number grows, and are drawn in a fixed random order, so that
    no class covers another because it comes last. Integer, boolean and string labels of at most 20 classes
    get a legend; more classes, and real numbers, a colour bar.

    Parameters
    ----------
    embedding
        Coordinates [n, 2].
    labels
        n labels (numbers or strings), or None for one colour.
    path
        Picture: ``.png``, ``.pdf`` or ``.svg``.
    title, subtitle
        Lines above the picture.

    Raises
    ------
    InputError
        If the coordinates are not [n, 2] and finite, the labels are not n, or `path` cannot be written.
    """
    target = check_output(path, PLOT_SUFFIXES)
    points = _numpy(embedding)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise InputError(f"embedding: found shape {points.shape}, expected [n, 2] with n >= 1 for a picture")
    if not np.isfinite(points).all():
        raise InputError("embedding: holds NaN or infinite numbers, which no picture can show")
    values = None if labels is None else _numpy(labels)
    if values is not None and values.shape != (len(points),):
        raise InputError(f"labels: found shape {values.shape}, expected [{len(points)}], one a point")
    figure = draw(points, values, title, subtitle)
    # The backend follows from the suffix (Agg for PNG), so no display and no pyplot state is involved.
    with atomic_write(target) as temporary:
        figure.savefig(temporary, dpi=150, bbox_inches="tight")


def draw(
    points: npt.NDArray[Any], labels: npt.NDArray[Any] | None, title: str | None, subtitle: str | None
) -> "Figure":
    """The figure behind `scatter`: coordinates [n, 2] and labels [n] in, matplotlib's ``Figure`` out."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 6), layout="constrained")
    axes = figure.subplots()
    order = np.random.default_rng(0).permutation(len(points))
    size, alpha = point_style(len(points))
    # Rasterised: a vector file with 100,000 circles opens in no viewer.
    style: dict[str, Any] = {"s": size, "alpha": alpha, "linewidths": 0, "rasterized": len(points) > 10_000}
    x, y = points[order].T
    if labels is None:
        axes.scatter(x, y, color="#3b6ea8", **style)
    elif labels.dtype.kind == "f" and np.any(labels[np.isfinite(labels)] % 1):
        drawn = axes.scatter(x, y, c=labels[order], cmap="viridis", **style)
        _colour_bar(figure, drawn, axes, "label")
    else:
        _draw_classes(figure, axes, x, y, labels, order, style)
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.set_adjustable("datalim")
    for side in axes.spines.values():
        side.set_color("#cccccc")
    if title:
        figure.suptitle(title, fontsize=13)
    if subtitle:
        axes.set_title(subtitle, fontsize=9, color="#555555")
    return figure


def point_style(n: int) -> tuple[float, float]:
    """Area (points squared) and opacity that keep n points on one page readable."""
    size = float(np.clip(420 / np.sqrt(n), 1.0, 45.0))
    alpha = float(np.clip(0.85 * (5000 / n) ** 0.25, 0.25, 0.85))
    return size, alpha


def _draw_classes(
    figure: Any,
    axes: Any,
    x: npt.NDArray[Any],
    y: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    order: npt.NDArray[Any],
    style: dict[str, Any],
) -> None:
    from matplotlib import colormaps
    from matplotlib.lines import Line2D

    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) > MAX_LEGEND:
        drawn = axes.scatter(x, y, c=codes[order], cmap="turbo", **style)
        _colour_bar(figure, drawn, axes, f"class ({len(classes)} of them, in sorted order)")
        return
    colours = 10 if len(classes) <= 10 else 20
    palette = colormaps[f"tab{colours}"](np.arange(colours))
    axes.scatter(x, y, c=palette[codes[order]], **style)
    handles = [
        Line2D([], [], marker="o", linestyle="", color=colour, label=str(name))
        for name, colour in zip(classes.tolist(), palette, strict=False)
    ]
    figure.legend(handles=handles, loc="outside right center", frameon=False, fontsize=9)


def _colour_bar(figure: Any, drawn: Any, axes: Any, text: str) -> None:
    bar = figure.colorbar(drawn, ax=axes, shrink=0.7, label=text)
    bar.solids.set_alpha(1.0)


def _numpy(values: Any) -> npt.NDArray[Any]:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
