"""What numbers and times depend on besides the settings: data, device, threads, hardware and versions."""

import os
import platform
import re
import resource
from contextlib import suppress
from pathlib import Path
from typing import Any

LIBRARIES = ("genurl-graph", "torch", "torch-geometric", "numpy", "scipy", "scikit-learn")


def environment(data: Any, device: str) -> dict[str, Any]:
    """Checksum of the data, the device, and the number of threads."""
    import torch

    from genurl_graph.runtime.devices import choose_device
    from genurl_graph.training.checkpoint import checksum

    # Of many graphs the tensors of all of them.
    held = getattr(data, "collection", data)
    parts = [getattr(held, key, None) for key in ("x", "edge_index")]
    # Of events, and of edges that are rows.
    if (edges := getattr(data, "edges", None)) is not None:
        parts += [getattr(edges, key, None) for key in ("source", "target", "time", "weight", "attr", "ends")]
    if (triples := getattr(data, "triples", None)) is not None:
        parts += [triples.rows(), *(part.rows() for part in (data.valid, data.test, data.known) if part is not None)]
        parts += [each for modality in data.modalities for each in (modality.entity, modality.x)]
    parts += [getattr(data, key, None) for key in ("y", "train_mask", "val_mask", "test_mask")]
    return {"data": checksum(*parts), "device": choose_device(device).type, "threads": torch.get_num_threads()}


def machine(device: str) -> dict[str, Any]:
    """Hardware and versions, by which a repetition tells another machine."""
    from genurl_graph.runtime.devices import choose_device

    return {"hardware": hardware(choose_device(device).type), "versions": versions()}


def hardware(device: str) -> dict[str, str]:
    """Processor and memory, and the accelerator where the device is one: what a leaderboard asks for."""
    found = {"cpu": f"{processor()}, {usable_cores()} cores usable", "memory": memory()}
    if device == "cuda":
        import torch

        properties = torch.cuda.get_device_properties(torch.cuda.current_device())
        found["gpu"] = f"{properties.name}, {properties.total_memory / 2**30:.1f} GiB"
    return found


def usable_cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory() -> str:
    """Memory of the machine, in words."""
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB"


def processor() -> str:
    """Name of the processor's model, or of its architecture where the system does not tell."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()


def versions() -> dict[str, str | None]:
    """Versions of Python and of the libraries that numbers depend on."""
    return {"python": platform.python_version(), **{name: version_of(name) for name in LIBRARIES}}


def version_of(distribution: str) -> str | None:
    """Version of an installed distribution; None where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def use_threads(number: int) -> None:
    """Let torch use as many threads as an earlier run had, if this machine has the cores."""
    import torch

    torch.set_num_threads(min(number, usable_cores()))


def reset_peak() -> None:
    """Let the peak memory of this process start again at what it holds now, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> float:
    """Largest resident memory of this process since `reset_peak`, Python and all libraries included."""
    try:
        # Not getrusage: on Linux a new process begins with the peak of the one that started it.
        found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        found = None
    # macOS counts in bytes.
    return int(found[1]) / 2**10 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def peak_gpu_mb() -> float | None:
    """Largest memory that torch held on the accelerator since the last call; None without one."""
    import torch

    if not torch.cuda.is_available():
        return None
    peak = torch.cuda.max_memory_allocated() / 2**20
    torch.cuda.reset_peak_memory_stats()
    return peak
