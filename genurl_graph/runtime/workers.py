"""Independent jobs on as many threads as torch may use, each running its torch operators single-threaded.

Many short operators, each split over all cores, wait for each other at every step, and where other processes want the
cores too, every wait costs a time slice (10,000 x 784 on two cores beside other work: 12 s of processor time, 2 s so).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import torch

Job = TypeVar("Job")
Result = TypeVar("Result")


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
