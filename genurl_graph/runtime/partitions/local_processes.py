"""Workers that are processes of this machine, without Ray: what ``--devices`` starts."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from genurl_graph.exceptions import LostProcessError
from genurl_graph.runtime.partitions.attempts import OURS, attempt, once_more, until_done
from genurl_graph.runtime.partitions.launcher import Worked
from genurl_graph.runtime.processes import connected, process_group

# Seconds that processes get to save what they have when one of them has died, or Ctrl-C is pressed.
PATIENCE = 10.0

# Forks of this process would inherit the locks of its threads, and no GPU works in one: they are forks of a process
# that has only loaded torch, where the system has such.
_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
_CONTEXT: Any = multiprocessing.get_context("forkserver" if _FORKS else "spawn")


class LocalProcesses:
    """Partitions by so many processes, which also train together, with a GPU each or threads of the CPU; a context.

    A process that dies is started again, as with `genurl_graph.runtime.partitions.ray_cluster.RayCluster`.

    Parameters
    ----------
    workers : int
    memory_per_worker : int, optional
        What a process may hold in resident memory, in bytes; enforced on Linux.
    gpu : bool
        Whether each process of a training takes a GPU.

    Examples
    --------
    >>> with LocalProcesses(workers=2) as launcher:
    ...     launcher.together("training", train_partitions, store, config)

    Notes
    -----
    Scripts guard what they do by ``if __name__ == "__main__"``: a new process imports the script.
    """

    def __init__(self, workers: int, memory_per_worker: int | None = None, gpu: bool = False) -> None:
        self.workers, self.cap, self.gpu = workers, memory_per_worker, gpu
        self._pool: ProcessPoolExecutor | None = None
        if _FORKS:
            _CONTEXT.set_forkserver_preload([__name__])

    def __enter__(self) -> LocalProcesses:
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def map(
        self, doing: str, function: Callable[..., Any], parts: Iterable[int], *shared: Any, progress: bool = False
    ) -> list[Worked]:
        """As in `Launcher`."""
        from genurl_graph.runtime.progress import new_bar

        parts = list(parts)
        done: dict[int, Worked] = {}
        deaths = 0
        with new_bar(progress, total=len(parts), desc=doing, unit="partition") as bar:
            while len(done) < len(parts):
                if self._pool is None:
                    self._pool = ProcessPoolExecutor(self.workers, _CONTEXT, _begin, (self._threads(), True))
                calls = []
                try:
                    left = [part for part in parts if part not in done]
                    calls = [
                        self._pool.submit(attempt, doing, self.cap, part, function, (part, *shared)) for part in left
                    ]
                    for call in as_completed(calls):
                        worked = call.result()
                        done[worked.part] = worked
                        bar.update()
                except BrokenProcessPool:
                    # It takes the whole pool with it, which has not told which partition it was.
                    deaths += 1
                    self.__exit__()
                    once_more(doing, self.cap, deaths, LostProcessError("a process was ended"))
                finally:
                    for call in calls:
                        call.cancel()
        return [done[part] for part in parts]

    def together(self, doing: str, function: Callable[..., Any], *shared: Any, progress: bool = False) -> list[Worked]:
        """As in `Launcher`: new processes for each call."""
        return until_done(doing, self.cap, lambda: self._together(doing, function, shared))

    def _together(self, doing: str, function: Callable[..., Any], shared: tuple[Any, ...]) -> list[Worked]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
        address |= {"WORLD_SIZE": str(self.workers)}
        started: dict[Any, BaseProcess] = {}
        try:
            with _forwarded(started):
                for rank in range(self.workers):
                    here, there = _CONTEXT.Pipe(duplex=False)
                    own = address | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
                    work = (doing, self.cap, rank, function, shared)
                    words = (own, self._threads(), "cuda" if self.gpu else "cpu", work, there)
                    # Not a daemon: those may start no processes, such as those that load data.
                    started[here] = _CONTEXT.Process(target=_member, args=words, name=f"worker {rank}")
                    started[here].start()
                    there.close()
                answers = _answers(started)
        finally:
            for process in started.values():
                process.kill()
                process.join()
        return _chosen(answers)

    def _threads(self) -> int:
        return max(1, (os.cpu_count() or 1) // self.workers)


def _begin(threads: int, at_once: bool = False) -> None:
    """What a new process does first."""
    import torch

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(threads)
    if at_once:
        # Of a partition that is half done nothing is kept: Ctrl-C ends it, without a word.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the one that has started it is gone: nobody waits, and another may go on by --resume."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _member(environment: dict[str, str], threads: int, device: str, work: tuple[Any, ...], answer: Connection) -> None:
    """What a process of a training does; its answer is what it has worked, or its error."""
    os.environ.update(environment)
    _begin(threads)
    try:
        with process_group(device), connected(work[0]):
            found: Any = attempt(*work)
    except BaseException as error:
        found = error
    answer.send(found)


def _answers(started: dict[Any, BaseProcess]) -> list[Any]:
    """What the processes have answered, by rank: None where one has not, when one has failed and time is up."""
    found: dict[Any, Any] = {}
    until: float | None = None
    interrupted = False
    while len(found) < len(started):
        left = None if until is None else max(0.0, until - time.monotonic())
        try:
            ready = wait([here for here in started if here not in found], left)
        except KeyboardInterrupt:
            # It has reached the processes too, which save what they have; asked again, nobody waits.
            until, interrupted = time.monotonic() if interrupted else until, True
            continue
        if not ready:
            break
        for here in ready:
            found[here] = _answer(here, started[here])
            if isinstance(found[here], BaseException) and until is None:
                # The others are about to say that it is gone, or why they have failed as well.
                until = time.monotonic() + PATIENCE
    return [found.get(here) for here in started]


def _answer(here: Any, process: BaseProcess) -> Any:
    try:
        return here.recv()
    except EOFError:
        process.join()
        code = process.exitcode or 0
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return LostProcessError(f"{process.name} {how}")


def _chosen(answers: list[Any]) -> list[Worked]:
    """The answers, or the error that explains the others: one of a process itself before those about another."""
    errors = [each for each in answers if isinstance(each, BaseException)]
    if not errors and None not in answers:
        return answers
    first = [each for each in errors if isinstance(each, (*OURS, KeyboardInterrupt))]
    raise (first + errors + [KeyboardInterrupt()])[0]


@contextmanager
def _forwarded(started: dict[Any, BaseProcess]) -> Iterator[None]:
    """Context in which SIGTERM reaches the processes too, which save what they have; Ctrl-C comes from the terminal."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: object) -> None:
        for process in started.values():
            process.terminate()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
