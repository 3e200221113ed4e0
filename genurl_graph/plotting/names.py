"""Names of points on a map: as many as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from genurl_graph.exceptions import wrong
from genurl_graph.plotting.figure import check_points
from genurl_graph.plotting.legend import shorten

MOST = 60  # names on a map
LONGEST = 24  # letters of a name
SIZE = 6.0  # typographic points of the letters
WIDE, HIGH = 0.56, 1.25  # of a letter and of a line, in sizes of the letters


def write_names(
    axes: Any,
    points: Any,
    names: Sequence[Any],
    weight: Any = None,
    *,
    most: int = MOST,
) -> list[int]:
    """Write names beside points of a map, those of the largest weight first, none over another.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Of a map that is drawn, as of `genurl_graph.plotting.scatter`.
    points : Tensor or array, shape [n, 2]
    names : sequence, length n
    weight : Tensor or array, shape [n], optional
        How much each name matters, such as the degree of its node; None: all the same, in their order.
    most : int
        Names at most.

    Returns
    -------
    list of int
        Points whose names are written.

    Raises
    ------
    InputError
        Other than n names or weights; coordinates that are not finite.

    Examples
    --------
    >>> ax = scatter(points)
    >>> write_names(ax, points, names, degree)
    """
    at = check_points("points", points)
    important = np.zeros(len(at)) if weight is None else np.asarray(weight, dtype=np.float64)
    for what, given in (("names", names), ("weight", important)):
        if len(given) != len(at):
            raise wrong(what, f"{len(given):,} entries", f"{len(at):,}, one for each point")
    axes.figure.draw_without_rendering()  # only now it is known how large the axes are
    axes.figure.set_layout_engine("none")  # names must not change that
    corner = axes.transData.transform(at) * 72 / axes.figure.dpi + 2.0
    order = np.argsort(-important, kind="stable")[: 20 * most]
    words = dict(zip(order.tolist(), shorten([str(names[one]) for one in order], LONGEST), strict=True))
    frame = axes.get_window_extent().extents * 72 / axes.figure.dpi
    boxes, written = np.empty((0, 4)), []
    for one, word in words.items():
        box = np.array([*corner[one], corner[one, 0] + WIDE * SIZE * len(word), corner[one, 1] + HIGH * SIZE])
        inside = frame[0] <= box[0] and frame[1] <= box[1] and box[2] <= frame[2] and box[3] <= frame[3]
        if not inside or _overlaps(box, boxes):
            continue
        boxes = np.vstack([boxes, box])
        place: dict[str, Any] = {"xytext": (2, 2), "textcoords": "offset points", "ha": "left", "va": "bottom"}
        axes.annotate(word, at[one], fontsize=SIZE, color="#222222", parse_math=False, annotation_clip=True, **place)
        written.append(one)
        if len(written) == most:
            break
    return written


def _overlaps(box: npt.NDArray[Any], others: npt.NDArray[Any]) -> bool:
    return bool(((box[:2] < others[:, 2:]) & (others[:, :2] < box[2:])).all(1).any())
