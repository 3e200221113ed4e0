"""Seconds of what ``fuzz_readers.py`` does for minutes: damaged files are read or refused, nothing else."""

import runpy
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

fuzz = runpy.run_path(str(Path(__file__).with_name("fuzz_readers.py")))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, bytes]:
    """The whole files, laid out together in one folder."""
    found, folder = fuzz["seeds"](), tmp_path_factory.mktemp("files")
    fuzz["lay_out"](found, folder)
    return {folder / name: content for name, content in found.items()}


def attack(path: Path, content: bytes) -> bool:
    inside = path.parent.name in ("model", "images")
    folder = path.parent.parent if inside else path.parent
    return bool(fuzz["attack"](str(path.relative_to(folder)), content, folder))


def test_whole_files_are_read(files: dict[Path, bytes]) -> None:
    refused = [path.name for path, content in files.items() if not attack(path, content)]
    # Only the metrics file is an incomplete one.
    assert refused == ["metrics.json"]


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(number=st.integers(0, 1000), changes=fuzz["CHANGES"])
def test_damaged_files_are_read_or_refused(files: dict[Path, bytes], number: int, changes: list) -> None:
    # On some damaged files HDF5's own library never ends, which no Python code can interrupt (docs/hostile-files.md).
    damaged = sorted(path for path in files if path.suffix != ".h5ad")
    path = damaged[number % len(damaged)]
    attack(path, fuzz["damage"](files[path], changes))
