"""What is done when a worker dies: the same again, a few times; one that says why it failed is believed at once."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from tqdm import tqdm

from genurl_graph.exceptions import DivergenceError, InputError, LostProcessError, ShortMemoryError
from genurl_graph.runtime.partitions.launcher import Worked, measured
from genurl_graph.runtime.partitions.limits import within

# How often the same work may lose its worker. Later it is rather the work that kills them.
ATTEMPTS = 4

# Errors that would come again.
OURS = (DivergenceError, InputError, ShortMemoryError)

Result = TypeVar("Result")


def attempt(doing: str, cap: int | None, part: int, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Worked:
    """Call a function in a worker, under its cap, and measure it."""
    with within(cap, doing):
        return measured(part, partial(function, *arguments), f"{socket.gethostname()}:{os.getpid()}")


def until_done(doing: str, cap: int | None, call: Callable[[], Result]) -> Result:
    """What `call` returns, called again where a LostProcessError says that a worker is gone, up to `ATTEMPTS` times."""
    deaths = 0
    while True:
        try:
            return call()
        except LostProcessError as error:
            deaths += 1
            once_more(doing, cap, deaths, error)


def once_more(doing: str, cap: int | None, deaths: int, error: LostProcessError) -> None:
    """Say that work begins anew after the death of a worker; LostProcessError where it has died too often."""
    if deaths < ATTEMPTS:
        tqdm.write(f"{doing}: a worker died ({error}); once more", file=sys.stderr)
        return
    memory = "" if cap is None else "; it may need more memory than --memory-per-worker gives"
    raise LostProcessError(f"{doing}: a worker died {deaths} times ({error}){memory}") from error
