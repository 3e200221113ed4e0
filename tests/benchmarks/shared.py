"""What the benchmarks share: parsers, tables in Markdown, means with deviations, clocks, memory, data."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple


def benchmark_parser(
    description: str | None, datasets: str = "", seeds: int = 0, output: bool = False
) -> argparse.ArgumentParser:
    """Parser whose help is the script's docstring as it stands, with the options that most scripts have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    if datasets:
        parser.add_argument("--datasets", default=datasets, metavar="NAME,...")
        parser.add_argument("--data-root", type=Path)
    if seeds:
        parser.add_argument("--seeds", type=int, default=seeds)
    if output:
        parser.add_argument("--output", type=Path, help="figures as JSON")
    return parser


def data_root() -> Path:
    """Folder of the real data sets: `$GENURL_DATA`, else ``../shared/data`` beside the repository."""
    return Path(os.environ.get("GENURL_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")


def markdown_row(*cells: object) -> str:
    """A row of a table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def table_head(*columns: str) -> str:
    """The first two lines of a table."""
    return markdown_row(*columns) + "\n" + "|---" * len(columns) + "|"


def mean_std(values: Sequence[float], digits: int = 1) -> str:
    """Mean and, of several, unbiased deviation."""
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.{digits}f}{spread}"


def percent(shares: Iterable[float], digits: int = 1) -> str:
    """`mean_std` of shares, in per cent."""
    return mean_std([100 * share for share in shares], digits)


def difference(values: Sequence[float], reference: Sequence[float]) -> str:
    """Mean of ``values - reference`` of paired runs and, of several, its 95 % interval."""
    from genurl_graph.evaluation.statistics import paired_difference

    found = paired_difference(values, reference)
    interval = "" if found["low"] is None else f" [{found['low']:+.1f}, {found['high']:+.1f}]"
    return f"{found['mean']:+.1f}{interval}"


class Seconds(NamedTuple):
    """Wall-clock and CPU seconds of this process."""

    wall: float
    cpu: float


def timed(work: Callable[[], Any]) -> tuple[Seconds, Any]:
    """Seconds of a call, and its result."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return Seconds(time.perf_counter() - wall, time.process_time() - cpu), result


def apart(threads: int, function: Callable[..., Any], *arguments: Any) -> Any:
    """Result of a function of the script in a process of its own, with its own peak memory and so many threads."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def one_thread_a_process() -> None:
    """Let all libraries use one thread, here and in workers, unless the environment says otherwise.

    BLAS with more threads than there are cores spins, and takes several times as long.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, os.environ.get("OMP_NUM_THREADS", "1"))


def spread(function: Callable[..., Any], jobs: Iterable[Any], processes: int, *common: Any) -> Iterator[Any]:
    """Yield (job, future) as the calls ``function(job, *common)`` end, in so many processes.

    A job is taken when a process is free for it, so that `jobs` may depend on what earlier ones found. After Ctrl-C
    only the jobs that run are waited for.
    """
    jobs = iter(jobs)
    context = multiprocessing.get_context("spawn")  # forking a process that runs torch's threads may hang
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        running: dict[Future[Any], Any] = {}
        while True:
            for job in islice(jobs, processes - len(running)):
                running[pool.submit(function, job, *common)] = job
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future


def keep_results(
    work: Callable[..., dict[str, Any]],
    jobs: Iterable[Any],
    processes: int,
    results: dict[str, Any],
    output: Path | None,
    *common: Any,
) -> int:
    """Run jobs that have a part, a name, rows and a seed, put the figures of each into ``results[part][name][row]`` by
    seed, with the commit that computed them, and rewrite the file after each job; how many failed."""
    from genurl_graph.runtime.files import write_json

    failed, code = 0, commit()
    for job, future in spread(work, jobs, processes, *common):
        label = f"{job.name} {', '.join(job.rows)} {job.seed}"
        try:
            found = future.result()
        except Exception as error:  # one data set that cannot be loaded must not cost the others
            failed += 1
            print(f"{label}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        for row, figures in found.items():
            results[job.part].setdefault(job.name, {}).setdefault(row, {})[str(job.seed)] = figures | {"commit": code}
        told = {k: v for k, v in found[job.rows[0]].items() if isinstance(v, str | float | int)}
        print(f"{label}: {told}", file=sys.stderr, flush=True)
        if output is not None:
            write_json(output, results)
    return failed


def commit() -> str:
    """The commit of this checkout, with "-dirty" behind it if tracked files differ from it."""
    root = Path(__file__).resolve().parents[2]
    told = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=7", "--exclude=*"]
    return subprocess.run(told, check=True, capture_output=True, text=True).stdout.strip()


class Job(NamedTuple):
    """What one process does at a time: rows of a part of the results."""

    part: str
    name: str
    rows: tuple[str, ...]
    seed: int


class OverBudget(BaseException):
    """The CPU seconds of a fit are used up. No Exception, which code that fits might catch."""


@contextmanager
def within(budget: float) -> Iterator[dict[str, float]]:
    """Context that raises `OverBudget` after so many CPU seconds; at its end, "cpu" is how many there were."""

    def stop(*_: object) -> None:
        raise OverBudget

    spent: dict[str, float] = {}
    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, budget)
    began = time.process_time()
    try:
        yield spent
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        spent["cpu"] = time.process_time() - began


class Step(NamedTuple):
    """Processor and wall-clock seconds of a step, its begin by the processor's clock, peak memory (MB) at its end."""

    cpu: float
    wall: float
    began: float
    peak: float


def watch(module: Any, name: str, steps: dict[str, Step]) -> None:
    """From now on, note calls of a module's function in `steps`, and tell of them on stderr."""
    function = getattr(module, name)

    def run(*args: Any, **kwargs: Any) -> Any:
        began = time.process_time()
        seconds, result = timed(lambda: function(*args, **kwargs))
        steps[name] = step = Step(seconds.cpu, seconds.wall, began, memory_mb("VmHWM"))
        now = f"now {memory_mb('VmRSS'):,.0f} MB, at most {step.peak:,.0f} MB so far"
        print(f"  {name}: {step.cpu:.1f} s, {now}", file=sys.stderr, flush=True)
        return result

    setattr(module, name, run)


def memory_mb(key: str) -> float:
    """Resident memory of this process in MB, now (VmRSS) or at most (VmHWM); Linux only."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def read_runs(path: Path | None) -> dict[str, Any]:
    """Finished runs of an earlier call, if there are any."""
    found: dict[str, Any] = json.loads(path.read_text()) if path is not None and path.is_file() else {}
    return found


def same_settings(held: Any, given: Any) -> bool:
    """Whether settings are those that a file holds, which knows no tuples.

    A setting that was added after the file was written counts as its default, with which it changes nothing.
    """
    from genurl_graph.config import complete_settings
    from genurl_graph.config.toml import flatten

    added, held, given = (json.loads(json.dumps(settings)) for settings in (complete_settings({}), held, given))
    if isinstance(held, dict) and isinstance(given, dict):
        held, given = flatten(held), flatten(given)
        held = {key: added[key] for key in given if key in added} | held
    return bool(held == given)


def linear_accuracy(train: tuple[Any, Any], val: tuple[Any, Any], test: tuple[Any, Any], max_iter: int) -> float:
    """Test accuracy of the logistic regression, out of three strengths, that is best on validation rows."""
    from sklearn.linear_model import LogisticRegression

    models = [LogisticRegression(C=strength, max_iter=max_iter).fit(*train) for strength in (0.01, 0.1, 1.0)]
    return float(max(models, key=lambda model: model.score(*val)).score(*test))


def fashion(part: str) -> tuple[Any, Any]:
    """Fashion-MNIST's images of "train" or "t10k", in [0, 1] float32 [n, 784], and labels [n]."""
    import numpy as np

    from genurl_graph import datasets

    data = datasets.load("fashion-mnist-train" if part == "train" else "fashion-mnist", data_root())
    return np.asarray(data.x, np.float32), np.asarray(data.y)
