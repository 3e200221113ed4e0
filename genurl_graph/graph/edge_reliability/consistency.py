"""Feature consistency: how well one half of the columns predicts neighbours in the other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from genurl_graph.graph.edge_reliability.feature_rows import FeatureRows
from genurl_graph.graph.edge_reliability.ranks import rank
from genurl_graph.inputs.sparse import to_scipy_or_numpy

# Nearest nodes of a node that are judged, and random nodes that they are ranked among.
_NEAREST, _REFERENCES = 5, 512
# Nodes that are asked for their neighbours in one split of the columns, and nodes among which these are searched: fewer
# where columns are few, as splits differ much there, and more nodes hardly have nearer neighbours.
_QUERIES, _POOL = 128, 50_000
_FEW_COLUMNS, _FEW_POOL = 64, 2048
# Splits, at least, as fewer do not tell the error, and at most.
_FEWEST, _MOST = 10, 128
# The error that is small enough: this share of what is beyond chance, but not less than the second.
_RELATIVE, _SMALL = 0.005, 0.001
# Bounds of the work, beyond which the error is what it is: comparisons of nodes, and products.
_CELLS, _PRODUCTS = 1 << 25, 1 << 34
# Columns of which all halves are taken in turn.
_ALL_HALVES = 8


class Measure(NamedTuple):
    """A mean over a sample, and its standard error; 0 where there was nothing to draw."""

    value: float
    error: float


def feature_consistency(x: Tensor, metric: str) -> Measure:
    """Split-half consistency: how well a random half of the feature columns predicts neighbours in the other half.

    The nearest nodes of a node in one half are ranked among random nodes by the other half. Columns on the same topics
    are consistent; noise, constants and one-hot columns are not. Splits follow each other, each with nodes of its own,
    until the error of their mean is small beside what is beyond chance.

    Parameters
    ----------
    x, metric
        As in `genurl_graph.graph.edge_reliability.edge_auc`.

    Returns
    -------
    Measure
        In [0, 1]; 0.5 is chance, and the value of a single column, which has no halves. No seed enters it.
    """
    matrix, (n, f) = to_scipy_or_numpy(x), x.shape
    if f < 2 or n < 3:
        return Measure(0.5, 0.0)
    generator = np.random.default_rng(0)
    few, sparse = f <= _FEW_COLUMNS, hasattr(matrix, "nnz")
    size = min(n, _FEW_POOL if few else _POOL)
    k, asked = min(_NEAREST, size - 1), min(size, _QUERIES)
    width = matrix.nnz / n if sparse else f
    most = min(max(_FEWEST, int(min(_CELLS, _PRODUCTS / width)) // (asked * size)), _MOST)
    order, found, pool = generator.permutation(n), [], matrix
    if not few and n > size:
        pool = matrix[np.sort(order[:size])]
        order = generator.permutation(size)
    by_column = pool.tocsc() if sparse else pool
    for t, (first, second) in enumerate(itertools.islice(_halves(f, generator), most)):
        queries = order[(t * asked + np.arange(asked)) % len(order)]
        if few and n > size:
            # Few columns are soon gathered: every split has a pool of its own.
            others = np.setdiff1d(generator.choice(n, size, replace=False), queries)
            pool = by_column = matrix[np.concatenate([queries, others])]
            queries = np.arange(asked)
        neighbors = nearest(FeatureRows(by_column[:, first], metric), queries, k, generator)
        found.append(_judge(pool, second, queries, neighbors, metric, generator))
        if t + 1 >= _FEWEST:
            mean, error = float(np.mean(found)), float(np.std(found, ddof=1)) / math.sqrt(t + 1)
            if error <= max(_SMALL, _RELATIVE * (mean - 0.5)):
                break
    return Measure(mean, error)


def _halves(f: int, generator: np.random.Generator) -> Iterator[tuple[Any, Any]]:
    """Halves of f columns without end: at random, or all there are, over and over, in random order."""
    if f > _ALL_HALVES:
        while True:
            columns = generator.permutation(f)
            yield columns[: f // 2], columns[f // 2 :]
    every = [np.isin(np.arange(f), half) for half in itertools.combinations(range(f), f // 2)]
    while True:
        for choice in generator.permutation(len(every)):
            yield np.flatnonzero(every[choice]), np.flatnonzero(~every[choice])


def _judge(
    matrix: Any, columns: Any, queries: Any, neighbors: Any, metric: str, generator: np.random.Generator
) -> float:
    """Mean rank of the neighbours [q, k] of the queries [q], among random nodes, by some of the columns."""
    k, neighbors = neighbors.shape[1], neighbors.reshape(-1)
    drawn = generator.choice(matrix.shape[0], min(_REFERENCES, matrix.shape[0]), replace=False)
    used, place = np.unique(np.concatenate([queries, neighbors, drawn]), return_inverse=True)
    rows = FeatureRows(matrix[used][:, columns], metric)
    i, j, drawn = np.split(place, [len(queries), len(queries) + len(neighbors)])
    others = rows.between(i, drawn).repeat(k, axis=0)
    i = i.repeat(k)
    return float(rank(rows.pairs(i, j), others, drawn, (i, j))[0].mean(dtype=np.float64))


def nearest(rows: FeatureRows, queries: Any, k: int, generator: np.random.Generator) -> Any:
    """The k nodes nearest to each query, int64 [queries, k]; ties are broken at random."""
    n = rows.size
    near = rows.compare_all(queries)
    # Far less than what tells rows apart, and more than rounding. Each query reads the same numbers from another place.
    drawn = generator.random(2 * n) * (1e-12 * float(np.abs(near[0]).mean()) + 1e-30)
    near += np.lib.stride_tricks.sliding_window_view(drawn, n)[generator.integers(0, n, len(queries))]
    near[np.arange(len(queries)), queries] = -np.inf
    return np.argpartition(near, n - k, axis=1)[:, n - k :]
