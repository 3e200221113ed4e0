"""Out of memory, on the CPU or on a GPU: told from other errors, tried once more in less, and named."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from genurl_graph.exceptions import ShortMemoryError

T = TypeVar("T")


def is_short_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed: Python's and NumPy's MemoryError, torch's on a GPU, or torch's on the CPU."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    # The CPU allocator of torch has no class of its own.
    return type(error) is RuntimeError and "DefaultCPUAllocator" in str(error)


@contextmanager
def named_shortage(stage: str, advice: str) -> Iterator[None]:
    """Context in which a failed allocation becomes a `ShortMemoryError` that names the stage and what helps."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_short_of_memory(error):
            raise
        raise ShortMemoryError(f"{stage}: out of memory ({_reason(error)}); {advice}") from error


def in_less_memory(stage: str, work: Callable[[int], T], budget: int, least: int) -> T:
    """``work(budget)``; where memory does not suffice, once more within an eighth of it.

    Parameters
    ----------
    stage : str
        For the warning.
    work : callable
        Takes a number of bytes, which it keeps to; what it allocated is freed when it raises.
    budget, least : int
        Bytes; never less than `least`.
    """
    try:
        return work(budget)
    except (MemoryError, RuntimeError) as error:
        if not is_short_of_memory(error):
            raise
        reason = _reason(error)
    # After the handler: the error's traceback keeps what it had allocated alive.
    torch.cuda.empty_cache()  # nothing where there is no GPU in use
    smaller = max(least, budget // 8)
    warnings.warn(
        f"{stage}: out of memory ({reason}); trying once more within {smaller / 2**20:.0f} MiB instead of "
        f"{budget / 2**20:.0f}",
        stacklevel=3,
    )
    return work(smaller)


def _reason(error: BaseException) -> str:
    """What was asked for, out of torch's explanations, which go on for lines."""
    text = str(error).strip() or type(error).__name__
    found = re.search(r"[Tt]ried to allocate ([\d.]+ \w+)", text)
    return f"{found[1]} more were asked for" if found else text.splitlines()[0]
