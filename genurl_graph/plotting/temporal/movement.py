"""How far nodes move about their own mean, and which move most."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.inputs.temporal.trajectory import Trajectory


def movement(trajectory: Trajectory) -> Tensor:
    """How far each node is from its own mean, as a root mean square over its windows, weighted by events.

    Parameters
    ----------
    trajectory : Trajectory
        Of any number of columns.

    Returns
    -------
    Tensor, float32, shape [n]
        NaN for nodes of fewer than two windows: what was seen once has not moved, and not stayed either.

    Examples
    --------
    >>> movement(model.trajectory_).nan_to_num().topk(10).indices  # those that change most
    """
    n, node, events = trajectory.num_nodes, trajectory.node, trajectory.events.double()
    square = trajectory.varying().double().square().sum(1) * events
    total = torch.zeros(n, dtype=torch.float64)
    found = total.index_add(0, node, square) / total.index_add(0, node, events)
    found[windows_seen(trajectory) < 2] = torch.nan
    return found.sqrt().float()


def windows_seen(trajectory: Trajectory) -> Tensor:
    """Windows in which each node has an event, int64 [n]."""
    return torch.bincount(trajectory.node, minlength=trajectory.num_nodes)


def most_moving(trajectory: Trajectory, count: int) -> Tensor:
    """The nodes that move most, at most `count`, int64; only those seen in a third of the windows, or at least three.

    A node that was seen in two windows of a hundred is as far from its mean as one that changed for good.
    """
    least = min(max(trajectory.num_windows // 3, 3), int(windows_seen(trajectory).max()))
    moved = torch.where(windows_seen(trajectory) >= least, movement(trajectory), torch.nan)
    order = torch.argsort(moved.nan_to_num(-1.0), descending=True, stable=True)
    return order[: min(count, int((moved > 0).sum()))]


def most_text(count: int) -> str:
    """What a plot says of the nodes that `most_moving` found."""
    return "The node that moves most" if count == 1 else f"The {count} nodes that move most about their own means"
