"""Run the command line inside a scratch folder, as a user would, without a new process."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from genurl_graph.cli import main
from genurl_graph.evaluation import splits

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run(*words, code=0)`: the result of ``genurl-graph words``, whose exit code must be `code`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENURL_DATA", str(tmp_path / "no-data"))
    # The protocol's 20 repeats would take most of the time here, and show nothing more than two.
    monkeypatch.setitem(splits.REPEATS, "random-10-10-80", 2)

    def call(*words: object, code: int = 0) -> Result:
        result = CliRunner().invoke(main, [str(word) for word in words])
        trace = result.exception if result.exc_info and result.exit_code not in (0, 2) else ""
        assert result.exit_code == code, f"{result.output}{trace!r}"
        return result

    return call


@pytest.fixture
def few_digits(monkeypatch: pytest.MonkeyPatch) -> int:
    """The data set digits has this many images, where all of them would show nothing more."""
    import torch

    from genurl_graph.datasets import loaders

    load, number = loaders.LOADERS["digits"], 300
    monkeypatch.setitem(loaders.LOADERS, "digits", lambda *words: load(*words).subgraph(torch.arange(number)))
    return number
