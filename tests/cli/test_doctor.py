"""``genurl-graph doctor``: complete, and unimpressed by what is missing."""

import platform
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from genurl_graph.cli.doctor import OPTIONAL


def test_names_what_matters_in_a_bug_report(run, tmp_path) -> None:
    text = run("doctor", "--data-root", tmp_path).stdout
    for expected in (platform.python_version(), metadata.version("torch"), metadata.version("torch-geometric")):
        assert expected in text
    assert str(tmp_path) in text
    (missing,) = (line for line in text.splitlines() if line.split()[:1] == ["missing"])
    assert "Cora" in missing
    (built_in,) = (line for line in text.splitlines() if line.split()[:2] == ["built", "in"])
    assert "digits" in built_in


def test_lists_the_packages_of_all_extras() -> None:
    stored = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    ours = ("test", "lint", "docs", "notebooks", "baselines")
    needs = {
        need
        for extra, names in stored["project"]["optional-dependencies"].items()
        if extra not in ours
        for need in names
    }
    assert {re.split(r"[\[>]", need)[0] for need in needs} == set(OPTIONAL)


@pytest.mark.parametrize("active", [True, False])
def test_says_whether_torch_scatter_is_active(run, monkeypatch: pytest.MonkeyPatch, active: bool) -> None:
    import torch_geometric.typing

    monkeypatch.setattr(torch_geometric.typing, "WITH_TORCH_SCATTER", active)
    (line,) = (line for line in run("doctor").stdout.splitlines() if "segment paths" in line)
    assert ("torch-scatter is active" in line) == active


def test_survives_a_broken_installation(run, monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name in ("ogb", "timm"):
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setitem(sys.modules, "torch_geometric.typing", None)
    text = run("doctor").stdout
    facts = {line.split()[0]: line for line in text.splitlines() if line.startswith("  ")}
    assert "MISSING" in facts["ogb"]
    assert "not installed" in facts["timm"]
    assert "unknown (" in facts["segment"]
