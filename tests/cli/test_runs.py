"""Runs in a process of their own: the next one begins when the last one has been dealt with."""

import time
from collections.abc import Generator
from contextlib import closing
from typing import NamedTuple

from genurl_graph.cli.runs import Run, run_apart


class Clocked(NamedTuple):
    """Work whose runs tell when they began."""

    method: str = "clocked"
    n_runs: int = 2

    def run(self) -> Generator[Run, None, None]:
        for _ in range(self.n_runs):
            began = time.time()
            yield Run(began, 0.0, 0.0)


def test_scoring_takes_nothing_from_the_next_run():
    with closing(run_apart(Clocked())) as found:
        next(found)
        time.sleep(0.5)  # scores are computed here
        dealt_with = time.time()
        assert next(found).embedding >= dealt_with
