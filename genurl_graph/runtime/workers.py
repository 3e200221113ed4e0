"""Independent jobs on as many threads as torch may use, each running its torch operators single-threaded.

Many short operators, each split over all cores, wait for each other at every step, and where other processes want the
cores too, every wait costs a time slice (10,000 x 784 on two cores beside other work: 12 s of processor time, 2 s so).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import torch

Job = TypeVar("Job")
Result = TypeVar("Result")
First = TypeVar("First")
Second = TypeVar("Second")


def worker_count(device: torch.device) -> int:
    """One a core torch may use; on an accelerator one, since its operators are queued there anyway."""
    return torch.get_num_threads() if device.type == "cpu" else 1


def share_jobs(work: Callable[[Job], Result], jobs: Iterable[Job], device: torch.device) -> list[Result]:
    """What `work` returns for each job, in the order of the jobs."""
    threads = worker_count(device)
    if threads == 1:
        return [work(job) for job in jobs]
    with ThreadPoolExecutor(threads, "genurl-knn", limit_thread, (1,)) as pool:
        try:
            return list(pool.map(work, jobs))
        finally:
            pool.shutdown(cancel_futures=True)
            if _library() is None:
                torch.set_num_threads(threads)


def side_by_side(
    first: Callable[[], First], second: Callable[[], Second], device: torch.device
) -> tuple[First, Second]:
    """Results of two calls that know nothing of each other: on a CPU at the same time, with half of the threads each.

    They wait for each other once, where threads that share every operator would wait at each of them. Neither is to
    leave anything to autograd, whose mode is that of a thread.
    """
    threads = worker_count(device)
    if threads == 1 or _library() is None:
        return first(), second()

    def beside() -> Second:
        limit_thread(threads // 2)
        return second()

    found = _companion(os.getpid()).submit(beside)
    try:
        with few_threads(threads - threads // 2):
            result = first()
    except BaseException:
        wait([found])
        raise
    return result, found.result()


@contextmanager
def few_threads(threads: int = 1) -> Iterator[None]:
    """Context in which torch uses so many threads for the operators of the calling thread, if its libraries can be
    asked.
    """
    before = torch.get_num_threads()
    if before <= threads or _library() is None:
        yield
        return
    limit_thread(threads)
    try:
        yield
    finally:
        limit_thread(before, 0)


@cache
def _companion(process: int) -> ThreadPoolExecutor:
    """A thread that waits for work; a forked process has none of its parent's."""
    return ThreadPoolExecutor(1, "genurl-side")


def limit_thread(threads: int, of_products: int | None = None) -> None:
    """Set how many threads torch uses for the operators of the calling thread, and for nothing else.

    `torch.set_num_threads` counts for threads that begin later, too, and for matrix products of all threads: fits in
    other threads would add in another order. It is used where torch's libraries cannot be asked. `of_products` is the
    number for matrix products, if it is another; 0 is that of the process again.
    """
    # torch sets the number itself when a thread asks for the first time.
    torch.get_num_threads()
    library = _library()
    if library is None:
        torch.set_num_threads(threads)
        return
    library.omp_set_num_threads(threads)
    if torch.backends.mkl.is_available():  # type: ignore[no-untyped-call]
        library.MKL_Set_Num_Threads_Local(threads if of_products is None else of_products)


@cache
def _library() -> Any | None:
    """torch's library of operators for the CPU, if it tells its OpenMP and its MKL by thread."""
    names = ["omp_set_num_threads"]
    if torch.backends.mkl.is_available():  # type: ignore[no-untyped-call]
        names.append("MKL_Set_Num_Threads_Local")
    for file in (Path(torch.__file__).parent / "lib").glob("libtorch_cpu.*"):
        try:
            found = ctypes.CDLL(str(file))
        except OSError:
            return None
        return found if all(hasattr(found, name) for name in names) else None
    return None
