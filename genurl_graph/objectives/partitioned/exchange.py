"""Rows that other workers hold, all of them at once: numbers go to their owners, rows come back."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from genurl_graph.runtime.processes import exchanged


def fetch_rows(wanted: Tensor, cuts: Tensor, own: Callable[[Tensor], Tensor]) -> Tensor:
    """Rows of other workers; all workers call it together.

    Parameters
    ----------
    wanted : Tensor, int64, shape [m]
        Numbers of rows, in ascending order.
    cuts : Tensor, int64, shape [W + 1]
        Worker w holds the rows from ``cuts[w]`` to ``cuts[w + 1]``.
    own : callable
        ``own(numbers) -> rows [k, f]`` of this worker.

    Returns
    -------
    Tensor, shape [m, f]
    """
    counts = torch.searchsorted(wanted, cuts).diff()
    asked, askers = exchanged(wanted, counts)
    rows, _ = exchanged(own(asked), askers)
    return rows
