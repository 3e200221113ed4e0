"""Too little memory, and clocks that jump."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path
from unittest.mock import Mock

from fuzz_readers import limit_memory
from kills import EMBED, results, same, undisturbed
from processes import finish


def little_memory(scratch: Path) -> str:
    """A network larger than memory."""
    folder = scratch / "little-memory"
    words = [*EMBED, "--set", "encoder.hidden=100000000"]
    printed = finish(words, folder, limit_memory, code=1)
    assert "task graph, encoder gcn: out of memory" in printed, printed
    assert list(folder.iterdir()) == []
    return "exit code 1, the stage, what it asked for and what makes it smaller are named, no file is left"


def short_search(scratch: Path, gpu: bool) -> str:
    """The products of the search find no memory."""
    import torch

    from genurl_graph.graph.knn import exact

    error: BaseException = MemoryError("Unable to allocate 16.0 MiB")
    if gpu:
        error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 16.00 MiB. GPU 0 has a total capacity of")
    fail = Mock(side_effect=error)
    # Its features are noise, among which no neighbours are searched unless it is asked for.
    words = [*EMBED, "--set", "merge.evidence=none"]
    printed = finish(words, scratch / f"short-{gpu}", lambda: setattr(exact.ProductTiles, "scores", fail), code=1)
    assert "neighbours of 60 among 60 rows" in printed, printed
    return "exit code 1, and it names the search and what makes it smaller"


def clocks(scratch: Path) -> str:
    """The clock of the wall runs backwards, by an hour at each look."""
    whole, folder = undisturbed(scratch), scratch / "clock"

    def backwards() -> None:
        look = itertools.count(0, -3600)
        now = time.time()
        time.time = lambda: now + next(look)

    finish(EMBED, folder, backwards)
    assert same(results(folder), results(whole))
    seconds = json.loads((folder / "m.json").read_text())["seconds"]
    assert all(0 <= value < 600 for value in seconds.values()), seconds
    return "same result, seconds as they should be"
