"""The page of a trajectory: what it says of nodes and windows, and files whose parts do not fit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genurl_graph.exceptions import InputError
from genurl_graph.experiments.explorer.moving import compose_moving, trajectory_of
from genurl_graph.inputs.temporal.event_set import EventSet, NodeStates
from genurl_graph.inputs.temporal.events import TemporalEdges

PATH = Path("z.npz")
DAY = 86400.0


def stored(n: int = 12, windows: int = 4) -> dict[str, Any]:
    """Two groups on a map; node 1 changes sides in window 2, node 0 has no event at all."""
    window, node = torch.arange(windows).repeat_interleave(n - 1), torch.arange(1, n).repeat(windows)
    side = (node % 2).float()
    side[(node == 1) & (window >= 2)] = 0
    z = torch.stack([10 * side, 0.1 * node], 1)
    return {
        "embedding": np.zeros((n, 2), dtype=np.float32),
        "node_id": np.array([f"n{i}" for i in range(n)]),
        "trajectory": z.numpy(),
        "trajectory_node": node.numpy(),
        "trajectory_window": window.numpy(),
        "window_start": DAY * np.arange(windows + 1),
        "time_unit": np.array("seconds"),
    }


def test_nodes_with_rows_are_shown_with_how_far_they_moved() -> None:
    given = stored()
    names = [str(one) for one in given["node_id"]]
    scene = compose_moving(PATH, given, "talk", None, names, [], 2)
    assert scene.node_id == names[1:]
    assert scene.notes[0] == "11 nodes in 4 windows from 1970-01-01 to 1970-01-05"
    found: dict[str, Any] = {one.name: one for one in scene.columns}
    assert list(found) == ["Cluster by mean", "Moved", "Windows"]
    assert found["Moved"].values.argmax() == 0  # node 1
    assert found["Windows"].values.tolist() == [4] * 11
    assert scene.timeline is not None
    (cluster,) = scene.timeline.columns
    own: Any = cluster
    codes = own.codes.reshape(4, 11)
    assert codes[0, 0] != codes[3, 0]
    assert (codes[0, 1:] == codes[3, 1:]).all()
    assert scene.nearest is not None
    assert len(scene.nearest) == 44


def test_labels_and_planted_states_are_found_by_name() -> None:
    given = stored()
    names = [str(one) for one in given["node_id"]]
    edges = TemporalEdges.of([0, 1], [1, 2], [0.0, 1.0], num_nodes=12)
    backwards = names[::-1]
    label = torch.arange(12).flip(0)[:, None].expand(12, 2).clone() % 2
    label[10, 1] = 0  # node n1, which changes in window 2
    data = EventSet(
        edges, y=torch.arange(12) % 2, node_id=backwards, states=NodeStates(DAY * torch.tensor([0.0, 2]), label)
    )
    scene = compose_moving(PATH, given, "talk", data, names, [], None)
    found: dict[str, Any] = {one.name: one for one in [*scene.columns, *scene.timeline.columns]}  # type: ignore[union-attr]
    assert found["Label"].codes.tolist() == [(11 - i) % 2 for i in range(1, 12)]
    state = found["State in this window"].codes.reshape(4, 11)
    assert state[:, 0].tolist() == [1, 1, 0, 0]
    assert (state[:, 1:] == state[0, 1:]).all()
    strange = EventSet(edges, node_id=[f"m{i}" for i in range(12)])
    with pytest.raises(InputError, match=r"z\.npz.*n0.*nodes of talk, such as 'm0'"):
        compose_moving(PATH, given, "talk", strange, names, [], None)


def test_rows_come_in_any_order_and_the_end_of_time_may_be_missing() -> None:
    given = stored()
    order = np.random.default_rng(0).permutation(44)
    mixed = {key: value[order] if key.startswith("trajectory") else value for key, value in given.items()}
    mixed["window_start"] = mixed["window_start"][:-1]
    found, expected = trajectory_of(PATH, mixed), trajectory_of(PATH, given)
    assert torch.equal(found.embedding, expected.embedding)
    assert torch.equal(found.node, expected.node)
    assert found.num_windows == 4


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("trajectory_node", np.arange(44)),
        ("trajectory_node", np.arange(3)),
        ("trajectory_window", np.full(44, 7)),
        ("trajectory", np.zeros((0, 2))),
    ],
)
def test_parts_that_do_not_fit_are_refused(key: str, value: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"z\.npz: trajectory"):
        trajectory_of(PATH, {**stored(), key: value})
