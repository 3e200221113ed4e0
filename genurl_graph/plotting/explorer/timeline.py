"""Points that move with time: where each of them is in each window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.graph.knn import knn
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.plotting.explorer.colours import Column, Numbers
from genurl_graph.plotting.figure import check_points


class Timeline(NamedTuple):
    """Where points are in each window, and what is known of that.

    Attributes
    ----------
    trajectory : Trajectory
        Of two columns; every node has a row.
    names : sequence of str, length W + 1
        When each window begins, and the last one ends.
    columns : sequence of Column
        Of the R rows: what points can be coloured by and what changes with time.
    """

    trajectory: Trajectory
    names: Sequence[str]
    columns: Sequence[Column] = ()

    def check(self, n: int, nearest: Tensor | None) -> None:
        """Check that all parts are of n points; InputError where they are not."""
        rows = self.trajectory
        check_points("timeline", rows.embedding)
        if rows.num_nodes != n or len(torch.unique(rows.node)) != n:
            raise wrong("timeline", f"{len(torch.unique(rows.node)):,} nodes with rows", f"{n:,}, one for each point")
        counts = {"names of windows": (len(self.names), rows.num_windows + 1)}
        for one in self.columns:
            count = len(one.values if isinstance(one, Numbers) else one.codes)
            counts[f"column {one.name}"] = count, len(rows.node)
        counts |= {} if nearest is None else {"nearest": (len(nearest), len(rows.node))}
        for name, (found, expected) in counts.items():
            if found != expected:
                raise wrong(name, f"{found:,} entries", f"{expected:,}")

    def last_points(self) -> Tensor:
        """Where each node is in the last window that it has, float32 [n, 2]."""
        return self.trajectory.before(self.trajectory.num_windows)[0]


def nearest_in_windows(trajectory: Trajectory, k: int, metric: str) -> Tensor:
    """The nodes nearest to each row among those of its own window, int64 [R, k], nearest first.

    Parameters
    ----------
    trajectory : Trajectory
        Of any number of columns.
    k : int
    metric : str
        As of `genurl_graph.graph.knn.knn`.

    Returns
    -------
    Tensor, int64, shape [R, k]
        Nodes; in windows of k nodes or fewer, the list ends with the node itself.
    """
    found = trajectory.node[:, None].repeat(1, k)
    for window in torch.unique(trajectory.window).tolist():
        here = trajectory.rows(window)
        if here.stop - here.start > 1:
            near = knn(trajectory.embedding[here], k, metric=metric, clamp=True).indices
            found[here, : near.size(1)] = trajectory.node[here][near]
    return found
