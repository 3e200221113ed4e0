"""The same edges on several maps side by side, each coloured by something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from genurl_graph.exceptions import wrong
from genurl_graph.inputs.edge_rows import EdgeSet
from genurl_graph.plotting.canvas import new_figure, save_figure
from genurl_graph.plotting.edges.lines import edge_map
from genurl_graph.plotting.figure import PLOT_SUFFIXES, SIDE
from genurl_graph.runtime.files import StrPath, check_output

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from genurl_graph.plotting.palette import Cmap

KEY = 1.6  # inches of a map's legend
HEADING = 0.35


def edge_panels(
    edges: EdgeSet,
    labels: Mapping[str, Any],
    *,
    path: StrPath | None = None,
    title: str | None = None,
    cmap: Cmap = None,
    width: float | None = None,
) -> list[Axes]:
    """Draw edges where they lie, a map for each kind of labels, with the same part of the world and own legends.

    Parameters
    ----------
    edges : EdgeSet
    labels : mapping
        Title of each map -> labels [m] of all edges.
    path, title, cmap, width
        As of `genurl_graph.plotting.edges.edge_map`.

    Returns
    -------
    list of matplotlib.axes.Axes
        One a map, in their order.

    Raises
    ------
    InputError
        No labels, and what `edge_map` refuses.

    Examples
    --------
    >>> left, right = edge_panels(roads, {"predicted": guessed, "true": roads.y})
    """
    target = None if path is None else check_output(path, PLOT_SUFFIXES)
    if not labels:
        raise wrong("labels", "none", "those of at least one map")
    size = ((SIDE + KEY) * len(labels), SIDE + HEADING * (1 + bool(title)))
    figure = new_figure(size, saved=target is not None)
    drawn = list(figure.subplots(1, len(labels), squeeze=False, sharex=True, sharey=True).flat)
    for axes, (name, values) in zip(drawn, labels.items(), strict=True):
        edge_map(edges, values, ax=axes, title=name, cmap=cmap, width=width)
        axes.set_aspect(axes.get_aspect(), adjustable="box")
    if title:
        figure.suptitle(title, fontsize=13)
    if target is not None:
        save_figure(figure, target)
    return drawn
