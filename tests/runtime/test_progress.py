"""Progress bars: on a terminal, where the user has asked for them, and nowhere else."""

import io
import sys

import numpy as np
import pytest

from genurl_graph import GenURL
from genurl_graph.graph.knn import knn
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
