"""Shared fixtures: where the real data is, and a read-only promise about it."""

import os
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
