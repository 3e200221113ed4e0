"""The protocol of nodes: groups in windows, changes, and who is who, of a trajectory and of what needs no training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch

from genurl_graph.evaluation.temporal_nodes.changes import find_changes, judge_changes
from genurl_graph.evaluation.temporal_nodes.clusters import identity, window_clusters
from genurl_graph.evaluation.temporal_nodes.references import references
from genurl_graph.evaluation.temporal_nodes.truth import row_labels, true_changes
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.temporal.event_set import EventSet
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.inputs.temporal.windows import Windows


class NodeFigures(NamedTuple):
    """How well one trajectory tells what nodes are.

    Attributes
    ----------
    clusters : dict
        ``window`` and ``joint`` (`window_clusters`).
    changes : dict
        ``recall``, ``precision``, ``f1`` and ``delay`` (`judge_changes`).
    identity : dict
        ``nmi`` and ``probe`` of the time-invariant part; empty without labels of the nodes.
    """

    clusters: dict[str, float]
    changes: dict[str, float]
    identity: dict[str, float]


def judge_nodes(
    events: EventSet, trajectories: Mapping[str, Trajectory], *, within: int = 1, seed: int = 0, beside: bool = True
) -> dict[str, NodeFigures]:
    """Figures of each trajectory of the events, by name, and beside them those that need no training.

    Parameters
    ----------
    events : EventSet
        With `states`.
    trajectories : mapping of name to Trajectory
        At least one; all of the same windows.
    within : int
        Windows that a change may be found too early or too late.
    seed : int
        Of k-means and of the probe's split.
    beside : bool
        Whether rows without training (`references`) are judged, too.

    Raises
    ------
    InputError
        Events without states, no trajectory, or trajectories of different windows.

    Examples
    --------
    >>> judge_nodes(events, {"GenURL": model.trajectory_})["GenURL"].clusters["window"]
    """
    states = events.states
    if states is None:
        raise wrong("events", "no true states of the nodes", "those of a planted set, such as planted-switching")
    if not trajectories:
        raise wrong("trajectories", "none", "at least one")
    starts = next(iter(trajectories.values())).starts
    if any(not torch.equal(each.starts, starts) for each in trajectories.values()):
        raise wrong("trajectories", "different windows", "the same for all")
    rows = dict(trajectories)
    if beside:
        begins = torch.searchsorted(events.edges.time, starts[:-1])
        windows = Windows(torch.cat([begins, torch.tensor([len(events.edges)])]), starts)
        groups = len(torch.unique(states.label[states.label >= 0]))
        rows |= references(events.edges, windows, groups)
    truth = true_changes(states, starts)
    figures = {}
    for name, each in rows.items():
        clusters = window_clusters(each, row_labels(each, states), seed)
        changes = judge_changes(find_changes(each), truth, each.num_windows, within)
        who = {} if events.y is None else identity(each, events.y, seed)
        figures[name] = NodeFigures(clusters, changes, who)
    return figures
