"""Progress bars and logs: bars on a terminal or in a notebook where the user has asked for them; logs for libraries."""

import io
import logging
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from genurl_graph import GenURL
from genurl_graph.graph.knn import knn
from genurl_graph.runtime import progress
from genurl_graph.runtime.progress import bar, showing


def gap(a, b):
    return np.abs(a - b).sum()


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_shown_where_it_was_asked_for(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Screen())
    assert bar(3, "work", "row").disable
    assert not bar(3, "work", "row", shown=True).disable
    with showing(True):
        assert not bar(3, "work", "row").disable
        with showing(False):
            assert bar(3, "work", "row").disable
    assert bar(3, "work", "row").disable


def test_a_bar_is_silent_without_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert bar(3, "work", "row", shown=True).disable


@pytest.mark.parametrize("shown", [False, True])
def test_calls_of_a_function_are_counted(shown, monkeypatch):
    x = np.random.default_rng(0).random((30, 2))
    monkeypatch.setattr(sys, "stderr", Screen())
    knn(x, 3, metric=gap, progress=shown)
    assert ("465/465" in sys.stderr.getvalue()) == shown
    monkeypatch.setattr(sys, "stderr", Screen())
    GenURL(metric=gap, epochs=1, random_state=0, verbose=shown).fit(x)
    assert ("465/465" in sys.stderr.getvalue()) == shown


def notebook(monkeypatch, classes: dict[str, dict]) -> None:
    """As in a kernel, whose IPython has this configuration."""
    module = ModuleType("IPython")
    module.get_ipython = lambda: SimpleNamespace(config=classes)
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setattr(sys, "stderr", io.StringIO())


def test_a_notebook_shows_bars_though_it_is_no_terminal(monkeypatch):
    notebook(monkeypatch, {"IPKernelApp": {}})
    monkeypatch.setitem(sys.modules, "ipywidgets", None)  # not installed
    x = np.random.default_rng(0).random((30, 2))
    GenURL(epochs=2, random_state=0, verbose=True).fit(x)
    assert "train: 100%" in sys.stderr.getvalue()
    assert bar(3, "work", "row").disable
    # The shell of IPython is a terminal, or writes to a file.
    notebook(monkeypatch, {"TerminalIPythonApp": {}})
    assert not progress.in_notebook()
    assert bar(3, "work", "row", shown=True).disable


def test_a_fit_says_what_it_does_to_the_logger(caplog, capsys):
    x = np.random.default_rng(0).random((30, 2))
    with caplog.at_level(logging.INFO, logger="genurl_graph"):
        GenURL(epochs=2, random_state=0).fit(x)
    told = [record.getMessage() for record in caplog.records]
    assert told[0] == "fit of 30 nodes, 2 features: task reduce, encoder free, seed 0, cpu"
    assert told[-1].startswith("trained 2 epochs in ")
    caplog.clear()
    with caplog.at_level(logging.DEBUG, logger="genurl_graph.training"):
        GenURL(epochs=2, random_state=0).fit(x)
    assert [r.getMessage().partition(":")[0] for r in caplog.records] == ["epoch 1 of 2", "epoch 2 of 2"]
    assert capsys.readouterr() == ("", "")
