"""Compact vectors as search keys: recall of true neighbours, and mean average precision of labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from genurl_graph.evaluation.ranks import Points, blocks, nearest, sample_rows
from genurl_graph.evaluation.splits import check_labels
from genurl_graph.exceptions import wrong

Array = npt.NDArray[Any]

# Queries ranked against the whole database; more are sampled, since each sorts the database.
MAX_QUERIES = 5_000
RECALL_AT = (1, 10, 100)


@torch.no_grad()
def retrieval_scores(
    z: Any,
    y: Any = None,
    x: Any = None,
    *,
    queries: Any = None,
    database: Any = None,
    metric: str = "euclidean",
    input_metric: str = "euclidean",
    recall_at: Sequence[int] = RECALL_AT,
    seed: int = 0,
    memory_mb: float = 256,
) -> dict[str, Any]:
    """Judge search in the embedding by labels and by the neighbours in the input.

    * ``map``: mean average precision of the whole database's ranking. Relevant are the R items that share the query's
      label; AP is the mean, over these items r, of the share of relevant ones among all items not farther than r. It
      treats equally near items alike (as ``sklearn.metrics.average_precision_score`` does);
    * ``label_recall``: share of queries with an item of their label among the first k;
    * ``neighbor_recall``: share of the k nearest in the input that are among the k nearest in the embedding.

    Parameters
    ----------
    z : array or Tensor, shape [n, d]
        Embedding of queries and database.
    y : array or Tensor, int, shape [n], optional
        Labels; a negative one is relevant to nothing.
    x : array, Tensor or sparse matrix, shape [n, f], optional
        Input.
    queries, database : array or Tensor, int or bool, shape [q] and [m], optional
        Rows or masks; a row in both finds itself. Without both, every row is a query and the others are its database.
    metric, input_metric : str
        Distance of z, and of x, as in `genurl_graph.graph.knn.knn`.
    recall_at : sequence of int
        The k of both recalls; those that the database cannot fill are left out.
    seed : int
        Of the sample, where there are more than 5,000 queries.
    memory_mb : float
        Bound of the blocks of distances.

    Returns
    -------
    dict
        ``map`` (None without labels), ``label_recall`` and ``neighbor_recall`` {k: share} (empty without labels or
        input), ``n_queries``, ``n_database``, ``how`` in words.

    Raises
    ------
    InputError
        Only one of queries and database, rows out of range, an empty part, no labels and no input, or sizes that do
        not fit.
    """
    if (queries is None) != (database is None):
        raise wrong("queries and database", "one of them", "both, or none for leave-one-out")
    if y is None and x is None:
        raise wrong("retrieval", "neither labels nor the input", "one of them to judge by")
    whole = Points(z, "embedding", metric)
    given = None if x is None else Points(x, "input", input_metric)
    labels = None if y is None else check_labels(y, whole.n)
    if given is not None and given.n != whole.n:
        raise wrong("input", f"{given.n} rows", f"{whole.n}, as in the embedding")
    apart = queries is not None
    asked = _rows("queries", queries, whole.n) if apart else torch.arange(whole.n)
    base = _rows("database", database, whole.n) if apart else asked
    chosen = asked[sample_rows(len(asked), MAX_QUERIES, seed)]
    size = len(base) if apart else whole.n - 1
    if size < 1:
        raise wrong("database", "one row, which is the query itself", "others")
    ks = [k for k in recall_at if 1 <= k <= size]
    search = _search(whole, base, apart)
    truth = None if given is None else _search(given, base, apart)
    precision: list[float] = []
    hits, shared = np.zeros(len(ks)), np.zeros(len(ks))
    for part in blocks(chosen, len(base), memory_mb):
        distances = search(part)
        first = nearest(distances, max(ks)) if ks else None
        if labels is not None:
            same = (labels[part.numpy()][:, None] == labels[base.numpy()]) & (labels[part.numpy()] >= 0)[:, None]
            if not apart:
                same[np.arange(len(part)), part.numpy()] = False
            precision += [_average_precision(*row) for row in zip(distances.numpy(), same, strict=True) if row[1].any()]
            if first is not None:
                found_same = np.take_along_axis(same, first.numpy(), 1)
                hits += [found_same[:, :k].any(1).sum() for k in ks]
        if truth is not None and first is not None:
            true = nearest(truth(part), max(ks))
            shared += [float(torch.isin(_keys(first[:, :k]), _keys(true[:, :k])).sum()) / k for k in ks]
    q = len(chosen)
    kind = "leave-one-out" if not apart else "queries apart from the database"
    return {
        "map": float(np.mean(precision)) if precision else None,
        "label_recall": {} if labels is None else dict(zip(ks, (hits / q).tolist(), strict=True)),
        "neighbor_recall": {} if truth is None else dict(zip(ks, (shared / q).tolist(), strict=True)),
        "n_queries": q,
        "n_database": size,
        "how": f"{kind}, {metric}, {'all' if q == len(asked) else 'random'} {q:,} of {len(asked):,} queries",
    }


def _search(points: Points, base: Tensor, apart: bool) -> Callable[[Tensor], Tensor]:
    """Distances from query rows to the database, columns in the database's order."""
    part = points.subset(base) if apart else points
    return lambda rows: part.distances(rows, points if apart else None)


def _average_precision(distances: Array, relevant: npt.NDArray[np.bool_]) -> float:
    """AP of one ranking; at least one item is relevant."""
    ordered, wanted = np.sort(distances), np.sort(distances[relevant])
    nearer = np.searchsorted(ordered, wanted, side="right")
    return float(np.mean(np.searchsorted(wanted, wanted, side="right") / nearer))


def _keys(columns: Tensor) -> Tensor:
    """One number for each (row, column) of `columns` [B, k]."""
    return columns + torch.arange(len(columns))[:, None] * 2**32


def _rows(name: str, which: Any, n: int) -> Tensor:
    values = np.asarray(which).reshape(-1)
    if values.dtype == bool:
        if len(values) != n:
            raise wrong(name, f"a mask of {len(values)} entries", f"{n}, one for each row")
        values = np.flatnonzero(values)
    if len(values) == 0 or values.dtype.kind not in "iu":
        raise wrong(name, f"{len(values)} entries of {values.dtype}", "row numbers or a mask")
    if values.min() < 0 or values.max() >= n:
        raise wrong(name, f"rows {int(values.min())} to {int(values.max())}", f"rows of 0 to {n - 1}")
    return torch.from_numpy(values.astype(np.int64))
