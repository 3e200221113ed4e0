"""Which nodes move, and how far."""

import pytest
import torch

from genurl_graph.inputs.temporal.trajectory import Trajectory
from genurl_graph.plotting.temporal.movement import most_moving, movement


def test_the_root_mean_square_about_the_mean_weighted_by_events() -> None:
    # Node 0 is at 0 with three events and at 4 with one: mean 1, squares 1 and 9. Node 1 is seen once.
    node, window = torch.tensor([0, 1, 0]), torch.tensor([0, 0, 1])
    z, events = torch.tensor([[0.0], [5.0], [4.0]]), torch.tensor([3.0, 1.0, 1.0])
    found = movement(Trajectory(node, window, z, events, torch.arange(3).double(), 3))
    assert float(found[0]) == pytest.approx(3**0.5)
    assert found[1:].isnan().all()


def test_the_most_moving_are_found_among_nodes_seen_often(trajectory: Trajectory) -> None:
    assert most_moving(trajectory, 3)[0] == 3
    # Node 7 is seen once, the others stay: nobody else moves as far.
    assert 7 not in most_moving(trajectory, 20)
    # A node that leaps, but was seen twice only.
    node, window = (
        torch.cat([trajectory.node, torch.tensor([20, 20])]),
        torch.cat([trajectory.window, torch.tensor([4, 5])]),
    )
    z = torch.cat([trajectory.embedding, torch.tensor([[0.0, -90.0], [0.0, 90.0]])])
    order = torch.argsort(window, stable=True)
    more = trajectory._replace(
        node=node[order], window=window[order], embedding=z[order], events=torch.ones(len(node)), num_nodes=21
    )
    assert most_moving(more, 1).tolist() == [3]


def test_two_windows_are_enough_where_there_are_no_more(trajectory: Trajectory) -> None:
    rows = trajectory.window >= 4
    z = trajectory.embedding[rows].clone()
    z[-1] = 50.0
    part = Trajectory(
        trajectory.node[rows], trajectory.window[rows] - 4, z, torch.ones(len(z)), torch.arange(3).double(), 20
    )
    assert most_moving(part, 1).tolist() == [19]
