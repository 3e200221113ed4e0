"""The group: help without torch, errors as messages, exit codes."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from genurl_graph import cli
from genurl_graph.cli import COMMANDS, main
from genurl_graph.exceptions import DivergenceError, InputError

HEAVY = ("torch", "numpy", "scipy", "sklearn", "matplotlib", "torch_geometric", "networkx", "ogb")


@pytest.mark.parametrize(
    "words", [[], ["embed"], ["explore"], ["compare"], ["ablate"], ["ogb"], ["doctor"], ["datasets"]]
)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom genurl_graph.cli import main\n"
        f"main({[*words, '--help']!r}, standalone_mode=False)\n"
        f"print('heavy:', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage:" in done.stdout
    assert done.stdout.splitlines()[-1] == "heavy: []"


def test_python_dash_m_and_version() -> None:
    import genurl_graph

    command = [sys.executable, "-m", "genurl_graph.cli", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"genurl-graph {genurl_graph.__version__}\n"


def test_help_lists_every_command() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    listed = [line.split()[0] for line in text.split("Commands:")[1].splitlines() if line.strip()]
    assert tuple(listed) == COMMANDS


# Others script against these names: one that goes missing is a breaking change.
OPTIONS = {
    "embed": "dataset input features labels data-root task encoder dim epochs seed device config set output "
    "metrics plot save-model resume quiet",
    "transform": "model input output",
    "explore": "dataset input features labels data-root run columns clusters output open quiet",
    "evaluate": "embedding dataset protocol seeds metrics",
    "compare": "dataset methods seeds metrics",
    "ablate": "dataset losses gamma nu k merging full seeds protocol data-root epochs device set metrics markdown plot "
    "resume quiet",
    "ogb": "dataset seeds data-root epochs device set probe-epochs report metrics resume yes quiet",
}


@pytest.mark.parametrize("name", list(OPTIONS))
def test_option_names(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    found = {word for parameter in command.params for word in parameter.opts}
    assert {f"--{word}" for word in OPTIONS[name].split()} - found == set()


def test_unknown_command() -> None:
    result = CliRunner().invoke(main, ["embedd"])
    assert result.exit_code == 2
    assert "embedd" in result.stderr


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InputError("x.csv: no rows"), 2, "Error: x.csv: no rows"),
        (DivergenceError("loss became NaN"), 1, "Error: loss became NaN"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_errors_become_messages(error: BaseException, code: int, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda self, ctx, name: failing)
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == code
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""
