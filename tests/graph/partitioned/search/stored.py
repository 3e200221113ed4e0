"""A matrix in partitions, and the neighbours that a search by partitions writes."""

import pickle
from typing import Any, NamedTuple

import numpy as np

from genurl_graph.graph.partitioned.search import search_partitions
from genurl_graph.runtime.partitions import OneProcess, Store


class Elsewhere(OneProcess):
    """Functions and arguments travel as they do to another process."""

    def map(self, doing, function, parts, *shared, progress=False):
        function, shared = pickle.loads(pickle.dumps((function, shared)))
        return super().map(doing, function, parts, *shared, progress=progress)


class Found(NamedTuple):
    indices: Any
    distances: Any
    recall: float | None


def stored(path, x, count):
    """Stores of the rows, and for the work."""
    store = Store.of(path / "prepared", len(x), count)
    for part in range(store.count):
        store.save("x", part, x[slice(*store.span(part))])
    return store, Store(path / "work", store.bounds)


def collected(work, recall=None):
    return Found(*(np.concatenate(list(work.parts(name))) for name in ("neighbors", "distances")), recall)


def search(path, x, count, k, **options):
    store, work = stored(path, x, count)
    recall = search_partitions(Elsewhere(), (store, "x"), work, k, **options)
    return collected(work, recall)
