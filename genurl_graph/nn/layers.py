"""Building blocks of encoders: dropout, normalisation, activation, projector."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from genurl_graph.runtime.processes import own_share, total_of, world_size
from genurl_graph.runtime.random import generator, global_draws


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Context in which `module` is in evaluation mode and no gradients are kept; then it is in its former mode."""
    training = module.training
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        module.train(training)


@contextmanager
def measured_norms(module: nn.Module) -> Iterator[None]:
    """Context in which batch normalisations take the means and deviations of what passes through them, for good."""
    with _norms_in_training(module, 1.0):
        yield


@contextmanager
def averaged_norms(module: nn.Module) -> Iterator[None]:
    """As `measured_norms`, of several batches: means and deviations are averages over them."""
    with _norms_in_training(module, None):
        yield


@contextmanager
def _norms_in_training(module: nn.Module, momentum: float | None) -> Iterator[None]:
    norms = [part for part in module.modules() if isinstance(part, BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    with evaluating(module):
        for norm in norms:
            norm.train()
            norm.reset_running_stats()
            norm.momentum = momentum
        try:
            yield
        finally:
            for norm, before in zip(norms, momenta, strict=True):
                norm.momentum = before


def twin(module: nn.Module) -> nn.Module:
    """A copy of a module with the same tensors: its mode can be changed while others use the module."""
    tensors = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
    return copy.deepcopy(module, tensors)


def dropout(h: Tensor, share: float, training: bool) -> Tensor:
    """Dropout of units of `h` [m, d]; in each of several processes the mask is its part of the whole batch's."""
    if share == 0 or not training:
        return h
    kept = h.new_empty(h.size(0) * world_size(), h.size(1)).bernoulli_(1 - share, generator=generator(h.device))
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


# Factor of the last layer's first weights beside a linear map.
SILENT = 1e-2


# Numbers that are read together: 1 MB in a core's cache; on a GPU a part only bounds memory.
_CELLS = {"cpu": 1 << 18}
_CELLS_ELSEWHERE = 1 << 26


class _Slope(torch.autograd.Function):
    """``max(h, 0) + slope min(h, 0)``; torch's own backward pass of it is several times slower on a CPU."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(h, slope)
        return torch.prelu(h, slope)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, Tensor]:
        h, slope = ctx.saved_tensors
        out, below = torch.empty_like(h), slope.new_zeros(())
        # A part at a time, so that what is between the passes stays in the cache.
        step = max(1, _CELLS.get(h.device.type, _CELLS_ELSEWHERE) // max(1, h.size(1)))
        for start in range(0, h.size(0), step):
            grad, part = grads[0][start : start + step], h[start : start + step]
            above = torch.ops.aten.threshold_backward(grad, part, 0)
            rest = grad - above
            below += torch.dot(rest.reshape(-1), part.reshape(-1))
            torch.addcmul(above, rest, slope, out=out[start : start + step])
        return out, below.view(1)


class PReLU(nn.PReLU):
    """`torch.nn.PReLU` with one slope for all columns."""

    def forward(self, h: Tensor) -> Tensor:
        out: Tensor = _Slope.apply(h, self.weight.to(h.dtype))  # type: ignore[no-untyped-call]
        return out


@global_draws()
def projector(in_dim: int, width: int, out_dim: int) -> nn.Module:
    """Hidden layer with batch normalisation, linear output: trained beside an encoder, dropped afterwards."""
    return nn.Sequential(
        nn.Linear(in_dim, width, bias=False),
        nn.BatchNorm1d(width),
        nn.ReLU(),
        nn.Linear(width, out_dim, bias=False),
    )


def normalisation(norm: str, width: int, output: bool) -> nn.Module:
    """Batch normalisation of a hidden layer or of the `output`, where ``encoder.norm`` asks for it; else nothing."""
    if norm == "none" or (norm == "output" and not output) or (norm == "hidden" and output):
        return nn.Identity()
    return BatchNorm(width, affine=not output)
