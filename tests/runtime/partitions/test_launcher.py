"""Who works on partitions: one process, in order."""

from genurl_graph.runtime.partitions import OneProcess
from genurl_graph.runtime.processes import world_size


def _add(part, number):
    return part + number


def _alone(number):
    return number, world_size()


def test_one_process_works_on_partitions_in_their_order_and_together_with_nobody() -> None:
    launcher = OneProcess()
    found = launcher.map("adding", _add, [2, 0], 10)
    assert [(each.part, each.value) for each in found] == [(2, 12), (0, 10)]
    (only,) = launcher.together("counting", _alone, 7)
    assert (only.part, only.value, only.worker) == (0, (7, 1), "this process")
    assert only.seconds >= 0 <= only.peak
