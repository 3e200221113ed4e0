"""Who works on partitions: this process, one after the other, or workers elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from genurl_graph.runtime.memory import peak_memory, reset_peak_memory


class Worked(NamedTuple):
    """What working on one partition gave, and took.

    Attributes
    ----------
    part : int
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
    """

    workers: int

    def map(
        self, doing: str, function: Callable[..., Any], parts: Iterable[int], *shared: Any, progress: bool = False
    ) -> list[Worked]:
        """Results in the order of `parts`; `doing` names the stage in progress bars and messages."""
        ...


class OneProcess:
    """Partitions one after the other in this process, which holds one at a time."""

    workers = 1

    def map(
        self, doing: str, function: Callable[..., Any], parts: Iterable[int], *shared: Any, progress: bool = False
    ) -> list[Worked]:
        """As in `Launcher`."""
        from tqdm import tqdm

        bar = tqdm(list(parts), desc=doing, unit="partition", disable=None if progress else True)
        return [worked(function, part, *shared) for part in bar]


def worked(function: Callable[..., Any], part: int, *shared: Any, worker: str = "this process") -> Worked:
    """Call a function for a partition, and measure it; what a worker does."""
    reset_peak_memory()
    wall, cpu = time.perf_counter(), time.process_time()
    value = function(part, *shared)
    return Worked(part, value, time.perf_counter() - wall, time.process_time() - cpu, peak_memory(), worker)
