"""What one page of the explorer shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
from torch import Tensor

from genurl_graph.exceptions import unknown, wrong
from genurl_graph.graph.merge import MergedGraph
from genurl_graph.plotting.explorer.colours import Column, Numbers
from genurl_graph.plotting.explorer.drawings import Drawings
from genurl_graph.plotting.explorer.sprites import Sprites
from genurl_graph.plotting.explorer.timeline import Timeline
from genurl_graph.plotting.figure import check_points


@dataclass(frozen=True)
class Scene:
    """An embedding with what is known of its points.

    Attributes
    ----------
    title : str
    points : array, float32, shape [n, 2]
        Where points are drawn.
    notes : sequence of str
        Lines below the title: where the map comes from.
    columns : sequence of Column
        What points can be coloured by; the first is shown first.
    node_id : sequence of str, or None
        Names of the points; None for 0 .. n-1.
    nearest : Tensor, int64, shape [n, k], or None
        Neighbours of each point in the embedding, nearest first.
    nearest_about : str
        One line on how these were found.
    merged : MergedGraph, or None
        The graph the embedding was trained on.
    merged_about : str
        One line on where that comes from, or why there is none.
    drawings : Drawings, or None
        Of points that are whole graphs: a drawing of each.
    images : Sprites, or None
        Of points that are images, or have one: small copies of them.
    color_by, size_by : str, or None
        Names of the columns that points are coloured and sized by at first; None: the first one, and one size.
    timeline : Timeline, or None
        Of points that move with time: where each is in each window. `points` are then the last ones, and `nearest` has
        a row for each of the timeline's.

    Raises
    ------
    InputError
        Parts of different numbers of points, coordinates that are not finite, or a column that there is not.
    """

    title: str
    points: npt.NDArray[Any]
    notes: Sequence[str] = ()
    columns: Sequence[Column] = ()
    node_id: Sequence[str] | None = None
    nearest: Tensor | None = None
    nearest_about: str = ""
    merged: MergedGraph | None = None
    merged_about: str = ""
    drawings: Drawings | None = None
    images: Sprites | None = None
    color_by: str | None = None
    size_by: str | None = None
    timeline: Timeline | None = None

    def __post_init__(self) -> None:
        n = len(check_points("points", self.points))
        counts = {
            f"column {one.name}": len(one.values if isinstance(one, Numbers) else one.codes) for one in self.columns
        }
        counts |= {} if self.node_id is None else {"node_id": len(self.node_id)}
        if self.timeline is not None:
            self.timeline.check(n, self.nearest)
        elif self.nearest is not None:
            counts["nearest"] = len(self.nearest)
        counts |= {} if self.drawings is None else {"drawings": len(self.drawings.sizes)}
        for name, count in counts.items():
            if count != n:
                raise wrong(name, f"{count:,} entries", f"{n:,}, one for each point")
        if self.images is not None:
            self.images.check(n)
        columns = [*self.columns, *(self.timeline.columns if self.timeline else ())]
        _check_name("color_by", self.color_by, [one.name for one in columns])
        _check_name("size_by", self.size_by, [one.name for one in columns if isinstance(one, Numbers)])
        if self.merged is not None and self.merged.edge_index.numel() and int(self.merged.edge_index.max()) >= n:
            raise wrong("merged", f"node {int(self.merged.edge_index.max())}", f"0 to {n - 1}, one for each point")


def _check_name(what: str, name: str | None, names: Sequence[str]) -> None:
    if name is not None and name not in names:
        raise unknown(what, name, names)
