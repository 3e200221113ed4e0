"""Approximate neighbours: inverted lists of faiss, their candidates in the order of exact distances.

An inverted file (IVF; Sivic & Zisserman, ICCV 2003) compares each row with those of the nearest k-means lists alone.
Rows of many features are searched along their principal axes, and candidates compared by all features. How many lists
are searched is found out on one sample of rows; the recall is measured on another, of rows that trained nothing.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from genurl_graph.graph.knn.exact import exact_search, rerank
from genurl_graph.graph.knn.nearest import LAST_INDEX, encode
from genurl_graph.graph.knn.rows import Rows
from genurl_graph.runtime.processes import own_rows, rows_of_all

# Lists are added until they hold this share of a sample's neighbours, or this many rows.
TARGET, SCANNED = 0.97, 1 << 14
# Rows of the sample that the lists are tuned on, and of the one whose recall is reported.
TUNING_SAMPLE, RECALL_SAMPLE = 256, 512
# Rows of more features than WIDE are searched along AXES principal axes, for REFINED times as many candidates.
WIDE, AXES, REFINED = 128, 64, 6
# Rows that train a list.
TRAINING = 40


def approximate_search(rows: Rows, asked: Rows, k: int, budget: int, seed: int) -> tuple[Tensor, Tensor, float]:
    """The k approximate nearest of `rows` to every row of `asked`, and the recall.

    Rows for which the lists held too few candidates are searched exactly. With several processes each searches its
    share of the rows, in the same lists.

    Returns
    -------
    indices : Tensor, int64, shape [m, k]
    distances : Tensor, float32, shape [m, k]
        Exact, in the units of the frame; ascending, ties by index.
    recall : float
        Share of the true neighbours of `RECALL_SAMPLE` rows that were found.
    """
    drawn = torch.randperm(asked.n, generator=torch.Generator().manual_seed(seed + 1))
    index = _build(rows, seed)
    tuning = drawn[:TUNING_SAMPLE].sort().values
    _tune(index, rows, asked, tuning, k, exact_search(rows, asked, tuning, k, budget)[1])
    mine = torch.arange(asked.n, device=rows.device)[own_rows(asked.n)]
    indices, distances = _search(index, rows, asked, mine, k)
    short = torch.isinf(distances).any(1).nonzero().squeeze(1)
    if len(short):
        indices[short], distances[short] = exact_search(rows, asked, mine[short], k, budget)
    indices, distances = (rows_of_all(part, asked.n) for part in (indices, distances))
    # Not those of the tuning, unless there are no others.
    tested = drawn[TUNING_SAMPLE:][:RECALL_SAMPLE].sort().values if asked.n > 2 * TUNING_SAMPLE else tuning
    truth = exact_search(rows, asked, tested, k, budget)[1]
    return indices, distances, recall_at_k(distances[tested], truth)


def recall_at_k(approximate: Tensor, exact: Tensor) -> float:
    """Share of the approximate neighbours that are no farther than the exact k-th one (ties count as right)."""
    limit = exact[:, -1:]
    return float((approximate <= limit + 1e-6 * limit.abs() + 1e-12).double().mean())


def _build(rows: Rows, seed: int) -> Any:
    import faiss

    lists = max(1, min(int(rows.n**0.5), rows.n // 39))
    axes = f"PCA{AXES}," if rows.d > WIDE and rows.n > rows.d else ""
    metric = faiss.METRIC_L2 if rows.frame.metric == "euclidean" else faiss.METRIC_INNER_PRODUCT
    index: Any = faiss.index_factory(rows.d, f"{axes}IVF{lists},Flat,RFlat" if axes else f"IVF{lists},Flat", metric)
    clusters = faiss.extract_index_ivf(index).cp
    clusters.seed, clusters.niter, clusters.max_points_per_centroid = seed % (1 << 31), 8, TRAINING
    some = torch.randperm(rows.n, generator=torch.Generator().manual_seed(seed))[: max(TRAINING * lists, 4 * rows.d)]
    faiss.omp_set_num_threads(torch.get_num_threads())
    index.train(rows.block(some.sort().values, torch.float32).numpy())
    for slab in rows.slabs():
        index.add(rows.block(slab, torch.float32).numpy())
    if axes:
        index.k_factor = REFINED
    return index


def _tune(index: Any, rows: Rows, asked: Rows, sample: Tensor, k: int, exact: Tensor) -> None:
    """Search as many lists as hold `TARGET` of the sample's neighbours."""
    import faiss

    lists = faiss.extract_index_ivf(index)
    most = max(1, min(lists.nlist, SCANNED * lists.nlist // rows.n))
    lists.nprobe = 1
    while lists.nprobe < most and recall_at_k(_search(index, rows, asked, sample, k)[1], exact) < TARGET:
        lists.nprobe = min(most, lists.nprobe + max(1, lists.nprobe // 3))


def _search(index: Any, rows: Rows, asked: Rows, select: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Neighbours of the rows ``asked[select]``, at distance infinity where there were too few candidates."""
    own = asked is rows
    width = min(k + 1 + own, rows.n)
    step = max(1, (1 << 22) // asked.d)
    # Rows of one list after the other: what they are compared with stays in the processor's cache, a third of the time.
    order = torch.cat(
        [_nearest_list(index, asked.block(part, torch.float32)) for part in torch.split(select, step)]
    ).argsort()
    codes = []
    for part in torch.split(order, step):
        some = select[part]
        score, near = map(torch.from_numpy, index.search(asked.block(some, torch.float32).numpy(), width))
        missing = (near == some[:, None]) if own else torch.zeros_like(near, dtype=torch.bool)
        missing |= near < 0
        score = score if rows.frame.metric == "euclidean" else -score
        codes.append(encode(score.masked_fill_(missing, torch.inf), near.masked_fill_(missing, LAST_INDEX)))
    # Without the last, the row itself: the reach of rounding errors is that of the worst candidate.
    code = torch.cat(codes).sort(dim=1).values[:, : width - own].index_select(0, order.argsort())
    return rerank(rows, asked, select, code, k, exact=False, complete=True)[:2]


def _nearest_list(index: Any, block: Tensor) -> Tensor:
    """The inverted list in which each row of a block would stand, int64 [m]."""
    import faiss

    base: Any = faiss.downcast_index(index.base_index) if isinstance(index, faiss.IndexRefineFlat) else index
    place = block.numpy()
    if hasattr(base, "chain"):
        place = base.chain.at(0).apply(place)
    found: Tensor = torch.from_numpy(faiss.extract_index_ivf(index).quantizer.search(place, 1)[1])
    return found.squeeze(1)
