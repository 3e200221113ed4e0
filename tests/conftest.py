"""Shared fixtures: where the real data is, and a read-only promise about it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def find_data_root() -> Path | None:
    """`$GENURL_DATA` if it is set, else `../shared/data` beside the repository, else None."""
    named = os.environ.get("GENURL_DATA")
    if named:
        return Path(named)
    beside = REPOSITORY.parent / "shared" / "data"
    return beside if beside.is_dir() else None


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder of the real data sets; skips the test where they are absent."""
    root = find_data_root()
    if root is None or not root.is_dir():
        pytest.skip("real data absent: set GENURL_DATA or put it at ../shared/data")
    return root


@contextmanager
def threads(count: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Results do not depend on how many threads the machine offers."""
    with threads(1):
        yield


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Threads that could disagree, on a machine of any size."""
    with threads(2):
        yield
