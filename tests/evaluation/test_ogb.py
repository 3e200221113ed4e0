"""OGB's metric: the official one, and its package imported without a word to the network."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest

from genurl_graph.evaluation.ogb import official_accuracy, without_version_check
from genurl_graph.exceptions import InputError
from tests.forked import run_together

IMPORT = """
import socket, sys, threading
asked = []
socket.getaddrinfo = lambda *words, **more: asked.append(words) or []
started = []
start = threading.Thread.start
threading.Thread.start = lambda self: (started.append(self.name), start(self))[1]
if sys.argv[1] == "ours":
    from genurl_graph.evaluation.ogb import official_accuracy
    official_accuracy("ogbn-arxiv")
else:
    import ogb.version
for thread in threading.enumerate():
    if thread is not threading.current_thread() and not thread.daemon:
        thread.join(30)
# The plain import shows that the test would notice.
plain = sys.argv[1] == "plain"
assert ("outdated" in sys.modules) == (len(started) > 0) == plain, (started, asked)
assert plain or not asked, asked
"""


@pytest.mark.parametrize("name", ["ogbn-arxiv", "ogbn-products"])
def test_equals_the_official_evaluator_on_random_predictions(name: str) -> None:
    with without_version_check():
        from ogb.nodeproppred import Evaluator
    rng = np.random.default_rng(0)
    metric = official_accuracy(name)
    for m, classes in ((1000, 40), (7, 2), (1, 3)):
        labels, predicted = rng.integers(classes, size=(2, m))
        official = Evaluator(name).eval({"y_true": labels[:, None], "y_pred": predicted[:, None]})["acc"]
        assert metric(labels, predicted) == official == np.mean(labels == predicted)


@pytest.mark.parametrize(("name", "message"), [("ogbn-cora", "Invalid dataset name"), ("ogbn-proteins", "rocauc")])
def test_other_names_are_refused(name: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=message) as caught:
        official_accuracy(name)
    assert "\n" not in str(caught.value)


# Not importorskip: the import alone asks for a newer version.
@pytest.mark.skipif(find_spec("outdated") is None, reason="outdated is not installed: ogb has nothing to ask with")
@pytest.mark.parametrize("how", ["ours", "plain"])
def test_importing_ogb_asks_nobody(how: str) -> None:
    run_together(IMPORT, [how], [{}])


def test_the_version_check_can_be_imported_again_afterwards() -> None:
    before = sys.modules.get("outdated")
    with without_version_check(), pytest.raises(ImportError):
        import outdated  # noqa: F401
    assert sys.modules.get("outdated") is before
