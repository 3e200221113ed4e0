"""States of spans as windows see them."""

import pytest
import torch

from genurl_graph.evaluation.temporal_nodes import row_labels, true_changes
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.temporal.event_set import NodeStates
from tests.evaluation.temporal_nodes.rows import known

# Node 0 changes at 10 and at 20, node 1 at 10 to what nobody knows, node 2 never.
STATES = NodeStates(torch.tensor([0.0, 10.0, 20.0]), torch.tensor([[0, 1, 0], [2, -1, 2], [1, 1, 1]]))


def test_a_row_has_the_state_of_the_middle_of_its_window() -> None:
    rows = known(torch.zeros(3, 4, dtype=torch.int64), 0.1)._replace(starts=torch.tensor([-9.0, 4.0, 13.0, 18.0, 30.0]))
    labels = row_labels(rows, STATES).view(4, 3)
    # Middles: -2.5, 8.5, 15.5, 24.
    assert labels.tolist() == [[-1, -1, -1], [0, 2, 1], [1, -1, 1], [0, 2, 1]]
    found = true_changes(STATES, rows.starts)
    assert (found.node.tolist(), found.window.tolist()) == ([0, 0], [2, 3])


def test_changes_outside_all_windows_are_left_out() -> None:
    assert true_changes(STATES, torch.tensor([12.0, 16.0, 30.0])).window.tolist() == [1]
    assert true_changes(STATES, torch.tensor([0.0, 4.0, 8.0])).window.tolist() == []


def test_states_of_too_few_nodes_are_refused() -> None:
    with pytest.raises(InputError, match=r"^states: found 3 nodes; expected those of the trajectory, 5"):
        row_labels(known(torch.zeros(5, 4, dtype=torch.int64), 0.1), STATES)
