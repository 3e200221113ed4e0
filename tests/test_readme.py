"""The README's examples run, and its commands exist."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from genurl_graph.cli import main

TEXT = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
COMMANDS = [
    line.strip()
    for block in re.findall(r"```(?:sh|bash)\n(.*?)```", TEXT, flags=re.DOTALL)
    for line in block.replace("\\\n", " ").splitlines()
    if line.strip().startswith("genurl-graph ")
]


@pytest.mark.parametrize("code", PYTHON)
def test_python_example_runs(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)


def test_there_are_examples():
    assert PYTHON
    assert COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_options_of_commands_exist(command):
    """Every option that the README shows is one that the command knows."""
    words = shlex.split(command, comments=True)[1:]
    text = CliRunner().invoke(main, [words[0], "--help"]).output
    assert "Usage" in text
    for word in words[1:]:
        if word.startswith("--"):
            assert word in text
