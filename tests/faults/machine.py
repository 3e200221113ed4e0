"""Too little memory, and clocks that jump."""

from __future__ import annotations

import itertools
import json
import resource
import time
from pathlib import Path

import numpy as np
from kills import EMBED, results, same
from processes import finish

REDUCE = ("embed", "--input", "x.npy", "--epochs", 2, "--seed", 0, "--device", "cpu", "--output", "z.npz")


def vectors(folder: Path, n: int, f: int) -> None:
    folder.mkdir()
    np.save(folder / "x.npy", np.random.default_rng(0).standard_normal((n, f)).astype(np.float32))


def limit(spare_mib: int) -> None:
    """Let the address space of this process grow by so much, and no more."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + spare_mib * 2**20,) * 2)


def little_memory(scratch: Path) -> str:
    """A network larger than memory."""
    folder = scratch / "little-memory"
    folder.mkdir()
    words = [*EMBED, "--set", "encoder.hidden=100000000"]
    printed = finish(words, folder, lambda: limit(4096), code=1)
    assert "task graph, encoder gcn: out of memory" in printed, printed
    assert list(folder.iterdir()) == []
    return "exit code 1, the stage, what it asked for and what makes it smaller are named, no file is left"


def short_tiles(error: BaseException) -> None:
    """The products of the search find no memory."""
    from genurl_graph.graph.knn import exact

    def fail(*_: object) -> object:
        raise error

    exact._Tiles.scores = fail  # type: ignore[assignment,method-assign]


def short_search(scratch: Path, gpu: bool) -> str:
    import torch

    error: BaseException = MemoryError("Unable to allocate 16.0 MiB")
    if gpu:
        error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 16.00 MiB. GPU 0 has a total capacity of")
    folder = scratch / f"short-{gpu}"
    vectors(folder, 500, 20)
    printed = finish(REDUCE, folder, lambda: short_tiles(error), code=1)
    assert "neighbours of 500 among 500 rows" in printed, printed
    return "exit code 1, and it names the search and what makes it smaller"


def clocks(scratch: Path) -> str:
    """The clock of the wall runs backwards, by an hour at each look."""
    whole, folder = scratch / "clock-whole", scratch / "clock"
    whole.mkdir()
    folder.mkdir()
    finish(EMBED, whole)

    def backwards() -> None:
        look = itertools.count(0, -3600)
        now = time.time()
        time.time = lambda: now + next(look)

    finish(EMBED, folder, backwards)
    assert same(results(folder), results(whole))
    seconds = json.loads((folder / "m.json").read_text())["seconds"]
    assert all(0 <= value < 600 for value in seconds.values()), seconds
    return "same result, seconds as they should be"
