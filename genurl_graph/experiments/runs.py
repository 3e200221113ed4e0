"""Runs of one method over seeds, computed in a process of their own: its clock and its memory are its alone."""

import multiprocessing
import signal
import threading
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NamedTuple

from genurl_graph.exceptions import DivergenceError, InputError, LostProcessError

if TYPE_CHECKING:
    from genurl_graph.experiments.probe_table import ComparedMethods

# Exit code of a process that was interrupted.
INTERRUPTED = 130


class Run(NamedTuple):
    """Embedding of one seed (array or SciPy matrix [n, d]), seconds to it from the data, peak memory on the way."""

    embedding: Any
    seconds: float
    peak_memory_mb: float
    import_seconds: float | None = None  # of a cold run: the first one of a new process, with its imports
    stages: dict[str, float] | None = None  # seconds by stage, where the method tells

    def figures(self) -> dict[str, Any]:
        """What a table keeps of it besides its scores."""
        return {"seconds": self.seconds, "peak_memory_mb": self.peak_memory_mb, "stages": self.stages}

    def cold(self) -> dict[str, float]:
        """Seconds of the first run in a new process."""
        imports = self.import_seconds or 0.0
        return {"import_seconds": imports, "first_run_seconds": self.seconds, "seconds": imports + self.seconds}


@dataclass(frozen=True)
class Order:
    """What is wanted of one method; a subclass knows the data, and computes the runs."""

    method: str
    seeds: tuple[int, ...]
    model: dict[str, Any]  # options of GenURL
    changes: dict[str, Any]  # settings of a baseline that differ from the published ones

    @property
    def n_runs(self) -> int:
        return len(self.seeds)

    def run(self) -> Generator[Run, None, None]:
        raise NotImplementedError


def run_apart(job: Order) -> Generator[Run, None, None]:
    """The runs of a job in a new process; closing the iterator ends the process.

    Raises
    ------
    InputError, DivergenceError
        As the method raised them.
    LostProcessError
        The process was ended from outside, as the system does where memory is short.
    RuntimeError
        Any other error of the method, with its traceback.
    """
    # Not fork: threads of torch do not survive it, and the memory of this process would count as the method's.
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_child, args=(job, there), daemon=True)
    process.start()
    there.close()
    left = job.n_runs
    try:
        while left:
            try:
                kind, content = here.recv()
            except EOFError:
                process.join()
                raise LostProcessError(
                    f"{job.method}: its process ended with code {process.exitcode}; was it out of memory? Finished "
                    "runs are in the file of --metrics, if one was named; --resume goes on from there"
                ) from None
            if kind == "run":
                left -= 1
                yield Run(*content)
                # Not earlier: what is done with this run must not take processors from the next one.
                with suppress(OSError):
                    here.send("next")
            else:
                raise {"input": InputError, "divergence": DivergenceError}.get(kind, RuntimeError)(content)
    finally:
        here.close()
        # After its last run it ends by itself; in the middle it is asked to, and made to if it takes its time.
        if left:
            process.terminate()
        process.join(10)
        process.kill()
        process.join()


def run_jobs(
    jobs: Sequence[Order], results: "ComparedMethods", judge: Callable[[str, int, Any], Mapping[str, Any]], quiet: bool
) -> Iterator[tuple[str, int, Any]]:
    """Add the runs of all jobs to a table; method, seed and embedding of each.

    ``judge(method, seed, embedding)`` is what the table keeps of an embedding besides its time and memory.
    """
    jobs = [job for job in jobs if job.seeds]
    with terminable(), progress_bar(sum(job.n_runs for job in jobs), quiet) as shown:
        for job in jobs:
            with closing(run_apart(job)) as found:
                for _ in range(job.n_runs - len(job.seeds)):
                    results.add_cold(job.method, next(found).cold())
                    shown.update()
                for run, seed in zip(found, job.seeds, strict=True):
                    results.add(job.method, {**judge(job.method, seed, run.embedding), **run.figures()})
                    shown.update()
                    yield job.method, seed, run.embedding


@contextmanager
def terminable() -> Iterator[None]:
    """Context in which SIGTERM is what Ctrl-C is: the process of a method must not outlive this one."""
    if threading.current_thread() is not threading.main_thread():  # where Python handles no signals
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def progress_bar(total: int, quiet: bool) -> Any:
    """A progress bar over runs, on a terminal or in a notebook."""
    from genurl_graph.runtime.progress import new_bar

    return new_bar(not quiet, total=total, desc="runs", leave=False)


def _child(job: Order, there: Connection) -> None:
    try:
        # A request to end passes through every `finally`, as Ctrl-C does.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        for run in job.run():
            there.send(("run", tuple(run)))
            there.recv()  # the word to go on
    except InputError as error:
        there.send(("input", str(error)))
    except DivergenceError as error:
        there.send(("divergence", str(error)))
    except (KeyboardInterrupt, BrokenPipeError, EOFError):
        raise SystemExit(INTERRUPTED) from None  # in silence: the process that started this one ends, too
    except Exception:
        there.send(("failure", f"{job.method}: {traceback.format_exc()}"))
