"""Several processes that train one encoder: who is who, and sums and rows of all of them, with gradients.

Every process draws the same random numbers, hence the same batch, embeds its share of it and computes its share of the
loss. Gradients add up to those of one process, up to the order of additions. Before the training each works on its own
rows, where rows are long work, and all get them (`genurl_graph.exchange`). Processes are started by ``torchrun`` or by
``genurl-graph embed --devices N``; the transport is gloo between CPUs and NCCL between GPUs.
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

from genurl_graph.exceptions import DivergenceError, InputError, LostProcessError, ShortMemoryError
from genurl_graph.losses import LossTerms
from genurl_graph.memory import is_short_of_memory

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
        raise InputError(f"several processes: found {world_size()} for {what}; expected one")


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


class _Rows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows) for _ in range(world_size())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Tensor:
        # Every process has lost something by every row.
        grad = grads[0].clone()
        dist.all_reduce(grad)
        return own_share(grad)


def total_of(value: Tensor) -> Tensor:
    """Sum of a tensor over the processes; gradients are those of the sum of all processes' losses."""
    if world_size() == 1:
        return value
    total: Tensor = _Sum.apply(value)  # type: ignore[no-untyped-call]
    return total


def all_rows(rows: Tensor) -> Tensor:
    """Rows [B / W, ...] of all W processes in their order, [B, ...]; gradients as of `total_of`."""
    if world_size() == 1:
        return rows
    found: Tensor = _Rows.apply(rows)  # type: ignore[no-untyped-call]
    return found


def added_up(terms: LossTerms) -> LossTerms:
    """Shares of a loss as its total, whose gradient, averaged over the processes as DDP does, is the total's."""
    processes = world_size()
    if processes == 1:
        return terms
    own = torch.stack(list(terms))
    total = own.detach().clone()
    dist.all_reduce(total)
    return LossTerms(*(total + processes * (own - own.detach())))


def in_parallel(objective: nn.Module) -> nn.Module:
    """The objective, with gradients averaged over the processes where there are several."""
    if world_size() == 1:
        return objective
    return nn.parallel.DistributedDataParallel(objective)


def dropout(h: Tensor, share: float, training: bool) -> Tensor:
    """Dropout of units of `h` [m, d]; in each of several processes the mask is its part of the whole batch's."""
    if share == 0 or not training:
        return h
    kept = h.new_empty(h.size(0) * world_size(), h.size(1)).bernoulli_(1 - share)
    return h * own_share(kept / (1 - share))


class BatchNorm(nn.BatchNorm1d):
    """`torch.nn.BatchNorm1d` whose batch is that of all processes, on CPUs too (torch's SyncBatchNorm needs GPUs)."""

    def forward(self, h: Tensor) -> Tensor:
        """Columns of `h` [m, d], standardised."""
        if world_size() == 1 or not self.training:
            return super().forward(h)
        h = h.to(torch.promote_types(h.dtype, torch.float32))
        count = h.size(0) * world_size()
        mean = total_of(h.sum(0)) / count
        centred = h - mean
        variance = total_of(centred.square().sum(0)) / count
        with torch.no_grad():
            assert self.running_mean is not None
            assert self.running_var is not None
            assert self.num_batches_tracked is not None
            self.num_batches_tracked.add_(1)
            momentum = self.momentum if self.momentum is not None else 1 / float(self.num_batches_tracked)
            self.running_mean.lerp_(mean.detach(), momentum)
            self.running_var.lerp_(variance.detach() * count / max(count - 1, 1), momentum)
        h = centred * (variance + self.eps).rsqrt()
        return h if self.weight is None else h * self.weight + self.bias
