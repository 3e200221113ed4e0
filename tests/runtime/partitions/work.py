"""What workers do in these tests: a module of its own, since other processes import it."""

import os
import signal
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from genurl_graph.exceptions import ShortMemoryError, wrong
from genurl_graph.runtime.memory import peak_memory, reset_peak_memory
from genurl_graph.runtime.partitions.limits import CODE, within


def add(part, number):
    return part + number


def note(folder, text):
    """A line that all processes can add to the same file."""
    with (Path(folder) / "notes").open("a") as file:
        file.write(f"{text}\n")


def notes(folder):
    file = Path(folder) / "notes"
    return file.read_text().splitlines() if file.exists() else []


def die_once(folder, name):
    """End this process as `kill -9` does, unless it has been done before."""
    marker = Path(folder) / f"died-{name}"
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def square(part, store, dies, pause=0.0):
    """A stage: the squares of a partition's rows."""
    if part in dies:
        die_once(store.path, part)
    time.sleep(pause)
    note(store.path, part)
    store.save("square", part, np.arange(*store.span(part)) ** 2)


def dying(folder, function, part, *shared):
    """`function` of a partition, of which the second one's worker dies once, and all that is worked on is noted."""
    if part == 1:
        die_once(folder, function.__name__)
    found = function(part, *shared)
    note(folder, part)
    return found


class Dying:
    """A launcher some of whose stages lose a worker."""

    def __init__(self, launcher, folder, stages):
        self.launcher, self.folder, self.stages = launcher, folder, stages
        self.workers = launcher.workers

    def map(self, doing, function, parts, *shared, **how):
        if doing in self.stages:
            function = partial(dying, self.folder, function)
        return self.launcher.map(doing, function, parts, *shared, **how)

    def together(self, doing, function, *shared, **how):
        return self.launcher.together(doing, function, *shared, **how)


def die(part):
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(part, number):
    if part == number:
        raise wrong("feature", "NaN", "numbers")
    return part


def mistake(part):
    return [][part]


def hold(part, amount):
    """Hold so many bytes, a megabyte at a time."""
    held = [np.ones(1 << 17) for _ in range(amount >> 20)]
    return len(held), peak_memory()


def wait_for(file):
    until = time.monotonic() + 200
    while not file.exists():
        assert time.monotonic() < until, f"no {file.name} within 200 s"
        time.sleep(0.02)


def is_gone(process):
    """Whether a process of this machine has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def count_steps(folder, steps, dies=None, waits=None):
    """A training: a sum over all workers a step, and a checkpoint each time, from which it goes on.

    `dies` is the step and the rank at which a worker is killed, once. At the step `waits` all say who they are, and
    wait for a file.
    """
    import torch

    from genurl_graph.runtime.processes import rank, total_of, world_size

    checkpoint = Path(folder) / "step"
    step = int(checkpoint.read_text()) if checkpoint.exists() else 0
    note(folder, f"begin {step} {rank()} {world_size()}")
    while step < steps:
        if dies == (step, rank()):
            die_once(folder, "training")
        if step == waits:
            (Path(folder) / f"process-{rank()}").write_text(str(os.getpid()))
            total_of(torch.tensor(1.0))
            (Path(folder) / f"step-{step}").touch()
            wait_for(Path(folder) / "go")
        total = total_of(torch.tensor(1.0))
        assert total == world_size()
        step += 1
        if rank() == 0:
            checkpoint.with_suffix(".new").write_text(str(step))
            checkpoint.with_suffix(".new").rename(checkpoint)
    return rank(), step


def refuse_together(number):
    import torch

    from genurl_graph.runtime.processes import rank, total_of

    if rank() == number:
        raise wrong("feature", "NaN", "numbers")
    return total_of(torch.tensor(1.0))


def write_table(part, folder, amount):
    """A table written and read, and beside it room for so many bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"id": np.arange(1 << 18)}), Path(folder) / "ids.parquet")
    rows = pq.read_table(Path(folder) / "ids.parquet").num_rows
    return rows, len(np.ones(amount >> 3))


class Allocated(NamedTuple):
    """Bytes that a process could hold under its cap, the message that ended it, and bytes of one block afterwards."""

    cap: int
    held: int
    peak: int
    refused: str
    after: int


def allocate_beyond(kind, block, room):
    """Allocate blocks of so many bytes until the cap, which leaves `room` more than is taken already, refuses one."""
    import torch

    reset_peak_memory()
    cap, held, refused = peak_memory() + CODE + room, [], ""
    ones = {"numpy": np.ones, "torch": partial(torch.ones, dtype=torch.float64)}[kind]
    try:
        with within(cap, "averages"):
            while len(held) * block < 2 * cap:
                held.append(ones(block // 8) * 1.0)
    except ShortMemoryError as error:
        refused = str(error)
    amount, peak = len(held) * block, peak_memory()
    held.clear()
    return Allocated(cap, amount, peak, refused, np.ones(cap // 8).nbytes)
