"""Who works on partitions: this process, one after the other, or workers elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple, Protocol

from genurl_graph.runtime.memory import peak_memory, reset_peak_memory


class Worked(NamedTuple):
    """What working on one partition gave, and took.

    Attributes
    ----------
    part : int
        Or the rank of the worker, where all work at once.
    value : Any
        What the function returned: small, as it travels.
    seconds, cpu : float
        Wall-clock and CPU time.
    peak : int
        Resident memory of the worker meanwhile, at most, in bytes; 0 where the system does not say.
    worker : str
        Who it was, such as the host and the number of the process.
    """

    part: int
    value: Any
    seconds: float
    cpu: float
    peak: int
    worker: str


class Launcher(Protocol):
    """Calls ``function(part, *shared)`` for partitions, in any order and anywhere, until each has succeeded once.

    `function` is a plain function of a module, and writes its result by `genurl_graph.runtime.partitions.store`:
    it may be called again for the same partition when a worker dies.

    Attributes
    ----------
    workers : int
        How many work at the same time, at most.
    """

    workers: int

    def map(
        self, doing: str, function: Callable[..., Any], parts: Iterable[int], *shared: Any, progress: bool = False
    ) -> list[Worked]:
        """Results in the order of `parts`; `doing` names the stage in progress bars and messages."""
        ...

    def together(self, doing: str, function: Callable[..., Any], *shared: Any, progress: bool = False) -> list[Worked]:
        """Call ``function(*shared)`` in all workers at once, who know each other by `genurl_graph.runtime.processes`.

        Where one dies, all are called again, perhaps fewer: `function` goes on from the checkpoint that it finds. The
        first process alone shows `progress`, which `function` gets by `shared` if it wants it.

        Returns
        -------
        list of Worked
            By rank, of those who ended the work.
        """
        ...


class OneProcess:
    """Partitions one after the other in this process, which holds one at a time."""

    workers = 1

    def map(
        self, doing: str, function: Callable[..., Any], parts: Iterable[int], *shared: Any, progress: bool = False
    ) -> list[Worked]:
        """As in `Launcher`."""
        from genurl_graph.runtime.progress import new_bar

        bar = new_bar(progress, iterable=list(parts), desc=doing, unit="partition")
        return [worked(function, part, *shared) for part in bar]

    def together(self, doing: str, function: Callable[..., Any], *shared: Any, progress: bool = False) -> list[Worked]:
        """Call ``function(*shared)``, with nobody else."""
        return [measured(0, partial(function, *shared))]


def worked(function: Callable[..., Any], part: int, *shared: Any, worker: str = "this process") -> Worked:
    """Call a function for a partition, and measure it; what a worker does."""
    return measured(part, partial(function, part, *shared), worker)


def measured(part: int, work: Callable[[], Any], worker: str = "this process") -> Worked:
    """What `work` gives, and takes."""
    reset_peak_memory()
    wall, cpu = time.perf_counter(), time.process_time()
    value = work()
    return Worked(part, value, time.perf_counter() - wall, time.process_time() - cpu, peak_memory(), worker)
