"""Rows of nodes in windows: what stays, what moves, and what was known before a window."""

import torch

from genurl_graph.inputs.temporal import Trajectory

HERE = Trajectory(
    node=torch.tensor([0, 1, 0, 2]),
    window=torch.tensor([0, 0, 1, 2]),
    embedding=torch.tensor([[1.0], [2.0], [5.0], [7.0]]),
    events=torch.tensor([1.0, 1.0, 3.0, 2.0]),
    starts=torch.tensor([0.0, 1.0, 2.0, 3.0], dtype=torch.float64),
    num_nodes=4,
)


def test_repr_says_how_much_there_is() -> None:
    assert repr(HERE) == "Trajectory(4 nodes, 3 windows, 4 rows of 1 columns)"


def test_the_invariant_part_is_the_mean_over_windows_weighted_by_events() -> None:
    assert HERE.invariant().tolist() == [[4.0], [2.0], [7.0], [0.0]]
    assert HERE.varying().tolist() == [[-3.0], [0.0], [1.0], [0.0]]


def test_both_parts_add_up_and_the_rest_has_weighted_mean_0() -> None:
    assert torch.equal(HERE.invariant()[HERE.node] + HERE.varying(), HERE.embedding)
    left = torch.zeros(4, 1).index_add_(0, HERE.node, HERE.varying() * HERE.events[:, None])
    assert left.abs().max() < 1e-6


def test_before_a_window_is_the_last_row_of_earlier_windows() -> None:
    z, seen = HERE.before(2)
    assert z.tolist() == [[5.0], [2.0], [0.0], [0.0]]
    assert seen.tolist() == [True, True, False, False]
    assert not HERE.before(0)[1].any()


def test_joined_trajectories_count_windows_on() -> None:
    later = HERE._replace(window=HERE.window, num_nodes=6)
    both = HERE.joined(later)
    assert both.num_windows == 6
    assert both.num_nodes == 6
    assert both.window.tolist() == [0, 0, 1, 2, 3, 3, 4, 5]
    assert both.rows(4) == slice(6, 7)
