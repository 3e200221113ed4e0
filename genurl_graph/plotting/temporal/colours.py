"""Colours of the rows of a trajectory: by labels of nodes, or of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.plotting.figure import check_points
from genurl_graph.plotting.palette import Paint, paint


def paint_rows(trajectory: Trajectory, labels: Any, cmap: Any, norm: Any, label: str | None) -> Paint:
    """A colour for each row; `labels` are those of the n nodes, or of the R rows (of the nodes, where n = R).

    Raises
    ------
    InputError
        Other numbers of labels, a trajectory that is not two columns wide, and what
        `genurl_graph.plotting.palette.paint` refuses.
    """
    check_points("trajectory", trajectory.embedding)
    rows, nodes = len(trajectory.node), trajectory.num_nodes
    if labels is None:
        return paint(None, rows, cmap, norm, label)
    count = len(labels)
    if count not in (nodes, rows):
        raise wrong("labels", f"{count:,}", f"{nodes:,}, one for each node, or {rows:,}, one for each row")
    if count != nodes:
        return paint(labels, rows, cmap, norm, label)
    found = paint(labels, nodes, cmap, norm, label)
    node = trajectory.node.numpy()

    def of_rows(values: npt.NDArray[Any] | None) -> Any:
        return None if values is None else values[node]

    return found._replace(colours=of_rows(found.colours), known=of_rows(found.known), share=of_rows(found.share))


def part(found: Paint, rows: Any) -> Paint:
    """The colours of some of the rows."""

    def of(values: npt.NDArray[Any] | None) -> Any:
        return None if values is None else values[rows]

    colours = found.colours[rows] if found.colours.ndim == 2 else found.colours
    return found._replace(colours=colours, known=of(found.known), share=of(found.share))


def square_extent(points: npt.NDArray[Any], margin: float = 0.04) -> tuple[tuple[float, float], tuple[float, float]]:
    """Limits of x and y, of one length, that hold all points."""
    low, high = points.min(0).astype(np.float64), points.max(0).astype(np.float64)
    middle = (low + high) / 2
    half = float((high - low).max()) * (0.5 + margin) or 1.0
    (x, y) = middle.tolist()
    return (x - half, x + half), (y - half, y + half)
