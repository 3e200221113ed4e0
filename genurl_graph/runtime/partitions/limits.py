"""A cap on the resident memory of a process, which the system enforces: what goes beyond is an error, not a hope."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from genurl_graph.exceptions import wrong
from genurl_graph.runtime.memory import named_shortage

# Arrow asks the system for what it needs, if told so before it begins: its own allocator reserves a gigabyte at once.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

# Code of libraries that a stage loads after its cap is set: torch's operators, faiss and pyarrow, measured 170 MB.
CODE = 192 << 20

# Mappings of which less than a tenth has ever been touched are stacks of threads, and room that libraries reserve.
_TOUCHED = 0.1

# The C library's own heaps begin at such addresses: what is free in them is used again, so that it counts.
_HEAP = 64 << 20


@contextmanager
def capped(cap: int | None, what: str = "memory of a worker") -> Iterator[None]:
    """Context in which this process cannot hold more than `cap` bytes of resident memory, where the system is Linux.

    The kernel counts what a process may write to and shares with nobody (RLIMIT_DATA), whether it has touched it or
    not. What is left for it is the cap without the resident code of libraries; stacks of threads and other room that
    is reserved and hardly touched are not charged. An allocation that would go beyond fails: see `within`.

    Parameters
    ----------
    cap : int or None
        In bytes; None is no cap.
    what : str
        The parameter that the user has set, for the message.

    Raises
    ------
    InputError
        If the process takes as much already.
    """
    if cap is None or not sys.platform.startswith("linux"):
        yield
        return
    import resource

    _give_back()
    status = _status()
    code = max(CODE, status["RssFile"] + status["RssShmem"])
    if code + status["RssAnon"] >= cap:
        least = (code + status["RssAnon"]) / 1e9
        raise wrong(what, f"{cap / 1e9:.2f} GB", f"more than {least:.2f} GB, which Python and its libraries take")
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = cap - code + _reserved()
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


@contextmanager
def within(cap: int | None, doing: str) -> Iterator[None]:
    """Context of a stage under a cap: a failed allocation is a `ShortMemoryError` that names it, and what helps."""
    under = "" if cap is None else f" under the cap of {cap / 1e9:.2f} GB a worker"
    advice = "prepare the data in smaller partitions, or give each worker more memory (--memory-per-worker)"
    with named_shortage(f"{doing}{under}", advice), capped(cap):
        yield


def _status() -> dict[str, int]:
    """Numbers of bytes in what the kernel says of this process."""
    text = Path("/proc/self/status").read_text()
    return {name: int(size) << 10 for name, size in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)}


def _reserved() -> int:
    """Bytes that this process may write to and has not: stacks of threads, room that libraries reserve."""
    found = 0
    for mapping in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", Path("/proc/self/smaps").read_text(), flags=re.MULTILINE):
        head = mapping.partition("\n")[0].split()
        # Anonymous: a name, as of the heap, would be a sixth word.
        if len(head) == 5 and head[1] == "rw-p":
            low, high = (int(end, 16) for end in head[0].split("-"))
            rss = re.search(r"^Rss:\s+(\d+)", mapping, re.MULTILINE)
            resident = int(rss[1]) << 10 if rss else high - low
            if low % _HEAP and resident < _TOUCHED * (high - low):
                found += high - low - resident
    return found


def _give_back() -> None:
    """Return to the system what the C library keeps of memory that is free again."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
