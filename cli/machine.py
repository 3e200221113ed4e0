"""What this machine is, for reports: processor, memory and accelerators."""

import os
import platform
import re
from pathlib import Path


def usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory() -> str:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{total / 2**30:.1f} GiB"


def processor() -> str:
    """Name of the processor's model, or of its architecture where the system does not tell."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()


def hardware(device: str) -> dict[str, str]:
    """Processor and memory, and the accelerator where the device is one: what a leaderboard asks for."""
    found = {"cpu": f"{processor()}, {usable_cores()} cores usable", "memory": memory()}
    if device == "cuda":
        import torch

        properties = torch.cuda.get_device_properties(torch.cuda.current_device())
        found["gpu"] = f"{properties.name}, {properties.total_memory / 2**30:.1f} GiB"
    return found
