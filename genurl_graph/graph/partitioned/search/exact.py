"""Exact neighbours: a partition of rows against the blocks of all, which are read one after the other.

Blocks are cut where `genurl_graph.graph.knn.exact` cuts them, and the product of two has the same sides: its float32
scores have the same bits, and so have the distances. What memory holds is the rows of a partition, prepared, their
candidates, and one block.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from genurl_graph.graph.knn.exact import EXTRA, MANY, ProductTiles, block_rows, cross, tile_side
from genurl_graph.graph.knn.nearest import Nearest
from genurl_graph.graph.knn.ranking import assess
from genurl_graph.graph.knn.rows import Rows
from genurl_graph.graph.partitioned.search.results import save_neighbors
from genurl_graph.graph.partitioned.search.vectors import CPU, Vectors, longest_row
from genurl_graph.runtime.partitions import Launcher, Store, run_stage


def exact_search(
    launcher: Launcher, vectors: Vectors, work: Store, inner: Store, k: int, budget: int, progress: bool = False
) -> None:
    """Write the k nearest rows of every row by (distance, index), and their distances, into `work`.

    Parameters
    ----------
    vectors : Vectors
        In the frame of an exact search.
    inner : Store
        For what lies between.
    budget : int
        Bytes for tiles, beside the rows of a partition.
    """
    outputs = ["neighbors", "distances"]
    every = vectors.sparse or vectors.frame.integral
    if not every:
        longest = longest_row(launcher, vectors, progress)
        names = ["index", "distance", "uncertain"]
        run_stage(launcher, inner, "neighbours", _search, names, vectors, k, budget, longest, progress=progress)
        uncertain = sum(inner.shape("uncertain", part)[0] for part in range(inner.count))
        every = uncertain > MANY * vectors.n
    run_stage(
        launcher, work, "uncertain neighbours", _settle, outputs, inner, vectors, k, budget, every, progress=progress
    )


def search_rows(vectors: Vectors, asked: Rows, numbers: Tensor, k: int, budget: int) -> tuple[Tensor, Tensor]:
    """The k nearest of all rows to some of them, by float64 products, a partition at a time.

    Parameters
    ----------
    asked : Rows
    numbers : Tensor, int64, shape [m]
        Which ones these are: none is its own neighbour.

    Returns
    -------
    indices : Tensor, int64, shape [m, k]
    distances : Tensor, float32, shape [m, k]
        In the units of the frame.
    """
    width = min(k + EXTRA, vectors.n - 1)
    select = torch.arange(len(numbers))
    found = Nearest(len(numbers), width, CPU)
    for part in range(vectors.store.count):
        tiles = ProductTiles(vectors.part(part), asked, budget, exact=True)
        cross(tiles, found, select, vectors.store.bounds[part], numbers)
    found.flush()
    return _ranked(vectors, asked, found.code, k, torch.zeros((), dtype=torch.float64), True)[:2]


def _search(part: int, inner: Store, vectors: Vectors, k: int, budget: int, longest: Tensor) -> None:
    """Neighbours of a partition by float32 products, and which rows are to be searched again."""
    code = _candidates(part, vectors, k, budget)
    index, distance, doubt = _ranked(vectors, vectors.part(part), code, k, longest, False)
    inner.save("index", part, index.numpy())
    inner.save("distance", part, distance.numpy())
    inner.save("uncertain", part, doubt.nonzero().squeeze(1).numpy())


def _candidates(part: int, vectors: Vectors, k: int, budget: int) -> Tensor:
    low, high = vectors.store.span(part)
    side, _ = tile_side(vectors.n, vectors.d, 4, budget, CPU)
    step = block_rows(vectors.n, side)
    # Blocks that reach beyond the partition are multiplied whole: products of parts of them would round otherwise.
    mine = range(low // step, -(-high // step))
    own = vectors.rows(mine.start * step, min(vectors.n, mine.stop * step))
    tiles = ProductTiles(own, own, budget, exact=False, side=side)
    blocks = {at: tiles.block(own, slice((at - mine.start) * step, (at - mine.start + 1) * step)) for at in mine}
    found = Nearest(high - low, min(k + EXTRA, vectors.n - 1), CPU)

    def compare(other: int, theirs: Tensor, at: int) -> None:
        """Offer the rows of a block of all to those of an own one; the earlier block is the left side."""
        start, rows = at * step, blocks[at]
        within = slice(max(low - start, 0), high - start)
        owner = start + within.start - low
        left, right = (rows, theirs) if at <= other else (theirs, rows)
        tile = tiles.scores(tiles.left(left), slice(None), right, slice(None))
        if at == other:
            tile.diagonal().fill_(torch.inf)
        if at <= other:
            found.offer(tile[within], owner, other * step)
        else:
            found.offer(tile[:, within], other * step, owner, transposed=True)

    # The own blocks first: every row then has a limit.
    for other in sorted(range(-(-vectors.n // step)), key=lambda block: block not in mine):
        read = other not in mine
        theirs = vectors.rows(other * step, min(vectors.n, (other + 1) * step)) if read else own
        right = tiles.block(theirs, slice(None)) if read else blocks[other]
        tiles.share(partial(compare, other, right), mine)
    found.flush()
    return found.code


def _ranked(
    vectors: Vectors, asked: Rows, code: Tensor, k: int, longest: Tensor, exact: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """The k best candidates of each row, by (distance, index), and where one may be missing."""
    certain = code.size(1) == vectors.n - 1
    found = assess(asked, torch.arange(asked.n), code, k, longest, exact, False, certain)
    pairs = found.neighbor[found.row, found.column]
    found.value[found.row, found.column] = vectors.pair_scores(asked, found.row, pairs)
    return *found.nearest(k, vectors.frame.metric), found.doubt


def _settle(part: int, work: Store, inner: Store, vectors: Vectors, k: int, budget: int, every: bool) -> None:
    """Search rows again that need it, or all, and write the neighbours of a partition."""
    first = work.bounds[part]
    if every:
        numbers = torch.arange(*work.span(part))
        index, distance = search_rows(vectors, vectors.part(part), numbers, k, budget)
    else:
        index, distance, again = (
            torch.from_numpy(inner.load(name, part)) for name in ("index", "distance", "uncertain")
        )
        if len(again):
            asked = vectors.framed(vectors.store.load(vectors.name, part)[again.numpy()])
            index[again], distance[again] = search_rows(vectors, asked, again + first, k, budget)
    save_neighbors(work, part, index, distance, vectors.frame)
