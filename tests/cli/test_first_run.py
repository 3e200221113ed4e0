"""The commands of ``make run``: a graph that is everybody's, its figures, its map and its page."""

import copy
import functools
import json
import re
import subprocess
from pathlib import Path

import pytest

from genurl_graph.datasets import loaders

REPOSITORY = Path(__file__).resolve().parents[2]


def commands() -> list[list[str]]:
    """What ``make run`` asks the command line for."""
    words = ["make", "--dry-run", "run", "OUT=out"]
    said = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    lines = [line for line in said.replace("\\\n", " ").splitlines() if re.match(r"\S*genurl-graph ", line)]
    return [line.replace('"', "").split()[1:] for line in lines]


def test_the_first_run_leaves_figures_a_map_and_a_page(run, monkeypatch: pytest.MonkeyPatch) -> None:
    embed, explore = commands()
    # Both commands read all modules of Python, which takes seconds.
    load = functools.cache(loaders.LOADERS["python-modules"])
    monkeypatch.setitem(loaders.LOADERS, "python-modules", lambda *words: copy.copy(load(*words)))
    Path("out").mkdir()
    read, merged, embedding, probe, *files = run(*embed).stdout.splitlines()
    assert read.startswith("python-modules: ")
    assert re.search(r"\d directed edges, [\d,]+ features, 10 classes \(\d+ without\)$", read)
    assert re.fullmatch(r"merged graph: [\d,]+ predefined edges and [\d,]+ kNN edges, \d+ of them both", merged)
    assert "encoder gcn" in embedding
    assert len([line for line in files if line]) == 3
    assert probe.startswith("linear probe: ")
    found = json.loads(Path("out/python-modules.json").read_text())
    # Families are not in the features: a tenth for chance, and edges tell more than words alone.
    assert found["probe"]["test"] > found["reference"]["raw"] + 0.1 > 0.4
    assert Path("out/python-modules.png").read_bytes().startswith(b"\x89PNG")
    run(*explore)
    page = Path("out/python-modules.html").read_text(encoding="utf-8")
    assert "email.mime.text" in page
    assert "internet protocols" in page
    assert 'src="http' not in page
