"""Mixed precision: the dense layers of a network in 16 bits, and in float32 all that is made of their output.

Kernel and divergence take differences of nearly equal numbers and logarithms of tiny ones: they stay in float32, as do
weights, gradients, sparse products and the finished embedding. The loop says with `lowered` what holds for a step;
objectives call their networks by `network`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor

from genurl_graph.exceptions import wrong

DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

# Kind of device and dtype of the step that is being computed; None: float32.
_STEP: ContextVar[tuple[str, torch.dtype] | None] = ContextVar("precision", default=None)


def check_precision(precision: str, device: torch.device) -> None:
    """InputError for a `precision` that `device` does not compute in."""
    if precision == "fp16" and device.type == "cpu":
        raise wrong("training.precision", "fp16 on the CPU", "float32 or bf16 there")
    if precision == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise wrong("training.precision", "bf16 on a GPU that does not compute in it", "fp16 or float32")


@contextmanager
def lowered(precision: str, device: torch.device) -> Iterator[None]:
    """Context in which `network` computes in that precision on devices of that kind."""
    step = None if precision == "float32" else (device.type, DTYPES[precision])
    before = _STEP.set(step)
    try:
        yield
    finally:
        _STEP.reset(before)


def network(module: Callable[..., Any], *args: Any) -> Tensor:
    """``module(*args)``, computed as the step wants it; float32 whatever that is."""
    step = _STEP.get()
    if step is None:
        out: Tensor = module(*args)
        return out
    with torch.autocast(*step):
        out = module(*args)
    return out.float()
