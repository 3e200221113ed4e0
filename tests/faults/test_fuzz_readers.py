"""Seconds of what ``fuzz_readers.py`` does for minutes: damaged files are read or refused, nothing else."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("pandas")


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_readers", Path(__file__).with_name("fuzz_readers.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fuzz = load()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    found: dict[str, bytes] = fuzz.seeds()
    return found


@pytest.fixture(scope="module")
def folder(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("files")
    fuzz.lay_out(files, made)
    return made


def test_whole_files_are_read(files: dict[str, bytes], folder: Path) -> None:
    refused = [name for name, content in files.items() if not fuzz.attack(name, content, folder)]
    # Only the metrics file is an incomplete one.
    assert refused == ["metrics.json"]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(number=st.integers(0, 1000), changes=fuzz.CHANGES)
def test_damaged_files_are_read_or_refused(files: dict[str, bytes], folder: Path, number: int, changes: list) -> None:
    name = sorted(files)[number % len(files)]
    fuzz.attack(name, fuzz.damage(files[name], changes), folder)
