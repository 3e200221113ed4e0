"""Help, completion, and what goes to which stream."""

import os
import pty
import re
import shlex
import subprocess
import sys
import termios
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from genurl_graph.cli import COMMANDS, main
from genurl_graph.config import load_preset
from genurl_graph.evaluation.minibatch_probe import EPOCHS
from tests.forked import ForkedCommand


def test_defaults_in_the_help_are_those_of_the_presets() -> None:
    text = " ".join(CliRunner().invoke(main, ["embed", "--help"]).output.split())
    preset = load_preset("graphs")
    assert f"graphs {preset.encoder.dim}, temporal" in text
    assert f"graphs {preset.neighbors.n_neighbors}, temporal" in text
    student = " ".join(CliRunner().invoke(main, ["distill", "--help"]).output.split())
    assert f"[default: {load_preset('distill').encoder.dim}]" in student
    probes = " ".join(CliRunner().invoke(main, ["ogb", "--help"]).output.split())
    assert f"epochs of both probes. [default: {EPOCHS}]" in probes


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_that_can_be_typed(name: str) -> None:
    text = CliRunner().invoke(main, [name, "--help"]).output
    examples = re.findall(
        r"^ +genurl-graph (.*)$", text.partition("Examples:")[2].partition("Options:")[0], re.MULTILINE
    )
    assert examples
    for example in examples:
        command, *words = shlex.split(example.partition(" > ")[0])
        found = main.get_command(click.Context(main), command)
        assert found is not None
        found.make_context(command, words)  # all words are known, and none is missing


def complete(words: str, position: int) -> list[str]:
    environment = os.environ | {
        "_GENURL_GRAPH_COMPLETE": "bash_complete",
        "COMP_WORDS": f"genurl-graph {words}",
        "COMP_CWORD": str(position),
    }
    code = "from genurl_graph.cli import main; main(prog_name='genurl-graph')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_completion() -> None:
    assert complete("em", 1) == ["embed"]
    assert complete("embed --task ", 3) == [
        "auto",
        "graph",
        "reduce",
        "images",
        "graphs",
        "temporal",
        "edges",
        "triples",
    ]


def test_progress_goes_to_a_terminal_on_stderr_and_results_to_stdout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A terminal for standard error, as a user has it who sends the results to a file.
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 80))
    (tmp_path / "ring.csv").write_text("".join(f"{i},{(i + 1) % 20}\n" for i in range(20)))
    words = ["embed", "--input", "ring.csv", "--epochs", "3", "--dim", "4", "--seed", "0", "--device", "cpu"]
    monkeypatch.chdir(tmp_path)
    command, environment = (
        [sys.executable, "-m", "genurl_graph.cli", *words],
        {"NO_COLOR": "1", "TERM": "xterm-256color"},
    )
    with Path("said").open("wb") as said:
        assert ForkedCommand(command, os.environ | environment, stdout=said, stderr=end).wait() == 0
    os.close(end)
    progress = b""
    try:
        while block := os.read(terminal, 4096):
            progress += block
    except OSError:  # Linux's end of a terminal whose other side is closed
        pass
    os.close(terminal)
    assert b"train" in progress
    assert b"3/3" in progress
    assert b"evaluation   0 %" in progress
    printed = Path("said").read_bytes()
    assert b"train:" not in printed
    assert b"no labels, so no evaluation" in printed
    # No colour, on either stream.
    assert not re.search(rb"\x1b\[[0-9;]*m", progress + printed)
