"""Progress bars of long stages: on stderr, on a terminal only, and of one process alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from genurl_graph.runtime.processes import rank

_shown: ContextVar[bool] = ContextVar("shown", default=False)


@contextmanager
def showing(shown: bool) -> Iterator[None]:
    """Whether stages within show their progress, as the user of a fit has asked."""
    token = _shown.set(shown)
    try:
        yield
    finally:
        _shown.reset(token)


def bar(total: int, what: str, unit: str, shown: bool = False) -> Any:
    """A tqdm bar of `total` units, silent unless `shown` or within `showing`."""
    from tqdm import tqdm

    # None lets tqdm stay silent wherever stderr is not a terminal.
    return tqdm(total=total, desc=what, unit=unit, disable=None if (shown or _shown.get()) and rank() == 0 else True)
