"""Progress bars of long stages: on a terminal (stderr) or in a notebook, and of one process alone."""

from __future__ import annotations

import sys
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
    return new_bar(shown or _shown.get(), total=total, desc=what, unit=unit)


def new_bar(shown: bool, **options: Any) -> Any:
    """A tqdm bar with these options; silent unless `shown`, in a file or pipe, and in all processes but the first.

    In a notebook it is a widget, or text where ipywidgets is not installed.
    """
    from tqdm import tqdm

    if not shown or rank() != 0:
        return tqdm(disable=True, **options)
    if not in_notebook():
        # None lets tqdm stay silent wherever stderr is not a terminal.
        return tqdm(disable=None, **options)
    try:
        import ipywidgets  # noqa: F401
    except ImportError:
        return tqdm(disable=False, **options)
    from tqdm.notebook import tqdm as widget

    return widget(**options)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, whose stderr is no terminal and is seen all the same."""
    interactive = sys.modules.get("IPython")
    shell = None if interactive is None else interactive.get_ipython()
    return shell is not None and "IPKernelApp" in shell.config
