"""Memory of the process: how much it took; out of memory, on the CPU or a GPU, told from other errors and named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

from genurl_graph.exceptions import ShortMemoryError


def peak_memory() -> int:
    """Resident memory of this process at most, in bytes, since its start or `reset_peak_memory`; 0 but on Linux."""
    with suppress(OSError):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
    return 0


def reset_peak_memory() -> None:
    """Start `peak_memory` anew from what is resident now, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


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
