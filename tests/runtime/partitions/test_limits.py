"""The cap on a process's memory: what goes beyond fails, and nothing else does."""

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from genurl_graph.exceptions import InputError
from genurl_graph.runtime.partitions.limits import capped
from tests.runtime.partitions.work import allocate_beyond

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the cap is Linux's")

BLOCK, ROOM = 8 << 20, 128 << 20


@pytest.fixture(scope="module")
def fresh():
    """A process of its own: what other tests have left in the heap of this one would count as well."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield lambda *given: pool.submit(allocate_beyond, *given).result()


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_memory_beyond_the_cap_is_refused_and_below_it_given(kind, fresh) -> None:
    found = fresh(kind, BLOCK, ROOM)
    assert found.refused.startswith(f"averages under the cap of {found.cap / 1e9:.2f} GB a worker: out of memory ")
    assert found.refused.endswith(
        "; prepare the data in smaller partitions, or give each worker more memory (--memory-per-worker)"
    )
    assert ROOM / 2 <= found.held <= found.cap
    assert found.peak <= found.cap
    # Outside nothing is refused.
    assert found.after == found.cap // 8 * 8


def test_small_blocks_count_as_well(fresh) -> None:
    found = fresh("numpy", 1600, ROOM)
    assert found.refused
    assert found.peak <= found.cap


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
