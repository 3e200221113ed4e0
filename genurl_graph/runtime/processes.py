"""Several processes that train one encoder: who is who, and sums and rows of all of them, with gradients.

Of data in memory every process prepares the same, draws the same random numbers, hence the same batch, embeds its share
of it and computes its share of the loss. Gradients add up to those of one process, up to the order of additions. Of
prepared partitions each process holds rows of its own (`genurl_graph.objectives.partitioned`). The transport is gloo
between CPUs and NCCL between GPUs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from genurl_graph.exceptions import DivergenceError, LostProcessError, ShortMemoryError, wrong
from genurl_graph.runtime.memory import is_short_of_memory
from genurl_graph.runtime.warnings import unheard

_alone = ContextVar("alone", default=False)


def world_size() -> int:
    """Number of processes; 1 without a process group."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() and not _alone.get() else 1


@contextmanager
def alone() -> Iterator[None]:
    """Context in which each process works as if there were no others: what all compute alike, from one seed."""
    token = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(token)


def one_process(what: str) -> None:
    """InputError where several processes are to train `what`, which only one can."""
    if world_size() > 1:
        raise wrong("several processes", f"{world_size()} for {what}", "one")


def rank() -> int:
    """Number of this process, from 0."""
    return dist.get_rank() if world_size() > 1 else 0


def launched() -> bool:
    """Whether a launcher has started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


@contextmanager
def process_group(device: str = "cpu") -> Iterator[None]:
    """Context in which the processes of a launcher know each other; nothing happens in a process of its own.

    Parameters
    ----------
    device : "cpu" or "cuda"
        With GPUs each process takes the one that the launcher's ``LOCAL_RANK`` names.
    """
    if not launched() or world_size() > 1:
        yield
        return
    if device == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    # The first tensors that processes exchange are on the CPU in either case.
    dist.init_process_group("cpu:gloo,cuda:nccl" if device == "cuda" else "gloo")
    try:
        yield
    finally:
        # torch 2.6 ends gloo's threads while it holds Python's lock, for which one that drops the last message may
        # wait: without this pause about one run of six never ended.
        time.sleep(0.1)
        dist.destroy_process_group()


@contextmanager
def connected(doing: str) -> Iterator[None]:
    """Context in which a connection to other processes that fails says so, by a LostProcessError."""
    try:
        yield
    except (DivergenceError, LostProcessError, ShortMemoryError):
        raise
    except RuntimeError as error:
        if world_size() == 1 or is_short_of_memory(error):
            raise
        reason = str(error).strip().partition("\n")[0]
        raise LostProcessError(f"{doing}: another process is gone ({reason})") from error


def agreed(value: Any) -> Any:
    """The first process's value, in all of them."""
    if world_size() == 1:
        return value
    box = [value]
    with connected("before the training"):
        dist.broadcast_object_list(box, src=0)
    return box[0]


def any_of(flag: bool, device: torch.device) -> bool:
    """Whether `flag` holds in any process."""
    if world_size() == 1:
        return flag
    found = torch.tensor(float(flag), device=device)
    dist.all_reduce(found, op=dist.ReduceOp.MAX)
    return bool(found > 0)


def own_share(nodes: Tensor) -> Tensor:
    """This process's part of a list [B] that all have; B is a multiple of their number."""
    return nodes.chunk(world_size())[rank()] if world_size() > 1 else nodes


class _Sum(torch.autograd.Function):
    """Sum over the processes: torch's own differentiable one is deprecated from torch 2.13 on."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Tensor:
        grad: Tensor = grads[0].clone()
        dist.all_reduce(grad)
        return grad


def total_of(value: Tensor) -> Tensor:
    """Sum of a tensor over the processes; gradients are those of the sum of all processes' losses."""
    if world_size() == 1:
        return value
    total: Tensor = _Sum.apply(value)  # type: ignore[no-untyped-call]
    return total


def all_rows(rows: Tensor) -> Tensor:
    """Rows [B / W, ...] of all W processes in their order, [B, ...]; gradients as of `total_of`."""
    # Zeros in the place of the others' rows: the sum is every row as it is, and its gradient is that of each process.
    others = torch.zeros_like(rows)
    return total_of(torch.cat([rows if process == rank() else others for process in range(world_size())]))


def exchanged(rows: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """What all processes send to each other, in one exchange.

    Parameters
    ----------
    rows : Tensor, shape [m, ...]
        What this process sends: the first rows to the first process, and so on.
    counts : Tensor, int64, shape [W]
        How many each of the processes gets; on the device of `rows`.

    Returns
    -------
    rows : Tensor, shape [k, ...]
        What this process was sent, in the order of the processes.
    counts : Tensor, int64, shape [W]
        How many came from each.
    """
    incoming = torch.empty_like(counts)
    dist.all_to_all_single(incoming, counts)
    found = rows.new_empty(int(incoming.sum()), *rows.shape[1:])
    dist.all_to_all_single(found, rows.contiguous(), incoming.tolist(), counts.tolist())
    return found, incoming


def in_parallel(objective: nn.Module) -> nn.Module:
    """The objective, with gradients averaged over the processes where there are several."""
    if world_size() == 1:
        return objective
    # Buffers are the same in all processes already, or meant to differ: each has rows of P of its own.
    with unheard(".*broadcast_buffers", FutureWarning):  # of torch 2.9 on; its successor is not in those before
        return nn.parallel.DistributedDataParallel(objective, broadcast_buffers=False)


def sent(value: Tensor, source: int) -> Tensor:
    """The tensor of the process `source`, in all."""
    if world_size() == 1:
        return value
    value = value.clone()
    dist.broadcast(value, source)
    return value
