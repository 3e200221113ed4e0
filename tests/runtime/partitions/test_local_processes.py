"""Processes of this machine: the same results as one, also where some die."""

import numpy as np
import pytest

from genurl_graph.exceptions import InputError, LostProcessError, ShortMemoryError
from genurl_graph.runtime.partitions import Store, attempts, run_stage
from genurl_graph.runtime.partitions.local_processes import LocalProcesses
from tests.runtime.partitions.work import (
    add,
    count_steps,
    die,
    hold,
    mistake,
    notes,
    refuse,
    refuse_together,
    square,
    write_table,
)


@pytest.fixture(scope="module")
def launcher():
    with LocalProcesses(2, memory_per_worker=900 << 20) as two:
        yield two


def test_partitions_are_worked_on_again_where_a_process_dies(tmp_path, launcher) -> None:
    store = Store.of(tmp_path, 50, 5)
    worked = run_stage(launcher, store, "squares", square, ["square"], {1, 3})
    assert [each.part for each in worked] == list(range(5))
    assert np.array_equal(np.concatenate(list(store.parts("square"))), np.arange(50) ** 2)
    assert len({each.worker for each in worked}) >= 2
    assert all(each.peak > 0 for each in worked)


def test_a_cap_is_for_what_is_held_not_for_what_is_reserved(launcher, tmp_path) -> None:
    ((held, peak),) = (each.value for each in launcher.map("blocks", hold, [0], 300 << 20))
    assert held == 300 < peak >> 20 < 900
    # Arrow's own allocator would reserve more than the cap for a table of 2 MB.
    (wrote,) = launcher.map("tables", write_table, [0], tmp_path, 200 << 20)
    assert wrote.value == (1 << 18, 25 << 20)
    assert wrote.peak >> 20 < 900


def test_errors_of_partitions_arrive_as_they_are(launcher, monkeypatch) -> None:
    monkeypatch.setattr(attempts, "ATTEMPTS", 2)
    assert [each.value for each in launcher.map("sums", add, [3, 0], 4)] == [7, 4]
    with pytest.raises(InputError, match="feature: found NaN; expected numbers"):
        launcher.map("features", refuse, range(3), 1)
    with pytest.raises(IndexError):
        launcher.map("lists", mistake, range(2))
    with pytest.raises(ShortMemoryError, match=r"neighbours under the cap of 0.94 GB a worker: .*--memory-per-worker"):
        launcher.map("neighbours", hold, range(2), 900 << 20)
    with pytest.raises(LostProcessError, match=r"deaths: a worker died 2 times .*--memory-per-worker"):
        launcher.map("deaths", die, range(2))


def test_a_training_goes_on_from_its_checkpoint(tmp_path, launcher) -> None:
    worked = launcher.together("training", count_steps, tmp_path, 6, (3, 1))
    assert [(each.part, each.value) for each in worked] == [(0, (0, 6)), (1, (1, 6))]
    begun = sorted(notes(tmp_path))
    assert begun[:2] == ["begin 0 0 2", "begin 0 1 2"]
    # What the checkpoint held is not done again.
    assert [line.split()[1] for line in begun[2:]] == ["3", "3"]


def test_the_error_of_one_process_ends_a_training(launcher) -> None:
    with pytest.raises(InputError, match="feature: found NaN"):
        launcher.together("training", refuse_together, 1)
