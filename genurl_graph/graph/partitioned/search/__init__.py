"""k nearest neighbours of rows in partitions: exact, or approximate by inverted lists, with any launcher."""

from __future__ import annotations

from shutil import rmtree

import numpy as np

from genurl_graph.exceptions import wrong
from genurl_graph.graph.knn import AUTO_PASSES, AUTO_WORK, Backend, check_backend, check_count, check_enough_rows
from genurl_graph.graph.knn.metrics import PRODUCTS, check_metric
from genurl_graph.graph.partitioned.search.approximate import approximate_search
from genurl_graph.graph.partitioned.search.exact import exact_search
from genurl_graph.graph.partitioned.search.vectors import framed_vectors
from genurl_graph.runtime.partitions import Launcher, Store

__all__ = ["search_partitions"]


def search_partitions(
    launcher: Launcher,
    vectors: tuple[Store, str],
    work: Store,
    k: int,
    metric: str = "euclidean",
    backend: Backend = "auto",
    seed: int = 0,
    memory_mb: float = 512,
    progress: bool = False,
) -> float | None:
    """The k nearest rows of every row, without itself, as `genurl_graph.graph.knn.knn` finds them in one matrix.

    Exact search returns the neighbours of `knn` and, by as many threads, its distances to the bit. Where `knn` searches
    many rows again (dense features with many ties), distances come from other products, and may differ in their last
    bit. Each row is compared with all others once, where `knn` computes a product for two rows once.

    Approximate search moves the rows into inverted lists, compares those of a group of lists with the lists that they
    search, and moves the neighbours back. How many lists that is is found out on a sample of rows; the recall is
    measured on another.

    What is finished is not done again when the same call is repeated after an interruption.

    Parameters
    ----------
    launcher : Launcher
    vectors : (Store, str)
        Where the rows are, an array [m, d] of float32 a partition.
    work : Store
        With the same partitions. Its arrays "neighbors" (int32, int64 beyond 2^31 rows, [m, k]) and "distances"
        (float32 [m, k], ascending, ties by row) are written; others, below "search", only meanwhile.
    k : int
        k >= 1.
    metric : {"euclidean", "cosine", "inner_product"}
    backend : {"auto", "exact", "approximate"}
        As of `knn`.
    seed : int
        For the lists and the sample.
    memory_mb : float
        For the tiles of exact search, beside the rows of one or two partitions and their candidates.
    progress : bool
        Show progress bars.

    Returns
    -------
    float or None
        Share of the true neighbours that were found, of 512 rows; None if exact.

    Raises
    ------
    InputError
        Another metric or backend, too few rows, NaN or infinity, other partitions.

    Examples
    --------
    >>> from genurl_graph.runtime.partitions import OneProcess
    >>> search_partitions(OneProcess(), (prepared.store, "x"), work, 15, metric="cosine")
    0.97
    >>> work.load("neighbors", 0).shape
    (65536, 15)
    """
    store, name = vectors
    k = check_count(k)
    if check_metric(metric) not in PRODUCTS:
        raise wrong("metric", f"{metric} for rows in partitions", f"one of {', '.join(PRODUCTS)}")
    check_backend(backend)
    check_enough_rows(k, store.num_rows, own=True)
    if work.bounds != store.bounds:
        raise wrong("work", f"{work.count} partitions of {work.num_rows:,} rows", f"those of {store.path}")
    inner = work.beside("search")
    if not work.has(["recall"], 0):
        n, budget = store.num_rows, int(memory_mb * 2**20)
        large = float(n) * n * (store.shape(name, 0)[-1] + AUTO_PASSES) > AUTO_WORK
        approximate = backend == "approximate" or (backend == "auto" and large)
        found = framed_vectors(launcher, store, name, metric, not approximate, progress)
        recall = None
        if approximate:
            recall = approximate_search(launcher, found, work, inner, k, budget, seed, progress)
        else:
            exact_search(launcher, found, work, inner, k, budget, progress)
        # Last: where it is, all neighbours are.
        work.save("recall", 0, np.array([] if recall is None else [recall]))
    rmtree(inner.path, ignore_errors=True)
    return next(iter(work.load("recall", 0).tolist()), None)
