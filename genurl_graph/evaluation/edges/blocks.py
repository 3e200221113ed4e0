"""Splits of the protocol edges: the given one, and blocks of space that are held out whole."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from genurl_graph.evaluation.edges.figures import BLOCKS
from genurl_graph.evaluation.splits import Split, default_protocol, labels_of, splits
from genurl_graph.exceptions import wrong
from genurl_graph.inputs.edge_rows import EdgeSet

# Edges by which blocks are drawn, where there are more.
DRAWN = 100_000
# Parts of the blocks for validation and for the test, each.
PART = 5
DRAWS = 100

Array = npt.NDArray[Any]


def first_split(data: EdgeSet) -> str:
    """ "given" where the edges came with a split, else "random"."""
    return "given" if default_protocol(data) == "public" else "random"


def edge_split(data: EdgeSet, seed: int) -> Split:
    """The split that came with the edges, or else a random one: 10 % train, 10 % validation, 80 % test.

    Directed edges between the same two nodes are in one part: a street in both directions is two edges, of which one
    would tell the class of the other.

    Raises
    ------
    InputError
        No labels, or too few for a random split.
    """
    if first_split(data) == "given":
        return next(splits("public", data))
    y, edges = labels_of(data), data.edges
    labelled = np.flatnonzero(y >= 0)
    low, high = edges.ends.sort(0).values.numpy()
    pair = (low * edges.num_nodes + high)[labelled]
    _, first, group = np.unique(pair, return_index=True, return_inverse=True)
    if not edges.directed or len(first) == len(pair):
        return next(splits("random-10-10-80", data, seed=seed, n_repeats=1))
    found = next(splits("random-10-10-80", SimpleNamespace(y=y[labelled][first]), seed=seed, n_repeats=1))
    return Split(*(labelled[np.isin(group, part)] for part in found))


def space_blocks(middle: Any, blocks: int = BLOCKS) -> npt.NDArray[np.int64]:
    """Divide space into blocks by k-means of where edges lie; the same for every seed of a split.

    Parameters
    ----------
    middle : Tensor or array, float, shape [m, 2]
        NaN where it is not known.
    blocks : int

    Returns
    -------
    array, int64, shape [m]
        Number of the block; -1 where it is not known where the edge lies.

    Raises
    ------
    InputError
        Fewer than three blocks, or fewer different positions than blocks.

    Examples
    --------
    >>> space_blocks([[0, 0], [0, 1], [9, 0], [9, 1], [0, 9], [0, 8]], 3)
    array([0, 0, 2, 2, 1, 1])
    """
    from sklearn.cluster import KMeans

    place = np.asarray(middle, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(place).all(1))
    different = len(np.unique(place[known], axis=0))
    if not 3 <= blocks <= different:
        raise wrong(
            "blocks of space", f"{blocks:,} blocks of {different:,} positions", "3 blocks or more, each a position"
        )
    drawn = known
    if len(known) > DRAWN:
        drawn = np.random.default_rng(0).choice(known, DRAWN, replace=False)
    model = KMeans(blocks, n_init=4, random_state=0).fit(place[drawn])
    found = np.full(len(place), -1, dtype=np.int64)
    found[known] = model.predict(place[known])
    return found


def block_split(block: Array, y: Array, seed: int) -> Split:
    """Hold out whole blocks: a fifth of them for the test, a fifth for validation, drawn by the seed.

    Parameters
    ----------
    block : array, int, shape [m]
        As `space_blocks` gives it. Blocks without a labelled edge do not count.
    y : array, int, shape [m]
        Negative: no label.
    seed : int

    Returns
    -------
    Split

    Raises
    ------
    InputError
        Fewer than three blocks with labelled edges, or one class alone in whatever is trained on.
    """
    labelled = (block >= 0) & (y >= 0)
    names = np.unique(block[labelled])
    if len(names) < 3:
        raise wrong("blocks of space", f"{len(names)} with labelled edges", "3 or more")
    part, generator = max(len(names) // PART, 1), np.random.default_rng(seed)
    for _ in range(DRAWS):
        order = generator.permutation(names)
        test, val, train = (
            np.flatnonzero(labelled & np.isin(block, each))
            for each in (order[:part], order[part : 2 * part], order[2 * part :])
        )
        if len(np.unique(y[train])) > 1:
            return Split(train, val, test)
    raise wrong("blocks of space", "one class in all blocks that are trained on", "two classes or more")
