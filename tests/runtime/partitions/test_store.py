"""Arrays by partition: what is written is read, whole and in part, and shuffles lose nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genurl_graph.exceptions import InputError
from genurl_graph.runtime.partitions import OneProcess, Store, run_stage
from genurl_graph.runtime.partitions.shuffle import gather, scatter, sent


def filled(path, array, count):
    store = Store.of(path, len(array), count)
    for part in range(store.count):
        store.save("x", part, array[slice(*store.span(part))])
    return store


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 12), st.data())
def test_rows_are_found_wherever_they_lie(tmp_path_factory, n, count, data) -> None:
    array = np.random.default_rng(n).random((n, 3), dtype=np.float32)
    store = filled(tmp_path_factory.mktemp("store"), array, count)
    assert np.array_equal(np.concatenate(list(store.parts("x"))), array)
    sizes = [store.size(part) for part in range(store.count)]
    assert sum(sizes) == n
    assert max(sizes) - min(sizes) <= 1
    rows = np.array(data.draw(st.lists(st.integers(0, n - 1), max_size=20)), dtype=np.int64)
    assert np.array_equal(store.take("x", rows), array[rows])
    part = data.draw(st.integers(0, store.count - 1))
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, sizes[part])] * 2)))
    first = store.bounds[part]
    assert np.array_equal(store.load("x", part, start, stop), array[first + start : first + stop])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 9), st.integers(0, 200))
def test_a_shuffle_brings_every_entry_where_it_belongs(tmp_path_factory, n, count, entries) -> None:
    generator = np.random.default_rng(entries)
    store = Store.of(tmp_path_factory.mktemp("store"), n, count)
    source, row = generator.integers(0, store.count, entries), generator.integers(0, n, entries)
    for part in range(store.count):
        mine = source == part
        scatter(store, "moved", part, store.owner(row[mine]), {"row": row[mine], "entry": mine.nonzero()[0]})
        assert sent(store, "moved", part)
    seen = []
    for part in range(store.count):
        found = gather(store, "moved", part, ["row", "entry"])
        low, high = store.span(part)
        assert ((found["row"] >= low) & (found["row"] < high)).all()
        assert np.array_equal(row[found["entry"]], found["row"])
        # In the order of their sources.
        assert (np.diff(source[found["entry"]]) >= 0).all()
        seen.extend(found["entry"])
    assert sorted(seen) == list(range(entries))


def test_what_is_not_there_or_cut_off_is_named(tmp_path) -> None:
    store = filled(tmp_path, np.arange(10.0), 2)
    with pytest.raises(InputError, match=r"no partition 1 of 'y'; expected the file 00001\.npy"):
        store.load("y", 1)
    file = store.file("x", 1)
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(InputError, match=r"00001\.npy: found a file that ends too early"):
        store.load("x", 1)


def double(part, store):
    if part == 3 and not store.path.with_name("repaired").exists():
        raise RuntimeError("gone")
    store.save("twice", part, 2 * store.load("x", part))
    return part


def test_a_stage_goes_on_where_it_ended(tmp_path) -> None:
    store = filled(tmp_path / "store", np.arange(20), 5)
    with pytest.raises(RuntimeError, match="gone"):
        run_stage(OneProcess(), store, "doubling", double, ["twice"])
    before = store.file("twice", 0).stat().st_mtime_ns
    (tmp_path / "repaired").touch()
    done = run_stage(OneProcess(), store, "doubling", double, ["twice"])
    assert [work.value for work in done] == [3, 4]
    assert store.file("twice", 0).stat().st_mtime_ns == before
    assert np.array_equal(np.concatenate(list(store.parts("twice"))), 2 * np.arange(20))
    assert run_stage(OneProcess(), store, "doubling", double, ["twice"]) == []
