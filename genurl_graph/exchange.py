"""Rows that several processes work on, each on its own, and what they send each other of them; without gradients.

All processes call these functions alike, with tensors of the same shapes; one process gets what it gives.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor

from genurl_graph.distributed import rank, world_size


def own_rows(n: int, step: int = 1) -> slice:
    """This process's share of n rows: blocks of `step` rows, about as many in each process, in their order."""
    return _shares(n, step)[rank()]


def rows_of_all(rows: Tensor, n: int, step: int = 1) -> Tensor:
    """Rows [n, ...] of all processes; `rows` are those of ``own_rows(n, step)``."""
    if world_size() == 1:
        return rows
    found = rows.new_empty(n, *rows.shape[1:])
    found[own_rows(n, step)] = rows
    for source, share in enumerate(_shares(n, step)):
        if share.start < share.stop:
            dist.broadcast(found[share], source)
    return found


def from_all(rows: Tensor) -> Tensor:
    """What each of the W processes has found for the rows ``own_rows(n)`` of this one, [W, m, ...]; `rows` [n, ...]."""
    if world_size() == 1:
        return rows[None]
    sizes = [share.stop - share.start for share in _shares(len(rows), 1)]
    own = sizes[rank()]
    found = rows.new_empty(world_size() * own, *rows.shape[1:])
    dist.all_to_all_single(found, rows.contiguous(), [own] * world_size(), sizes)
    return found.view(world_size(), own, *rows.shape[1:])


def least_of(value: int, device: torch.device) -> int:
    """The smallest of the processes' numbers."""
    if world_size() == 1:
        return value
    least = torch.tensor(value, device=device)
    dist.all_reduce(least, dist.ReduceOp.MIN)
    return int(least)


def sent(value: Tensor, source: int) -> Tensor:
    """The tensor of the process `source`, in all."""
    if world_size() == 1:
        return value
    value = value.clone()
    dist.broadcast(value, source)
    return value


def _shares(n: int, step: int) -> list[slice]:
    blocks, processes = -(-n // step), world_size()
    ends = [min(n, blocks * k // processes * step) for k in range(processes + 1)]
    return [slice(ends[k], ends[k + 1]) for k in range(processes)]
