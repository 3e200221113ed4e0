"""Independent jobs on as many threads as torch may use, each running its torch operators single-threaded.

Many short operators, each split over all cores, wait for each other at every step, and where other processes want the
cores too, every wait costs a time slice (10,000 x 784 on two cores beside other work: 12 s of processor time, 2 s so).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

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
    # In each worker: torch.set_num_threads counts for its thread, and for threads started from now on.
    with ThreadPoolExecutor(threads, "genurl-knn", torch.set_num_threads, (1,)) as pool:
        try:
            return list(pool.map(work, jobs))
        finally:
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(threads)
