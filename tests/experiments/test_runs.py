"""Runs in a process of their own: when each begins, and what becomes of errors.

Nothing here imports torch, so that the processes take no seconds.
"""

import operator
import time
from collections.abc import Generator
from contextlib import closing
from typing import NamedTuple

import pytest

from genurl_graph.exceptions import DivergenceError, InputError, LostProcessError
from genurl_graph.experiments import runs
from genurl_graph.experiments.runs import Run, run_apart


class Clocked(NamedTuple):
    """Work whose runs tell when they began."""

    method: str = "clocked"
    n_runs: int = 2
    seeds: tuple[int, ...] = ()

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


class Failing(NamedTuple):
    """Work that fails."""

    error: Exception
    method: str = "failing"
    n_runs: int = 1
    seeds: tuple[int, ...] = ()

    def run(self) -> Generator[Run, None, None]:
        raise self.error
        yield


@pytest.mark.parametrize("kind", [InputError, DivergenceError])
def test_errors_cross_the_process(kind: type[Exception]) -> None:
    with pytest.raises(kind, match="data set nowhere is unknown"):
        next(run_apart(Failing(kind("data set nowhere is unknown"))))


def test_other_errors_come_with_their_method_and_traceback() -> None:
    with pytest.raises(RuntimeError, match=r"failing: Traceback(.|\n)*ZeroDivisionError: by nothing"):
        next(run_apart(Failing(ZeroDivisionError("by nothing"))))


def test_a_process_that_ends_without_a_word_is_named(monkeypatch) -> None:
    monkeypatch.setattr(runs, "_child", operator.is_)  # ends at once and says nothing
    with pytest.raises(LostProcessError, match="failing: its process ended with code 0"):
        next(run_apart(Failing(ValueError())))
