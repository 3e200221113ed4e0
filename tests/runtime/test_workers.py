"""Threads of a step: two calls at once, few threads for little work, nothing left behind."""

import os

import pytest
import torch

from genurl_graph.runtime import workers
from genurl_graph.runtime.workers import few_threads, side_by_side

CPU = torch.device("cpu")


@pytest.fixture
def two_threads():
    """Two threads for torch, whatever the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_two_calls_at_once_share_the_threads(two_threads):
    def seen():
        return torch.get_num_threads(), torch.ones(3).sum().item()

    expected = (1, 3.0) if workers._library() is not None else (2, 3.0)
    assert side_by_side(seen, seen, CPU) == (expected, expected)
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("bad", ["first", "second"])
def test_an_error_of_either_call_is_raised(two_threads, bad):
    def call(name):
        if name == bad:
            raise ValueError(name)
        return name

    with pytest.raises(ValueError, match=bad):
        side_by_side(lambda: call("first"), lambda: call("second"), CPU)
    assert torch.get_num_threads() == 2
    assert side_by_side(lambda: 1, lambda: 2, CPU) == (1, 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_process_has_a_thread_of_its_own(two_threads):
    side_by_side(lambda: 1, lambda: 2, CPU)
    child = os.fork()
    if child == 0:
        os._exit(0 if side_by_side(lambda: 1, lambda: 2, CPU) == (1, 2) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_few_threads_for_little_work(two_threads):
    with few_threads():
        assert torch.get_num_threads() == (1 if workers._library() is not None else 2)
    with few_threads(8):
        assert torch.get_num_threads() == 2
    with pytest.raises(ValueError, match="out"), few_threads():
        raise ValueError("out")
    assert torch.get_num_threads() == 2
