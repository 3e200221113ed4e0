"""k nearest neighbours: exact within a memory budget on CPU or GPU, approximate behind the same call."""

from __future__ import annotations

from numbers import Integral
from typing import Any, NamedTuple

import torch
from torch import Tensor

from genurl_graph.config.choices import Backend as Backend
from genurl_graph.config.choices import words
from genurl_graph.config.metrics import Distance
from genurl_graph.exceptions import unknown, wrong
from genurl_graph.graph.knn.approximate import approximate_search
from genurl_graph.graph.knn.candidates import candidate_search
from genurl_graph.graph.knn.differences import difference_frame, difference_search
from genurl_graph.graph.knn.exact import exact_search
from genurl_graph.graph.knn.metrics import PRODUCTS, check_metric, exact_distances, translated
from genurl_graph.graph.knn.ranking import sort_candidates
from genurl_graph.graph.knn.rows import Frame, Rows, as_rows, as_sparse, mostly_zero
from genurl_graph.runtime.memory import named_shortage

# Exact search costs about n * m * (d + 300) / 1.1e11 processor seconds (10,000 x 784: 1.0 s; the 300 stand for the
# passes over each tile, whatever d). Above two seconds of that, backend="auto" approximates, which then takes less than
# half; above six for a query, since lists have to be made for it first.
AUTO_WORK, AUTO_PASSES, AUTO_QUERY = 2e11, 300, 3.5
# The same for metrics that compare numbers instead of multiplying rows: their work in ten seconds.
AUTO_DIFFERENCES = {"manhattan": 2e11, "chebyshev": 5e10}


class Neighbors(NamedTuple):
    """Result of `knn`: row i holds the neighbours of row i, nearest first."""

    indices: Tensor
    """int64 ``[m, k]``."""
    distances: Tensor
    """float32 ``[m, k]``, ascending."""
    backend: str
    """``"exact"`` or ``"approximate"``: what was used."""
    recall: float | None
    """Share of the true neighbours that were found, of a random sample of rows; None if exact."""


@torch.no_grad()
def knn(
    x: Any,
    n_neighbors: int,
    *,
    query: Any = None,
    metric: str | Distance = "euclidean",
    backend: Backend = "auto",
    memory_mb: float = 512,
    device: str | torch.device | None = None,
    clamp: bool = False,
    seed: int = 0,
    progress: bool = False,
) -> Neighbors:
    r"""The k nearest rows of `x`, for each of its rows or for each row of `query`.

    Exact search multiplies tiles of rows, never all pairs at once. Distances that rounding could have spoiled are
    computed again in float64; duplicates get distance 0. The neighbours of a row are the first k by (float32
    distance, index). Two calls with the same arguments and number of threads on the same machine return the same bits.
    With another number of threads, or another `memory_mb`, indices stay the same and distances differ by
    at most 1e-5 of their value.

    Parameters
    ----------
    x : array-like of shape [n, d]
        NumPy array, torch tensor (strided or sparse) or SciPy sparse matrix; never turned dense as a whole.
    n_neighbors : int
        k >= 1.
    query : array-like of shape [m, d], optional
        Rows to find neighbours for. None: the rows of `x` themselves, each without itself (but with its duplicates).
    metric : str or callable
        "euclidean", "cosine", "manhattan", "correlation", "chebyshev", "hamming" or "jaccard", with the values of
        ``sklearn.metrics.pairwise_distances``; "inner_product", which is ``-<x, y>``; or a function of two rows
        (arrays [d] of float64) that returns a distance >= 0, symmetric. The cosine distance of an all-zero row, and the
        correlation distance of a constant one, is 1 to any other. "jaccard" needs rows of 0 and 1; "hamming" compares
        codes of categories. Sparse rows become dense within `memory_mb` for "correlation", "chebyshev", "hamming" and
        functions. A function is called once for each pair, by one core, and for at most 1e8 pairs.
    backend : {"auto", "exact", "approximate"}
        "approximate" compares each row only with those of the nearest k-means lists: as many as contain 97 % of the
        neighbours of a sample, but at most about 33,000 rows. It needs dense features; on a GPU the search stays exact.
        "auto" uses it if the exact search would take over two processor seconds (``n * m * (d + 300) > 2e11``: 24,000
        rows of 50 features, 14,000 of 784; with `query` ``7e11``; for "manhattan" ``n * m * d > 2e11``, for "chebyshev"
        ``5e10``). Neighbours by "manhattan" and "chebyshev" are then the nearest of many Euclidean ones; "jaccard",
        "hamming" of columns with more than 8 values and functions are always searched exactly. For 10,000 rows of 784
        columns, one core takes 2 s, 15 s, and the time of the calls.
    memory_mb : float
        Memory that exact search may use on top of its input and its result. Less memory makes it slower. Approximate
        search needs a float32 copy of `x`.
    device : str or torch.device, optional
        Where to compute and to return the result; default: where `x` is.
    clamp : bool
        Reduce `n_neighbors` to the number of candidates (n - 1, with `query` n) instead of raising an error.
    seed : int
        For the approximate search and the rows its recall is measured on.
    progress : bool
        Show a progress bar of the calls of a function on stderr (only on a terminal).

    Returns
    -------
    Neighbors
        ``indices`` int64 [m, k], ``distances`` float32 [m, k] ascending, ``backend``, ``recall``.

    Raises
    ------
    InputError
        Too few rows for `n_neighbors`, unknown metric or backend, NaN or infinity, not a non-empty numeric matrix,
        `query` with another number of columns, ``backend="approximate"`` with sparse features or a
        metric that has none, values or sparse features that a metric cannot compare.
    ShortMemoryError
        The search ran out of memory.

    Examples
    --------
    >>> import numpy as np
    >>> knn(np.array([[0.0], [1.0], [3.0]]), 1).indices.flatten().tolist()
    [1, 0, 1]
    """
    k = check_count(n_neighbors)
    name = check_metric(metric)
    check_backend(backend)
    if isinstance(memory_mb, bool) or not isinstance(memory_mb, int | float) or not memory_mb > 0:
        raise wrong("memory_mb", repr(memory_mb), "a positive number")
    rows, asked, searched, finish = translated(*_as_pair(x, query, device), name, memory_mb)
    available = rows.n - (query is None)
    if clamp and available:
        k = min(k, available)
    check_enough_rows(k, rows.n, own=query is None)
    approximate = _approximate(backend, rows, asked, searched)
    if not approximate and query is None and searched in (*PRODUCTS, "jaccard") and mostly_zero(rows):
        asked = rows = as_sparse(rows)
    frame = _common_frame(rows, asked, searched, approximate)
    for part in {rows, asked}:
        part.bring_to(frame)
    budget = int(memory_mb * 2**20)
    with named_shortage(
        f"neighbours of {asked.n:,} among {rows.n:,} rows of {rows.d:,} features",
        "allow less (neighbors.memory_mb), free some, or take fewer features (neighbors.pca) or neighbours",
    ):
        recall = None
        if approximate:
            search = approximate_search if searched in PRODUCTS else candidate_search
            indices, distances, recall = search(rows, asked, k, budget, seed)
        else:
            whole = torch.arange(asked.n, device=rows.device)
            if searched in PRODUCTS:
                indices, distances = exact_search(rows, asked, whole, k, budget)
            else:
                indices, distances = difference_search(rows, asked, whole, k, budget, progress)
        return Neighbors(indices, finish(unscaled(distances, frame)), "approximate" if approximate else "exact", recall)


def knn_graph(x: Any, n_neighbors: int, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """The directed k-nearest-neighbour graph of the rows of `x`.

    Parameters
    ----------
    x, n_neighbors, **kwargs
        As for `knn`, without `query`.

    Returns
    -------
    edge_index : Tensor
        int64 [2, n * k], sorted by row: ``edge_index[0]`` is the node whose neighbours are listed, ``edge_index[1]``
        the neighbour.
    distance : Tensor
        float32 [n * k].
    """
    if kwargs.get("query") is not None:
        raise wrong("query", "one for a neighbour graph", "none (knn takes queries)")
    found = knn(x, n_neighbors, **kwargs)
    n, k = found.indices.shape
    row = torch.arange(n, device=found.indices.device).repeat_interleave(k)
    return torch.stack([row, found.indices.reshape(-1)]), found.distances.reshape(-1)


@torch.no_grad()
def reranked_distances(x: Any, query: Any, indices: Tensor, metric: str | Distance) -> tuple[Tensor, Tensor]:
    """Neighbours in the order of distances that do not depend on what else was searched for.

    Distances of `knn` come from products of tiles, whose rounding (1e-7 or so) varies with their shape. These come
    from differences of two rows in float64.

    Parameters
    ----------
    x, query
        As for `knn`.
    indices : Tensor, int64, shape [m, k]
        Rows of `x` near each row of `query`.
    metric : as in `knn`

    Returns
    -------
    indices : Tensor, int64, shape [m, k]
    distances : Tensor, float32, shape [m, k]
        Ascending; ties by index.
    """
    rows, asked, searched, finish = translated(*_as_pair(x, query, None), check_metric(metric))
    # The scale belongs to the fitted rows alone: that of the queries would be the batch's.
    scaled = searched in (*PRODUCTS, *AUTO_DIFFERENCES)
    frame = Frame(searched, None, rows.natural_frame(searched).scale if scaled else 1.0)
    for part in (rows, asked):
        part.bring_to(frame)
    found = exact_distances(asked, torch.arange(asked.n), rows, indices)
    order, found = sort_candidates(indices, found, indices.size(1))
    return order, finish(unscaled(found, frame))


def check_backend(backend: str) -> None:
    """InputError for a backend that is none of `Backend`."""
    if backend not in words(Backend):
        raise unknown("backend", backend, words(Backend))


def check_enough_rows(k: int, n: int, own: bool) -> None:
    """InputError where n rows do not have k neighbours each; `own`: among themselves."""
    if k > n - own:
        itself = ", a row is not its own neighbour" if own else ""
        raise wrong("n_neighbors", k, f"at most {n - own} (x has {n} rows{itself})")


def check_count(value: Any) -> int:
    """A whole number of at least 1 (NumPy integers count, booleans do not)."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise wrong("n_neighbors", repr(value), "a whole number of at least 1")
    return int(value)


def _as_pair(x: Any, query: Any, device: str | torch.device | None) -> tuple[Rows, Rows]:
    """Both dense or both sparse; the same object twice without a `query`."""
    rows = as_rows(x, "x", None if device is None else torch.device(device))
    if query is None:
        return rows, rows
    asked = as_rows(query, "query", rows.device)
    if asked.d != rows.d:
        raise wrong("query", f"{asked.d} columns", f"{rows.d}, as x has")
    return (as_sparse(rows), as_sparse(asked)) if rows.sparse or asked.sparse else (rows, asked)


def _common_frame(rows: Rows, asked: Rows, metric: str, approximate: bool) -> Frame:
    if metric not in PRODUCTS:
        return difference_frame(rows, asked, metric)
    if not approximate and rows.is_integral() and (asked is rows or asked.is_integral()):
        return Frame(metric, integral=True)
    frame = rows.natural_frame(metric)
    return Frame(metric, frame.shift, min(frame.scale, asked.natural_frame(metric).scale))


def _approximate(backend: str, rows: Rows, asked: Rows, metric: str) -> bool:
    known = metric in (*PRODUCTS, *AUTO_DIFFERENCES)
    if backend == "approximate" and not known:
        raise wrong("backend", f"approximate for the metric {metric}", "exact or auto")
    if backend == "approximate" and rows.sparse:
        raise wrong("backend", "approximate for a sparse matrix", "exact, or dense features")
    if metric in PRODUCTS:
        large = float(rows.n) * asked.n * (rows.d + AUTO_PASSES) > AUTO_WORK * (1 if asked is rows else AUTO_QUERY)
    else:
        large = float(rows.n) * asked.n * rows.d > AUTO_DIFFERENCES.get(metric, float("inf"))
    # On a GPU the exact search of whole blocks is the fast one.
    return not rows.sparse and rows.device.type == "cpu" and (backend == "approximate" or (backend == "auto" and large))


def unscaled(distances: Tensor, frame: Frame) -> Tensor:
    """Distances in the units of the input."""
    if frame.scale == 1.0 or frame.metric == "cosine":
        return distances
    power = 2 if frame.metric == "inner_product" else 1
    return (distances.double() / frame.scale**power).float()
