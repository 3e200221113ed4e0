"""The cap on a process's memory: what goes beyond fails, and nothing else does."""

import sys

import numpy as np
import pytest
import torch

from genurl_graph.exceptions import InputError, ShortMemoryError
from genurl_graph.runtime.memory import peak_memory, reset_peak_memory
from genurl_graph.runtime.partitions.limits import CODE, capped, within

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the cap is Linux's")

BLOCK = 8 << 20


@pytest.fixture
def cap():
    """Room for 256 MB more than this process takes already."""
    reset_peak_memory()
    return peak_memory() + CODE + (256 << 20)


def fill(held, allocate, most):
    while len(held) < most:
        held.append(allocate())


@pytest.mark.parametrize("allocate", [np.ones, torch.ones], ids=["numpy", "torch"])
def test_memory_beyond_the_cap_is_refused_and_below_it_given(allocate, cap) -> None:
    held = []
    match = r"averages under the cap of \d\.\d\d GB a worker: out of memory .*; prepare the data in smaller partitions"
    with pytest.raises(ShortMemoryError, match=match), within(cap, "averages"):
        fill(held, lambda: allocate(BLOCK // 4) * 1.0, 2 * cap // BLOCK)
    # What is free in the heap of this process, in which other tests have run, counts as well.
    assert 64 << 20 <= sum(each.nbytes for each in held) <= cap
    assert peak_memory() <= cap
    held.clear()
    # Outside nothing is refused.
    assert len(np.ones(cap // 8)) == cap // 8


def test_small_blocks_count_as_well(cap) -> None:
    held = []
    with pytest.raises(ShortMemoryError), within(cap, "averages"):
        fill(held, lambda: np.ones(200), 1_000_000)
    assert peak_memory() <= cap


def test_a_cap_below_what_python_takes_is_named() -> None:
    with (
        pytest.raises(InputError, match=r"memory of a worker: found 0\.10 GB; expected more than \d\.\d\d GB"),
        capped(10**8),
    ):
        pass


def test_without_a_cap_nothing_is_limited() -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    with capped(None):
        assert resource.getrlimit(resource.RLIMIT_DATA) == before
