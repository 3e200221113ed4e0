"""What is known of nodes in spans of time, as rows of windows ask for it."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.evaluation.temporal_nodes.changes import Changes
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.temporal.event_set import NodeStates
from genurl_graph.inputs.temporal.trajectory import Trajectory


def row_labels(trajectory: Trajectory, states: NodeStates) -> Tensor:
    """The state of each row's node in the middle of the row's window, int64 [R]; -1: unknown.

    Raises
    ------
    InputError
        States of fewer nodes than the trajectory has.
    """
    if len(states.label) < trajectory.num_nodes:
        raise wrong("states", f"{len(states.label):,} nodes", f"those of the trajectory, {trajectory.num_nodes:,}")
    middle = (trajectory.starts[:-1] + trajectory.starts[1:]) / 2
    span = torch.searchsorted(states.starts, middle, right=True) - 1
    known = torch.where(span >= 0, span, 0)[trajectory.window]
    label = states.label[trajectory.node, known]
    return torch.where((span >= 0)[trajectory.window], label, -1)


def true_changes(states: NodeStates, starts: Tensor) -> Changes:
    """Changes between known states, and the first window of which at least half lies after each (`row_labels`).

    Changes before the first such window, or after the last, are left out: no rows lie on one side of them.

    Parameters
    ----------
    states : NodeStates
    starts : Tensor, float64, shape [W + 1]
        When the windows begin, and the end.
    """
    before, after = states.label[:, :-1], states.label[:, 1:]
    node, span = torch.nonzero((before != after) & (before >= 0) & (after >= 0), as_tuple=True)
    middle = (starts[:-1] + starts[1:]) / 2
    window = torch.searchsorted(middle, states.starts[span + 1])
    inside = (window > 0) & (window < len(middle))
    return Changes(node[inside], window[inside])
