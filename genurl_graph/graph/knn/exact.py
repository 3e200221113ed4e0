"""Exact neighbours: a fast search, the order of its candidates settled, doubtful rows searched again."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.graph.knn.rerank import rerank
from genurl_graph.graph.knn.rows import Frame, Rows
from genurl_graph.graph.knn.tiles import cross_join, self_join
from genurl_graph.runtime.memory import in_less_memory, named_shortage
from genurl_graph.runtime.processes import agreed, own_rows, rows_of_all, total_of, world_size

# Candidates kept beyond k while scores are float32: rounding may swap neighbours that are this close in rank.
EXTRA = 4
# Rows searched first to find out whether ties leave many of them in doubt.
PROBES = 64
# An exact search costs 1.5 times the fast one (sparse rows), and twice more where pairs (i, j) do not serve both rows:
# from this share of doubtful rows in the sample it is better to begin with it,
DOUBTFUL_SAMPLE = 0.2
# and from this share of doubtful rows on to search all of them than only these.
MANY_DOUBTFUL = 0.5

# Bytes below which a second attempt is not worth while: nothing gets smaller any more.
LEAST = 1 << 20


def exact_search(rows: Rows, asked: Rows, k: int, frame: Frame, budget: int) -> tuple[Tensor, Tensor]:
    """The k nearest of `rows` to each of the rows `asked`, by (distance, index).

    Returns
    -------
    indices : Tensor, int64, shape [m, k]
    distances : Tensor, float32, shape [m, k]
        In the units of `frame`.

    Raises
    ------
    ShortMemoryError
        There is no memory; one process has tried again within an eighth of `budget` bytes.
    """

    def search(some: int) -> tuple[Tensor, Tensor]:
        return _search(rows, asked, k, frame, some)

    with named_shortage(
        f"neighbours of {asked.n:,} among {rows.n:,} rows of {rows.d:,} features",
        "also with an eighth of the memory that neighbors.memory_mb allows; free some, or take fewer features "
        "(neighbors.pca) or neighbours",
    ):
        if world_size() > 1:
            # Others would wait for what a failed attempt was to send them.
            return search(budget)
        return in_less_memory("search for neighbours", search, budget, LEAST)


def _search(rows: Rows, asked: Rows, k: int, frame: Frame, budget: int) -> tuple[Tensor, Tensor]:
    own = asked is rows
    everyone = torch.arange(asked.n, device=rows.device)
    mine = everyone[own_rows(asked.n)]

    def search(select: Tensor, exact: bool) -> tuple[Tensor, Tensor, Tensor]:
        width = min(k + EXTRA, rows.n - own)
        if own and select is mine:
            code = self_join(rows, width, frame, budget, exact)
        else:
            code = cross_join(asked, select, rows, width, frame, budget, own, exact).code
        return rerank(rows, asked, select, code, k, frame, exact)

    exact = frame.integral
    if rows.sparse and not exact:
        # Ties at the k-th place of most rows, as weighted bags of words may have, make the fast search useless.
        sample = everyone[:: max(1, asked.n // PROBES)]
        exact = agreed(len(search(sample, False)[2]) > DOUBTFUL_SAMPLE * len(sample))
    indices, distances, doubtful = search(mine, exact)
    if int(total_of(torch.tensor(len(doubtful), device=rows.device))) > MANY_DOUBTFUL * asked.n:
        indices, distances, _ = search(mine, True)
    elif len(doubtful):
        indices[doubtful], distances[doubtful], _ = search(mine[doubtful], True)
    return rows_of_all(indices, asked.n), rows_of_all(distances, asked.n)
