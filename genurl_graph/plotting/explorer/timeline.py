"""Points that move with time: where each of them is in each window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from genurl_graph.exceptions import wrong
from genurl_graph.graph.knn import knn
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.plotting.explorer.colours import Column, Numbers
from genurl_graph.plotting.figure import check_points


class Contacts(NamedTuple):
    """With whom nodes share events in their windows, most often first.

    Attributes
    ----------
    ptr : Tensor, int64, shape [R + 1]
        Where the list of each row begins.
    node, number : Tensor, int64, shape [C]
        The other node, and how many events.
    """

    ptr: Tensor
    node: Tensor
    number: Tensor


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
    contacts : Contacts, or None
        With whom the node of each row shares events.
    """

    trajectory: Trajectory
    names: Sequence[str]
    columns: Sequence[Column] = ()
    contacts: Contacts | None = None

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
        counts |= {} if self.contacts is None else {"contacts": (len(self.contacts.ptr), len(rows.node) + 1)}
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


def contacts_in_windows(trajectory: Trajectory, edges: TemporalEdges) -> Contacts:
    """With whom the node of each row shares events in its window, in either direction; self-loops are left out.

    Parameters
    ----------
    trajectory : Trajectory
        Of any number of columns.
    edges : TemporalEdges
        Among its nodes; ends without a row in the window of the event are left out.

    Examples
    --------
    >>> found = contacts_in_windows(trajectory, TemporalEdges.of([0, 1, 0], [1, 0, 2], [0.0, 0.0, 0.0]))
    >>> found.node[: int(found.ptr[1])].tolist(), found.number[: int(found.ptr[1])].tolist()
    ([1, 2], [2, 1])
    """
    n = trajectory.num_nodes
    begins = trajectory.starts[:-1]
    window = torch.searchsorted(begins, edges.time, right=True) - 1
    inside = (window >= 0) & (edges.time <= trajectory.starts[-1]) & (edges.source != edges.target)
    window = window[inside].repeat(2)
    one, other = (
        torch.cat([a[inside], b[inside]]) for a, b in ((edges.source, edges.target), (edges.target, edges.source))
    )
    keys = trajectory.window * n + trajectory.node  # ascending: rows are sorted by both
    rows = torch.searchsorted(keys, window * n + one).clamp_max(len(keys) - 1)
    there = keys[rows] == window * n + one
    pair, count = torch.unique(rows[there] * n + other[there], return_counts=True)
    order = torch.argsort(count, descending=True, stable=True)
    order = order[torch.argsort(pair[order] // n, stable=True)]
    lengths = torch.bincount(pair // n, minlength=len(keys))
    return Contacts(torch.cat([lengths.new_zeros(1), lengths.cumsum(0)]), pair[order] % n, count[order])
