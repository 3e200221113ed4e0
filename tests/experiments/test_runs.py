"""Runs in a process of their own: when each begins, and what becomes of errors.

What is made up for a test imports no torch, so that its process takes no seconds.
"""

import operator
import pickle
import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from genurl_graph.exceptions import DivergenceError, InputError, LostProcessError
from genurl_graph.experiments import probe_table, reduce_table, runs
from genurl_graph.experiments.environment import peak_mb, reset_peak
from genurl_graph.experiments.runs import Run, run_apart
from genurl_graph.experiments.sources import Source


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


def test_the_work_of_a_comparison_can_be_sent(one_thread) -> None:
    job = probe_table.Job("raw", (0,), {"device": "cpu"}, {}, Source("digits", None), 1)
    (there,) = pickle.loads(pickle.dumps(job)).run()
    (here,) = probe_table.run_here(job)
    np.testing.assert_array_equal(there.embedding, here.embedding)


def test_peak_starts_again() -> None:
    reset_peak()
    ballast = np.ones(25_000_000)
    high = peak_mb()
    del ballast
    reset_peak()
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("this system cannot reset the peak of a process")
    assert peak_mb() < high - 100


def test_a_process_of_its_own(tmp_path: Path, one_thread) -> None:
    """Its clock and its memory are the method's alone; the embedding is the one made here."""
    x = np.random.default_rng(0).standard_normal((60, 5)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    job = reduce_table.ReduceJob("pca", (0, 1), {"device": "cpu"}, {}, tmp_path / "x.npy", 2, 1)
    ballast = np.ones(50_000_000)  # 400 MB here, which getrusage would count for the new process, too
    cold, *warm = run_apart(job)
    same = next(job.run())
    del ballast
    assert len(warm) == 2
    assert cold.import_seconds > 0.05  # scikit-learn, which would be there already otherwise
    assert all(each.import_seconds is None for each in warm)
    np.testing.assert_allclose(warm[0].embedding, same.embedding, atol=1e-5)
    assert same.peak_memory_mb > 400
    assert 50 < cold.peak_memory_mb < same.peak_memory_mb - 200
