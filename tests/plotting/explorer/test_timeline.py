"""Points that move: what the page carries of them, and which parts do not fit together."""

import base64

import numpy as np
import pytest
import torch

from genurl_graph.exceptions import InputError
from genurl_graph.inputs.temporal.events import TemporalEdges
from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.plotting.explorer.colours import column, labels
from genurl_graph.plotting.explorer.payload import encode
from genurl_graph.plotting.explorer.scene import Scene
from genurl_graph.plotting.explorer.timeline import Timeline, contacts_in_windows, nearest_in_windows

# Node 1 is in windows 0 and 2, node 0 in 0 and 1, node 2 in 2 only.
ROWS = Trajectory(
    torch.tensor([0, 1, 0, 1, 2]),
    torch.tensor([0, 0, 1, 2, 2]),
    torch.tensor([[0.0, 0], [1, 1], [5, 0], [2, 2], [9, 9]]),
    torch.ones(5),
    torch.arange(4).double(),
    3,
)
NAMES = ["a", "b", "c", "d"]


def decode(stored: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(stored["data"]), dtype=np.dtype(f"<{stored['type']}"))


def test_the_page_carries_all_rows_and_shows_the_last() -> None:
    line = Timeline(ROWS, NAMES, [labels("State", "", [0, 1, 1, 0, 1])])
    assert line.last_points().tolist() == [[5, 0], [2, 2], [9, 9]]
    found = encode(Scene("t", line.last_points().numpy(), columns=[column("Age", "", [1.5, 2, 3])], timeline=line))
    assert decode(found["time"]["ptr"]).tolist() == [0, 2, 3, 5]
    assert decode(found["time"]["node"]).tolist() == [0, 1, 0, 1, 2]
    np.testing.assert_array_equal(
        np.stack([decode(found["time"]["x"]), decode(found["time"]["y"])], 1), ROWS.embedding.numpy()
    )
    age, state = found["columns"]
    assert "rows" not in age
    assert state["rows"] is True
    assert decode(state["values"]).tolist() == [0, 1, 1, 0, 1]
    assert encode(Scene("t", np.eye(2)))["time"] is None


def test_neighbours_are_those_of_the_same_window() -> None:
    generator = torch.Generator().manual_seed(0)
    node, window = torch.arange(12).repeat(3), torch.arange(3).repeat_interleave(12)
    z = torch.randn(36, 4, generator=generator)
    many = Trajectory(node, window, z, torch.ones(36), torch.arange(4).double(), 12)
    found = nearest_in_windows(many, 3, "euclidean")
    for row in (0, 17, 35):
        here = torch.arange(36)[(window == window[row]) & (torch.arange(36) != row)]
        expected = here[torch.cdist(z[row][None], z[here])[0].argsort()[:3]]
        assert found[row].tolist() == node[expected].tolist()
    # Too few others: the node itself fills the list.
    assert nearest_in_windows(ROWS, 2, "euclidean").tolist() == [[1, 0], [0, 1], [0, 0], [2, 1], [1, 2]]


def test_parts_that_do_not_fit_are_refused() -> None:
    points = np.zeros((3, 2))
    for line, nearest, match in (
        (Timeline(ROWS._replace(num_nodes=4), NAMES), None, "timeline"),
        (Timeline(ROWS, NAMES[:3]), None, "names of windows"),
        (Timeline(ROWS, NAMES, [labels("State", "", [0, 1, 1])]), None, "column State"),
        (Timeline(ROWS, NAMES), torch.zeros(3, 2).long(), "nearest"),
        (Timeline(ROWS._replace(embedding=torch.full((5, 2), torch.nan)), NAMES), None, "timeline"),
    ):
        with pytest.raises(InputError, match=match):
            Scene("t", points, timeline=line, nearest=nearest)


def test_contacts_are_counted_by_window_in_both_directions() -> None:
    # Windows begin at 0, 1 and 2; node 0 has no row in window 2, where 1 and 2 meet.
    edges = TemporalEdges.of(
        [0, 1, 1, 0, 1, 0, 1], [1, 0, 2, 0, 2, 2, 2], [0.0, 0.5, 2.0, 2.0, 2.5, 2.7, 9.0], num_nodes=3
    )
    found = contacts_in_windows(ROWS, edges)
    lists = [
        list(zip(found.node[low:high].tolist(), found.number[low:high].tolist(), strict=True))
        for low, high in zip(found.ptr[:-1].tolist(), found.ptr[1:].tolist(), strict=True)
    ]
    assert lists == [[(1, 2)], [(0, 2)], [], [(2, 2)], [(1, 2), (0, 1)]]
    line = Timeline(ROWS, NAMES, contacts=found)
    carried = encode(Scene("t", line.last_points().numpy(), timeline=line))["time"]["contacts"]
    assert decode(carried["ptr"]).tolist() == found.ptr.tolist()
    with pytest.raises(InputError, match="contacts"):
        Scene("t", np.zeros((3, 2)), timeline=line._replace(contacts=found._replace(ptr=found.ptr[1:])))
