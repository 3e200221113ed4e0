"""Change points: those that are there, no others, and judged one to one."""

import math

import pytest
import torch

from genurl_graph.evaluation.temporal_nodes import Changes, find_changes, judge_changes, true_changes
from genurl_graph.exceptions import InputError
from genurl_graph.inputs.temporal.event_set import NodeStates
from tests.evaluation.temporal_nodes.rows import known, switched


def changes_of(label: torch.Tensor) -> Changes:
    windows = label.size(1)
    return true_changes(NodeStates(torch.arange(windows).double(), label), torch.arange(windows + 1).double())


@pytest.mark.parametrize("absent", [0.0, 0.3], ids=["all there", "gaps"])
def test_changes_are_found_where_they_are_and_nowhere_else(absent) -> None:
    label = switched()
    found = find_changes(known(label, 0.2, absent=absent))
    figures = judge_changes(found, changes_of(label), label.size(1))
    # A node that is absent for a while is seen to have changed when it is back.
    assert figures["recall"] > (0.85 if absent else 0.95)
    assert figures["precision"] > (0.85 if absent else 0.95)
    # Sorted by node and window, each once.
    key = found.node * 100 + found.window
    assert bool((key.diff() > 0).all())


def test_nothing_changes_where_there_is_noise_alone() -> None:
    label = switched(switching=0)
    found = find_changes(known(label, 0.3))
    assert len(found.node) <= 0.03 * len(label)


def test_several_changes_of_a_node_are_told_apart() -> None:
    label = torch.zeros(40, 20, dtype=torch.int64)
    label[0, 5:12], label[0, 12:] = 1, 2
    found = find_changes(known(label, 0.05))
    assert (found.node.tolist(), found.window.tolist()) == ([0, 0], [5, 12])


def test_neither_rotation_nor_scale_nor_chunks_matter(monkeypatch) -> None:
    rows = known(switched(), 0.2)
    found = find_changes(rows)
    turn = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(0)))[0]
    turned = find_changes(rows._replace(embedding=3 * rows.embedding @ turn))
    assert torch.equal(found.node, turned.node)
    assert torch.equal(found.window, turned.window)
    monkeypatch.setattr("genurl_graph.evaluation.temporal_nodes.changes._NUMBERS", 1000)
    parts = find_changes(rows)
    assert torch.equal(found.node, parts.node)
    assert torch.equal(found.window, parts.window)


def test_each_change_is_counted_once() -> None:
    truth = Changes(torch.tensor([0, 0, 1]), torch.tensor([4, 9, 4]))
    # Two beside one true change, one exact, one of another node.
    found = Changes(torch.tensor([0, 0, 1, 2]), torch.tensor([3, 5, 5, 4]))
    figures = judge_changes(found, truth, 12)
    assert figures["recall"] == pytest.approx(2 / 3)
    assert figures["precision"] == pytest.approx(1 / 2)
    assert figures["delay"] == pytest.approx(0.0)
    # The next node's number does not stand for a late window.
    edge = judge_changes(
        Changes(torch.tensor([1]), torch.tensor([0])), Changes(torch.tensor([0]), torch.tensor([11])), 12
    )
    assert edge["recall"] == 0
    none = Changes(*torch.empty(2, 0, dtype=torch.int64))
    assert math.isnan(judge_changes(none, truth, 12)["precision"])
    assert judge_changes(none, truth, 12)["f1"] == 0


def test_few_rows_have_no_changes_and_bad_numbers_are_refused() -> None:
    rows = known(switched(windows=8)[:, :3], 0.1)
    assert len(find_changes(rows).node) == 0
    with pytest.raises(InputError, match=r"^penalty: found 0; expected above 0"):
        find_changes(rows, penalty=0)
    with pytest.raises(InputError, match=r"^least: found 0; expected at least 1"):
        find_changes(rows, least=0)
