"""Out of memory, on the CPU or on a GPU: told from other errors and named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from genurl_graph.exceptions import ShortMemoryError


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


def _reason(error: BaseException) -> str:
    """What was asked for, out of torch's explanations, which go on for lines."""
    text = str(error).strip() or type(error).__name__
    found = re.search(r"[Tt]ried to allocate ([\d.]+ \w+)", text)
    return f"{found[1]} more were asked for" if found else text.splitlines()[0]
