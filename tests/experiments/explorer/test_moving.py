"""The page of a trajectory: what it says of nodes and windows, and files whose parts do not fit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genurl_graph.exceptions import InputError
from genurl_graph.experiments.explorer.compose import Choices
from genurl_graph.experiments.explorer.moving import compose_moving
from genurl_graph.inputs.temporal.event_set import EventSet, NodeStates
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.inputs.temporal.trajectory_files import Stored

PATH = Path("z.npz")
DAY = 86400.0
NAMES = [f"n{i}" for i in range(12)]


def stored(n: int = 12, windows: int = 4) -> Stored:
    """Two groups on a map; node 1 changes sides in window 2, node 0 has no event at all."""
    window, node = torch.arange(windows).repeat_interleave(n - 1), torch.arange(1, n).repeat(windows)
    side = (node % 2).float()
    side[(node == 1) & (window >= 2)] = 0
    z = torch.stack([10 * side, 0.1 * node], 1)
    found = Trajectory(node, window, z, torch.ones(len(z)), DAY * torch.arange(windows + 1).double(), n)
    columns = {"embedding": np.zeros((n, 2), dtype=np.float32), "node_id": np.array(NAMES)}
    return Stored(columns, found, "seconds")


def test_nodes_with_rows_are_shown_with_how_far_they_moved() -> None:
    given = stored()
    scene = compose_moving(PATH, given, "talk", None, NAMES, [], Choices(2))
    assert scene.node_id == NAMES[1:]
    assert scene.notes[0] == "11 nodes in 4 windows from 1970-01-01 to 1970-01-05"
    found: dict[str, Any] = {one.name: one for one in scene.columns}
    assert list(found) == ["Cluster by mean", "Moved", "Windows"]
    assert found["Moved"].values.argmax() == 0  # node 1
    assert found["Windows"].values.tolist() == [4] * 11
    assert scene.timeline is not None
    cluster, events = scene.timeline.columns
    assert events.name == "Events in this window"
    own: Any = cluster
    codes = own.codes.reshape(4, 11)
    assert codes[0, 0] != codes[3, 0]
    assert (codes[0, 1:] == codes[3, 1:]).all()
    assert scene.nearest is not None
    assert len(scene.nearest) == 44


def test_labels_and_planted_states_are_found_by_name() -> None:
    given = stored()
    edges = TemporalEdges.of([0, 1], [1, 2], [0.0, 1.0], num_nodes=12)
    backwards = NAMES[::-1]
    label = torch.arange(12).flip(0)[:, None].expand(12, 2).clone() % 2
    label[10, 1] = 0  # node n1, which changes in window 2
    states = NodeStates(DAY * torch.tensor([0.0, 2]), label)
    data = EventSet(edges, y=torch.arange(12) % 2, label_names=["in", "out"], node_id=backwards, states=states)
    scene = compose_moving(PATH, given, "talk", data, NAMES, [], Choices())
    found: dict[str, Any] = {one.name: one for one in [*scene.columns, *scene.timeline.columns]}  # type: ignore[union-attr]
    assert found["Label"].codes.tolist() == [(11 - i) % 2 for i in range(1, 12)]
    assert found["State in this window"].names == ["in", "out"]
    state = found["State in this window"].codes.reshape(4, 11)
    assert state[:, 0].tolist() == [1, 1, 0, 0]
    assert (state[:, 1:] == state[0, 1:]).all()
    strange = EventSet(edges, node_id=[f"m{i}" for i in range(12)])
    with pytest.raises(InputError, match=r"z\.npz.*n0.*nodes of talk, such as 'm0'"):
        compose_moving(PATH, given, "talk", strange, NAMES, [], Choices())


def test_of_a_single_window_nobody_says_how_far_nodes_moved() -> None:
    scene = compose_moving(PATH, stored(windows=1), "talk", None, NAMES, [], Choices())
    assert [one.name for one in scene.columns] == ["Cluster by mean", "Windows"]


def test_events_of_the_window_are_listed_where_the_data_are_there() -> None:
    given = stored()
    edges = TemporalEdges.of([1, 2, 1], [2, 1, 5], [0.5 * DAY, 0.6 * DAY, 2.5 * DAY], num_nodes=12)
    scene = compose_moving(PATH, given, "talk", EventSet(edges, node_id=NAMES), NAMES, [], Choices())
    assert scene.timeline is not None
    found = scene.timeline.contacts
    assert found is not None
    # Nodes are counted without node 0: the row of n1 in window 0 has n2 twice, that in window 2 n5 once.
    assert found.ptr.diff().nonzero().flatten().tolist() == [0, 1, 22, 26]
    assert found.node.tolist() == [1, 0, 4, 0]
    assert found.number.tolist() == [2, 2, 1, 1]
    assert "shares events" in scene.merged_about
    with pytest.raises(InputError, match=r"z\.npz: .*no trajectory"):
        compose_moving(PATH, given._replace(trajectory=None), "talk", None, NAMES, [], Choices())
