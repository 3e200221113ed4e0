"""One shuffle: every partition sends entries to others, and then gathers what was sent to it.

A partition writes one file a column, sorted by destination, and where each destination begins; a destination reads its
segment of all of them. There are as many files as partitions, not their square.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from genurl_graph.runtime.partitions.store import Store

_STARTS = "starts"


def scatter(store: Store, name: str, part: int, destination: Any, columns: Mapping[str, Any]) -> None:
    """Send entries from a partition.

    Parameters
    ----------
    store : Store
    name : str
        Of the shuffle, a folder in the store.
    part : int
        Whose entries these are, or the number of another source, such as a block of a file.
    destination : array, int64, shape [m]
        The partition that each entry goes to.
    columns : mapping of arrays, shape [m, ...]
        What is sent, by name.
    """
    inner = store.beside(name)
    destination = np.asarray(destination)
    order = destination.argsort(kind="stable")
    for column, values in columns.items():
        inner.save(column, part, np.asarray(values)[order])
    starts = np.searchsorted(destination[order], np.arange(store.count + 1))
    # Last: where it is, all of the partition's files are.
    inner.save(_STARTS, part, starts.astype(np.int64))


def sent(store: Store, name: str, part: int) -> bool:
    """Whether a partition has sent all of its entries."""
    return store.beside(name).has([_STARTS], part)


def gather(store: Store, name: str, part: int, columns: Sequence[str], sources: int | None = None) -> dict[str, Any]:
    """What all sources have sent to a partition, in their order, by column; the partitions are the sources if None."""
    inner = store.beside(name)
    count = store.count if sources is None else sources
    spans = [inner.load(_STARTS, source, part, part + 2).tolist() for source in range(count)]
    return {
        column: np.concatenate([inner.load(column, source, *span) for source, span in enumerate(spans)])
        for column in columns
    }
