"""Approximate neighbours: a group of lists against the lists that its rows search, which are read one after the other.

What memory holds is the vectors of a group, their candidates, which lists they search, and a share of a group's rows
that are read.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.graph.knn import unscaled
from genurl_graph.graph.knn.approximate import RECALL_SAMPLE, TUNING_SAMPLE, enough_lists, recall_at_k
from genurl_graph.graph.knn.centres import Products, left_side, right_side
from genurl_graph.graph.knn.lists import offer_list
from genurl_graph.graph.knn.nearest import LAST_INDEX, Nearest
from genurl_graph.graph.knn.ranking import assess
from genurl_graph.graph.partitioned.search.asking import Asking, Reading, nearest_and_others, readings
from genurl_graph.graph.partitioned.search.exact import exact_search, search_rows
from genurl_graph.graph.partitioned.search.lists import Lists, centres_of, make_lists, train_centres
from genurl_graph.graph.partitioned.search.results import save_neighbors
from genurl_graph.graph.partitioned.search.sample import draw_rows, drawn_rows, true_neighbors
from genurl_graph.graph.partitioned.search.vectors import CPU, Vectors
from genurl_graph.runtime.partitions import Launcher, Store, run_stage
from genurl_graph.runtime.partitions.shuffle import gather, scatter
from genurl_graph.runtime.workers import share_jobs

# Lists are added until they hold this share of a sample's neighbours, or this many rows.
TARGET, SCANNED = 0.92, 1 << 18
# Distances of other products differ by so much of their value at most.
ROUNDING = 1e-5
# Rows that are read at a time: at least so many, and this share of a partition.
READ, READ_SHARE = 1 << 12, 4


def approximate_search(
    launcher: Launcher,
    vectors: Vectors,
    work: Store,
    inner: Store,
    k: int,
    budget: int,
    seed: int,
    progress: bool = False,
) -> float:
    """Write k approximate nearest rows of every row, and their exact distances, into `work`; the recall.

    Parameters
    ----------
    vectors : Vectors
        Dense.
    inner : Store
        For what lies between.
    budget : int
        Bytes for the tiles of exact searches: of a sample, and of rows that the lists leave short of candidates.
    """
    train_centres(launcher, vectors, inner, seed, progress)
    numbers = draw_rows(launcher, vectors, inner, "asked", TUNING_SAMPLE + RECALL_SAMPLE, seed + 1, progress)
    truth = true_neighbors(launcher, vectors, inner, "asked", numbers, k, budget, progress)
    mixed = torch.randperm(len(numbers), generator=torch.Generator().manual_seed(seed + 1))
    tuning = mixed[:TUNING_SAMPLE]
    # Not those of the tuning, unless there are no others.
    tested = mixed[TUNING_SAMPLE:] if len(mixed) > TUNING_SAMPLE else tuning
    centres = centres_of(inner, vectors)
    most = max(1, min(centres.count, SCANNED * centres.count // vectors.n))
    near = centres.nearest(drawn_rows(inner, vectors, "asked"), tuning, most)
    count = enough_lists(near, truth.homes[tuning], TARGET)
    if count > centres.count // 2:
        # As quick.
        exact_search(launcher, vectors, work, inner, k, budget, progress)
        return 1.0
    lists = make_lists(launcher, vectors, inner, progress)
    searched = (vectors, lists, count, k, budget)
    run_stage(launcher, inner, "neighbours", _search, ["found/starts"], *searched, progress=progress)
    run_stage(
        launcher, work, "neighbours to rows", _return, ["distances", "neighbors"], inner, vectors, progress=progress
    )
    found = torch.from_numpy(work.take("distances", numbers[tested.numpy()]))
    return recall_at_k(found, unscaled(truth.distances[tested], vectors.frame), ROUNDING)


def _search(group: int, inner: Store, vectors: Vectors, lists: Lists, count: int, k: int, budget: int) -> None:
    """Neighbours of the rows of a group, sent to their partitions."""
    store = lists.vectors.store
    row = torch.from_numpy(store.load("row", group))
    index = torch.empty((len(row), k), dtype=torch.int64)
    distance = index.float()
    if len(row):
        own = lists.vectors.part(group)
        found = Nearest(own.n, min(k + 1, vectors.n - 1), CPU)
        table = left_side(own, torch.arange(own.n), own.frame.metric == "euclidean")
        # The nearest list first: after it few rows of the others are candidates.
        for asking in nearest_and_others(own, centres_of(inner, vectors), count):
            _offer(found, asking, table, lists, group)
            found.flush()
        candidates = assess(own, torch.arange(own.n), found.code, k, torch.zeros(()), False, True, False)
        pairs = candidates.neighbor[candidates.row, candidates.column]
        scores = lists.vectors.pair_scores(own, candidates.row, pairs, fast=True)
        candidates.value[candidates.row, candidates.column] = scores
        none = candidates.value.isinf()
        place = candidates.neighbor.masked_fill(none, 0)
        numbers = torch.from_numpy(store.take("row", place.reshape(-1).numpy())).view(place.shape)
        candidates = candidates._replace(neighbor=numbers.masked_fill_(none, LAST_INDEX))
        index, distance = candidates.nearest(k, vectors.frame.metric)
        short = (index == LAST_INDEX).any(1).nonzero().squeeze(1)
        if len(short):
            asked = vectors.framed(store.load("x", group)[short.numpy()])
            index[short], distance[short] = search_rows(vectors, asked, row[short], k, budget)
    sent = {"row": row.numpy(), "index": index.numpy(), "distance": distance.numpy()}
    scatter(inner, "found", group, vectors.store.owner(row.numpy()), sent)


def _offer(found: Nearest, asking: Asking, table: Tensor, lists: Lists, group: int) -> None:
    """Offer the lists to the rows of a group that search them; `table` holds these, as left sides of products."""
    vectors = lists.vectors
    appended, first = vectors.frame.metric == "euclidean", vectors.store.bounds[group]
    place, products = torch.arange(len(table)), Products()
    most = max(READ, vectors.n // (vectors.store.count * READ_SHARE))

    def search(reading: Reading) -> None:
        rows = vectors.rows(reading.start, reading.stop)
        right = right_side(left_side(rows, torch.arange(rows.n), appended), appended)
        for at, start, stop in reading.lists:
            theirs = right[start - reading.start : stop - reading.start]
            offer_list(found, products, asking.rows(at), table, place, theirs, start, start - first)

    share_jobs(search, readings(asking.wanted(), lists.starts, most), CPU)


def _return(part: int, work: Store, inner: Store, vectors: Vectors) -> None:
    """Write the neighbours that the rows of a partition were sent."""
    order = gather(inner, "found", part, ["row"])["row"].argsort()
    index, distance = (
        torch.from_numpy(gather(inner, "found", part, [name])[name][order]) for name in ("index", "distance")
    )
    save_neighbors(work, part, index, distance, vectors.frame)
