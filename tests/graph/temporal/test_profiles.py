"""What a node does in a window, counted by hand."""

import math

import torch

from genurl_graph.graph.temporal.history import History
from genurl_graph.graph.temporal.profiles import PROFILE, active_nodes, activity_profiles
from genurl_graph.inputs.temporal import TemporalEdges


def test_counts_of_a_window() -> None:
    past = History.empty(4).after(TemporalEdges.of([0], [1], [0.0], num_nodes=4), torch.ones(1), 1.0)
    past = past.after(TemporalEdges.of([3], [1], [1.0], num_nodes=4), torch.ones(1), 1.0)
    now = TemporalEdges.of([0, 0, 2], [1, 1, 0], [2.0, 3.0, 4.0], [5.0, 7.0, -1.0], num_nodes=4)
    nodes = active_nodes(now)
    found = activity_profiles(now, nodes, past)
    assert nodes.tolist() == [0, 1, 2]
    assert found.shape == (3, len(PROFILE) + 2)
    first = dict(zip((*PROFILE, "sent", "received"), found[0].tolist(), strict=True))
    assert math.isclose(first["out"], math.log(3), rel_tol=1e-6)
    assert math.isclose(first["in"], math.log(2), rel_tol=1e-6)
    assert math.isclose(first["partners"], math.log(3), rel_tol=1e-6)
    assert math.isclose(first["share of repeats"], 1 / 3, rel_tol=1e-6)
    assert math.isclose(first["gap"], math.log(3), rel_tol=1e-6)
    assert (first["sent"], first["received"], first["new"]) == (6.0, -1.0, 0.0)
    assert found[2, PROFILE.index("new")] == 1
    assert found[2, PROFILE.index("age")] == 0


def test_features_of_events_are_averaged_over_those_of_a_node() -> None:
    now = TemporalEdges.of([0, 1], [1, 2], [0.0, 1.0], attr=[[2.0], [4.0]])
    assert activity_profiles(now, active_nodes(now), History.empty(3))[:, -1].tolist() == [2.0, 3.0, 4.0]
