"""What a launcher has done: stages with their times and peaks, in a file beside the work, and a line for each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from genurl_graph.runtime.partitions.launcher import Launcher, Worked


class Stage(NamedTuple):
    """A stage, as far as it was run at a time.

    Attributes
    ----------
    name : str
    partitions : int
        That were worked on; an interrupted run has done the others.
    seconds, cpu : float
        Wall-clock, and CPU time of all workers.
    peak_mb : float
        Resident memory of the worker that took most.
    workers : dict of float
        The same of each worker, by its name.
    """

    name: str
    partitions: int
    seconds: float
    cpu: float
    peak_mb: float
    workers: dict[str, float]

    def line(self) -> str:
        """The stage in one line."""
        count = f"{self.partitions:,} partition{'' if self.partitions == 1 else 's'}"
        return f"{self.name:<22} {self.seconds:8.1f} s  {count}, largest worker {self.peak_mb:,.0f} MB"


class Recorded:
    """A launcher that keeps a record of its stages.

    Parameters
    ----------
    launcher : Launcher
        Who works.
    file : Path
        Gets a line of JSON for each stage.
    told : callable
        Is called with the line for people when a stage has ended.
    """

    def __init__(self, launcher: Launcher, file: Path, told: Callable[[str], None]) -> None:
        self.launcher, self.file, self.told = launcher, file, told
        self.workers = launcher.workers

    def map(
        self, doing: str, function: Callable[..., Any], parts: Iterable[int], *shared: Any, progress: bool = False
    ) -> list[Worked]:
        """As in `Launcher`."""
        start = time.perf_counter()
        found = self.launcher.map(doing, function, parts, *shared, progress=progress)
        self._keep(doing, found, time.perf_counter() - start)
        return found

    def together(self, doing: str, function: Callable[..., Any], *shared: Any, progress: bool = False) -> list[Worked]:
        """As in `Launcher`."""
        start = time.perf_counter()
        found: list[Worked] = self.launcher.together(doing, function, *shared, progress=progress)
        self._keep(doing, found, time.perf_counter() - start)
        return found

    def stages(self) -> list[Stage]:
        """What was done so far, by this run and by those that it goes on from."""
        if not self.file.exists():
            return []
        return [Stage(**json.loads(line)) for line in self.file.read_text(encoding="utf-8").splitlines()]

    def _keep(self, doing: str, found: list[Worked], seconds: float) -> None:
        peaks: dict[str, float] = {}
        for each in found:
            peaks[each.worker] = max(peaks.get(each.worker, 0.0), round(each.peak / 1e6, 1))
        cpu = round(sum(each.cpu for each in found), 3)
        stage = Stage(doing, len(found), round(seconds, 3), cpu, max(peaks.values(), default=0.0), peaks)
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(stage._asdict()) + "\n")
        self.told(stage.line())
