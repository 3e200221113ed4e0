"""Averages of features over the graph of the propagation by partitions: own rows, and one other partition at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from genurl_graph.graph.partitioned.edges import SPREAD, by_owner, load_edges
from genurl_graph.graph.partitioned.merge import SCALE
from genurl_graph.inputs.sparse import csr_tensor, row_pointers
from genurl_graph.runtime.partitions import Launcher, Store, run_stage


def average_name(hop: int) -> str:
    """Name of the array float32 [m, f] that holds ``A^hop x``; hop 0 is x, the features as the encoder reads them."""
    return f"average{hop}"


def average_partitions(launcher: Launcher, work: Store, hops: int, *, progress: bool = False) -> None:
    """Write the averages over 1 to `hops` steps, as `genurl_graph.graph.propagation.propagated` has them.

    Parameters
    ----------
    launcher : Launcher
    work : Store
        With what `genurl_graph.graph.partitioned.merge_partitions` writes, and ``average_name(0)``.
    hops : int
    progress : bool

    Notes
    -----
    A partition reads all the others once a hop: so many bytes as all features have, times the number of partitions, are
    read in all. Fewer and larger partitions read less and hold more.
    """
    for hop in range(1, hops + 1):
        doing = f"average {hop} of {hops}"
        run_stage(launcher, work, doing, _average, [average_name(hop)], hop, progress=progress)


def _average(part: int, work: Store, hop: int) -> None:
    edges, weight = load_edges(work, SPREAD, part)
    row, col = edges[0] - work.bounds[part], edges[1]
    scale = torch.from_numpy(work.load(SCALE, part))[:, None]
    own = torch.from_numpy(work.load(average_name(hop - 1), part)) * scale
    total = torch.zeros_like(own)
    for other, places in by_owner(work, col.numpy()):
        entry = torch.from_numpy(places)
        # The rows on either side that these entries are about: of many partitions few have entries in common.
        here, at = torch.unique_consecutive(row[entry], return_inverse=True)
        there, to = torch.unique(col[entry], return_inverse=True)
        there -= work.bounds[other]
        x = own[there] if other == part else _scaled(work, hop - 1, other, there)
        total[here] = _add(total[here], at, to, weight[entry], x)
    # The self loop of every node, in place of entries.
    work.save(average_name(hop), part, ((own + total) * scale).numpy())


def _scaled(work: Store, hop: int, part: int, rows: Tensor) -> Tensor:
    x, scale = (torch.from_numpy(work.load(name, part))[rows] for name in (average_name(hop), SCALE))
    return x * scale[:, None]


def _add(total: Tensor, row: Tensor, col: Tensor, weight: Tensor, x: Tensor) -> Tensor:
    """``total + A x``, float32 [m, f], of sorted entries of A [m, b].

    What was there comes first in each row of one product, which adds entry by entry: blocks of columns then give the
    same sums as all columns at once, to the last bit.
    """
    m = total.size(0)
    own = torch.arange(m)
    # Where each entry stands when every row has one more, at its beginning.
    crow = row_pointers(row, m) + torch.arange(m + 1)
    place = torch.arange(len(row)) + row + 1
    columns, values = torch.empty(len(row) + m, dtype=torch.int32), torch.empty(len(row) + m)
    columns[place], values[place] = (col + m).int(), weight
    columns[crow[:-1]], values[crow[:-1]] = own.int(), 1.0
    return csr_tensor(crow.int(), columns, values, (m, m + x.size(0))) @ torch.cat([total, x])
