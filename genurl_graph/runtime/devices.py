"""The device, the seed and the threads of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from genurl_graph.exceptions import InputError
from genurl_graph.runtime.processes import launched


def choose_device(device: str | torch.device = "auto") -> torch.device:
    """The device called `device`; "auto" is CUDA where there is one, else the CPU.

    Raises
    ------
    InputError
        Unknown name, or CUDA asked for and absent.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise InputError(f"device: unknown {device!r}; expected auto, cpu or cuda") from error
    if chosen.type == "cuda" and chosen.index is None and launched() and torch.cuda.is_available():
        # One of several processes: the GPU that the launcher gave it.
        return torch.device("cuda", torch.cuda.current_device())
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise InputError(f"device: {device!r} asked for, but this torch finds no CUDA device")
    return chosen


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Context in which torch's generators (of all devices) start at `seed`; the caller's are restored after it."""
    devices = range(torch.cuda.device_count())
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """Context in which torch, BLAS and OpenMP use one thread: sums are then added in the same order everywhere."""
    from threadpoolctl import threadpool_limits

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)
