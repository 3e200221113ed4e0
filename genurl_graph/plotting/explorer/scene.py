"""Everything one page of the explorer shows, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from genurl_graph.exceptions import InputError
from genurl_graph.graph.merge import MergedGraph
from genurl_graph.plotting.explorer.colours import Column, Numbers


@dataclass(frozen=True)
class Scene:
    """An embedding with what is known of its points.

    Attributes
    ----------
    title : str
    points : array, float32, shape [n, 2]
        Where points are drawn.
    notes : sequence of str
        Lines below the title: where the picture comes from.
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

    Raises
    ------
    InputError
        Parts that do not count the same points, or coordinates that are no finite numbers.
    """

    title: str
    points: npt.NDArray[Any]
    notes: Sequence[str] = ()
    columns: Sequence[Column] = ()
    node_id: Sequence[str] | None = None
    nearest: Tensor | None = None
    nearest_about: str = ""
    merged: MergedGraph | None = None
    merged_about: str = field(default="")

    def __post_init__(self) -> None:
        if self.points.ndim != 2 or self.points.shape[1] != 2 or len(self.points) == 0:
            raise InputError(f"points: found shape {self.points.shape}; expected [n, 2] with n >= 1")
        if not np.isfinite(self.points).all():
            raise InputError("points: hold NaN or infinite numbers, which no picture can show")
        n = len(self.points)
        counts = {
            f"column {one.name}": len(one.values if isinstance(one, Numbers) else one.codes) for one in self.columns
        }
        counts |= {} if self.node_id is None else {"node_id": len(self.node_id)}
        counts |= {} if self.nearest is None else {"nearest": len(self.nearest)}
        for name, count in counts.items():
            if count != n:
                raise InputError(f"{name}: found {count:,} entries for {n:,} points")
        if self.merged is not None and self.merged.edge_index.numel() and int(self.merged.edge_index.max()) >= n:
            raise InputError(f"merged: names node {int(self.merged.edge_index.max())}, but there are {n:,} points")
