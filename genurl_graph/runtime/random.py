"""Random numbers of a run: generators of its own, so that runs in several threads do not share one.

Inside `seeded` the functions here draw from generators that belong to this thread's run, one a device. They give the
numbers that torch's global generator gives after ``torch.manual_seed(seed)``. Outside it they draw from the global one.

Code of others knows the global generator alone: layers of torch and PyG when their weights are drawn, and dropout in
the module of a user. `global_draws` lends it the run's state while such code runs, one thread at a time.
"""

from __future__ import annotations

import numbers
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genurl_graph.exceptions import wrong

# The global generators are lent to one thread at a time; `global_draws` may be nested.
_LENT = threading.RLock()
Device = torch.device | str | None
# What stands for a seed, as in scikit-learn.
RandomState = int | np.random.RandomState | np.random.Generator | torch.Generator | None
# Seeds that are drawn are below this.
_SEEDS = 2**31


class Generators:
    """Generators of one run, one a device, each made when it is first asked for.

    Parameters
    ----------
    seed : int
        From 0 to 2**64 - 1.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.of: dict[torch.device, torch.Generator] = {}

    def on(self, device: torch.device) -> torch.Generator:
        """The generator of a device."""
        if device.type == "cuda" and device.index is None:
            device = torch.device("cuda", torch.cuda.current_device())
        if device not in self.of:
            self.of[device] = torch.Generator(device).manual_seed(self.seed)
        return self.of[device]


_own: ContextVar[Generators | None] = ContextVar("generators", default=None)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Context in which this thread draws from generators of its own that start at `seed`, on every device."""
    token = _own.set(Generators(seed))
    try:
        yield
    finally:
        _own.reset(token)


@contextmanager
def global_draws() -> Iterator[None]:
    """Context in which torch's global generators go on where this run's are; afterwards they are as they were before.

    The numbers are those that the run would have drawn itself. Other threads wait for their turn. Nothing happens
    outside `seeded`.
    """
    own = _own.get()
    if own is None:
        yield
        return
    cpu = torch.device("cpu")
    begun = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    cuda = [torch.device("cuda", k) for k in range(torch.cuda.device_count())] if begun else []
    with _LENT, ExitStack() as undo:
        undo.callback(torch.set_rng_state, torch.get_rng_state())
        torch.set_rng_state(own.on(cpu).get_state())
        for device in cuda:
            undo.callback(torch.cuda.set_rng_state, torch.cuda.get_rng_state(device), device)
            torch.cuda.set_rng_state(own.on(device).get_state(), device)
        # The functions below draw from the same stream.
        token = _own.set(None)
        try:
            yield
        finally:
            _own.reset(token)
            own.on(cpu).set_state(torch.get_rng_state())
            for device in cuda:
                own.on(device).set_state(torch.cuda.get_rng_state(device))


@contextmanager
def seeded_globally(seed: int) -> Iterator[None]:
    """As `seeded`, for what draws from torch's global generators throughout: only one thread at a time is in it."""
    with seeded(seed), global_draws():
        yield


def generator(device: Device = None) -> torch.Generator | None:
    """This run's generator of a device (by default the CPU's), or None, which is torch's global one."""
    own = _own.get()
    return None if own is None else own.on(torch.device("cpu" if device is None else device))


def rand(size: int | Sequence[int], device: Device = None, dtype: torch.dtype | None = None) -> Tensor:
    """As `torch.rand`."""
    return torch.rand(size, generator=generator(device), device=device, dtype=dtype)


def randn(size: int | Sequence[int], device: Device = None) -> Tensor:
    """As `torch.randn`."""
    return torch.randn(size, generator=generator(device), device=device)


def randint(high: int, size: Sequence[int], device: Device = None) -> Tensor:
    """As `torch.randint`."""
    return torch.randint(high, size, generator=generator(device), device=device)


def randperm(n: int, device: Device = None) -> Tensor:
    """As `torch.randperm`."""
    return torch.randperm(n, generator=generator(device), device=device)


def states() -> dict[str, Tensor]:
    """States of the generators that are in use, by "cpu", "cuda.0", ..."""
    own = _own.get()
    if own is None:
        found = {"cpu": torch.get_rng_state()}
        return found | {f"cuda.{k}": torch.cuda.get_rng_state(k) for k in range(torch.cuda.device_count())}
    own.on(torch.device("cpu"))
    return {str(device).replace(":", "."): made.get_state() for device, made in own.of.items()}


def restore(saved: dict[str, Tensor]) -> None:
    """Bring the generators to `states`; KeyError without that of the CPU, TypeError or RuntimeError for no such state.

    Those of devices that this machine has not are left out.
    """
    own = _own.get()
    for name in ("cpu", *(f"cuda.{k}" for k in range(torch.cuda.device_count()))):
        if name != "cpu" and name not in saved:
            continue
        device = torch.device(name.replace(".", ":"))
        if own is not None:
            own.on(device).set_state(saved[name])
        elif name == "cpu":
            torch.set_rng_state(saved[name])
        else:
            torch.cuda.set_rng_state(saved[name], device)


def is_source(given: Any) -> bool:
    """Whether `draw_seed` draws from it."""
    return given is None or isinstance(given, (np.random.RandomState, np.random.Generator, torch.Generator))


def draw_seed(given: RandomState) -> int:
    """A seed drawn from a generator, which moves on, or from torch's global one; InputError if it is none."""
    if isinstance(given, int) or not is_source(given):
        expected = "an int from 0 to 2**32 - 1, a RandomState, a NumPy or torch Generator, or None"
        raise wrong("random_state", repr(given), expected)
    if isinstance(given, np.random.RandomState):
        return int(given.randint(_SEEDS - 1))
    if isinstance(given, np.random.Generator):
        return int(given.integers(_SEEDS))
    return int(torch.randint(_SEEDS, (1,), generator=given, device="cpu" if given is None else given.device))


def check_seed(seed: Any) -> int:
    """The seed as an int; InputError if it is none that NumPy and scikit-learn take."""
    if not isinstance(seed, numbers.Integral) or not 0 <= int(seed) < 2**32:
        raise wrong("random_state", repr(seed), "an int from 0 to 2**32 - 1, or None")
    return int(seed)
