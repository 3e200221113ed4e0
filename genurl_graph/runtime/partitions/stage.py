"""A stage: the same function for all partitions, but for those whose results are there already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from genurl_graph.runtime.partitions.launcher import Launcher, Worked
from genurl_graph.runtime.partitions.store import Store


def run_stage(
    launcher: Launcher,
    store: Store,
    doing: str,
    function: Callable[..., Any],
    outputs: Sequence[str],
    *shared: Any,
    progress: bool = False,
) -> list[Worked]:
    """Call ``function(part, store, *shared)`` for the partitions that lack one of the arrays `outputs`.

    Returns
    -------
    list of Worked
        Of the partitions that were worked on now.
    """
    missing = [part for part in range(store.count) if not store.has(outputs, part)]
    return launcher.map(doing, function, missing, store, *shared, progress=progress) if missing else []
