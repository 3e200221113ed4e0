"""The device and the threads of a run, and tensors that follow their module to a device."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import torch
from torch import Tensor, nn

from genurl_graph.exceptions import unknown, wrong
from genurl_graph.runtime.processes import launched
from genurl_graph.runtime.workers import limit_thread


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
        raise unknown("device", device, ("auto", "cpu", "cuda")) from error
    if chosen.type == "cuda" and chosen.index is None and launched() and torch.cuda.is_available():
        # One of several processes: the GPU that the launcher gave it.
        return torch.device("cuda", torch.cuda.current_device())
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise wrong("device", repr(device), "auto or cpu, as this torch finds no CUDA device")
    return chosen


@contextmanager
def one_thread() -> Iterator[None]:
    """Context in which torch, BLAS and OpenMP use one thread: sums are then added in the same order everywhere."""
    from threadpoolctl import threadpool_limits

    threads = torch.get_num_threads()
    # OpenMP counts by thread, BLAS by process.
    with _one_blas_thread(), threadpool_limits(1, "openmp"):
        limit_thread(1)
        try:
            yield
        finally:
            limit_thread(threads, 0)


class _Blas:
    """The limit of BLAS, which the first of several threads sets and the last one takes back."""

    lock = threading.Lock()
    inside = 0
    limit: Any = None


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    from threadpoolctl import threadpool_limits

    with _Blas.lock:
        if _Blas.inside == 0:
            _Blas.limit = threadpool_limits(1, "blas")
        _Blas.inside += 1
    try:
        yield
    finally:
        with _Blas.lock:
            _Blas.inside -= 1
            if _Blas.inside == 0:
                _Blas.limit.restore_original_limits()


def constant(value: Tensor) -> Tensor:
    """`value` as a buffer of the module that gets it: it follows the module to a device, and is in no checkpoint."""
    return nn.Buffer(value, persistent=False)


class Constants(nn.Module):
    """A module whose cached properties (`functools.cached_property`) follow it to a device, as buffers do."""

    def _apply(self, fn: Callable[[Any], Any], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        # Buffers and parameters are elsewhere: the tensors here are those that properties keep.
        vars(self).update({name: fn(value) for name, value in vars(self).items() if isinstance(value, Tensor)})
        return self
