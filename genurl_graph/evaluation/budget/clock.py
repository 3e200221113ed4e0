"""The time that an evaluation takes: a bar on a terminal, and an end where a machine is much slower than planned."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from genurl_graph.runtime.progress import new_bar

# An evaluation takes at most so many seconds, or this share of the run before it, whichever is more.
SECONDS, SHARE = 15.0, 0.1


class Clock:
    """Seconds since its making, and how much is done.

    Parameters
    ----------
    limit : float, optional
        Seconds after which `goes_on` says no; None: never.
    bar : tqdm, optional
        Of 100 per cent.
    """

    def __init__(self, limit: float | None = None, bar: Any = None) -> None:
        self.limit, self.bar = limit, bar
        self._start, self._work = time.perf_counter(), time.process_time()

    @property
    def seconds(self) -> float:
        """Seconds that have passed."""
        return time.perf_counter() - self._start

    def show(self, share: float) -> None:
        """Let the bar say that a share of the work, in [0, 1], is done."""
        if self.bar is not None:
            self.bar.update(max(0.0, 100 * share - self.bar.n))

    def goes_on(self) -> bool:
        """Whether there is time for more. What other processes take from this one does not count."""
        return self.limit is None or min(self.seconds, time.process_time() - self._work) < self.limit


def limit_of(run_seconds: float) -> float:
    """Seconds that the evaluation after a run may take."""
    return max(SECONDS, SHARE * run_seconds)


@contextmanager
def evaluation_clock(limit: float | None = None, quiet: bool = False) -> Iterator[Clock]:
    """A clock with a progress bar, on a terminal or in a notebook."""
    form = "{desc} {percentage:3.0f} % |{bar:30}| {elapsed}"
    with new_bar(not quiet, total=100, desc="evaluation", leave=False, bar_format=form) as bar:
        yield Clock(limit, bar)
