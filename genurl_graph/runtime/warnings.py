"""Warnings of other packages that say nothing to a user, left out."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# Python keeps one list of filters a process: threads that change it at once would leave their own in it.
_FILTERS = threading.RLock()


@contextmanager
def unheard(message: str = "", category: type[Warning] = Warning) -> Iterator[None]:
    """Context without the warnings of a category whose text matches `message`; one thread at a time is in it."""
    with _FILTERS, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message, category)
        yield
