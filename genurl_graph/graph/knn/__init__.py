"""k nearest neighbours: exact within a memory budget on CPU or GPU, approximate behind the same call."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor

from genurl_graph.exceptions import InputError
from genurl_graph.graph.knn import approximate as _ann
from genurl_graph.graph.knn.checked_rows import as_count, as_rows, as_sparse, mostly_zero
from genurl_graph.graph.knn.exact import EXTRA, exact_search
from genurl_graph.graph.knn.rerank import rerank, sort_candidates
from genurl_graph.graph.knn.rows import DenseRows, Frame, Rows, SparseRows
from genurl_graph.graph.knn.scores import distance, pair_scores
from genurl_graph.graph.knn.tiles import cross_join
from genurl_graph.runtime.processes import alone, connected, own_rows, rows_of_all

Metric = Literal["euclidean", "cosine", "inner_product"]
Backend = Literal["auto", "exact", "approximate"]

# Exact search costs about n * m * (d + 300) / 7e10 processor seconds (measured: 10,000 x 784 1.45 s, 40,000 x 16 6.8 s;
# the 300 stand for the passes over each tile, whatever d). Above five minutes of that, backend="auto"
# approximates.
AUTO_WORK = 2.1e13
AUTO_PASSES = 300
RECALL_SAMPLE = 512
# Rows whose approximate neighbours get their distances at a time.
FINAL_ROWS = 1 << 16


class Neighbors(NamedTuple):
    """Result of `knn`: row i holds the neighbours of row i, nearest first."""

    indices: Tensor
    """int64 ``[m, k]``."""
    distances: Tensor
    """float32 ``[m, k]``, ascending."""
    backend: str
    """``"exact"`` or ``"approximate"``: what was used."""
    recall: float | None
    """Share of true neighbours on a random sample of rows; None when exact."""


@torch.no_grad()
def knn(
    x: Any,
    n_neighbors: int,
    *,
    query: Any = None,
    metric: Metric = "euclidean",
    backend: Backend = "auto",
    memory_mb: float = 512,
    device: str | torch.device | None = None,
    clamp: bool = False,
    seed: int = 0,
    together: bool = False,
) -> Neighbors:
    r"""The k nearest rows of `x`, for each of its rows or for each row of `query`.

    Exact search multiplies tiles of rows, never all pairs at once, and recomputes from differences every distance
    that rounding could have spoiled, in float64 where neighbours could not be told apart otherwise; duplicates get
    distance 0. It agrees with scikit-learn's brute force up to ties (distances closer than 1e-5 of their value).

    The neighbours of a row are the first k by (float32 distance, index): of equally near rows those of smallest index,
    at the k-th place too. On the CPU two calls with the same arguments and the same number of threads, on the same
    machine and libraries, return the same bits. With another number of threads or another `memory_mb` indices stay
    the same and distances differ by at most the 1e-5 above, not at all for small whole numbers (bags of words): but
    for an error of a product beyond twice what was measured, and for a float64 rounding error that straddles two
    float32 numbers (about one pair in 1e8).

    Parameters
    ----------
    x : array-like of shape [n, d]
        NumPy array, torch tensor (strided, sparse COO, sparse CSR) or SciPy sparse matrix; never turned dense as a
        whole.
    n_neighbors : int
        k >= 1.
    query : array-like of shape [m, d], optional
        Rows to find neighbours for. None: the rows of `x` themselves, each without itself (but with its duplicates).
    metric : {"euclidean", "cosine", "inner_product"}
        ``|x - y|``, ``1 - cos(x, y)``, or ``-<x, y>``. The cosine distance of an all-zero row to any other row is 1.
    backend : {"auto", "exact", "approximate"}
        "approximate" compares each row with those of the nearest k-means cells alone: as many cells as hold 95 % of the
        neighbours of a sample, but about 16,000 rows at most, so that the time grows linearly with the rows. It needs
        dense features. "auto" does so when exact search would take over two minutes on two cores
        (``n * m * (d + 300) > 2.1e13``: 257,000 rows of 16 features, 139,000 of 784); else it is exact.
    memory_mb : float
        What exact search may use beside its input and its result lists. Smaller is slower. (The least
        that it needs: tiles of 16 x 16 and four blocks of 16 rows.) Approximate search takes a float32 copy of `x`.
    device : str or torch.device, optional
        Where to compute and to return the result; default: where `x` is.
    clamp : bool
        Reduce `n_neighbors` to the number of candidates (n - 1, with `query` n) instead of raising an error.
    seed : int
        For the approximate search and the rows its recall is estimated on.
    together : bool
        Several processes (`genurl_graph.runtime.processes`), which all call this alike, search the neighbours of a
        share of the rows each, and all get those of all rows. They are the neighbours that one process finds, to the
        bit where its tiles are as large; approximate ones may differ where rounding decides which cells or candidates
        are the last. Memory is not tried again in less. False: each searches by itself.

    Returns
    -------
    Neighbors
        ``indices`` int64 [m, k], ``distances`` float32 [m, k] ascending, ``backend``, ``recall``.

    Raises
    ------
    InputError
        Too few rows for `n_neighbors`, unknown metric or backend, NaN or infinity, not a non-empty numeric matrix,
        `query` with another number of columns or with `together`, ``backend="approximate"`` with sparse features.
    LostProcessError
        Another of several processes has ended.
    ShortMemoryError
        Exact search found no memory, also not within an eighth of `memory_mb`, which it tries by itself.

    Examples
    --------
    >>> import numpy as np
    >>> knn(np.array([[0.0], [1.0], [3.0]]), 1).indices.flatten().tolist()
    [1, 0, 1]
    """
    k = as_count(n_neighbors, "n_neighbors")
    _check_choice(metric, get_args(Metric), "metric")
    _check_choice(backend, get_args(Backend), "backend")
    if isinstance(memory_mb, bool) or not isinstance(memory_mb, int | float) or not memory_mb > 0:
        raise InputError(f"memory_mb: expected a positive number, got {memory_mb!r}")
    if together and query is not None:
        raise InputError("together: found a query; expected none")
    where = None if device is None else torch.device(device)
    rows = as_rows(x, "x", where)
    asked = rows if query is None else as_rows(query, "query", rows.device)
    if asked.d != rows.d:
        raise InputError(f"query: has {asked.d} columns, but x has {rows.d}")
    available = rows.n - 1 if query is None else rows.n
    if k > available:
        if not clamp or available == 0:
            counted = (
                f"{available} (x has {rows.n} rows{'' if query is not None else ', a row is not its own neighbour'})"
            )
            raise InputError(f"n_neighbors: asked for {k} neighbours, but each row has only {counted}")
        k = available
    rows, asked = _same_kind(rows, asked)
    budget = int(memory_mb * 2**20)
    approximate = _approximate(backend, rows, asked)
    if not approximate and asked is rows and isinstance(rows, DenseRows) and mostly_zero(rows, budget // 16):
        asked = rows = SparseRows(as_sparse(rows), rows.device)
        budget -= rows.nbytes
    frame = _common_frame(rows, asked, metric, approximate)
    with nullcontext() if together else alone(), connected("search for neighbours"):
        if approximate:
            return _approximate_search(rows, asked, k, frame, budget, seed)
        indices, distances = exact_search(rows, asked, k, frame, budget)
    return Neighbors(indices, _unscaled(distances, frame), "exact", None)


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
        raise InputError("query: a neighbour graph joins the rows of x with each other; use knn for queries")
    found = knn(x, n_neighbors, **kwargs)
    n, k = found.indices.shape
    row = torch.arange(n, device=found.indices.device).repeat_interleave(k)
    return torch.stack([row, found.indices.reshape(-1)]), found.distances.reshape(-1)


@torch.no_grad()
def reranked_distances(x: Any, query: Any, indices: Tensor, metric: Metric) -> tuple[Tensor, Tensor]:
    """Neighbours in the order of distances that do not depend on what else was searched for.

    Distances of `knn` come out of products of tiles, whose rounding (1e-7 or so) varies with their shape. These come
    from differences of two rows in float64.

    Parameters
    ----------
    x, query
        As for `knn`.
    indices : Tensor, int64, shape [m, k]
        Rows of `x` near each row of `query`.
    metric : "euclidean" or "cosine"

    Returns
    -------
    indices : Tensor, int64, shape [m, k]
    distances : Tensor, float32, shape [m, k]
        Ascending; ties by index.
    """
    rows = as_rows(x, "x", None)
    rows, asked = _same_kind(rows, as_rows(query, "query", rows.device))
    # The scale belongs to the fitted rows alone: that of the queries would be the batch's.
    frame = Frame(metric, None, rows.natural_frame(metric).scale)
    if metric == "cosine":
        for part in (rows, asked):
            step = max(1, (1 << 22) // part.d)
            for start in range(0, part.n, step):
                part.parts(slice(start, start + step), frame, torch.float64)
    found = distance(pair_scores(asked, torch.arange(asked.n), rows, indices, frame), frame)
    order, found = sort_candidates(indices, found, indices.size(1))
    return order, _unscaled(found, frame)


def _check_choice(value: Any, choices: tuple[str, ...], name: str) -> None:
    if value not in choices:
        raise InputError(f"{name}: expected one of {', '.join(choices)}; got {value!r}")


def _same_kind(rows: Rows, asked: Rows) -> tuple[Rows, Rows]:
    """Both dense, or both sparse with the same columns in the dense part of the product."""
    if asked is rows or (isinstance(rows, DenseRows) and isinstance(asked, DenseRows)):
        return rows, asked
    base = rows if isinstance(rows, SparseRows) else SparseRows(as_sparse(rows), rows.device)
    other = asked.x if isinstance(asked, SparseRows) else as_sparse(asked)
    return base, SparseRows(other, rows.device, base.frequent)


def _common_frame(rows: Rows, asked: Rows, metric: str, approximate: bool) -> Frame:
    if not approximate and rows.is_integral() and (asked is rows or asked.is_integral()):
        return Frame(metric, None, 1.0, integral=True)
    frame = rows.natural_frame(metric)
    if asked is rows:
        return frame
    return Frame(metric, frame.shift, min(frame.scale, asked.natural_frame(metric).scale))


def _approximate(backend: str, rows: Rows, asked: Rows) -> bool:
    if backend == "approximate" and rows.sparse:
        raise InputError('backend: "approximate" needs dense features, got a sparse matrix; use backend="exact"')
    large = float(rows.n) * asked.n * (rows.d + AUTO_PASSES) > AUTO_WORK
    return backend == "approximate" or (backend == "auto" and large and not rows.sparse)


def _unscaled(distances: Tensor, frame: Frame) -> Tensor:
    """Distances in the units of the input."""
    if frame.metric == "cosine" or frame.scale == 1.0:
        return distances
    power = 2 if frame.metric == "inner_product" else 1
    return (distances.double() / frame.scale**power).float()


def _approximate_search(rows: Rows, asked: Rows, k: int, frame: Frame, budget: int, seed: int) -> Neighbors:
    """Candidates from cells, their distances exact; rows for which there were too few are searched exactly.

    Every process searches the sample by itself: that all compare as many cells, and say the same recall.
    """
    assert isinstance(rows, DenseRows)
    assert isinstance(asked, DenseRows)
    own = asked is rows

    def exactly(chosen: Tensor) -> tuple[Tensor, Tensor]:
        joined = cross_join(asked, chosen, rows, min(k + EXTRA, rows.n - own), frame, budget, own, True)
        return rerank(rows, asked, chosen, joined.code, k, frame, True)[:2]

    sample = torch.randperm(asked.n, generator=torch.Generator().manual_seed(seed))[:RECALL_SAMPLE].to(rows.device)
    known, exact = exactly(sample)
    index = _ann.candidates(asked, rows, min(k + own + EXTRA, rows.n), frame, seed, sample, known)
    mine = torch.arange(asked.n, device=rows.device)[own_rows(asked.n, _ann.SLAB)]
    indices = torch.empty(len(mine), k, dtype=torch.int64, device=rows.device)
    distances = torch.empty(len(mine), k, device=rows.device)
    for lo in range(0, len(mine), FINAL_ROWS):
        part = slice(lo, lo + FINAL_ROWS)
        some, near = mine[part], index[part]
        missing = near < 0
        if own:
            missing |= near == some[:, None]
        near = near.clamp_min_(0)
        found = distance(pair_scores(asked, some, rows, near, frame), frame).masked_fill_(missing, torch.inf)
        indices[part], distances[part] = sort_candidates(near, found, k)
    short = torch.isinf(distances).any(1).nonzero().squeeze(1)
    if len(short):
        indices[short], distances[short] = exactly(mine[short])
    indices, distances = (rows_of_all(part, asked.n, _ann.SLAB) for part in (indices, distances))
    return Neighbors(indices, _unscaled(distances, frame), "approximate", _ann.recall_at_k(distances[sample], exact))
