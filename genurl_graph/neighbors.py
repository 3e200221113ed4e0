"""k nearest neighbours: exact within a memory budget on CPU or GPU, approximate behind the same call."""

from __future__ import annotations

import warnings
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor

from genurl_graph import _ann
from genurl_graph._inputs import as_count, as_rows
from genurl_graph._rows import DenseRows, Frame, Rows, SparseRows, pair_scores
from genurl_graph._settle import settle, sort_candidates
from genurl_graph._tiles import cross_join, self_join
from genurl_graph.exceptions import InputError

Metric = Literal["euclidean", "cosine", "inner_product"]
Backend = Literal["auto", "exact", "faiss"]

# Exact search costs about n * m * (d + 300) / 7e10 processor seconds (measured: 10,000 x 784 1.45 s, 40,000 x 16 6.8 s;
# the 300 stand for the passes over each tile, whatever d). Above two minutes of that, backend="auto" approximates.
AUTO_WORK = 9e12
AUTO_PASSES = 300
RECALL_SAMPLE = 512
# Candidates kept beyond k while scores are float32: rounding may swap neighbours that are this close in rank.
EXTRA = 4

_told_about_faiss = False


class Neighbors(NamedTuple):
    """Result of `knn`: row i holds the neighbours of row i, nearest first."""

    indices: Tensor
    """int64 ``[m, k]``."""
    distances: Tensor
    """float32 ``[m, k]``, ascending."""
    backend: str
    """``"exact"`` or ``"faiss"``: what was used."""
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
) -> Neighbors:
    r"""The k nearest rows of `x`, for each of its rows or for each row of `query`.

    Exact search multiplies tiles of rows, never all pairs at once, and recomputes from differences every distance
    that rounding could have spoiled, in float64 where neighbours could not be told apart otherwise; duplicates get
    distance 0. It agrees with scikit-learn's brute force up to ties (distances closer than 1e-5 of their value).

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
    backend : {"auto", "exact", "faiss"}
        "faiss" searches approximately (inverted file; needs the extra ``ann`` and dense features). "auto" does so when
        exact search would take over a minute on two cores (``n * m * (d + 300) > 9e12``: 170,000 rows of 16 features,
        90,000 of 784) and faiss is installed; else it is exact (and warns once if faiss is missing).
    memory_mb : float
        What exact search may use beside its input and its result lists. Smaller is slower, not different. (The least
        that it needs: tiles of 16 x 16 and four blocks of 16 rows.) A faiss index takes one float32 copy of `x`.
    device : str or torch.device, optional
        Where to compute and to return the result; default: where `x` is.
    clamp : bool
        Reduce `n_neighbors` to the number of candidates (n - 1, with `query` n) instead of raising an error.
    seed : int
        For the approximate search and the rows its recall is estimated on.

    Returns
    -------
    Neighbors
        ``indices`` int64 [m, k], ``distances`` float32 [m, k] ascending (equal ones by index), ``backend``, ``recall``.

    Raises
    ------
    InputError
        Too few rows for `n_neighbors`, unknown metric or backend, NaN or infinity, not a non-empty numeric matrix,
        `query` with another number of columns, ``backend="faiss"`` without faiss or with sparse features.

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
    frame = rows.natural_frame(metric)
    if asked is not rows:
        other = asked.natural_frame(metric)
        frame = Frame(metric, frame.shift, min(frame.scale, other.scale))
    budget = int(memory_mb * 2**20)
    if _approximate(backend, rows, asked):
        return _faiss_search(rows, asked, k, frame, budget, seed)
    indices, score = _exact_search(rows, asked, k, frame, budget)
    return Neighbors(indices, _distance(score, frame), "exact", None)


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


def _check_choice(value: Any, choices: tuple[str, ...], name: str) -> None:
    if value not in choices:
        raise InputError(f"{name}: expected one of {', '.join(choices)}; got {value!r}")


def _same_kind(rows: Rows, asked: Rows) -> tuple[Rows, Rows]:
    """Both dense, or both sparse with the same columns in the dense part of the product."""
    if asked is rows or (isinstance(rows, DenseRows) and isinstance(asked, DenseRows)):
        return rows, asked
    from scipy.sparse import csr_matrix

    def sparse(side: Rows) -> Any:
        return side.x if isinstance(side, SparseRows) else csr_matrix(side.x.cpu().double().numpy())

    base = rows if isinstance(rows, SparseRows) else SparseRows(sparse(rows), rows.device)
    return base, SparseRows(sparse(asked), rows.device, base.frequent)


def _approximate(backend: str, rows: Rows, asked: Rows) -> bool:
    global _told_about_faiss
    if backend == "faiss":
        if rows.sparse:
            raise InputError('backend: "faiss" needs dense features, got a sparse matrix; use backend="exact"')
        if not _ann.faiss_installed():
            raise InputError('backend: "faiss" needs the extra "ann": pip install "genurl-graph[ann]"')
        return True
    if backend == "exact" or rows.sparse or float(rows.n) * asked.n * (rows.d + AUTO_PASSES) <= AUTO_WORK:
        return False
    if _ann.faiss_installed():
        return True
    if not _told_about_faiss:
        _told_about_faiss = True
        warnings.warn(
            f"neighbours of {rows.n} rows are searched exactly, which takes long; approximate search needs the "
            'extra "ann": pip install "genurl-graph[ann]"',
            stacklevel=3,
        )
    return False


def _exact_search(rows: Rows, asked: Rows, k: int, frame: Frame, budget: int) -> tuple[Tensor, Tensor]:
    """Indices ``[m, k]`` and scores as of `pair_scores`, sorted."""
    own = asked is rows
    available = rows.n - own
    width = min(k + EXTRA, available)
    if own:
        found = self_join(rows, width, frame, budget)
    else:
        everyone = torch.arange(asked.n, device=rows.device)
        found = cross_join(asked, everyone, rows, width, frame, budget, False, torch.float32)
    indices, score, doubtful = settle(rows, asked, found.index, found.score, k, frame)
    if len(doubtful):
        again = cross_join(asked, doubtful, rows, width, frame, budget, own, torch.float64)
        exact = pair_scores(asked, doubtful, rows, again.index, frame)
        indices[doubtful], score[doubtful] = sort_candidates(again.index, exact, k)
    return indices, score


def _distance(score: Tensor, frame: Frame) -> Tensor:
    """float32 distance from a score in the units of `frame`."""
    if frame.metric == "euclidean":
        return (score.clamp(min=0).sqrt() / frame.scale).float()
    if frame.metric == "cosine":
        return score.clamp(0, 2).float()
    return (score / frame.scale**2).float()


def _faiss_search(rows: Rows, asked: Rows, k: int, frame: Frame, budget: int, seed: int) -> Neighbors:
    """Candidates from faiss, their distances exact; rows it found too few for are searched exactly."""
    assert isinstance(rows, DenseRows)
    assert isinstance(asked, DenseRows)
    own = asked is rows
    everyone = torch.arange(asked.n, device=rows.device)
    width = min(k + own + EXTRA, rows.n)
    index = _ann.candidates(asked, rows, width, frame, seed)
    missing = (index < 0) | (index == everyone[:, None] if own else torch.zeros_like(index, dtype=torch.bool))
    score = pair_scores(asked, everyone, rows, index.clamp(min=0), frame)
    score[missing] = torch.inf
    indices, score = sort_candidates(index, score, k)
    short = torch.isinf(score).any(1).nonzero().squeeze(1)
    sample = torch.randperm(asked.n, generator=torch.Generator().manual_seed(seed))[:RECALL_SAMPLE].to(rows.device)
    for chosen in (short, sample) if len(short) else (sample,):
        found = cross_join(asked, chosen, rows, min(k + EXTRA, rows.n - own), frame, budget, own, torch.float64)
        exact_indices, exact = sort_candidates(found.index, pair_scores(asked, chosen, rows, found.index, frame), k)
        if chosen is short:
            indices[short], score[short] = exact_indices, exact
    return Neighbors(indices, _distance(score, frame), "faiss", _ann.recall_at_k(score[sample], exact))
